/* SPDX-License-Identifier: MIT */
/*
 * Short names of boards, as the manifest and the command line take them.
 */
#ifndef COMMON_BOARDS_H
#define COMMON_BOARDS_H

#include <stdbool.h>
#include <stdint.h>

/* What decides whether an image can start on a board. */
struct board_facts {
	const char *name;       /* short */
	const char *compatible; /* of the device tree's root node */
	uint64_t ram_base;      /* host-physical */
	uint64_t ram;           /* bytes, in one piece */
	uint64_t harts;         /* a bit for each hart number that can run guests */
	bool has_h;             /* the H extension: capsules see their RAM at 0x80000000 */
};

/* The board of that short name or compatible string; NULL when there is no such board. */
const struct board_facts *board_find(const char *name);

/* Short name number `index`, or NULL after the last; a suggest_candidate. */
const char *board_short_name(const void *context, unsigned index);

/*
 * The `compatible` string of the device tree's root node that a name stands for: that of a short
 * name, the name itself when it contains a comma (vendor,board), otherwise NULL.
 */
const char *board_compatible(const char *name);

#endif
