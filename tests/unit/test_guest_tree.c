/* SPDX-License-Identifier: MIT */
/* What the board adds to a guest's device tree: what its harts can do, where RAM is, entropy or none. */
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dtgen.h"
#include "fake.h"
#include "guest_tree.h"

#define RAM  DMFS_GUEST_RAM_BASE
#define SIZE (UINT64_C(1) << 20)
#define OUT  "build/unit/guest_tree.dtb"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct capsule *capsule;
static struct board_hart hart;
static void *fdt;

static int setup(void **state)
{
	fake_reset(1);
	capsule = fake_capsule(2, SIZE);
	capsule->config.devicetree_load = RAM + 0x4000;
	fdt = (char *)hpa_ptr(capsule->memory.host) + 0x4000;
	hart = (struct board_hart){.isa = "rv64imafdch_zicsr_zba_sstc"};
	fake_harts[0].board = &hart;
	return 0;
}

static uint64_t generate(unsigned cpus)
{
	struct dtgen_guest guest = {
		.name = "fake",
		.memory = SIZE,
		.cpus = cpus,
		.cmdline = "quiet",
		.initrd_start = RAM + 0x80000,
		.initrd_end = RAM + 0x90001,
	};
	int len = dtgen_build(&guest, fdt, 0x20000);

	assert_true(len > 0);
	return (uint64_t)len;
}

static int node(const char *path)
{
	int found = fdt_path_offset(fdt, path);

	if (found < 0)
		fail_msg("%s: %s", path, fdt_strerror(found));
	return found;
}

static const char *text(const char *path, const char *name)
{
	const char *value = fdt_getprop(fdt, node(path), name, NULL);

	assert_non_null(value);
	return value;
}

static uint64_t number(const char *path, const char *name, unsigned index)
{
	int len;
	const fdt64_t *value = fdt_getprop(fdt, node(path), name, &len);

	assert_non_null(value);
	assert_true((unsigned)len >= 8 * (index + 1));
	return fdt64_ld(value + index);
}

/* A well-formed tree, in its place, that dtc has nothing to say about. */
static void assert_clean(void)
{
	FILE *file = fopen(OUT, "wb");
	char line[512];
	FILE *output;

	assert_int_equal(fdt_check_full(fdt, fdt_totalsize(fdt)), 0);
	assert_non_null(file);
	assert_int_equal(fwrite(fdt, 1, fdt_totalsize(fdt), file), fdt_totalsize(fdt));
	assert_int_equal(fclose(file), 0);
	output = popen("dtc -I dtb -O dtb -o /dev/null " OUT " 2>&1", "r");
	assert_non_null(output);
	if (fgets(line, sizeof(line), output))
		fail_msg("dtc: %s", line);
	assert_int_equal(pclose(output), 0);
}

/* This one first: entropy, once given, stays. */
static void without_entropy_there_is_no_seed_that_a_guest_would_credit(void **state)
{
	uint64_t len = generate(2);

	assert_non_null(fdt_getprop(fdt, node("/chosen"), "rng-seed", NULL));
	assert_true(guest_tree_complete(capsule, len));
	assert_null(fdt_getprop(fdt, node("/chosen"), "rng-seed", NULL));
	assert_clean();
	guest_seed_init((const uint8_t *)"", 0);
	assert_true(guest_tree_complete(capsule, fdt_totalsize(fdt)));
	assert_null(fdt_getprop(fdt, node("/chosen"), "rng-seed", NULL));
}

static void every_start_of_every_capsule_has_a_seed_of_its_own(void **state)
{
	uint8_t seeds[3][64], board_seed[32];

	memset(board_seed, 7, sizeof(board_seed));
	guest_seed_init(board_seed, sizeof(board_seed));
	for (unsigned i = 0; i < 3; i++) {
		int len;

		capsule->starts = i == 1;
		capsule->index = i == 2;
		assert_true(guest_tree_complete(capsule, generate(1)));
		memcpy(seeds[i], fdt_getprop(fdt, node("/chosen"), "rng-seed", &len), 64);
		assert_int_equal(len, 64);
		assert_memory_not_equal(seeds[i], board_seed, sizeof(board_seed));
	}
	assert_memory_not_equal(seeds[0], seeds[1], 64);
	assert_memory_not_equal(seeds[0], seeds[2], 64);
	assert_memory_not_equal(seeds[1], seeds[2], 64);
}

