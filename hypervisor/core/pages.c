/* SPDX-License-Identifier: MIT */
#include "pages.h"

#include <string.h>

#include "board.h"
#include "lock.h"

#define WORD_BITS 64u

/* A set bit is a page that is taken. */
struct bank {
	uint64_t first; /* page number */
	uint64_t count; /* pages */
	uint64_t *taken;
};

static struct bank banks[BOARD_MAX_BANKS];
static unsigned bank_count;
static uint64_t available;
static struct lock pages_lock;

uint64_t pages_bitmap_len(uint64_t size)
{
	return align_up(size / PAGE_SIZE, WORD_BITS) / 8;
}

void pages_add_bank(hpa_t base, uint64_t size, void *bitmap)
{
	struct bank *bank = &banks[bank_count++];

	bank->first = align_up(base.v, PAGE_SIZE) / PAGE_SIZE;
	bank->count = (base.v + size) / PAGE_SIZE - bank->first;
	bank->taken = bitmap;
	memset(bitmap, 0xff, pages_bitmap_len(size));
}

static bool is_taken(const struct bank *bank, uint64_t page)
{
	return bank->taken[page / WORD_BITS] >> page % WORD_BITS & 1;
}

static void set_one(struct bank *bank, uint64_t page, bool taken)
{
	uint64_t bit = UINT64_C(1) << page % WORD_BITS;

	if (is_taken(bank, page) == taken)
		return;
	bank->taken[page / WORD_BITS] ^= bit;
	available += taken ? UINT64_MAX : 1;
}

/* Marks [page, page + count) of a bank, whole words at once where they are. */
static void set_run(struct bank *bank, uint64_t page, uint64_t count, bool taken)
{
	uint64_t end = page + count;

	while (page < end) {
		uint64_t *word = &bank->taken[page / WORD_BITS];

		if (page % WORD_BITS == 0 && end - page >= WORD_BITS &&
		    *word == (taken ? 0 : UINT64_MAX)) {
			*word = taken ? UINT64_MAX : 0;
			available += taken ? -(uint64_t)WORD_BITS : WORD_BITS;
			page += WORD_BITS;
		} else {
			set_one(bank, page++, taken);
		}
	}
}

/* Applies to the part of [first, end), in pages, that each bank has. */
static void set_everywhere(uint64_t first, uint64_t end, bool taken)
{
	for (unsigned i = 0; i < bank_count; i++) {
		struct bank *bank = &banks[i];
		uint64_t from = first > bank->first ? first : bank->first;
		uint64_t to = end < bank->first + bank->count ? end : bank->first + bank->count;

		if (from < to)
			set_run(bank, from - bank->first, to - from, taken);
	}
}

void pages_release(hpa_t base, uint64_t size)
{
	lock(&pages_lock);
	set_everywhere(align_up(base.v, PAGE_SIZE) / PAGE_SIZE, (base.v + size) / PAGE_SIZE, false);
	unlock(&pages_lock);
}

void pages_reserve(hpa_t base, uint64_t size)
{
	lock(&pages_lock);
	set_everywhere(base.v / PAGE_SIZE, align_up(base.v + size, PAGE_SIZE) / PAGE_SIZE, true);
	unlock(&pages_lock);
}

/* The first free run of `count` pages at a multiple of `align` pages; UINT64_MAX when there is none. */
static uint64_t find_run(const struct bank *bank, uint64_t count, uint64_t align)
{
	uint64_t start = align_up(bank->first, align) - bank->first, end = start;

	while (start + count <= bank->count) {
		/* [start, end) is known to be free. */
		if (end - start >= count)
			return start;
		if (end % WORD_BITS == 0 && bank->taken[end / WORD_BITS] == 0) {
			end += WORD_BITS;
		} else if (!is_taken(bank, end)) {
			end++;
		} else {
			uint64_t next = end + 1;

			if (next % WORD_BITS == 0)
				while (next < bank->count && bank->taken[next / WORD_BITS] == UINT64_MAX)
					next += WORD_BITS;
			start = end = align_up(bank->first + next, align) - bank->first;
		}
	}
	return UINT64_MAX;
}

bool pages_alloc(uint64_t count, uint64_t align, hpa_t *out)
{
	uint64_t align_pages = align > PAGE_SIZE ? align / PAGE_SIZE : 1;
	bool found = false;

	lock(&pages_lock);
	for (unsigned i = 0; i < bank_count && !found && count != 0; i++) {
		uint64_t at = find_run(&banks[i], count, align_pages);

		if (at == UINT64_MAX)
			continue;
		set_run(&banks[i], at, count, true);
		*out = hpa((banks[i].first + at) * PAGE_SIZE);
		found = true;
	}
	unlock(&pages_lock);
	return found;
}

static bool run_is_free(const struct bank *bank, uint64_t page, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (is_taken(bank, page + i))
			return false;
	return true;
}

bool pages_alloc_at(hpa_t base, uint64_t count)
{
	uint64_t first = base.v / PAGE_SIZE;
	bool found = false;

	lock(&pages_lock);
	for (unsigned i = 0; i < bank_count && !found; i++) {
		struct bank *bank = &banks[i];

		if (!range_contains(bank->first, bank->count, first, count) ||
		    !run_is_free(bank, first - bank->first, count))
			continue;
		set_run(bank, first - bank->first, count, true);
		found = true;
	}
	unlock(&pages_lock);
	return found;
}

void pages_free(hpa_t base, uint64_t count)
{
	pages_release(base, count * PAGE_SIZE);
}

uint64_t pages_available(void)
{
	uint64_t now;

	lock(&pages_lock);
	now = available;
	unlock(&pages_lock);
	return now;
}

uint64_t pages_longest_run(void)
{
	uint64_t longest = 0;

	lock(&pages_lock);
	for (unsigned i = 0; i < bank_count; i++) {
		uint64_t run = 0;

		for (uint64_t page = 0; page < banks[i].count; page++) {
			run = is_taken(&banks[i], page) ? 0 : run + 1;
			if (run > longest)
				longest = run;
		}
	}
	unlock(&pages_lock);
	return longest;
}
