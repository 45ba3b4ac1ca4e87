/* SPDX-License-Identifier: MIT */
/* NS16550 and its many likes. */
#include "mmio.h"
#include "uart_drivers.h"

#define RBR 0 /* read: received byte */
#define THR 0 /* write: byte to send */
#define IER 1
#define FCR 2
#define LSR 5

#define IER_RECEIVE    0x01
#define FCR_ENABLE     0x01
#define LSR_DATA_READY 0x01
#define LSR_THR_EMPTY  0x20

static uint64_t at(const struct board_uart *uart, unsigned reg)
{
	return uart->base + ((uint64_t)reg << uart->reg_shift);
}

static uint8_t read_reg(const struct board_uart *uart, unsigned reg)
{
	return uart->io_width == 4 ? (uint8_t)mmio_read32(at(uart, reg)) : mmio_read8(at(uart, reg));
}

static void write_reg(const struct board_uart *uart, unsigned reg, uint8_t value)
{
	if (uart->io_width == 4)
		mmio_write32(at(uart, reg), value);
	else
		mmio_write8(at(uart, reg), value);
}

static void init(const struct board_uart *uart)
{
	write_reg(uart, FCR, FCR_ENABLE);
	write_reg(uart, IER, IER_RECEIVE);
}

static void put(const struct board_uart *uart, char c)
{
	while (!(read_reg(uart, LSR) & LSR_THR_EMPTY))
		;
	write_reg(uart, THR, (uint8_t)c);
}

static int get(const struct board_uart *uart)
{
	if (!(read_reg(uart, LSR) & LSR_DATA_READY))
		return -1;
	return read_reg(uart, RBR);
}

const struct uart_driver uart_ns16550 = {init, put, get};