static void all_cpus_are_told_what_the_hart_can_do_and_how_fast_time_goes(void **state)
{
	static const char list[] = "i\0m\0a\0f\0d\0c\0zicsr\0zba\0sstc";
	int len;

	arch_features.sstc = true;
	assert_true(guest_tree_complete(capsule, generate(2)));
	assert_int_equal(fdt32_ld(fdt_getprop(fdt, node("/cpus"), "timebase-frequency", NULL)), 1000000);
	for (unsigned i = 0; i < 2; i++) {
		const char *path = i == 0 ? "/cpus/cpu@0" : "/cpus/cpu@1";

		assert_string_equal(text(path, "riscv,isa"), "rv64imafdc_zicsr_zba_sstc");
		assert_string_equal(text(path, "riscv,isa-base"), "rv64i");
		assert_memory_equal(fdt_getprop(fdt, node(path), "riscv,isa-extensions", &len), list, sizeof(list));
		assert_int_equal(len, sizeof(list));
	}
	assert_clean();
}

static void where_addresses_are_translated_memory_stays(void **state)
{
	assert_true(guest_tree_complete(capsule, generate(2)));
	assert_int_equal(number("/memory@80000000", "reg", 0), RAM);
	assert_int_equal(number("/memory@80000000", "reg", 1), SIZE);
	assert_int_equal(number("/chosen", "linux,initrd-start", 0), RAM + 0x80000);
	assert_string_equal(text("/chosen", "bootargs"), "quiet");
}

static void where_they_are_not_memory_and_initrd_move_up_or_down(void **state)
{
	static const struct {
		uint64_t base;
		const char *path;
	} cases[] = {{0xc0200000, "/memory@c0200000"}, {0x40000000, "/memory@40000000"},
		     {0x2040000000, "/memory@2040000000"}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		capsule->memory.base = gpa(cases[i].base);
		assert_true(guest_tree_complete(capsule, generate(2)));
		assert_int_equal(number(cases[i].path, "reg", 0), cases[i].base);
		assert_int_equal(number(cases[i].path, "reg", 1), SIZE);
		assert_int_equal(number("/chosen", "linux,initrd-start", 0), cases[i].base + 0x80000);
		assert_int_equal(number("/chosen", "linux,initrd-end", 0), cases[i].base + 0x90001);
		assert_true(fdt_path_offset(fdt, "/memory@80000000") < 0);
		assert_clean();
	}
}

static void what_is_no_tree_is_refused(void **state)
{
	uint64_t len = generate(2);

	/* No end to the list of reservations: libfdt, not told to doubt, moves by a length below 0. */
	fdt_set_off_mem_rsvmap(fdt, (uint32_t)len - 8);
	assert_false(guest_tree_complete(capsule, len));
	len = generate(2);
	assert_false(guest_tree_complete(capsule, len - 1)); /* longer than the object that it was */
	memset(fdt, 0, 4);
	assert_false(guest_tree_complete(capsule, len));
	len = generate(2);
	assert_int_equal(fdt_del_node(fdt, node("/cpus")), 0);
	assert_false(guest_tree_complete(capsule, len));
}

/* Nothing is written behind the room, which is all that the image keeps free. */
static void a_tree_that_outgrows_its_room_is_refused(void **state)
{
	uint64_t len;
	uint8_t *end;

	hart.isa = "rv64imafdc_zicsr_zifencei_zicntr_zihintpause_zba_zbb_zbc_zbs_zbkb_zbkc_zbkx_zfh_zfhmin_zicond"
		   "_zicbom_zicboz_zkn_zknd_zkne_zknh_zks_zksed_zksh_zkt_svinval_svnapot_svpbmt";
	assert_int_equal(fdt_create_empty_tree(fdt, 0x20000), 0);
	assert_true(fdt_add_subnode(fdt, 0, "cpus") > 0);
	for (unsigned i = 0; i < 200; i++) {
		char name[16];

		snprintf(name, sizeof(name), "cpu@%x", i);
		assert_true(fdt_add_subnode(fdt, node("/cpus"), name) > 0);
	}
	assert_int_equal(fdt_pack(fdt), 0);
	len = fdt_totalsize(fdt);
	end = (uint8_t *)fdt + len + DMFS_DEVICETREE_ROOM;
	memset(end, 0x5a, 64);
	assert_false(guest_tree_complete(capsule, len));
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(end[i], 0x5a);
}

