/* SPDX-License-Identifier: MIT */
/*
 * Boards: short names, as the manifest and the command line take them, and the facts that packing is
 * checked against. The table is boards.def.
 */
#ifndef COMMON_BOARDS_H
#define COMMON_BOARDS_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "args.h"

/* What decides whether an image can start on a board. */
struct board_facts {
	const char *name;       /* short */
	const char *compatible; /* the first of its device tree's root */
	const char *title;      /* for people */
	uint64_t ram_base;
	uint64_t ram_len;     /* bytes; 0 when not known */
	uint64_t guest_harts; /* bit n: hart n can run guests */
	bool has_h;           /* all of these have the H extension */
	unsigned pmp_entries; /* 0 when not known */
};

/* The board with this index, NULL after the last. */
const struct board_facts *board_at(unsigned index);

/* The board of this short name or compatible string; NULL when it is not known. */
const struct board_facts *board_named(const char *name);

/*
 * Fills *facts from the device tree in the file `path`; strings are the arena's. Returns NULL, or a
 * sentence about what cannot be used of it.
 */
const char *board_from_tree(struct board_facts *facts, struct arena *arena, const char *path);

/*
 * Fills *facts for the value of a --board: a name that is known, or FILE.dtb, a device tree. A STATUS_..., after a message
 * when it is not STATUS_DONE.
 */
int board_choose(struct board_facts *facts, struct arena *arena, const struct args *args,
		 const char *name);

/* PMP entries that the hypervisor uses on each hart there (hypervisor/arch/riscv/protect.h). */
unsigned board_pmp_needed(const struct board_facts *board);

/* Short name number `index`, or NULL after the last; a suggest_candidate. */
const char *board_short_name(const void *context, unsigned index);

/*
 * The `compatible` string of the device tree's root node that a name stands for: that of a short
 * name, the name itself when it contains a comma (vendor,board), otherwise NULL.
 */
const char *board_compatible(const char *name);

#endif
