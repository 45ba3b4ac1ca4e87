/* SPDX-License-Identifier: MIT */
/*
 * Memory that is freed all at once.
 */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stddef.h>

struct arena {
	struct arena_block *blocks;
};

/* `len` zeroed bytes, aligned for anything. Ends the program with STATUS_FAILED when memory ends.
 */
void *arena_alloc(struct arena *arena, size_t len);

/* A terminated copy of len bytes. */
char *arena_copy(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void arena_free(struct arena *arena);

#endif