static void as_many_cpus_as_there_may_be_fit_into_the_room(void **state)
{
	hart.isa = "rv64imafdc_zicsr_zifencei_zicntr_zihintpause_zba_zbb_zbc_zbs_zbkb_zbkc_zbkx_zfh_zfhmin_zicond"
		   "_zicbom_zicboz_zkn_zknd_zkne_zknh_zks_zksed_zksh_zkt_svinval_svnapot_svpbmt_sstc";
	arch_features.sstc = true;
	assert_true(guest_tree_complete(capsule, generate(DMFS_MAX_VCPUS)));
	assert_clean();
}

static void an_isa_string_keeps_what_a_guest_can_use(void **state)
{
	static const struct {
		const char *board;
		bool sstc;
		const char *guest;
		bool vector;
	} cases[] = {
		/* QEMU's boards */
		{"rv64imafdch_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc", true,
		 "rv64imafdc_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc", false},
		{"rv64imafdch_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc", false,
		 "rv64imafdc_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs", false},
		{"rv64imafdcsu", false, "rv64imafdc", false},
		/* real ones */
		{"rv64imac", false, "rv64imac", false},
		{"rv64imafdc", false, "rv64imafdc", false},
		{"rv64imafdc_zba_zbb", false, "rv64imafdc_zba_zbb", false},
		{"rv64imafdcv", false, "rv64imafdc", false},
		{"rv64gc", false, "rv64imafdc", false},
		{"rv64gcvsu", false, "rv64imafdc", false},
		/* of the hypervisor, or not passed on */
		{"rv64imafdc", true, "rv64imafdc_sstc", false},
		{"rv64imac_zkr_smaia_ssaia_smepmp_zicbop", false, "rv64imac", false},
		{"rv64imaczba_zbb", false, "rv64imac_zba_zbb", false},
		{"rv64imac__zbb_", false, "rv64imac_zbb", false},
		{"rv64imafdcvh_zicsr_zve32f_zve64f_zvfh_zvl256b", false, "rv64imafdc_zicsr", false},
		{"rv64imafdcvh_zicsr_zve32f_zve64f_zvfh_zvl256b", false,
		 "rv64imafdcv_zicsr_zve32f_zve64f_zvfh_zvl256b", true},
		{"rv64gcv_zvbb_zkr", true, "rv64imafdcv_zvbb_sstc", true},
		{"rv64gc", false, "rv64imafdc", true}, /* the tree does not say so */
		{NULL, false, "rv64imac", false},
		{"rv32imac_zbb", false, "rv64imac", false},
	};
	char isa[128];

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arch_features features = {.sstc = cases[i].sstc, .vector = cases[i].vector};

		guest_isa(cases[i].board, &features, isa, sizeof(isa));
		assert_string_equal(isa, cases[i].guest);
	}
}

static void a_string_without_room_is_cut_and_ended(void **state)
{
	static const struct arch_features features = {.sstc = true};

	for (size_t len = 5; len < 40; len++) {
		char *isa = malloc(len);

		assert_non_null(isa);
		guest_isa("rv64imafdc_zicsr_zifencei_svpbmt", &features, isa, len);
		assert_true(strlen(isa) < len);
		free(isa);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_entropy_there_is_no_seed_that_a_guest_would_credit, setup),
		cmocka_unit_test_setup(every_start_of_every_capsule_has_a_seed_of_its_own, setup),
		cmocka_unit_test_setup(all_cpus_are_told_what_the_hart_can_do_and_how_fast_time_goes, setup),
		cmocka_unit_test_setup(where_addresses_are_translated_memory_stays, setup),
		cmocka_unit_test_setup(where_they_are_not_memory_and_initrd_move_up_or_down, setup),
		cmocka_unit_test_setup(what_is_no_tree_is_refused, setup),
		cmocka_unit_test_setup(a_tree_that_outgrows_its_room_is_refused, setup),
		cmocka_unit_test_setup(as_many_cpus_as_there_may_be_fit_into_the_room, setup),
		cmocka_unit_test_setup(an_isa_string_keeps_what_a_guest_can_use, setup),
		cmocka_unit_test_setup(a_string_without_room_is_cut_and_ended, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
