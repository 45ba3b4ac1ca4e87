/* SPDX-License-Identifier: MIT */
/* The last of what a capsule, or a view, has put on the screen: a ring of raw bytes. */
#ifndef CONSOLE_SCREEN_H
#define CONSOLE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct screen {
	uint8_t *bytes; /* NULL keeps nothing */
	size_t size;
	uint64_t head; /* bytes that were ever put in */
};

void screen_put(struct screen *screen, const void *bytes, size_t len);
/* The oldest byte that is kept. */
uint64_t screen_tail(const struct screen *screen);
/* The bytes from `from` on, at most to the end of the ring; how many there are. */
size_t screen_run(const struct screen *screen, uint64_t from, const uint8_t **bytes);
/*
 * Where to begin so that a terminal of that many rows, cleared, shows what it would show now: the last time that the screen was
 * cleared, or taken for itself by a program, or the beginning of a line.
 */
uint64_t screen_replay(const struct screen *screen, unsigned rows);

#endif
