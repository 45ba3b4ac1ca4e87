/* SPDX-License-Identifier: MIT */
/* The board's serial ports: a table of the kinds that each may be. */
#include "board_io.h"
#include "uart_drivers.h"

struct board board;

static const struct uart_driver *const drivers[] = {
	[BOARD_UART_NONE] = &uart_none,
	[BOARD_UART_NS16550] = &uart_ns16550,
	[BOARD_UART_SIFIVE] = &uart_sifive,
	[BOARD_UART_VIRTIO] = &uart_virtio,
};

static struct board_uart *const uarts[BOARD_PORTS] = {&board.uart, &board.control};

static bool none_init(const struct board_uart *uart)
{
	(void)uart;
	return false;
}

/* Nobody waits for what is not there. */
static size_t none_send(const struct board_uart *uart, const char *bytes, size_t len)
{
	(void)uart, (void)bytes;
	return len;
}

static int none_receive(const struct board_uart *uart)
{
	(void)uart;
	return -1;
}

static void none_interrupts(const struct board_uart *uart, bool input, bool room)
{
	(void)uart, (void)input, (void)room;
}

const struct uart_driver uart_none = {none_init, none_send, none_receive, none_interrupts, NULL};

/* Where there is no second UART a virtio console does as well: which slot has one is in its registers. */
static bool find_virtio(void)
{
	for (uint32_t i = 0; i < board.virtio_count; i++) {
		board.control = (struct board_uart){
			.type = BOARD_UART_VIRTIO, .base = board.virtio[i].base, .irq = board.virtio[i].irq};
		if (uart_virtio.init(&board.control))
			return true;
	}
	board.control = (struct board_uart){0};
	return false;
}

bool board_port_init(enum board_port port)
{
	if (port == PORT_CONTROL && board.control.type == BOARD_UART_NONE)
		return find_virtio();
	return drivers[uarts[port]->type]->init(uarts[port]);
}

uint32_t board_port_irq(enum board_port port)
{
	return uarts[port]->irq;
}

size_t board_port_send(enum board_port port, const char *bytes, size_t len)
{
	return drivers[uarts[port]->type]->send(uarts[port], bytes, len);
}

int board_port_receive(enum board_port port)
{
	return drivers[uarts[port]->type]->receive(uarts[port]);
}

void board_port_interrupts(enum board_port port, bool input, bool room)
{
	drivers[uarts[port]->type]->interrupts(uarts[port], input, room);
}

void board_port_acknowledge(enum board_port port)
{
	const struct uart_driver *driver = drivers[uarts[port]->type];

	if (driver->acknowledge != NULL)
		driver->acknowledge(uarts[port]);
}
