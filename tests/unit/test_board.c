/* SPDX-License-Identifier: MIT */
/*
 * What board_read() makes of trees: those of QEMU's boards (build/dtb), and changed copies of them.
 */
#include <inttypes.h>
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board.h"

#define ROOM (256u << 10)

static struct board board;

/* A copy of the tree, with room to be changed. */
static void *load(const char *name)
{
	char path[128];
	void *fdt = test_malloc(ROOM);
	FILE *file;

	snprintf(path, sizeof(path), "build/dtb/%s.dtb", name);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("%s is not there; run the tests by make", path);
	assert_true(fread(fdt, 1, ROOM, file) > 0);
	fclose(file);
	assert_int_equal(fdt_open_into(fdt, fdt, (int)ROOM), 0);
	return fdt;
}

static void good(const void *fdt)
{
	const char *error = board_read(&board, fdt, ROOM);

	if (error)
		fail_msg("refused: %s", error);
}

/* Refused, by a sentence with these words. */
static void refused(const void *fdt, const char *words)
{
	const char *error = board_read(&board, fdt, ROOM);

	if (!error)
		fail_msg("accepted, although: %s", words);
	else if (!strstr(error, words))
		fail_msg("refused by '%s', not for '%s'", error, words);
}

/* Read, but not to be driven, by a sentence with these words. */
static void obstacle(const void *fdt, const char *words)
{
	char buf[160];
	const char *text;

	good(fdt);
	text = board_obstacle(&board, buf, sizeof(buf));
	if (!text)
		fail_msg("no obstacle, although: %s", words);
	else if (!strstr(text, words))
		fail_msg("obstacle '%s', not '%s'", text, words);
}

static void no_obstacle(const void *fdt)
{
	char buf[160];
	const char *text;

	good(fdt);
	text = board_obstacle(&board, buf, sizeof(buf));
	if (text)
		fail_msg("obstacle: %s", text);
}

static int at(const void *fdt, const char *path)
{
	int node = fdt_path_offset(fdt, path);

	if (node < 0)
		fail_msg("%s: %s", path, fdt_strerror(node));
	return node;
}

static void set_cells(void *fdt, const char *path, const char *name, const uint32_t *cells,
		      unsigned count)
{
	fdt32_t big_endian[64];

	assert_true(count <= 64);
	for (unsigned i = 0; i < count; i++)
		big_endian[i] = cpu_to_fdt32(cells[i]);
	assert_int_equal(fdt_setprop(fdt, at(fdt, path), name, big_endian, (int)(4 * count)), 0);
}

