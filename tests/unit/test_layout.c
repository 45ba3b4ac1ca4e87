/* SPDX-License-Identifier: MIT */
/* Where kernel, RAM disk and device tree go in a guest's RAM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dmfs.h"
#include "mkdmfs/layout.h"

#define BASE DMFS_GUEST_RAM_BASE
#define MIB  (UINT64_C(1) << 20)

struct range {
	uint64_t start, end;
};

static void assert_apart(struct range a, struct range b)
{
	assert_true(a.end <= b.start || b.end <= a.start);
}

/* Everything is in RAM, aligned, and nothing touches anything else. */
static void assert_sound(const struct layout *layout, uint64_t memory, const struct kernel *kernel,
			 uint64_t initrd_len, uint64_t tree_len)
{
	struct range code = {layout->kernel_load, layout->kernel_load + kernel->mem_len};
	struct range tree = {layout->devicetree_load,
			     layout->devicetree_load + tree_len + DMFS_DEVICETREE_ROOM};
	struct range disk = {layout->initrd_load, layout->initrd_load + initrd_len};

	assert_true(code.start >= BASE && code.end <= BASE + memory);
	assert_true(tree.start >= BASE && tree.end <= BASE + memory);
	assert_int_equal(tree.start % 8, 0);
	assert_apart(code, tree);
	if (initrd_len) {
		assert_true(disk.start >= BASE && disk.end <= BASE + memory);
		assert_int_equal(disk.start % LAYOUT_ALIGN, 0);
		assert_apart(code, disk);
		assert_apart(tree, disk);
	} else {
		assert_int_equal(disk.start, 0);
	}
}

static void relocatable_kernel_begins_2_mib_into_ram(void **state)
{
	const struct kernel kernel = {
		.mem_len = 20 * MIB, .relocatable = true, .load = 2 * MIB, .entry_offset = 64};
	struct layout layout;

	assert_int_equal(layout_place(&layout, 256 * MIB, &kernel, 8 * MIB + 1, 5000), LAYOUT_GOOD);
	assert_sound(&layout, 256 * MIB, &kernel, 8 * MIB + 1, 5000);
	assert_int_equal(layout.kernel_load, BASE + 2 * MIB);
	assert_int_equal(layout.entry, BASE + 2 * MIB + 64);
	assert_true(layout.initrd_load > BASE + 240 * MIB);
}

static void needed_memory_suffices_and_less_does_not(void **state)
{
	for (uint64_t initrd = 0; initrd < 6 * MIB; initrd += 300001) {
		for (uint64_t len = 1; len < 5 * MIB; len += 700001) {
			const struct kernel kernel = {.mem_len = len, .load = 2 * MIB};
			struct layout layout;
			uint64_t needed;

			assert_int_equal(layout_place(&layout, 2 * MIB, &kernel, initrd, 5000),
					 LAYOUT_TOO_SMALL);
			needed = layout.needed;
			assert_int_equal(needed % DMFS_MEMORY_UNIT, 0);
			assert_int_equal(layout_place(&layout, needed, &kernel, initrd, 5000),
					 LAYOUT_GOOD);
			assert_sound(&layout, needed, &kernel, initrd, 5000);
		}
	}
}

static void kernel_at_the_top_leaves_room_below(void **state)
{
	const struct kernel kernel = {.mem_len = MIB, .placed = true, .load = BASE + 15 * MIB};
	struct layout layout;

	assert_int_equal(layout_place(&layout, 16 * MIB, &kernel, 3 * MIB, 5000), LAYOUT_GOOD);
	assert_sound(&layout, 16 * MIB, &kernel, 3 * MIB, 5000);
	assert_int_equal(layout.kernel_load, BASE + 15 * MIB);
}

static void smallest_guest_has_its_program_at_the_start_of_ram(void **state)
{
	const struct kernel kernel = {.mem_len = 100, .placed = true, .load = BASE};
	struct layout layout;

	assert_int_equal(layout_place(&layout, 2 * MIB, &kernel, 0, 5000), LAYOUT_GOOD);
	assert_sound(&layout, 2 * MIB, &kernel, 0, 5000);
}

static void addresses_outside_ram_are_refused(void **state)
{
	struct kernel kernel = {.mem_len = 100, .placed = true, .load = BASE - 1};
	struct layout layout;

	assert_int_equal(layout_place(&layout, 16 * MIB, &kernel, 0, 5000), LAYOUT_OUTSIDE);
	kernel.load = 0;
	assert_int_equal(layout_place(&layout, 16 * MIB, &kernel, 0, 5000), LAYOUT_OUTSIDE);
	kernel.load = UINT64_MAX;
	assert_int_equal(layout_place(&layout, 16 * MIB, &kernel, 0, 5000), LAYOUT_OUTSIDE);
	kernel.load = BASE + 16 * MIB - 99;
	assert_int_equal(layout_place(&layout, 16 * MIB, &kernel, 0, 5000), LAYOUT_TOO_SMALL);
}

static void lengths_beyond_all_memory_do_not_wrap(void **state)
{
	struct kernel kernel = {.mem_len = UINT64_MAX, .load = 2 * MIB};
	struct layout layout;

	assert_int_not_equal(layout_place(&layout, 16 * MIB, &kernel, 0, 5000), LAYOUT_GOOD);
	kernel.mem_len = MIB;
	assert_int_not_equal(layout_place(&layout, 16 * MIB, &kernel, UINT64_MAX, 5000),
			     LAYOUT_GOOD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relocatable_kernel_begins_2_mib_into_ram),
		cmocka_unit_test(needed_memory_suffices_and_less_does_not),
		cmocka_unit_test(kernel_at_the_top_leaves_room_below),
		cmocka_unit_test(smallest_guest_has_its_program_at_the_start_of_ram),
		cmocka_unit_test(addresses_outside_ram_are_refused),
		cmocka_unit_test(lengths_beyond_all_memory_do_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
