/* SPDX-License-Identifier: MIT */
/* Bits of words. Harts without Zbb have no instruction for it, and the library's way is a long one. */
#ifndef BITS_H
#define BITS_H

#include <stdint.h>

/* The number of the lowest bit that is set; `word` is not 0. By a de Bruijn sequence: its 64 windows are all different. */
static inline unsigned lowest_bit(uint64_t word)
{
	static const uint8_t by_window[64] = {
		0, 1, 2, 53, 3, 7, 54, 27, 4, 38, 41, 8, 34, 55, 48, 28,
		62, 5, 39, 46, 44, 42, 22, 9, 24, 35, 59, 56, 49, 18, 29, 11,
		63, 52, 6, 26, 37, 40, 33, 47, 61, 45, 43, 21, 23, 58, 17, 10,
		51, 25, 36, 32, 60, 20, 57, 16, 50, 31, 19, 15, 30, 14, 13, 12,
	};

	return by_window[(word & -word) * UINT64_C(0x022fdd63cc95386d) >> 58];
}

#endif