#define SET(fdt, path, name, ...) \
	set_cells(fdt, path, name, (const uint32_t[]){ __VA_ARGS__ }, \
		  sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static void set_text(void *fdt, const char *path, const char *name, const char *text)
{
	assert_int_equal(fdt_setprop_string(fdt, at(fdt, path), name, text), 0);
}

static void drop(void *fdt, const char *path, const char *name)
{
	assert_int_equal(fdt_delprop(fdt, at(fdt, path), name), 0);
}

static void add(void *fdt, const char *parent, const char *name)
{
	int node = fdt_add_subnode(fdt, at(fdt, parent), name);

	if (node < 0)
		fail_msg("%s/%s: %s", parent, name, fdt_strerror(node));
}

#define MEMORY "/memory@80000000"
#define UART "/soc/serial@10000000"
#define PLIC "/soc/plic@c000000"
#define CPU0 "/cpus/cpu@0"

/* --- QEMU's boards, exactly ------------------------------------------------------------------ */

static void assert_range(struct board_range range, uint64_t base, uint64_t size)
{
	assert_int_equal(range.base, base);
	assert_int_equal(range.size, size);
}

static void assert_virt_devices(void)
{
	assert_string_equal(board.compatible[0], "riscv-virtio");
	assert_int_equal(board.compatible_count, 1);
	assert_int_equal(board.timebase_hz, 10000000);
	assert_int_equal(board.mtime, 0x200bff8);
	assert_false(board.mtimecmp_32bit);
	assert_int_equal(board.uart.type, BOARD_UART_NS16550);
	assert_int_equal(board.uart.base, 0x10000000);
	assert_int_equal(board.uart.reg_shift, 0);
	assert_int_equal(board.uart.io_width, 1);
	assert_int_equal(board.uart.irq, 10);
	assert_int_equal(board.uart.clock_hz, 3686400);
	assert_int_equal(board.control.type, BOARD_UART_NONE);
	assert_int_equal(board.virtio_count, 8);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(board.virtio[i].base, 0x10000000 + 0x1000 * board.virtio[i].irq);
	assert_int_equal(board.plic.base, 0xc000000);
	assert_int_equal(board.plic.size, 0x600000);
	assert_int_equal(board.plic.sources, 96);
	assert_int_equal(board.poweroff.type, BOARD_RESET_SYSCON);
	assert_int_equal(board.poweroff.address, 0x100000);
	assert_int_equal(board.poweroff.value, 0x5555);
	assert_true(board.poweroff.test_finisher);
	/* The second bank of its flash. */
	assert_int_equal(board.store.base, 0x22000000);
	assert_int_equal(board.store.size, 0x2000000);
	assert_int_equal(board.reboot.type, BOARD_RESET_SYSCON);
	assert_int_equal(board.reboot.address, 0x100000);
	assert_int_equal(board.reboot.value, 0x7777);
}

/* Harts whose registers follow one another, with a machine and a supervisor context each. */
static void assert_virt_harts(uint32_t count)
{
	assert_int_equal(board.hart_count, count);
	for (uint32_t i = 0; i < count; i++) {
		const struct board_hart *hart = &board.harts[i];

		assert_int_equal(hart->id, i);
		assert_int_equal(hart->xlen, 64);
		assert_true(hart->usable && hart->has_s && hart->has_h && hart->has_sstc);
		assert_int_equal(hart->msip, 0x2000000 + 4 * i);
		assert_int_equal(hart->mtimecmp, 0x2004000 + 8 * i);
		assert_int_equal(hart->plic_context, 2 * i);
	}
}

static void reads_virt(void **state)
{
	void *fdt = load("virt");

	no_obstacle(fdt);
	assert_virt_devices();
	assert_virt_harts(1);
	assert_int_equal(board.ram_count, 1);
	assert_range(board.ram[0], 0x80000000, 128 << 20);
	assert_int_equal(board.reserved_count, 0);
	assert_int_equal(board.initrd_end, 0);
	assert_string_equal(board.bootargs, "");
	assert_true(board.has_rng_seed);
	assert_int_equal(board.rng_seed_len, 32);
	test_free(fdt);
}

static void reads_virt_with_eight_harts(void **state)
{
	void *fdt = load("virt-8");

	no_obstacle(fdt);
	assert_virt_devices();
	assert_virt_harts(8);
	assert_range(board.ram[0], 0x80000000, UINT64_C(5) << 30);
	test_free(fdt);
}

static void reads_virt_with_aclint(void **state)
{
	void *fdt = load("virt-aclint");

	no_obstacle(fdt);
	assert_virt_devices();
	assert_virt_harts(4);
	test_free(fdt);
}

/* Each socket has a CLINT and a PLIC; the console's is the one that counts. */
static void reads_virt_with_two_sockets(void **state)
{
	void *fdt = load("virt-numa");

	no_obstacle(fdt);
	assert_virt_devices();
	assert_int_equal(board.hart_count, 4);
	assert_int_equal(board.harts[1].msip, 0x2000004);
	assert_int_equal(board.harts[1].plic_context, 2);
	assert_int_equal(board.harts[2].id, 2);
	assert_int_equal(board.harts[2].msip, 0x2010000);
	assert_int_equal(board.harts[2].mtimecmp, 0x2014000);
	assert_int_equal(board.harts[2].plic_context, BOARD_NONE);
	assert_int_equal(board.harts[3].mtimecmp, 0x2014008);
	assert_int_equal(board.ram_count, 1);
	assert_range(board.ram[0], 0x80000000, UINT64_C(2) << 30);
	test_free(fdt);
}

static void reads_sifive_u(void **state)
{
	void *fdt = load("sifive_u");

	no_obstacle(fdt);
	assert_string_equal(board.model, "SiFive HiFive Unleashed A00");
	assert_int_equal(board.timebase_hz, 1000000);
	assert_int_equal(board.hart_count, 5);
	assert_true(board.harts[0].usable);
	assert_false(board.harts[0].has_s);
	for (uint32_t i = 1; i < 5; i++) {
		assert_true(board.harts[i].usable && board.harts[i].has_s);
		assert_false(board.harts[i].has_h || board.harts[i].has_sstc);
		assert_int_equal(board.harts[i].msip, 0x2000000 + 4 * i);
		assert_int_equal(board.harts[i].mtimecmp, 0x2004000 + 8 * i);
		assert_int_equal(board.harts[i].plic_context, 2 * i - 1);
	}
	assert_int_equal(board.uart.type, BOARD_UART_SIFIVE);
	assert_int_equal(board.uart.base, 0x10010000);
	assert_int_equal(board.uart.io_width, 4);
	assert_int_equal(board.uart.irq, 4);
	assert_int_equal(board.control.type, BOARD_UART_SIFIVE);
	assert_int_equal(board.control.base, 0x10011000);
	assert_int_equal(board.control.irq, 5);
	assert_int_equal(board.virtio_count, 0);
	assert_int_equal(board.plic.sources, 53);
	assert_int_equal(board.poweroff.type, BOARD_RESET_NONE);
	assert_int_equal(board.store.size, 0);
	assert_int_equal(board.reboot.type, BOARD_RESET_GPIO);
	assert_int_equal(board.reboot.address, 0x10060000);
	assert_int_equal(board.reboot.value, 10);
	assert_true(board.reboot.active_low);
	test_free(fdt);
}

static void says_that_aplic_is_unknown(void **state)
{
	void *fdt = load("virt-aia");

	obstacle(fdt, "riscv,aplic");
	assert_int_equal(board.uart.irq, 0);
	test_free(fdt);
}

static void says_that_32_bit_harts_are_unknown(void **state)
{
	void *fdt = load("virt-32");

	obstacle(fdt, "XLEN of 64");
	assert_int_equal(board.harts[0].xlen, 32);
	test_free(fdt);
}

/* --- harts ----------------------------------------------------------------------------------- */

static void understands_isa_strings(void **state)
{
	static const struct {
		const char *isa;
		uint32_t xlen;
		bool usable, has_h, has_sstc;
	} cases[] = {
		{ "rv64imac", 64, true, false, false },
		{ "rv64gc", 64, true, false, false },
		{ "rv64gch_sstc", 64, true, true, true },
		{ "RV64IMAFDCH_Zicsr_Sstc_svpbmt", 64, true, true, true },
		{ "rv64imafdcsuh", 64, true, false, false }, /* s begins a long name */
		{ "rv64i2p1m2p0a2p1f2p2d2p2c2p0_zicsr2p0_sstc1p0", 64, true, false, true },
		{ "rv64imafd", 64, false, false, false },
		{ "rv64iac", 64, false, false, false },
		{ "rv64", 64, false, false, false },
		{ "rv64imac_xsstc_shcounterenw", 64, true, false, false },
		{ "rv64imac_zsstc", 64, true, false, false },
		{ "rv64imac__h", 64, true, true, false },
		{ "rv32imac", 32, false, false, false },
		{ "rv128imac", 0, false, false, false },
		{ "rv", 0, false, false, false },
		{ "", 0, false, false, false },
		{ "64imac", 0, false, false, false },
	};
	void *fdt = load("virt");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct board_hart *hart = &board.harts[0];

		set_text(fdt, CPU0, "riscv,isa", cases[i].isa);
		good(fdt);
		if (hart->xlen != cases[i].xlen || hart->usable != cases[i].usable ||
		    hart->has_h != cases[i].has_h || hart->has_sstc != cases[i].has_sstc)
			fail_msg("'%s': xlen %u, usable %d, h %d, sstc %d", cases[i].isa, hart->xlen,
				 hart->usable, hart->has_h, hart->has_sstc);
	}
	test_free(fdt);
}

