/* SPDX-License-Identifier: MIT */
/* SiFive UART (FU540-C000 manual, chapter 13). */
#include "mmio.h"
#include "uart_drivers.h"

#define TXDATA 0x00
#define RXDATA 0x04
#define TXCTRL 0x08
#define RXCTRL 0x0c
#define IE     0x10

#define TXDATA_FULL    (UINT32_C(1) << 31)
#define RXDATA_EMPTY   (UINT32_C(1) << 31)
#define CTRL_ENABLE    1u
#define CTRL_WATERMARK (7u << 16)
#define WATERMARK_ONE  (1u << 16) /* transmit: room is what an empty FIFO has */
#define IE_TRANSMIT    1u
#define IE_RECEIVE     2u

static bool init(const struct board_uart *uart)
{
	uint32_t control = mmio_read32(uart->base + TXCTRL) & ~CTRL_WATERMARK;

	mmio_write32(uart->base + IE, 0);
	mmio_write32(uart->base + TXCTRL, control | WATERMARK_ONE | CTRL_ENABLE);
	mmio_write32(uart->base + RXCTRL, CTRL_ENABLE); /* watermark 0: an interrupt for any byte */
	return true;
}

static size_t send(const struct board_uart *uart, const char *bytes, size_t len)
{
	size_t sent = 0;

	while (sent < len && !(mmio_read32(uart->base + TXDATA) & TXDATA_FULL))
		mmio_write32(uart->base + TXDATA, (uint8_t)bytes[sent++]);
	return sent;
}

static int receive(const struct board_uart *uart)
{
	uint32_t data = mmio_read32(uart->base + RXDATA);

	return data & RXDATA_EMPTY ? -1 : (int)(data & 0xff);
}

static void interrupts(const struct board_uart *uart, bool input, bool room)
{
	mmio_write32(uart->base + IE, (input ? IE_RECEIVE : 0) | (room ? IE_TRANSMIT : 0));
}

const struct uart_driver uart_sifive = {init, send, receive, interrupts, NULL};
