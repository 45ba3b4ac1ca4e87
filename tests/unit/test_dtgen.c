/* SPDX-License-Identifier: MIT */
/* The trees of capsules: what is in them, and what dtc and the board's own reader say. */
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board.h"
#include "dmfs.h"
#include "dtgen/dtgen.h"

#define ROOM 65536
#define DIR "build/unit/"

static const struct dtgen_guest linux_guest = {
	.name = "linux",
	.memory = UINT64_C(256) << 20,
	.cpus = 2,
	.cmdline = "console=ttyS0 quote=\"a\\b\"",
	.initrd_start = 0x8c000000,
	.initrd_end = 0x8d000001,
};

static _Alignas(8) uint8_t fdt[ROOM];

static int build(const struct dtgen_guest *guest)
{
	int len = dtgen_build(guest, fdt, sizeof(fdt));

	if (len <= 0)
		fail_msg("dtgen_build: %s", fdt_strerror(len));
	assert_int_equal(fdt_check_full(fdt, (size_t)len), 0);
	return len;
}

static void save(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* Runs a command that has to succeed without a word. */
static void silently(const char *command)
{
	char line[512];
	FILE *output;

	snprintf(line, sizeof(line), "{ %s; } 2>&1", command);
	output = popen(line, "r");
	assert_non_null(output);
	if (fgets(line, sizeof(line), output))
		fail_msg("%s: %s", command, line);
	assert_int_equal(pclose(output), 0);
}

static void save_as_source(const char *path)
{
	char *source = dtgen_to_source(fdt);

	assert_non_null(source);
	save(path, source, strlen(source));
	free(source);
}

static void dtc_has_nothing_to_say(void **state)
{
	for (uint32_t cpus = 1; cpus <= DMFS_MAX_VCPUS; cpus += 21) {
		struct dtgen_guest guest = linux_guest;

		guest.cpus = cpus;
		save(DIR "dtgen.dtb", fdt, (size_t)build(&guest));
		silently("dtc -I dtb -O dtb -o " DIR "dtgen-again.dtb " DIR "dtgen.dtb");
		save_as_source(DIR "dtgen.dts");
		silently("dtc -I dts -O dtb -o " DIR "dtgen-source.dtb " DIR "dtgen.dts");
	}
}

/* Properties, their order and their bytes: the structure blocks compiled from both are the same. */
static void source_is_the_same_tree(void **state)
{
	save(DIR "dtgen.dtb", fdt, (size_t)build(&linux_guest));
	save_as_source(DIR "dtgen.dts");
	silently("dtc -I dts -O dtb -o " DIR "dtgen-source.dtb " DIR "dtgen.dts");
	silently("dtc -I dtb -O dtb -o " DIR "dtgen-again.dtb " DIR "dtgen.dtb");
	silently("cmp " DIR "dtgen-again.dtb " DIR "dtgen-source.dtb");
}

/* Values that look like something else. */
static void source_keeps_any_value(void **state)
{
	static const struct {
		const char *name;
		const char *value;
		int len;
	} values[] = {
		{ "empty-string", "", 1 },	 { "strings", "a\0b", 4 },
		{ "strings-with-gap", "a\0\0b", 5 }, { "unterminated", "abc", 3 },
		{ "escapes", "\"\\\"", 4 },	 { "newline", "a\n", 3 },
		{ "latin1", "\xe9", 2 },	 { "four-bytes", "\1\2\3\4", 4 },
		{ "five-bytes", "\1\2\3\4\5", 5 }, { "flag", "", 0 },
		{ "clocks", "\0\0\0\1\0\0\0\1", 8 }, { "gpios", "\0\0\x77\x77\0\0\0\1\0\0\0\2", 12 },
		{ "interrupts-extended", "\0\0\0\1", 4 },
	};

	build(&linux_guest);
	assert_int_equal(fdt_open_into(fdt, fdt, ROOM), 0);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		assert_int_equal(fdt_setprop(fdt, fdt_path_offset(fdt, "/soc"), values[i].name,
					     values[i].value, values[i].len), 0);
	assert_int_equal(fdt_add_mem_rsv(fdt, UINT64_C(0x1234567890), 0x1000), 0);
	assert_int_equal(fdt_pack(fdt), 0);
	save(DIR "dtgen.dtb", fdt, fdt_totalsize(fdt));
	save_as_source(DIR "dtgen.dts");
	silently("dtc -q -f -I dts -O dtb -o " DIR "dtgen-source.dtb " DIR "dtgen.dts");
	silently("dtc -q -f -I dtb -O dtb -o " DIR "dtgen-again.dtb " DIR "dtgen.dtb");
	silently("cmp " DIR "dtgen-again.dtb " DIR "dtgen-source.dtb");
}

/* What the reader for boards finds in it is what was asked for. */
static void reads_back_as_a_board(void **state)
{
	static struct board board;
	int len = build(&linux_guest);

	assert_null(board_read(&board, fdt, (size_t)len));
	assert_string_equal(board.model, "Diosix capsule linux");
	assert_string_equal(board.compatible[0], "diosix,virt");
	assert_string_equal(board.compatible[1], "riscv-virtio");
	assert_string_equal(board.bootargs, linux_guest.cmdline);
	assert_int_equal(board.initrd_start, linux_guest.initrd_start);
	assert_int_equal(board.initrd_end, linux_guest.initrd_end);
	assert_int_equal(board.rng_seed_len, 64);
	assert_int_equal(board.hart_count, 2);
	assert_int_equal(board.harts[1].id, 1);
	assert_true(board.harts[1].usable && board.harts[1].has_s);
	assert_int_equal(board.harts[1].plic_context, 2);
	assert_int_equal(board.ram_count, 1);
	assert_int_equal(board.ram[0].base, DMFS_GUEST_RAM_BASE);
	assert_int_equal(board.ram[0].size, linux_guest.memory);
	assert_int_equal(board.uart.base, DTGEN_UART_BASE);
	assert_int_equal(board.uart.irq, DTGEN_UART_IRQ);
	assert_int_equal(board.uart.clock_hz, DTGEN_UART_CLOCK);
	assert_int_equal(board.plic.base, DTGEN_PLIC_BASE);
	assert_int_equal(board.plic.size, DTGEN_PLIC_SIZE);
	assert_int_equal(board.plic.sources, DTGEN_PLIC_SOURCES);
}

static void leaves_out_an_initrd_that_is_not_there(void **state)
{
	struct dtgen_guest guest = linux_guest;

	guest.initrd_start = guest.initrd_end = 0;
	build(&guest);
	assert_null(fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "linux,initrd-start", NULL));
	assert_null(fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "linux,initrd-end", NULL));
}