static void understands_isa_extension_lists(void **state)
{
	static const char list[] = "i\0m\0a\0c\0h\0sstc";
	void *fdt = load("virt");

	drop(fdt, CPU0, "riscv,isa");
	set_text(fdt, CPU0, "riscv,isa-base", "rv64i");
	assert_int_equal(fdt_setprop(fdt, at(fdt, CPU0), "riscv,isa-extensions", list, sizeof(list)), 0);
	no_obstacle(fdt);
	assert_null(board.harts[0].isa);
	assert_true(board.harts[0].usable && board.harts[0].has_h && board.harts[0].has_sstc);
	test_free(fdt);
}

static void keeps_hart_numbers_with_holes(void **state)
{
	void *fdt = load("virt-aclint");

	SET(fdt, "/cpus/cpu@2", "reg", 0x100);
	SET(fdt, "/cpus/cpu@3", "reg", 0x101);
	good(fdt);
	assert_int_equal(board.harts[2].id, 0x100);
	assert_int_equal(board.harts[2].msip, 0x2000000 + 4 * 0x100);
	assert_int_equal(board.harts[3].mtimecmp, 0x2004000 + 8 * 0x101);
	assert_int_equal(board.harts[3].plic_context, 6);

	/* Registers that would be past the device are none. */
	SET(fdt, "/cpus/cpu@3", "reg", 0x10000);
	good(fdt);
	assert_int_equal(board.harts[3].msip, 0);
	assert_int_equal(board.harts[3].mtimecmp, 0);
	test_free(fdt);
}

static void reads_hart_numbers_of_64_bits(void **state)
{
	void *fdt = load("virt");

	SET(fdt, "/cpus", "#address-cells", 2);
	SET(fdt, CPU0, "reg", 0x12, 0x34);
	good(fdt);
	assert_int_equal(board.harts[0].id, UINT64_C(0x1200000034));
	/* The least number is the first register's. */
	assert_int_equal(board.harts[0].msip, 0x2000000);
	test_free(fdt);
}

static void passes_over_harts_that_are_not_for_use(void **state)
{
	void *fdt = load("virt-aclint");

	set_text(fdt, "/cpus/cpu@1", "status", "disabled");
	set_text(fdt, "/cpus/cpu@2", "mmu-type", "riscv,none");
	drop(fdt, "/cpus/cpu@3", "mmu-type");
	no_obstacle(fdt);
	assert_false(board.harts[1].usable);
	assert_false(board.harts[2].has_s);
	assert_false(board.harts[3].has_s);
	test_free(fdt);
}

static void says_what_harts_lack(void **state)
{
	void *fdt = load("virt");

	set_text(fdt, CPU0, "riscv,isa", "rv64ima");
	obstacle(fdt, "extensions I, M, A and C");
	set_text(fdt, CPU0, "riscv,isa", "rv64imac");
	set_text(fdt, CPU0, "status", "disabled");
	obstacle(fdt, "none of its harts is enabled");
	set_text(fdt, CPU0, "status", "okay");
	drop(fdt, CPU0, "mmu-type");
	obstacle(fdt, "S-mode");
	set_text(fdt, CPU0, "mmu-type", "riscv,sv39");
	drop(fdt, "/cpus", "timebase-frequency");
	obstacle(fdt, "timebase-frequency");
	SET(fdt, CPU0, "timebase-frequency", 1234);
	no_obstacle(fdt);
	assert_int_equal(board.timebase_hz, 1234);
	test_free(fdt);
}

