/* SPDX-License-Identifier: MIT */
/* The board's store over a stand-in for flash that can lose power at any byte of any write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "board_store.h"

#define SECTOR  256u /* eight records */
#define RECORDS (SECTOR / STORE_RECORD_LEN)

static uint8_t cells[STORE_SECTORS * SECTOR];
static uint64_t power; /* bytes that can still be programmed or erased */

static uint32_t read_cells(const struct store_flash *flash, uint64_t offset)
{
	const uint8_t *at = cells + offset;

	assert_true(offset % 4 == 0 && offset < sizeof(cells));
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Programming can only clear bits, as in flash. */
static bool program(const struct store_flash *flash, uint64_t offset, uint32_t word)
{
	assert_true(offset >= SECTOR && offset < sizeof(cells));
	for (int i = 0; i < 4; i++) {
		if (power == 0)
			return false;
		power--;
		cells[offset + i] &= (uint8_t)(word >> (8 * i));
	}
	return true;
}

static bool erase(const struct store_flash *flash, uint64_t offset)
{
	assert_true(offset == SECTOR || offset == 2 * SECTOR);
	for (unsigned i = 0; i < SECTOR; i++) {
		if (power == 0)
			return false;
		power--;
		cells[offset + i] = 0xff;
	}
	return true;
}

static const struct store_flash flash = {0, SECTOR, read_cells, program, erase};

static void make_store(void)
{
	memset(cells, 0xff, sizeof(cells));
	memcpy(cells + STORE_MARK_AT, STORE_MARK, STORE_MARK_LEN);
	power = UINT64_MAX;
}

static void fresh_flash_is_a_store_that_holds_nothing(void **state)
{
	make_store();
	assert_true(store_is_marked(&flash));
	assert_int_equal(store_read(&flash), 0);
	cells[STORE_MARK_AT + 3] ^= 1;
	assert_false(store_is_marked(&flash));
}

static void numbers_only_grow_through_many_sectors(void **state)
{
	make_store();
	for (uint64_t n = 1; n < 10 * RECORDS; n++) {
		assert_true(store_raise(&flash, n * 3));
		assert_int_equal(store_read(&flash), n * 3);
		assert_true(store_raise(&flash, n * 3 - 2));
		assert_int_equal(store_read(&flash), n * 3);
	}
	assert_true(store_raise(&flash, UINT64_MAX));
	assert_int_equal(store_read(&flash), UINT64_MAX);
}

static void power_lost_at_any_byte_keeps_the_old_number_or_gives_the_new(void **state)
{
	uint8_t before[sizeof(cells)];

	/* Records so far: none, some, a full sector (an erase comes first), two. */
	for (uint64_t stored = 0; stored < 2 * RECORDS + 2; stored++) {
		make_store();
		for (uint64_t n = 1; n <= stored; n++)
			assert_true(store_raise(&flash, n));
		memcpy(before, cells, sizeof(cells));
		for (uint64_t bytes = 0; bytes < SECTOR + STORE_RECORD_LEN; bytes++) {
			bool done;
			uint64_t now;

			memcpy(cells, before, sizeof(cells));
			power = bytes;
			done = store_raise(&flash, stored + 5);
			now = store_read(&flash);
			/* A record may be whole before its last byte, if that is 0xff. */
			assert_true(now == stored + 5 || (!done && now == stored));
			assert_true(bytes > 0 || now == stored);
			/* And it works again afterwards. */
			power = UINT64_MAX;
			assert_true(store_raise(&flash, stored + 6));
			assert_int_equal(store_read(&flash), stored + 6);
		}
	}
}

static void a_record_that_was_changed_is_none(void **state)
{
	make_store();
	assert_true(store_raise(&flash, 4));
	assert_true(store_raise(&flash, 9));
	for (unsigned at = SECTOR + STORE_RECORD_LEN; at < SECTOR + 2 * STORE_RECORD_LEN; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			cells[at] ^= (uint8_t)(1u << bit);
			assert_int_equal(store_read(&flash), 4);
			cells[at] ^= (uint8_t)(1u << bit);
		}
	assert_int_equal(store_read(&flash), 9);
}

static void a_slot_that_is_not_erased_is_passed_over(void **state)
{
	make_store();
	assert_true(store_raise(&flash, 4));
	/* A cell behind the last record that is stuck. */
	cells[SECTOR + STORE_RECORD_LEN + 20] = 0;
	assert_true(store_raise(&flash, 5));
	assert_int_equal(store_read(&flash), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_flash_is_a_store_that_holds_nothing),
		cmocka_unit_test(numbers_only_grow_through_many_sectors),
		cmocka_unit_test(power_lost_at_any_byte_keeps_the_old_number_or_gives_the_new),
		cmocka_unit_test(a_record_that_was_changed_is_none),
		cmocka_unit_test(a_slot_that_is_not_erased_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
