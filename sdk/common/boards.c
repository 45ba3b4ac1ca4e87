/* SPDX-License-Identifier: MIT */
#include "boards.h"

#include <stddef.h>
#include <string.h>

#define GIB (UINT64_C(1) << 30)

/* Emulated boards have the RAM that they are started with. */
static const struct board_facts boards[] = {
	{"virt", "riscv-virtio", 0x80000000, 0, UINT64_MAX, true},
	{"sifive_u", "sifive,hifive-unleashed-a00", 0x80000000, 0, 0x1e, false},
	{"unmatched", "sifive,hifive-unmatched-a00", 0x80000000, 16 * GIB, 0x1e, false},
	{"nezha", "allwinner,d1-nezha", 0x40000000, GIB / 2, 0x1, false},
};

#define BOARD_COUNT (sizeof(boards) / sizeof(boards[0]))

const char *board_short_name(const void *context, unsigned index)
{
	return index < BOARD_COUNT ? boards[index].name : NULL;
}

const struct board_facts *board_named(const char *name)
{
	for (size_t i = 0; i < BOARD_COUNT; i++) {
		if (strcmp(boards[i].name, name) == 0 || strcmp(boards[i].compatible, name) == 0)
			return &boards[i];
	}
	return NULL;
}

const char *board_compatible(const char *name)
{
	const struct board_facts *board = board_named(name);

	if (board)
		return board->compatible;
	return strchr(name, ',') ? name : NULL;
}
