/* SPDX-License-Identifier: MIT */
/* The board's console: a table of the kinds it may be, picked by board.uart.type. */
#include "board_io.h"
#include "uart_drivers.h"

struct board board;

static const struct uart_driver *const drivers[] = {
	[BOARD_UART_NONE] = &uart_none,
	[BOARD_UART_NS16550] = &uart_ns16550,
	[BOARD_UART_SIFIVE] = &uart_sifive,
};

static void none_init(const struct board_uart *uart)
{
	(void)uart;
}

static void none_putc(const struct board_uart *uart, char c)
{
	(void)uart;
	(void)c;
}

static int none_getc(const struct board_uart *uart)
{
	(void)uart;
	return -1;
}

const struct uart_driver uart_none = {none_init, none_putc, none_getc};

void board_uart_init(void)
{
	drivers[board.uart.type]->init(&board.uart);
}

void board_putc(char c)
{
	drivers[board.uart.type]->putc(&board.uart, c);
}

int board_getc(void)
{
	return drivers[board.uart.type]->getc(&board.uart);
}
