/* SPDX-License-Identifier: MIT */
/* Overlays of unknown origin, merged into a generated tree: each names what libfdt would believe.
 */
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dtgen/dtgen.h"

#define ROOM 65536

static const struct dtgen_guest guest = {
	.name = "guest", .memory = 16u << 20, .cpus = 1, .cmdline = ""};
static _Alignas(8) uint8_t tree[ROOM], made[ROOM];

/* --- making overlays -----------------------------------------------------------------------------
 */

static void begin(const char *name)
{
	assert_int_equal(fdt_begin_node(made, name), 0);
}

static void end(unsigned count)
{
	while (count-- > 0)
		assert_int_equal(fdt_end_node(made), 0);
}

static void cell(const char *name, uint32_t value)
{
	assert_int_equal(fdt_property_u32(made, name, value), 0);
}

static void start(void)
{
	assert_int_equal(fdt_create(made, sizeof(made)), 0);
	assert_int_equal(fdt_finish_reservemap(made), 0);
	begin("");
}

/* Into /soc: a clock, and a device that refers to it. */
static void fragment(const char *target, int target_len)
{
	begin("fragment@0");
	assert_int_equal(fdt_property(made, "target-path", target, target_len), 0);
	begin("__overlay__");
	begin("clock");
	cell("phandle", 1);
	end(1);
	begin("device");
	cell("clocks", 1);
	end(3);
}

/* Where the reference is, as dtc says it. */
static void local(const char *node, const char *property, uint32_t offset)
{
	begin("__local_fixups__");
	begin("fragment@0");
	begin("__overlay__");
	begin(node);
	cell(property, offset);
	end(4);
}

/* What comes of it, in a buffer that ends where the overlay does. */
static int merge(void)
{
	size_t len;
	void *exact;
	int result;

	end(1);
	assert_int_equal(fdt_finish(made), 0);
	len = fdt_totalsize(made);
	exact = malloc(len);
	assert_non_null(exact);
	memcpy(exact, made, len);
	assert_true(dtgen_build(&guest, tree, sizeof(tree)) > 0);
	result = dtgen_apply_overlay(tree, sizeof(tree), exact, len);
	free(exact);
	return result;
}

/* --- what comes of them --------------------------------------------------------------------------
 */

static void references_within_are_moved_past_the_tree_s_own(void **state)
{
	const fdt32_t *clocks;
	int clock;

	start();
	fragment("/soc", 5);
	local("device", "clocks", 0);
	assert_true(merge() > 0);
	assert_int_equal(fdt_check_full(tree, sizeof(tree)), 0);
	clock = fdt_path_offset(tree, "/soc/clock");
	clocks = fdt_getprop(tree, fdt_path_offset(tree, "/soc/device"), "clocks", NULL);
	assert_non_null(clocks);
	assert_true(fdt32_ld(clocks) > 1);
	assert_int_equal(fdt32_ld(clocks), fdt_get_phandle(tree, clock));
}

static void a_reference_outside_its_property_is_refused(void **state)
{
	static const uint32_t offsets[] = {1, 4, 0x7fffffff, 0x80000000, 0xfffffffc};

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		start();
		fragment("/soc", 5);
		local("device", "clocks", offsets[i]);
		assert_int_equal(merge(), -FDT_ERR_BADOVERLAY);
	}
}

static void a_reference_to_nothing_is_refused(void **state)
{
	start();
	fragment("/soc", 5);
	local("nothing", "clocks", 0);
	assert_int_equal(merge(), -FDT_ERR_BADOVERLAY);
	start();
	fragment("/soc", 5);
	local("device", "nothing", 0);
	assert_int_equal(merge(), -FDT_ERR_BADOVERLAY);
}

/* Offsets that are moved themselves, before they are used. */
static void offsets_that_change_are_refused(void **state)
{
	start();
	fragment("/soc", 5);
	local("clock", "phandle", 0);
	assert_int_equal(merge(), -FDT_ERR_BADOVERLAY);
	start();
	fragment("/soc", 5);
	begin("__local_fixups__");
	cell("at", 0);
	begin("__local_fixups__");
	cell("at", 0);
	end(2);
	assert_int_equal(merge(), -FDT_ERR_BADOVERLAY);
}

static void a_path_without_end_is_refused(void **state)
{
	start();
	fragment("/soc", 4);
	assert_int_equal(merge(), -FDT_ERR_BADOVERLAY);
}

static void a_label_is_not_found(void **state)
{
	start();
	fragment("/soc", 5);
	begin("__fixups__");
	assert_int_equal(fdt_property_string(made, "uart0", "/fragment@0:target:4294967294"), 0);
	end(1);
	assert_int_equal(merge(), -FDT_ERR_NOTFOUND);
}

/* libfdt calls itself for each. */
static void nodes_without_bottom_are_refused(void **state)
{
	start();
	for (unsigned i = 0; i < 1000; i++)
		begin("n");
	end(1000);
	assert_int_equal(merge(), -FDT_ERR_BADOVERLAY);
}

static void what_is_no_tree_is_refused(void **state)
{
	uint8_t bytes[64] = {0xd0, 0x0d, 0xfe, 0xed};

	assert_true(dtgen_build(&guest, tree, sizeof(tree)) > 0);
	assert_int_equal(dtgen_apply_overlay(tree, sizeof(tree), bytes, 0), -FDT_ERR_BADSTRUCTURE);
	assert_int_equal(dtgen_apply_overlay(tree, sizeof(tree), bytes, sizeof(bytes)),
			 -FDT_ERR_BADSTRUCTURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references_within_are_moved_past_the_tree_s_own),
		cmocka_unit_test(a_reference_outside_its_property_is_refused),
		cmocka_unit_test(a_reference_to_nothing_is_refused),
		cmocka_unit_test(offsets_that_change_are_refused),
		cmocka_unit_test(a_path_without_end_is_refused),
		cmocka_unit_test(a_label_is_not_found),
		cmocka_unit_test(nodes_without_bottom_are_refused),
		cmocka_unit_test(what_is_no_tree_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
