/* SPDX-License-Identifier: MIT */
/* What of a stream of bytes is text: escape sequences and C1 controls (ECMA-48) would move the cursor through others' lines. */
#ifndef PLAIN_H
#define PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero at the beginning. */
struct plain {
	uint8_t escape;
	uint8_t rest; /* bytes that are to come of a character in UTF-8 */
	bool held;    /* the byte before is the first of two that may be a C1 control */
};

/* Takes a byte; gives those that are text with it, or C0 controls but ESC, and how many these are: 2 at most. */
size_t plain_take(struct plain *plain, uint8_t byte, uint8_t text[2]);

#endif
