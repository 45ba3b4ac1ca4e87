/* SPDX-License-Identifier: MIT */
/*
 * Virtual memory (privileged architecture, section 4.4: Sv39): addresses are what they were, so that pointers, calls and devices
 * go on working, but each page has the rights that it needs and no more.
 */
#include "diosix.h"
#include "runtime.h"

enum { VALID = 1, READ = 2, WRITE = 4, EXECUTE = 8, ACCESSED = 64, DIRTY = 128 };
#define DATA	  (READ | WRITE)
#define SATP_SV39 (8ull << 60)

enum { PAGE, MEGA, GIGA }; /* levels */
#define SIZE(level)	 (1ull << (12 + 9 * (level)))
#define INDEX(at, level) ((at) >> (12 + 9 * (level)) & 511)

static uint64_t *root;

struct range {
	uint64_t start, end;
	unsigned rights;
};

/* The table that the entry points to; a new one if there is none yet, NULL if there is no memory. */
static uint64_t *next_table(uint64_t *entry)
{
	uint64_t *table;

	if (*entry & VALID)
		return (uint64_t *)(*entry >> 10 << 12);
	table = memory_take_pages(1);
	if (table)
		*entry = (uint64_t)table >> 12 << 10 | VALID;
	return table;
}

static bool map_one(uint64_t at, unsigned level, unsigned rights)
{
	uint64_t *table = root;

	for (unsigned i = GIGA; i > level; i--) {
		table = next_table(&table[INDEX(at, i)]);
		if (!table)
			return false;
	}
	table[INDEX(at, level)] = at >> 12 << 10 | rights | VALID | ACCESSED | DIRTY;
	return true;
}

/* In as large pages as fit, none of them larger than 2 MiB. */
static bool map(const struct range *range)
{
	unsigned level;

	for (uint64_t at = range->start; at < range->end; at += SIZE(level)) {
		level = at % SIZE(MEGA) == 0 && range->end - at >= SIZE(MEGA) ? MEGA : PAGE;
		if (!map_one(at, level, range->rights))
			return false;
	}
	return true;
}

int64_t diosix_vm_on(void)
{
	const struct range ranges[] = {
		{PLIC, UART, DATA},
		{UART, UART + DIOSIX_PAGE_SIZE, DATA},
		{GRANT_WINDOW, GRANT_WINDOW + MEGAPAGE, DATA},
		{machine.ram, (uint64_t)__image_start, DATA},
		{(uint64_t)__image_start, (uint64_t)__text_end, READ | EXECUTE},
		{(uint64_t)__text_end, (uint64_t)__constants_end, READ},
		{(uint64_t)__constants_end, (uint64_t)__guard_page, DATA},
		{(uint64_t)__stack_bottom, machine.ram_end & ~(uint64_t)(DIOSIX_PAGE_SIZE - 1), DATA},
	};

	root = memory_take_pages(1);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (!root || !map(&ranges[i]))
			return DIOSIX_FAILED;
	csr_write(satp, SATP_SV39 | (uint64_t)root >> 12);
	__asm__ volatile("sfence.vma" : : : "memory");
	return DIOSIX_OK;
}