static void refuses_two_harts_with_one_number(void **state)
{
	void *fdt = load("virt-aclint");

	SET(fdt, "/cpus/cpu@2", "reg", 1);
	refused(fdt, "same number");
	test_free(fdt);
}

static void refuses_harts_without_number(void **state)
{
	void *fdt = load("virt");

	SET(fdt, "/cpus", "#address-cells", 0);
	refused(fdt, "no number");
	SET(fdt, "/cpus", "#address-cells", 0xffffffff);
	refused(fdt, "no number");
	SET(fdt, "/cpus", "#address-cells", 1);
	drop(fdt, CPU0, "reg");
	refused(fdt, "no number");
	test_free(fdt);
}

static void refuses_no_harts_and_too_many(void **state)
{
	void *fdt = load("virt");
	char name[16], path[32];

	for (uint32_t i = 1; i < BOARD_MAX_HARTS; i++) {
		snprintf(name, sizeof(name), "cpu@%x", i);
		snprintf(path, sizeof(path), "/cpus/cpu@%x", i);
		add(fdt, "/cpus", name);
		SET(fdt, path, "reg", i);
		set_text(fdt, path, "device_type", "cpu");
	}
	good(fdt);
	assert_int_equal(board.hart_count, BOARD_MAX_HARTS);
	add(fdt, "/cpus", "cpu@999");
	SET(fdt, "/cpus/cpu@999", "reg", 0x999);
	set_text(fdt, "/cpus/cpu@999", "device_type", "cpu");
	refused(fdt, "more than 128 harts");

	assert_int_equal(fdt_del_node(fdt, at(fdt, "/cpus")), 0);
	refused(fdt, "/cpus");
	add(fdt, "/", "cpus");
	refused(fdt, "no hart");
	test_free(fdt);
}

/* --- memory ---------------------------------------------------------------------------------- */

static void sorts_and_joins_banks(void **state)
{
	void *fdt = load("virt");

	/* 3 G to 3.5 G, 2 G to 3 G (touches), 8 G to 9 G, nothing, 8.5 G to 10 G (overlaps), 1 G to 1.5 G */
	SET(fdt, MEMORY, "reg", 0, 0xc0000000, 0, 0x20000000, 0, 0x80000000, 0, 0x40000000, 2, 0, 0,
	    0x40000000, 5, 0, 0, 0, 2, 0x20000000, 0, 0x60000000, 0, 0x40000000, 0, 0x20000000);
	good(fdt);
	assert_int_equal(board.ram_count, 3);
	assert_range(board.ram[0], 0x40000000, 0x20000000);
	assert_range(board.ram[1], 0x80000000, 0x60000000);
	assert_range(board.ram[2], UINT64_C(0x200000000), UINT64_C(0x80000000));
	test_free(fdt);
}

static void joins_banks_that_one_bridges(void **state)
{
	void *fdt = load("virt");

	SET(fdt, MEMORY, "reg", 0, 0x1000, 0, 0x1000, 0, 0x4000, 0, 0x1000, 0, 0x3000, 0, 0x800, 0, 0x1800,
	    0, 0x2c00);
	good(fdt);
	assert_int_equal(board.ram_count, 1);
	assert_range(board.ram[0], 0x1000, 0x4000);
	test_free(fdt);
}

static void keeps_the_largest_of_too_many_banks(void **state)
{
	void *fdt = load("virt");
	char name[32], path[40];

	for (uint32_t i = 1; i <= 40; i++) {
		snprintf(name, sizeof(name), "memory@%x00000000", i);
		snprintf(path, sizeof(path), "/%s", name);
		add(fdt, "/", name);
		set_text(fdt, path, "device_type", "memory");
		/* The odd ones are larger the later they come, the even ones small. */
		SET(fdt, path, "reg", i, 0, 0, i % 2 ? i << 20 : 4096);
	}
	good(fdt);
	assert_int_equal(board.ram_count, BOARD_MAX_BANKS);
	/* The 128 MiB at 2 GiB, then the 15 largest odd ones. */
	assert_range(board.ram[0], 0x80000000, 128 << 20);
	for (uint32_t i = 1; i < BOARD_MAX_BANKS; i++)
		assert_range(board.ram[i], (uint64_t)(9 + 2 * i) << 32, (9 + 2 * i) << 20);
	test_free(fdt);
}

static void says_that_ram_is_missing(void **state)
{
	void *fdt = load("virt");

	SET(fdt, MEMORY, "reg", 0, 0x80000000, 0, 0);
	obstacle(fdt, "no RAM");
	assert_int_equal(fdt_del_node(fdt, at(fdt, MEMORY)), 0);
	obstacle(fdt, "no RAM");
	test_free(fdt);
}

static void refuses_malformed_banks(void **state)
{
	void *fdt = load("virt");

	SET(fdt, MEMORY, "reg", 0, 0x80000000, 0);
	refused(fdt, "memory node of the device tree has a malformed reg");
	SET(fdt, MEMORY, "reg", 0xffffffff, 0xfffff000, 0, 0x1001);
	refused(fdt, "wraps around");
	SET(fdt, MEMORY, "reg", 0, 0x80000000, 0, 0x8000000);
	SET(fdt, "/", "#size-cells", 3);
	refused(fdt, "malformed reg");
	SET(fdt, "/", "#size-cells", 2);
	SET(fdt, "/", "#address-cells", 0);
	refused(fdt, "malformed reg");
	test_free(fdt);
}

