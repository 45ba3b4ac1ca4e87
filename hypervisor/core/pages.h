/* SPDX-License-Identifier: MIT */
/*
 * The one page allocator: a bitmap for each bank of RAM. Pages come contiguous and unscrubbed; whoever
 * gives them to a guest clears them.
 */
#ifndef PAGES_H
#define PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

/*
 * Adds [base, base + size) of RAM, of which nothing is free yet. Its bitmap is kept in `bitmap`, which has
 * pages_bitmap_len(size) bytes. At most BOARD_MAX_BANKS times.
 */
void pages_add_bank(hpa_t base, uint64_t size, void *bitmap);
uint64_t pages_bitmap_len(uint64_t size);

/* Makes a range free, or not: whole pages, the parts outside the banks are passed over. */
void pages_release(hpa_t base, uint64_t size);
void pages_reserve(hpa_t base, uint64_t size);

/* `count` contiguous pages at a multiple of `align` bytes (a power of two); false when there are none. */
bool pages_alloc(uint64_t count, uint64_t align, hpa_t *out);

/* These very pages; false unless all are free. */
bool pages_alloc_at(hpa_t base, uint64_t count);

void pages_free(hpa_t base, uint64_t count);

/* Pages free now, and the longest run of them. */
uint64_t pages_available(void);
uint64_t pages_longest_run(void);

#endif
