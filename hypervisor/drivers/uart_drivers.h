/* SPDX-License-Identifier: MIT */
/* What a kind of UART has to do. The registers' place and spacing come from the board. */
#ifndef UART_DRIVERS_H
#define UART_DRIVERS_H

#include "board.h"

struct uart_driver {
	void (*init)(const struct board_uart *uart); /* receive interrupts on; the rate stays as the firmware left it */
	void (*putc)(const struct board_uart *uart, char c);
	int (*getc)(const struct board_uart *uart); /* -1: nothing has come */
};

extern const struct uart_driver uart_none, uart_ns16550, uart_sifive;

#endif