static void collects_what_is_reserved(void **state)
{
	void *fdt = load("virt");

	assert_int_equal(fdt_add_mem_rsv(fdt, 0x80000000, 0x40000), 0);
	add(fdt, "/", "reserved-memory");
	SET(fdt, "/reserved-memory", "#address-cells", 2);
	SET(fdt, "/reserved-memory", "#size-cells", 2);
	assert_int_equal(fdt_setprop(fdt, at(fdt, "/reserved-memory"), "ranges", NULL, 0), 0);
	add(fdt, "/reserved-memory", "two");
	SET(fdt, "/reserved-memory/two", "reg", 0, 0x81000000, 0, 0x1000, 1, 0, 0, 0x2000);
	add(fdt, "/reserved-memory", "anywhere");
	SET(fdt, "/reserved-memory/anywhere", "size", 0, 0x100000);
	add(fdt, "/reserved-memory", "not-in-use");
	SET(fdt, "/reserved-memory/not-in-use", "reg", 0, 0x82000000, 0, 0x1000);
	set_text(fdt, "/reserved-memory/not-in-use", "status", "disabled");
	good(fdt);
	assert_int_equal(board.reserved_count, 3);
	assert_range(board.reserved[0], 0x80000000, 0x40000);

	drop(fdt, "/reserved-memory", "ranges");
	refused(fdt, "leads nowhere");
	SET(fdt, "/reserved-memory", "#size-cells", 1);
	SET(fdt, "/reserved-memory/two", "reg", 0, 0x81000000, 0, 1);
	refused(fdt, "reserved-memory node of the device tree has a malformed reg");
	test_free(fdt);
}

static void refuses_more_reservations_than_it_can_keep(void **state)
{
	void *fdt = load("virt");

	for (uint32_t i = 0; i < BOARD_MAX_RESERVED; i++)
		assert_int_equal(fdt_add_mem_rsv(fdt, i << 12, 0x100), 0);
	good(fdt);
	assert_int_equal(board.reserved_count, BOARD_MAX_RESERVED);
	assert_int_equal(fdt_add_mem_rsv(fdt, 0x80000000, 1), 0);
	refused(fdt, "more than 64 ranges");
	test_free(fdt);
}

static void refuses_reservations_that_wrap(void **state)
{
	void *fdt = load("virt");

	assert_int_equal(fdt_add_mem_rsv(fdt, UINT64_MAX, 2), 0);
	refused(fdt, "memory reservation block");
	test_free(fdt);
}

/* --- /chosen and the console ----------------------------------------------------------------- */

static void reads_initrd_of_32_and_64_bits(void **state)
{
	void *fdt = load("virt");

	SET(fdt, "/chosen", "linux,initrd-start", 0x84000000);
	SET(fdt, "/chosen", "linux,initrd-end", 1, 0x84001000);
	set_text(fdt, "/chosen", "bootargs", "a b=c");
	good(fdt);
	assert_int_equal(board.initrd_start, 0x84000000);
	assert_int_equal(board.initrd_end, UINT64_C(0x184001000));
	assert_string_equal(board.bootargs, "a b=c");
	test_free(fdt);
}

static void refuses_half_an_initrd(void **state)
{
	void *fdt = load("virt");

	SET(fdt, "/chosen", "linux,initrd-start", 0x84000000);
	refused(fdt, "initrd-start or -end");
	SET(fdt, "/chosen", "linux,initrd-end", 0x83000000);
	refused(fdt, "initrd-start or -end");
	SET(fdt, "/chosen", "linux,initrd-end", 0, 0, 0x85000000);
	refused(fdt, "initrd-start or -end");
	test_free(fdt);
}

/* A second UART beside QEMU's. */
static void *with_second_uart(const char *compatible)
{
	void *fdt = load("virt");

	add(fdt, "/soc", "serial@20000000");
	set_text(fdt, "/soc/serial@20000000", "compatible", compatible);
	SET(fdt, "/soc/serial@20000000", "reg", 0, 0x20000000, 0, 0x100);
	SET(fdt, "/soc/serial@20000000", "reg-shift", 2);
	SET(fdt, "/soc/serial@20000000", "reg-io-width", 4);
	SET(fdt, "/soc/serial@20000000", "current-speed", 9600);
	add(fdt, "/", "aliases");
	set_text(fdt, "/aliases", "serial0", "/soc/serial@20000000");
	return fdt;
}

static void finds_the_console_by_alias_with_options(void **state)
{
	void *fdt = with_second_uart("snps,dw-apb-uart");

	set_text(fdt, "/chosen", "stdout-path", "serial0:115200n8");
	SET(fdt, "/soc/serial@20000000", "reg-offset", 0x40);
	good(fdt);
	assert_int_equal(board.uart.base, 0x20000040);
	assert_int_equal(board.uart.reg_shift, 2);
	assert_int_equal(board.uart.io_width, 4);
	assert_int_equal(board.uart.baud, 115200);
	set_text(fdt, "/chosen", "stdout-path", "serial0");
	good(fdt);
	assert_int_equal(board.uart.baud, 9600);
	test_free(fdt);
}

