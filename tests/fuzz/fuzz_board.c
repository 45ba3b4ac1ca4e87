/* SPDX-License-Identifier: MIT */
/* Any bytes as a board's device tree: a board or a sentence. */
#include <stdlib.h>
#include <string.h>

#include "board.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct board board;
	char buf[160];

	if (!board_read(&board, data, len)) {
		if (board.hart_count == 0 || !board.model || !board.bootargs)
			abort();
		for (uint32_t i = 0; i < board.ram_count; i++)
			if (board.ram[i].size == 0 ||
			    board.ram[i].base + board.ram[i].size < board.ram[i].base ||
			    (i > 0 &&
			     board.ram[i].base <= board.ram[i - 1].base + board.ram[i - 1].size))
				abort();
		board_obstacle(&board, buf, sizeof(buf));
	}
	return 0;
}