static void gives_the_same_bytes_whatever_was_in_the_buffer(void **state)
{
	static uint8_t first[ROOM];
	int len = build(&linux_guest);

	memcpy(first, fdt, (size_t)len);
	memset(fdt, 0xa5, sizeof(fdt));
	assert_int_equal(build(&linux_guest), len);
	assert_memory_equal(first, fdt, (size_t)len);
}

static void says_when_there_is_no_room(void **state)
{
	int len = build(&linux_guest);

	for (int room = 0; room < len; room++)
		assert_int_equal(dtgen_build(&linux_guest, fdt, (size_t)room), -FDT_ERR_NOSPACE);
	assert_int_equal(dtgen_build(&linux_guest, fdt, (size_t)len), len);
}

static void refuses_impossible_numbers_of_cpus(void **state)
{
	struct dtgen_guest guest = linux_guest;

	guest.cpus = 0;
	assert_int_equal(dtgen_build(&guest, fdt, sizeof(fdt)), -FDT_ERR_BADVALUE);
	guest.cpus = DMFS_MAX_VCPUS + 1;
	assert_int_equal(dtgen_build(&guest, fdt, sizeof(fdt)), -FDT_ERR_BADVALUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dtc_has_nothing_to_say),
		cmocka_unit_test(source_is_the_same_tree),
		cmocka_unit_test(source_keeps_any_value),
		cmocka_unit_test(reads_back_as_a_board),
		cmocka_unit_test(leaves_out_an_initrd_that_is_not_there),
		cmocka_unit_test(gives_the_same_bytes_whatever_was_in_the_buffer),
		cmocka_unit_test(says_when_there_is_no_room),
		cmocka_unit_test(refuses_impossible_numbers_of_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