static void takes_serial0_and_then_any_uart_it_knows(void **state)
{
	void *fdt = with_second_uart("ns16550");

	drop(fdt, "/chosen", "stdout-path");
	good(fdt);
	assert_int_equal(board.uart.base, 0x20000000);
	set_text(fdt, "/soc/serial@20000000", "status", "disabled");
	good(fdt);
	assert_int_equal(board.uart.base, 0x10000000);
	set_text(fdt, "/soc", "status", "disabled");
	good(fdt);
	assert_int_equal(board.uart.type, BOARD_UART_NONE);
	test_free(fdt);
}

static void survives_stdout_paths_that_lead_nowhere(void **state)
{
	static const char *const paths[] = {
		"",	"/",		"//",	 ":",	    ":99999999999999999999",
		"/soc/", "/soc/nothing", "serial0", "serial1:", "serial0/soc",
	};
	void *fdt = with_second_uart("ns16550a");

	set_text(fdt, "/aliases", "serial0", "serial0"); /* itself */
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		set_text(fdt, "/chosen", "stdout-path", paths[i]);
		assert_null(board_read(&board, fdt, ROOM));
	}
	test_free(fdt);
}

static void names_a_console_that_it_does_not_know(void **state)
{
	void *fdt = with_second_uart("acme,teletype");

	set_text(fdt, "/chosen", "stdout-path", "serial0");
	obstacle(fdt, "acme,teletype");
	test_free(fdt);
}

static void refuses_consoles_that_cannot_be_reached(void **state)
{
	void *fdt = load("virt");

	SET(fdt, UART, "reg-shift", 31);
	refused(fdt, "reg-shift");
	SET(fdt, UART, "reg-shift", 0);
	SET(fdt, UART, "reg-io-width", 2);
	refused(fdt, "reg-io-width");
	SET(fdt, UART, "reg-io-width", 1);
	SET(fdt, UART, "reg-offset", 0x100);
	refused(fdt, "console");
	drop(fdt, UART, "reg-offset");
	SET(fdt, UART, "reg", 0, 0x10000000, 0);
	refused(fdt, "console");
	drop(fdt, UART, "reg");
	refused(fdt, "console");
	test_free(fdt);
}

static void takes_the_rate_of_a_fixed_clock(void **state)
{
	void *fdt = load("virt");

	drop(fdt, UART, "clock-frequency");
	SET(fdt, UART, "clocks", 77);
	good(fdt);
	assert_int_equal(board.uart.clock_hz, 0);
	add(fdt, "/", "oscillator");
	set_text(fdt, "/oscillator", "compatible", "fixed-clock");
	SET(fdt, "/oscillator", "phandle", 77);
	SET(fdt, "/oscillator", "clock-frequency", 24000000);
	good(fdt);
	assert_int_equal(board.uart.clock_hz, 24000000);
	test_free(fdt);
}

/* --- buses and wires ------------------------------------------------------------------------- */

static void translates_through_buses(void **state)
{
	void *fdt = load("virt");

	/* 32-bit addresses on the bus, at 0x4_0000_0000 + 0x0c00_0000 and at 0x7000_0000 for the rest. */
	SET(fdt, "/soc", "#address-cells", 1);
	SET(fdt, "/soc", "#size-cells", 1);
	SET(fdt, "/soc", "ranges", 0x0c000000, 4, 0x0c000000, 0x01000000, 0, 0, 0x70000000, 0x0c000000,
	    0x10000000, 0, 0xa0000000, 0x100);
	SET(fdt, PLIC, "reg", 0xc000000, 0x600000);
	SET(fdt, "/soc/clint@2000000", "reg", 0x2000000, 0x10000);
	SET(fdt, UART, "reg", 0x10000000, 0x100);
	good(fdt);
	assert_int_equal(board.plic.base, UINT64_C(0x40c000000));
	assert_int_equal(board.harts[0].mtimecmp, 0x72004000);
	assert_int_equal(board.uart.base, 0xa0000000);

	/* One byte more than the bus passes on. */
	SET(fdt, UART, "reg", 0x10000000, 0x101);
	refused(fdt, "console");
	SET(fdt, UART, "reg", 0x10000000, 0x100);
	drop(fdt, "/soc", "ranges");
	refused(fdt, "timer");
	test_free(fdt);
}

static void refuses_a_translation_that_wraps(void **state)
{
	void *fdt = load("virt");

	SET(fdt, "/soc", "ranges", 0, 0, 0xffffffff, 0xf0000000, 1, 0);
	refused(fdt, "reg that cannot be used");
	test_free(fdt);
}

/* Kernels' trees hide the machine mode's wires, whose contexts are there all the same. */
static void finds_hidden_machine_contexts(void **state)
{
	void *fdt = load("virt");
	uint32_t intc;

	good(fdt);
	intc = fdt_get_phandle(fdt, at(fdt, CPU0 "/interrupt-controller"));
	SET(fdt, PLIC, "interrupts-extended", 0x7777, 11, intc, 0xffffffff, intc, 9);
	good(fdt);
	assert_int_equal(board.harts[0].plic_context, 1);
	/* The other way round it is the supervisor's that is absent. */
	SET(fdt, PLIC, "interrupts-extended", intc, 11, intc, 0xffffffff);
	good(fdt);
	assert_int_equal(board.harts[0].plic_context, 0);
	SET(fdt, PLIC, "interrupts-extended", intc, 0xffffffff);
	good(fdt);
	assert_int_equal(board.harts[0].plic_context, BOARD_NONE);
	/* Half an entry, and a context past the end of the device. */
	SET(fdt, PLIC, "interrupts-extended", intc);
	good(fdt);
	assert_int_equal(board.harts[0].plic_context, BOARD_NONE);
	SET(fdt, PLIC, "interrupts-extended", intc, 9, intc, 11);
	SET(fdt, PLIC, "reg", 0, 0xc000000, 0, 0x201000);
	good(fdt);
	assert_int_equal(board.harts[0].plic_context, BOARD_NONE);
	test_free(fdt);
}

