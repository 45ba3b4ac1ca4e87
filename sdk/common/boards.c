/* SPDX-License-Identifier: MIT */
#include "boards.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "diag.h"
#include "file.h"
#include "suggest.h"

#define ALL  UINT64_MAX
#define NONE 0
#define BOARD(name, compatible, title, base, mib, harts, has_h, pmp)                               \
	{name, compatible, title, base, UINT64_C(mib) << 20, harts, has_h, pmp},

static const struct board_facts boards[] = {
#include "boards.def"
};

#define BOARD_COUNT (sizeof(boards) / sizeof(boards[0]))

/* More than any device tree has. */
#define TREE_MAX_LEN (UINT64_C(4) << 20)

const struct board_facts *board_at(unsigned index)
{
	return index < BOARD_COUNT ? &boards[index] : NULL;
}

const struct board_facts *board_named(const char *name)
{
	for (size_t i = 0; i < BOARD_COUNT; i++) {
		if (strcmp(boards[i].name, name) == 0 || strcmp(boards[i].compatible, name) == 0)
			return &boards[i];
	}
	return NULL;
}

const char *board_short_name(const void *context, unsigned index)
{
	return index < BOARD_COUNT ? boards[index].name : NULL;
}

const char *board_compatible(const char *name)
{
	const struct board_facts *board = board_named(name);

	if (board)
		return board->compatible;
	return strchr(name, ',') ? name : NULL;
}

/* Entries 0 to 4, and without the H extension 0 to 2. */
unsigned board_pmp_needed(const struct board_facts *board)
{
	return board->has_h ? 5 : 3;
}

/* --- from a device tree ---------------------------------------------------------------------- */

/* The PMP entries of a board that is not in the table are nowhere to be read. */
static void take_facts(struct board_facts *facts, struct arena *arena, const struct board *board)
{
	const struct board_facts *known;
	const char *compatible = board->compatible_count ? board->compatible[0] : board->model;

	*facts = (struct board_facts){
		.has_h = true,
		.title = arena_copy(arena, board->model, strlen(board->model)),
		.compatible = arena_copy(arena, compatible, strlen(compatible)),
	};
	known = board_named(compatible);
	facts->name = facts->compatible;
	facts->pmp_entries = known ? known->pmp_entries : 0;
	for (uint32_t i = 0; i < board->hart_count; i++) {
		const struct board_hart *hart = &board->harts[i];

		if (!hart->usable || !hart->has_s)
			continue;
		facts->has_h &= hart->has_h;
		if (hart->id < 64)
			facts->guest_harts |= UINT64_C(1) << hart->id;
	}
	facts->has_h &= facts->guest_harts != 0;
	if (board->ram_count)
		facts->ram_base = board->ram[0].base;
	for (uint32_t i = 0; i < board->ram_count; i++)
		facts->ram_len += board->ram[i].size;
}

const char *board_from_tree(struct board_facts *facts, struct arena *arena, const char *path)
{
	struct board *board = calloc(1, sizeof(*board));
	struct bytes tree = {NULL, 0};
	const char *wrong = "out of memory";
	int error = board ? file_read(path, TREE_MAX_LEN, &tree) : 0;

	if (error)
		wrong = strerror(error);
	else if (board)
		wrong = board_read(board, tree.data, tree.len);
	if (!wrong)
		take_facts(facts, arena, board);
	free(tree.data);
	free(board);
	return wrong;
}

int board_choose(struct board_facts *facts, struct arena *arena, const struct args *args,
		 const char *name)
{
	const struct board_facts *known = board_named(name);
	size_t len = strlen(name);
	char hint[96];
	const char *near, *wrong;

	if (known) {
		*facts = *known;
		return STATUS_DONE;
	}
	if (len < 4 || strcmp(name + len - 4, ".dtb") != 0) {
		near = suggest_hint(hint, sizeof(hint), name, board_short_name, NULL);
		return args_wrong(args->command, "unknown board '%s'; %s", name,
				  near ? near : "'dmfs boards' lists them, and FILE.dtb describes another");
	}
	wrong = board_from_tree(facts, arena, name);
	if (!wrong)
		return STATUS_DONE;
	diag_error("the device tree '%s' cannot be used: %s", name, wrong);
	return STATUS_REFUSED;
}
