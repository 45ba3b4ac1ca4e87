/* SPDX-License-Identifier: MIT */
/* The board's PLIC (RISC-V PLIC specification 1.0.0), the machine context of the hart that calls. */
#include "board_io.h"
#include "hart.h"
#include "mmio.h"

#define PRIORITY(source)	(board.plic.base + 4ull * (source))
#define ENABLE(context, source) (board.plic.base + 0x2000 + 0x80ull * (context) + (source) / 32 * 4)
#define THRESHOLD(context)	(board.plic.base + 0x200000 + 0x1000ull * (context))
#define CLAIM(context)		(THRESHOLD(context) + 4)

static uint32_t context(void)
{
	return this_hart()->board->plic_context;
}

void board_irq_init(void)
{
	if (board.plic.base == 0 || context() == BOARD_NONE)
		return;
	for (uint32_t source = 0; source <= board.plic.sources; source += 32)
		mmio_write32(ENABLE(context(), source), 0);
	mmio_write32(THRESHOLD(context()), 0);
}

bool board_irq_enable(uint32_t source)
{
	if (board.plic.base == 0 || context() == BOARD_NONE || source == 0)
		return false;
	mmio_write32(PRIORITY(source), 1);
	mmio_write32(ENABLE(context(), source),
		     mmio_read32(ENABLE(context(), source)) | UINT32_C(1) << source % 32);
	return true;
}

uint32_t board_irq_claim(void)
{
	return mmio_read32(CLAIM(context()));
}

void board_irq_complete(uint32_t source)
{
	mmio_write32(CLAIM(context()), source);
}
