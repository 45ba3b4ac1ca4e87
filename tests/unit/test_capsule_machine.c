/* SPDX-License-Identifier: MIT */
/* What a program on the runtime learns of its machine, from trees as the hypervisor makes them and from odd ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "runtime.h"

#define TREE_LEN 16384
#define RAM	 UINT64_C(0x90000000)
#define RAM_LEN	 UINT64_C(0x800000)

/* Where link.ld says that the program ends: below whatever is allocated. */
char __image_end[1];

static void *tree;
static const struct machine virt = {.timebase = 10000000, .ram = 0x80000000, .ram_end = 0x80800000};

static int setup(void **state)
{
	machine = virt;
	tree = malloc(TREE_LEN);
	return fdt_create_empty_tree(tree, TREE_LEN);
}

static int teardown(void **state)
{
	free(tree);
	return 0;
}

static int node(const char *name)
{
	int at = fdt_add_subnode(tree, 0, name);

	assert_true(at >= 0);
	return at;
}

static void set_cells(const char *path, const char *property, unsigned count, ...)
{
	fdt32_t cells[8];
	va_list list;

	va_start(list, count);
	for (unsigned i = 0; i < count; i++)
		cells[i] = cpu_to_fdt32(va_arg(list, unsigned));
	va_end(list);
	assert_int_equal(fdt_setprop(tree, fdt_path_offset(tree, path), property, cells, (int)(count * sizeof(cells[0]))), 0);
}

static void set_text(const char *path, const char *property, const char *text)
{
	assert_int_equal(fdt_setprop_string(tree, fdt_path_offset(tree, path), property, text), 0);
}

/* A capsule's tree, as dtgen makes it and the hypervisor completes it. */
static void add_usual(void)
{
	set_cells("/", "#address-cells", 1, 2);
	set_cells("/", "#size-cells", 1, 2);
	set_text("/", "model", "Diosix capsule demo");
	node("cpus");
	set_cells("/cpus", "timebase-frequency", 1, 4000000);
	node("memory@90000000");
	set_text("/memory@90000000", "device_type", "memory");
	set_cells("/memory@90000000", "reg", 4, 0, (unsigned)RAM, 0, (unsigned)RAM_LEN);
	node("chosen");
	set_text("/chosen", "bootargs", "one 'two words'");
}

static void a_capsule_s_tree_tells_all(void **state)
{
	add_usual();
	machine_read(3, tree);
	assert_int_equal(machine.boot_hart, 3);
	assert_int_equal(machine.timebase, 4000000);
	assert_int_equal(machine.ram, RAM);
	assert_int_equal(machine.ram_end, RAM + RAM_LEN);
	assert_int_equal(machine.heap_end, RAM + RAM_LEN);
	assert_string_equal(machine.name, "demo");
	assert_string_equal(machine.arguments, "one 'two words'");
}

static void the_heap_ends_below_the_tree_and_the_ram_disk(void **state)
{
	uint64_t at = (uintptr_t)tree;

	add_usual();
	/* RAM that the tree lies in. */
	set_cells("/memory@90000000", "reg", 4, 0, 0, 0x7fffffff, 0);
	machine_read(0, tree);
	assert_int_equal(machine.heap_end, at & ~UINT64_C(4095));
	set_cells("/chosen", "linux,initrd-start", 2, 0, 0x90400123);
	machine_read(0, tree);
	assert_int_equal(machine.heap_end, 0x90400000);
	set_cells("/chosen", "linux,initrd-start", 1, 0x90500000);
	machine_read(0, tree);
	assert_int_equal(machine.heap_end, 0x90500000);
}

static void expect_virt(void)
{
	assert_int_equal(machine.timebase, virt.timebase);
	assert_int_equal(machine.ram, virt.ram);
	assert_int_equal(machine.ram_end, virt.ram_end);
	assert_int_equal(machine.heap_end, virt.ram_end);
}

static void without_a_tree_or_what_should_be_in_it_the_machine_is_virt(void **state)
{
	machine_read(0, tree);
	expect_virt();
	assert_string_equal(machine.name, "");
	assert_string_equal(machine.arguments, "");
	machine_read(0, NULL);
	expect_virt();
	memset(tree, 0xff, 64);
	machine_read(0, tree);
	expect_virt();
}

static void properties_of_odd_lengths_are_passed_over(void **state)
{
	add_usual();
	set_cells("/cpus", "timebase-frequency", 3, 1, 2, 3);
	set_cells("/memory@90000000", "reg", 3, 0, 1, 2);
	set_cells("/chosen", "linux,initrd-start", 0);
	machine_read(0, tree);
	expect_virt();
	set_cells("/memory@90000000", "reg", 4, 0, (unsigned)RAM, 0, (unsigned)RAM_LEN);
	set_cells("/", "#address-cells", 1, 1);
	machine_read(0, tree);
	expect_virt();
}

static void texts_that_are_too_long_or_have_no_end_are_cut(void **state)
{
	static char text[5000];

	add_usual();
	memset(text, 'x', sizeof(text));
	assert_int_equal(fdt_setprop(tree, fdt_path_offset(tree, "/chosen"), "bootargs", text, sizeof(text)), 0);
	/* What follows it in the tree is no part of it. */
	assert_int_equal(fdt_setprop(tree, 0, "model", "Diosix capsule no-end", 21), 0);
	machine_read(0, tree);
	assert_int_equal(strlen(machine.arguments), 4095);
	assert_string_equal(machine.name, "no-end");
	set_text("/", "model", "another board");
	machine_read(0, tree);
	assert_string_equal(machine.name, "another board");
}

#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_capsule_s_tree_tells_all),
		test(the_heap_ends_below_the_tree_and_the_ram_disk),
		test(without_a_tree_or_what_should_be_in_it_the_machine_is_virt),
		test(properties_of_odd_lengths_are_passed_over),
		test(texts_that_are_too_long_or_have_no_end_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
