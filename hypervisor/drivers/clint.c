/* SPDX-License-Identifier: MIT */
/* Timer and inter-hart interrupts: CLINT, or the ACLINT's MTIMER and MSWI (RISC-V ACLINT specification 1.0). */
#include "board_io.h"
#include "hart.h"
#include "mmio.h"

uint64_t board_mtime(void)
{
	return mmio_read64(board.mtime);
}

void board_set_timer(const struct board_hart *hart, uint64_t when)
{
	if (board.mtimecmp_32bit) {
		/* High half to its maximum first, so that no value in between lies in the past. */
		mmio_write32(hart->mtimecmp + 4, UINT32_MAX);
		mmio_write32(hart->mtimecmp, (uint32_t)when);
		mmio_write32(hart->mtimecmp + 4, (uint32_t)(when >> 32));
	} else {
		mmio_write64(hart->mtimecmp, when);
	}
}

void board_kick(const struct board_hart *hart)
{
	/* What is posted in memory has to be seen by the hart that takes the interrupt. */
	mmio_fence();
	mmio_write32(hart->msip, 1);
}

void board_clear_kick(struct hart *hart)
{
	mmio_write32(hart->board->msip, 0);
	mmio_fence();
}