static void takes_named_and_lone_timer_windows(void **state)
{
	static const char names[] = "mtimecmp\0mtime";
	void *fdt = load("virt-aclint");
	const char *timer = "/soc/mtimer@2004000";

	SET(fdt, timer, "reg", 0, 0x3000000, 0, 0x100, 0, 0x3010000, 0, 8);
	good(fdt);
	assert_int_equal(board.mtime, 0x3000000);
	assert_int_equal(board.harts[0].mtimecmp, 0x3010000);
	assert_int_equal(board.harts[1].mtimecmp, 0);
	assert_int_equal(fdt_setprop(fdt, at(fdt, timer), "reg-names", names, sizeof(names)), 0);
	good(fdt);
	assert_int_equal(board.mtime, 0x3010000);
	assert_int_equal(board.harts[1].mtimecmp, 0x3000008);
	drop(fdt, timer, "reg-names");
	set_text(fdt, timer, "compatible", "thead,c900-aclint-mtimer");
	SET(fdt, timer, "reg", 0, 0x3000000, 0, 0x100);
	good(fdt);
	assert_int_equal(board.mtime, 0);
	assert_true(board.mtimecmp_32bit);
	assert_int_equal(board.harts[3].mtimecmp, 0x3000018);
	test_free(fdt);
}

static void says_that_timer_or_ipi_is_missing(void **state)
{
	void *fdt = load("virt-aclint");

	set_text(fdt, "/soc/mswi@2000000", "status", "disabled");
	obstacle(fdt, "interprocessor interrupt");
	set_text(fdt, "/soc/mtimer@2004000", "compatible", "acme,hourglass");
	obstacle(fdt, "machine timer");
	test_free(fdt);
}

static void limits_interrupts_to_those_of_the_plic(void **state)
{
	void *fdt = load("virt");

	SET(fdt, UART, "interrupts", 97);
	good(fdt);
	assert_int_equal(board.uart.irq, 0);
	SET(fdt, PLIC, "riscv,ndev", 0xffffffff);
	SET(fdt, UART, "interrupts", 1023);
	good(fdt);
	assert_int_equal(board.plic.sources, 1023);
	assert_int_equal(board.uart.irq, 1023);
	test_free(fdt);
}

/* --- reset ----------------------------------------------------------------------------------- */

static void leaves_out_resets_that_it_cannot_do(void **state)
{
	static const struct {
		const char *property;
		uint32_t value;
	} cases[] = {
		{ "mask", 0xff },      { "offset", 0xffffffff }, { "offset", 0xffd }, { "regmap", 0 },
		{ "regmap", 0xffffffff }, { "regmap", 0x7777 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		void *fdt = load("virt");

		SET(fdt, "/poweroff", cases[i].property, cases[i].value);
		no_obstacle(fdt);
		assert_int_equal(board.poweroff.type, BOARD_RESET_NONE);
		assert_int_equal(board.reboot.type, BOARD_RESET_SYSCON);
		test_free(fdt);
	}
}

static void survives_phandles_in_a_circle(void **state)
{
	void *fdt = load("virt");

	SET(fdt, "/poweroff", "phandle", 0x77);
	SET(fdt, "/poweroff", "regmap", 0x77);
	SET(fdt, PLIC, "phandle", 0x78);
	SET(fdt, PLIC, "interrupt-parent", 0x78);
	SET(fdt, PLIC, "interrupts-extended", 0x78, 11);
	SET(fdt, UART, "phandle", 0x79);
	SET(fdt, UART, "interrupt-parent", 0x79);
	SET(fdt, UART, "clocks", 0x79);
	good(fdt);
	assert_int_equal(board.poweroff.type, BOARD_RESET_NONE);
	assert_int_equal(board.uart.irq, 0);
	test_free(fdt);
}

/* --- trees that are none --------------------------------------------------------------------- */

/* A copy that ends exactly where it says, so that the sanitizer sees one byte too far. */
static void read_exactly(const uint8_t *fdt, size_t len, size_t changed, uint8_t value)
{
	uint8_t *copy = malloc(len ? len : 1);
	char buf[160];

	assert_non_null(copy);
	memcpy(copy, fdt, len);
	if (changed < len)
		copy[changed] = value;
	if (!board_read(&board, copy, len))
		board_obstacle(&board, buf, sizeof(buf));
	free(copy);
}

static void refuses_trees_cut_at_any_length(void **state)
{
	void *fdt = load("virt");
	size_t len;

	assert_int_equal(fdt_pack(fdt), 0);
	len = fdt_totalsize(fdt);
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);

		assert_non_null(copy);
		memcpy(copy, fdt, cut);
		assert_non_null(board_read(&board, copy, cut));
		free(copy);
	}
	test_free(fdt);
}

