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
#define IER_TRANSMIT   0x02
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

static bool init(const struct board_uart *uart)
{
	write_reg(uart, IER, 0);
	write_reg(uart, FCR, FCR_ENABLE);
	return true;
}

/* One byte each time that it says it is empty: how many more an emptied FIFO takes differs. */
static size_t send(const struct board_uart *uart, const char *bytes, size_t len)
{
	size_t sent = 0;

	while (sent < len && read_reg(uart, LSR) & LSR_THR_EMPTY)
		write_reg(uart, THR, (uint8_t)bytes[sent++]);
	return sent;
}

static int receive(const struct board_uart *uart)
{
	if (!(read_reg(uart, LSR) & LSR_DATA_READY))
		return -1;
	return read_reg(uart, RBR);
}

static void interrupts(const struct board_uart *uart, bool input, bool room)
{
	write_reg(uart, IER, (input ? IER_RECEIVE : 0) | (room ? IER_TRANSMIT : 0));
}

const struct uart_driver uart_ns16550 = {init, send, receive, interrupts, NULL};
