/* SPDX-License-Identifier: MIT */
/* What a kind of serial port has to do. The registers' place and spacing come from the board. */
#ifndef UART_DRIVERS_H
#define UART_DRIVERS_H

#include <stddef.h>

#include "board.h"

struct uart_driver {
	/* The rate stays as the firmware left it, no interrupts. False: it cannot be used. */
	bool (*init)(const struct board_uart *uart);
	/* Takes as many of the bytes as there is room for now, and returns how many. */
	size_t (*send)(const struct board_uart *uart, const char *bytes, size_t len);
	int (*receive)(const struct board_uart *uart); /* a byte, or -1: nothing has come */
	/* Interrupts while a byte has come, and while there is room to send. */
	void (*interrupts)(const struct board_uart *uart, bool input, bool room);
	void (*acknowledge)(const struct board_uart *uart); /* its interrupt is being handled; NULL: nothing to do */
};

extern const struct uart_driver uart_none, uart_ns16550, uart_sifive, uart_virtio;

#endif