static void survives_any_byte_being_wrong(void **state)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0xff };
	void *fdt = load("sifive_u");
	size_t len;

	assert_int_equal(fdt_pack(fdt), 0);
	len = fdt_totalsize(fdt);
	for (size_t i = 0; i < len; i++)
		read_exactly(fdt, len, i, values[i % sizeof(values)]);
	test_free(fdt);
}

static void refuses_what_is_no_tree(void **state)
{
	static const uint64_t zeros[16];

	assert_string_equal(board_read(&board, zeros, sizeof(zeros)), "what was passed is no device tree");
}

static void refuses_old_and_damaged_formats(void **state)
{
	void *fdt = load("virt");

	fdt_set_version(fdt, 16);
	refused(fdt, "version before 17");
	fdt_set_version(fdt, 17);
	fdt_set_totalsize(fdt, ROOM + 1);
	refused(fdt, "damaged");
	fdt_set_totalsize(fdt, ROOM);
	fdt_set_off_dt_struct(fdt, fdt_off_dt_struct(fdt) + 2);
	refused(fdt, "not aligned");
	test_free(fdt);
}

static void passes_over_nodes_nested_too_deeply(void **state)
{
	void *fdt = load("virt");
	char path[512] = "/soc";

	for (int i = 0; i < 60; i++) {
		add(fdt, path, "deeper");
		strcat(path, "/deeper");
		set_text(fdt, path, "compatible", "syscon-poweroff");
	}
	set_text(fdt, "/chosen", "stdout-path", path);
	no_obstacle(fdt);
	assert_virt_devices();
	test_free(fdt);
}

static void writes_no_obstacle_past_its_room(void **state)
{
	void *fdt = with_second_uart("acme,teletype-with-a-name-that-is-far-too-long-for-the-room");
	char buf[24] = "";

	set_text(fdt, "/chosen", "stdout-path", "serial0");
	good(fdt);
	assert_string_equal(board_obstacle(&board, buf, 16), "its console is ");
	assert_int_equal(buf[16], 0);
	test_free(fdt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_virt),
		cmocka_unit_test(reads_virt_with_eight_harts),
		cmocka_unit_test(reads_virt_with_aclint),
		cmocka_unit_test(reads_virt_with_two_sockets),
		cmocka_unit_test(reads_sifive_u),
		cmocka_unit_test(says_that_aplic_is_unknown),
		cmocka_unit_test(says_that_32_bit_harts_are_unknown),
		cmocka_unit_test(understands_isa_strings),
		cmocka_unit_test(understands_isa_extension_lists),
		cmocka_unit_test(keeps_hart_numbers_with_holes),
		cmocka_unit_test(reads_hart_numbers_of_64_bits),
		cmocka_unit_test(passes_over_harts_that_are_not_for_use),
		cmocka_unit_test(says_what_harts_lack),
		cmocka_unit_test(refuses_two_harts_with_one_number),
		cmocka_unit_test(refuses_harts_without_number),
		cmocka_unit_test(refuses_no_harts_and_too_many),
		cmocka_unit_test(sorts_and_joins_banks),
		cmocka_unit_test(joins_banks_that_one_bridges),
		cmocka_unit_test(keeps_the_largest_of_too_many_banks),
		cmocka_unit_test(says_that_ram_is_missing),
		cmocka_unit_test(refuses_malformed_banks),
		cmocka_unit_test(collects_what_is_reserved),
		cmocka_unit_test(refuses_more_reservations_than_it_can_keep),
		cmocka_unit_test(refuses_reservations_that_wrap),
		cmocka_unit_test(reads_initrd_of_32_and_64_bits),
		cmocka_unit_test(refuses_half_an_initrd),
		cmocka_unit_test(finds_the_console_by_alias_with_options),
		cmocka_unit_test(takes_serial0_and_then_any_uart_it_knows),
		cmocka_unit_test(survives_stdout_paths_that_lead_nowhere),
		cmocka_unit_test(names_a_console_that_it_does_not_know),
		cmocka_unit_test(refuses_consoles_that_cannot_be_reached),
		cmocka_unit_test(takes_the_rate_of_a_fixed_clock),
		cmocka_unit_test(translates_through_buses),
		cmocka_unit_test(refuses_a_translation_that_wraps),
		cmocka_unit_test(finds_hidden_machine_contexts),
		cmocka_unit_test(takes_named_and_lone_timer_windows),
		cmocka_unit_test(says_that_timer_or_ipi_is_missing),
		cmocka_unit_test(limits_interrupts_to_those_of_the_plic),
		cmocka_unit_test(leaves_out_resets_that_it_cannot_do),
		cmocka_unit_test(survives_phandles_in_a_circle),
		cmocka_unit_test(refuses_trees_cut_at_any_length),
		cmocka_unit_test(survives_any_byte_being_wrong),
		cmocka_unit_test(refuses_what_is_no_tree),
		cmocka_unit_test(refuses_old_and_damaged_formats),
		cmocka_unit_test(passes_over_nodes_nested_too_deeply),
		cmocka_unit_test(writes_no_obstacle_past_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
