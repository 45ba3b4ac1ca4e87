/* SPDX-License-Identifier: MIT */
/* The page allocator against a naive model of it: an array with a bool for each page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pages.h"

/*
 * Three banks, none of whose sizes is a multiple of 64 pages, all of odd beginnings; the allocator never touches
 * the pages themselves, so they need not exist. Banks cannot be taken away again: every test but the first begins by
 * freeing all of them.
 */
#define FIRST_BANK UINT64_C(0x80003000)
static const struct {
	uint64_t base, pages;
} banks[] = {{0x40000000, 7}, {FIRST_BANK, 1000}, {0x100000000, 515}};
#define BANKS 3u
#define TOTAL (7 + 1000 + 515)

static uint64_t bitmaps[BANKS][32];
static bool model[BANKS][1000]; /* true: taken */

static int setup_banks(void **state)
{
	for (unsigned i = 0; i < BANKS; i++) {
		assert_true(pages_bitmap_len(banks[i].pages * PAGE_SIZE) <= sizeof(bitmaps[i]));
		pages_add_bank(hpa(banks[i].base), banks[i].pages * PAGE_SIZE, bitmaps[i]);
	}
	return 0;
}

static int free_all(void **state)
{
	pages_release(hpa(0), UINT64_C(1) << 40);
	memset(model, 0, sizeof(model));
	return 0;
}

static hpa_t must_alloc(uint64_t count, uint64_t align)
{
	hpa_t at = {0};

	assert_true(pages_alloc(count, align, &at));
	assert_int_equal(at.v % (align > PAGE_SIZE ? align : PAGE_SIZE), 0);
	return at;
}

static void a_new_bank_has_nothing_free_until_it_is_released(void **state)
{
	hpa_t at;

	assert_int_equal(pages_available(), 0);
	assert_int_equal(pages_longest_run(), 0);
	assert_false(pages_alloc(1, PAGE_SIZE, &at));
	pages_release(hpa(FIRST_BANK), PAGE_SIZE);
	assert_int_equal(pages_available(), 1);
	assert_int_equal(must_alloc(1, PAGE_SIZE).v, FIRST_BANK);
}

static void pages_come_in_the_alignment_that_is_asked_for(void **state)
{
	for (uint64_t align = PAGE_SIZE; align <= UINT64_C(1) << 20; align *= 2) {
		must_alloc(1, align);
		must_alloc(3, align);
	}
	/* The last bank alone has such an address. */
	assert_int_equal(must_alloc(1, UINT64_C(1) << 32).v, UINT64_C(1) << 32);
}

static void a_run_never_crosses_from_bank_to_bank_and_none_is_longer_than_the_longest(void **state)
{
	hpa_t at;

	assert_int_equal(pages_longest_run(), 1000);
	assert_false(pages_alloc(1001, PAGE_SIZE, &at));
	assert_int_equal(must_alloc(1000, PAGE_SIZE).v, FIRST_BANK);
	assert_int_equal(pages_longest_run(), 515);
	must_alloc(515, PAGE_SIZE);
	must_alloc(7, PAGE_SIZE);
	assert_int_equal(pages_available(), 0);
	assert_false(pages_alloc(1, PAGE_SIZE, &at));
}

static void no_pages_or_far_too_many_are_refused(void **state)
{
	hpa_t at;

	assert_false(pages_alloc(0, PAGE_SIZE, &at));
	assert_false(pages_alloc(UINT64_C(1) << 40, PAGE_SIZE, &at));
	assert_int_equal(pages_available(), TOTAL);
}

static void exact_places_are_given_once_and_only_inside_banks(void **state)
{
	assert_true(pages_alloc_at(hpa(FIRST_BANK + 5 * PAGE_SIZE), 10));
	assert_false(pages_alloc_at(hpa(FIRST_BANK + 5 * PAGE_SIZE), 10));
	assert_false(pages_alloc_at(hpa(FIRST_BANK + 14 * PAGE_SIZE), 1));
	assert_true(pages_alloc_at(hpa(FIRST_BANK + 15 * PAGE_SIZE), 985));
	assert_false(pages_alloc_at(hpa(FIRST_BANK - PAGE_SIZE), 2));
	assert_false(pages_alloc_at(hpa(0x40000000), 8));
	assert_false(pages_alloc_at(hpa(0x20000000), 1));
	assert_int_equal(pages_available(), TOTAL - 995);
}

