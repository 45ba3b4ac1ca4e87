/* SPDX-License-Identifier: MIT */
/* Which boards take an image (docs/dmfs-format.md, section 9, step 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "forge.h"

static const char *const virt[] = {"riscv-virtio"};
static const char *const unleashed[] = {"sifive,hifive-unleashed-a00", "sifive,fu540-c000"};

/* Opens the image of a plan whose properties are `count` from `properties`. */
static enum dmfs_status check(const struct dmfs_write_property *properties, uint32_t count,
			      const char *const *boards, uint32_t boards_count, uint64_t rollback)
{
	struct forge_plan plan;
	struct dmfs_image image;
	enum dmfs_status status;
	struct forge f;

	forge_plan(&plan);
	plan.plan.properties = properties;
	plan.plan.property_count = count;
	f = forge_write(&plan.plan, 1);
	assert_int_equal(dmfs_open_unverified(&image, f.bytes, f.len, true), DMFS_OK);
	status = dmfs_check_board(&image, boards, boards_count, rollback);
	forge_free(&f);
	return status;
}

static void image_for_no_board_in_particular_is_for_any(void **state)
{
	static const struct dmfs_write_property note[] = {{0, "x-board", "other"}};

	assert_int_equal(check(note, 1, virt, 1, 0), DMFS_OK);
	assert_int_equal(check(NULL, 0, virt, 0, 0), DMFS_OK);
}

static void image_for_another_board_is_refused(void **state)
{
	static const struct dmfs_write_property board[] = {{0, "board", "riscv-virtio"}};

	assert_int_equal(check(board, 1, virt, 1, 0), DMFS_OK);
	assert_int_equal(check(board, 1, unleashed, 2, 0), DMFS_ERR_BOARD);
	assert_int_equal(check(board, 1, NULL, 0, 0), DMFS_ERR_BOARD);
}

static void any_of_several_boards_will_do(void **state)
{
	static const struct dmfs_write_property boards[] = {
		{0, "board", "riscv-virtio"},
		{0, "board", "sifive,fu540-c000"},
	};

	assert_int_equal(check(boards, 2, virt, 1, 0), DMFS_OK);
	assert_int_equal(check(boards, 2, unleashed, 2, 0), DMFS_OK);
	assert_int_equal(check(boards, 2, unleashed, 1, 0), DMFS_ERR_BOARD);
}

static void board_names_are_compared_exactly(void **state)
{
	static const char *const alike[] = {"riscv-virti", "riscv-virtio,", "RISCV-virtio", ""};
	static const struct dmfs_write_property board[] = {{0, "board", "riscv-virtio"}};

	assert_int_equal(check(board, 1, alike, 4, 0), DMFS_ERR_BOARD);
}

static void older_index_is_refused(void **state)
{
	assert_int_equal(check(NULL, 0, virt, 1, FORGE_ROLLBACK - 1), DMFS_OK);
	assert_int_equal(check(NULL, 0, virt, 1, FORGE_ROLLBACK), DMFS_OK);
	assert_int_equal(check(NULL, 0, virt, 1, FORGE_ROLLBACK + 1), DMFS_ERR_ROLLBACK);
	assert_int_equal(check(NULL, 0, virt, 1, UINT64_MAX), DMFS_ERR_ROLLBACK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(image_for_no_board_in_particular_is_for_any),
		cmocka_unit_test(image_for_another_board_is_refused),
		cmocka_unit_test(any_of_several_boards_will_do),
		cmocka_unit_test(board_names_are_compared_exactly),
		cmocka_unit_test(older_index_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
