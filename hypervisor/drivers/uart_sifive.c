/* SPDX-License-Identifier: MIT */
/* SiFive UART (FU540-C000 manual, chapter 13). */
#include "mmio.h"
#include "uart_drivers.h"

#define TXDATA 0x00
#define RXDATA 0x04
#define TXCTRL 0x08
#define RXCTRL 0x0c
#define IE     0x10

#define TXDATA_FULL  (UINT32_C(1) << 31)
#define RXDATA_EMPTY (UINT32_C(1) << 31)
#define CTRL_ENABLE  1u
#define IE_RECEIVE   2u

static void init(const struct board_uart *uart)
{
	mmio_write32(uart->base + TXCTRL, mmio_read32(uart->base + TXCTRL) | CTRL_ENABLE);
	mmio_write32(uart->base + RXCTRL, CTRL_ENABLE); /* watermark 0: an interrupt for any byte */
	mmio_write32(uart->base + IE, IE_RECEIVE);
}

static void put(const struct board_uart *uart, char c)
{
	while (mmio_read32(uart->base + TXDATA) & TXDATA_FULL)
		;
	mmio_write32(uart->base + TXDATA, (uint8_t)c);
}

static int get(const struct board_uart *uart)
{
	uint32_t data = mmio_read32(uart->base + RXDATA);

	return data & RXDATA_EMPTY ? -1 : (int)(data & 0xff);
}

const struct uart_driver uart_sifive = {init, put, get};