static void freeing_or_reserving_twice_counts_once(void **state)
{
	hpa_t at = must_alloc(70, PAGE_SIZE);

	pages_free(at, 70);
	pages_free(at, 70);
	assert_int_equal(pages_available(), TOTAL);
	pages_reserve(at, 3 * PAGE_SIZE);
	pages_reserve(hpa(at.v + PAGE_SIZE), 4 * PAGE_SIZE);
	assert_int_equal(pages_available(), TOTAL - 5);
}

static void parts_of_pages_are_reserved_whole_and_released_not_at_all(void **state)
{
	pages_reserve(hpa(FIRST_BANK + 1), 1);
	assert_int_equal(pages_available(), TOTAL - 1);
	pages_release(hpa(FIRST_BANK + 1), PAGE_SIZE - 1);
	assert_int_equal(pages_available(), TOTAL - 1);
	pages_reserve(hpa(FIRST_BANK + 2 * PAGE_SIZE - 1), 2);
	assert_int_equal(pages_available(), TOTAL - 3);
	pages_release(hpa(FIRST_BANK - 5), PAGE_SIZE + 5);
	assert_int_equal(pages_available(), TOTAL - 2);
}

/* --- random rounds --------------------------------------------------------------------------- */

static uint32_t seed = 1;

static uint32_t random_below(uint32_t limit)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % limit;
}

static bool model_free(unsigned bank, uint64_t at, uint64_t count)
{
	if (at + count > banks[bank].pages)
		return false;
	for (uint64_t i = 0; i < count; i++)
		if (model[bank][at + i])
			return false;
	return true;
}

static void model_set(unsigned bank, uint64_t at, uint64_t count, bool taken)
{
	for (uint64_t i = 0; i < count; i++)
		model[bank][at + i] = taken;
}

/* First fit, bank after bank: 0 when there is none. */
static uint64_t model_alloc(uint64_t count, uint64_t align)
{
	for (unsigned bank = 0; bank < BANKS; bank++)
		for (uint64_t at = 0; at < banks[bank].pages; at++) {
			uint64_t address = banks[bank].base + at * PAGE_SIZE;

			if (address % align != 0 || !model_free(bank, at, count))
				continue;
			model_set(bank, at, count, true);
			return address;
		}
	return 0;
}

static void model_measure(uint64_t *available, uint64_t *longest)
{
	*available = *longest = 0;
	for (unsigned bank = 0; bank < BANKS; bank++) {
		uint64_t run = 0;

		for (uint64_t at = 0; at < banks[bank].pages; at++) {
			run = model[bank][at] ? 0 : run + 1;
			*available += !model[bank][at];
			*longest = run > *longest ? run : *longest;
		}
	}
}

static void random_round(void)
{
	unsigned bank = random_below(BANKS);
	uint64_t at = random_below((uint32_t)banks[bank].pages), count = 1 + random_below(1u << random_below(9));
	uint64_t align = PAGE_SIZE << random_below(8), want;
	hpa_t start = hpa(banks[bank].base + at * PAGE_SIZE), got = hpa(0);
	bool fits = at + count <= banks[bank].pages;

	switch (random_below(4)) {
	case 0:
	case 1:
		want = model_alloc(count, align);
		assert_int_equal(pages_alloc(count, align, &got), want != 0);
		assert_int_equal(got.v, want);
		break;
	case 2:
		fits = model_free(bank, at, count);
		assert_int_equal(pages_alloc_at(start, count), fits);
		if (fits)
			model_set(bank, at, count, true);
		break;
	default:
		if (fits) {
			pages_free(start, count);
			model_set(bank, at, count, false);
		}
	}
}

static void thousands_of_random_rounds_end_as_in_the_model(void **state)
{
	uint64_t available, longest;

	for (unsigned round = 0; round < 20000; round++) {
		random_round();
		model_measure(&available, &longest);
		assert_int_equal(pages_available(), available);
		assert_int_equal(pages_longest_run(), longest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_bank_has_nothing_free_until_it_is_released),
		cmocka_unit_test_setup(pages_come_in_the_alignment_that_is_asked_for, free_all),
		cmocka_unit_test_setup(a_run_never_crosses_from_bank_to_bank_and_none_is_longer_than_the_longest,
				       free_all),
		cmocka_unit_test_setup(no_pages_or_far_too_many_are_refused, free_all),
		cmocka_unit_test_setup(exact_places_are_given_once_and_only_inside_banks, free_all),
		cmocka_unit_test_setup(freeing_or_reserving_twice_counts_once, free_all),
		cmocka_unit_test_setup(parts_of_pages_are_reserved_whole_and_released_not_at_all, free_all),
		cmocka_unit_test_setup(thousands_of_random_rounds_end_as_in_the_model, free_all),
	};
	return cmocka_run_group_tests(tests, setup_banks, NULL);
}
