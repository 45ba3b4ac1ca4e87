/* SPDX-License-Identifier: MIT */
#include "boards.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name, *compatible;
} boards[] = {
	{"virt", "riscv-virtio"},
	{"sifive_u", "sifive,hifive-unleashed-a00"},
	{"unmatched", "sifive,hifive-unmatched-a00"},
	{"nezha", "allwinner,d1-nezha"},
};

#define BOARD_COUNT (sizeof(boards) / sizeof(boards[0]))

const char *board_short_name(const void *context, unsigned index)
{
	return index < BOARD_COUNT ? boards[index].name : NULL;
}

const char *board_compatible(const char *name)
{
	for (size_t i = 0; i < BOARD_COUNT; i++) {
		if (strcmp(boards[i].name, name) == 0 || strcmp(boards[i].compatible, name) == 0)
			return boards[i].compatible;
	}
	return strchr(name, ',') ? name : NULL;
}
