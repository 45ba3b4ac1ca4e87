/* SPDX-License-Identifier: MIT */
/*
 * The board's devices: console, interrupt controller, timer and inter-hart interrupts, power. Registers are where
 * struct board says; the functions are for whichever hart calls them.
 */
#ifndef BOARD_IO_H
#define BOARD_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"

struct hart;

extern struct board board; /* filled at boot, then constant */

/* Console. Waits while the transmitter is full; board_getc() returns -1 when nothing has come. */
void board_uart_init(void);
void board_putc(char c);
int board_getc(void);

/* Interrupt controller, for the hart that calls. board_irq_claim() returns 0 when nothing is pending. */
void board_irq_init(void);
void board_irq_enable(uint32_t source);
uint32_t board_irq_claim(void);
void board_irq_complete(uint32_t source);

/* Timer: the memory-mapped counter (only where board.mtime is not 0), the hart's comparator. */
uint64_t board_mtime(void);
void board_set_timer(const struct board_hart *hart, uint64_t when);

/* Machine software interrupt of any hart. */
void board_kick(const struct board_hart *hart);
void board_clear_kick(struct hart *hart);

/*
 * The rollback index that the board's store holds; false when it has no store. board_store_index() raises it, and is false
 * when that failed: then the old one still holds.
 */
bool board_stored_index(uint64_t *index);
bool board_store_index(uint64_t index);

/* Ends: `success` becomes the emulator's exit status where there is one. */
_Noreturn void board_stop(bool success);

#endif
