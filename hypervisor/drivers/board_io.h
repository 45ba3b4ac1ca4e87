/* SPDX-License-Identifier: MIT */
/*
 * The board's devices: console, interrupt controller, timer and inter-hart interrupts, power. Registers are where
 * struct board says; the functions are for whichever hart calls them.
 */
#ifndef BOARD_IO_H
#define BOARD_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"

struct hart;

extern struct board board; /* filled at boot, then constant */

/*
 * The serial ports. What is not there takes all that is sent. board_port_init() is false when there is none, or it does
 * not work; the interrupt is a source of the PLIC, 0 for none.
 */
enum board_port { PORT_CONSOLE, PORT_CONTROL, BOARD_PORTS };
bool board_port_init(enum board_port port);
uint32_t board_port_irq(enum board_port port);

/* As many bytes as there is room for now; how many these are. A byte that has come, or -1. */
size_t board_port_send(enum board_port port, const char *bytes, size_t len);
int board_port_receive(enum board_port port);

/* Interrupts while a byte has come, and while there is room to send. */
void board_port_interrupts(enum board_port port, bool input, bool room);

/* To be called before what its interrupt may be about is looked at. */
void board_port_acknowledge(enum board_port port);

/*
 * Interrupt controller, for the hart that calls. board_irq_enable() is false when it cannot take that source;
 * board_irq_claim() returns 0 when nothing is pending.
 */
void board_irq_init(void);
bool board_irq_enable(uint32_t source);
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
