/* SPDX-License-Identifier: MIT */
/* The guest's NS16550A (National Semiconductor PC16550D, 1995), with registers a byte apart. */
#include "console.h"
#include "line.h"
#include "machine.h"

enum { RBR_THR_DLL, IER_DLM, IIR_FCR, LCR, MCR, LSR, MSR, SCR, REGISTERS };

#define IER_RECEIVE  0x01
#define IER_TRANSMIT 0x02
#define IER_MASK     0x0f
#define IIR_NONE     0x01
#define IIR_TRANSMIT 0x02
#define IIR_RECEIVE  0x04
#define IIR_FIFO     0xc0
#define FCR_ENABLE   0x01
#define LCR_DLAB     0x80
#define MCR_LOOP     0x10
#define MCR_MASK     0x1f
#define LSR_READY    0x01
#define LSR_BREAK    0x10
#define LSR_EMPTY    0x60 /* holding register and transmitter */
#define MSR_LINES    0xb0 /* carrier, data set ready, clear to send: somebody is there */

/* Each key of a request after a break, which is a zero. */
static const char stop_keys[] = {0, 's', 0, 'u', 0, 'o'};

/*
 * After each key the line has to be seen empty once, or its interrupt's cause to be read: Linux takes one key for each time
 * that it serves the interrupt, until it finds nothing more to read.
 */
static bool is_pausing(const struct uart *uart)
{
	return uart->keys != 0 && uart->key_read;
}

void uart_ask_to_stop(struct capsule *capsule)
{
	struct uart *uart = &capsule->machine->uart;

	uart->keys = sizeof(stop_keys);
	uart->key_read = false;
	uart_update(capsule);
}

static uint8_t next_key(struct uart *uart)
{
	char key = stop_keys[sizeof(stop_keys) - uart->keys--];

	uart->key_read = key != 0;
	return (uint8_t)key;
}

static bool has_byte(const struct capsule *capsule)
{
	const struct uart *uart = &capsule->machine->uart;

	if (uart->keys != 0 && !(uart->mcr & MCR_LOOP))
		return !uart->key_read;
	return uart->mcr & MCR_LOOP ? uart->looped : capsule_has_input(capsule);
}

/* Is there room for what it sends? In loopback mode always. */
static bool is_ready(const struct capsule *capsule)
{
	return !atomic_load_explicit(&capsule->printed.full, memory_order_relaxed) ||
	       capsule->machine->uart.mcr & MCR_LOOP;
}

static uint8_t interrupt_id(const struct capsule *capsule)
{
	const struct uart *uart = &capsule->machine->uart;

	if (uart->ier & IER_RECEIVE && has_byte(capsule))
		return IIR_RECEIVE;
	if (uart->ier & IER_TRANSMIT && uart->sent && is_ready(capsule))
		return IIR_TRANSMIT;
	return IIR_NONE;
}

void uart_update(struct capsule *capsule)
{
	plic_set_level(capsule, DTGEN_UART_IRQ, interrupt_id(capsule) != IIR_NONE);
}

static uint8_t receive(struct capsule *capsule)
{
	struct uart *uart = &capsule->machine->uart;
	char byte = 0;

	if (uart->mcr & MCR_LOOP) {
		uart->looped = false;
		byte = (char)uart->loop;
	} else if (uart->keys != 0) {
		byte = is_pausing(uart) ? 0 : (char)next_key(uart);
	} else {
		console_read(capsule, &byte, 1);
	}
	uart_update(capsule);
	return (uint8_t)byte;
}

/* True when the byte is for the console. */
static bool transmit(struct capsule *capsule, uint8_t value)
{
	struct uart *uart = &capsule->machine->uart;
	bool looped = uart->mcr & MCR_LOOP;

	uart->sent = true;
	if (looped) {
		uart->loop = value;
		uart->looped = true;
	}
	/* Nobody is to be told while that interrupt is off: the usual case of a console that polls. */
	if (uart->ier & IER_TRANSMIT || looped)
		uart_update(capsule);
	return !looped;
}

static void end_pause(struct capsule *capsule)
{
	if (!is_pausing(&capsule->machine->uart))
		return;
	capsule->machine->uart.key_read = false;
	uart_update(capsule);
}

/* Reading the cause acknowledges a transmit interrupt. */
static uint8_t read_interrupt_id(struct capsule *capsule)
{
	struct uart *uart = &capsule->machine->uart;
	uint8_t id;

	end_pause(capsule);
	id = interrupt_id(capsule);

	if (id == IIR_TRANSMIT) {
		uart->sent = false;
		uart_update(capsule);
	}
	return id | (uart->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

/* In loopback mode the modem outputs come back as inputs: DTR as DSR, RTS as CTS, the two others as RI and DCD. */
static uint8_t modem_status(const struct uart *uart)
{
	if (!(uart->mcr & MCR_LOOP))
		return MSR_LINES;
	return (uint8_t)((uart->mcr & 1) << 5 | (uart->mcr & 2) << 3 | (uart->mcr & 4) << 4 | (uart->mcr & 8) << 4);
}

static void set_interrupts(struct capsule *capsule, uint8_t value)
{
	struct uart *uart = &capsule->machine->uart;

	/* To be told that the transmitter is empty, one has but to ask. */
	if (value & ~uart->ier & IER_TRANSMIT)
		uart->sent = true;
	uart->ier = value & IER_MASK;
	uart_update(capsule);
}

static uint8_t line_status(const struct capsule *capsule)
{
	return (is_ready(capsule) ? LSR_EMPTY : 0) | (has_byte(capsule) ? LSR_READY : 0);
}

/* Of a break or a key. */
static uint8_t line_status_of_keys(struct capsule *capsule)
{
	const struct uart *uart = &capsule->machine->uart;
	uint8_t status = line_status(capsule);

	if (uart->keys % 2 == 0 && status & LSR_READY && uart->keys != 0)
		status |= LSR_BREAK;
	end_pause(capsule);
	return status;
}

static uint8_t read_register(struct capsule *capsule, unsigned reg)
{
	struct uart *uart = &capsule->machine->uart;
	bool divisor = uart->lcr & LCR_DLAB;

	switch (reg) {
	case RBR_THR_DLL:
		return divisor ? uart->divisor[0] : receive(capsule);
	case IER_DLM:
		return divisor ? uart->divisor[1] : uart->ier;
	case IIR_FCR:
		return read_interrupt_id(capsule);
	case LCR:
		return uart->lcr;
	case MCR:
		return uart->mcr;
	case LSR:
		return line_status_of_keys(capsule);
	case MSR:
		return modem_status(uart);
	default:
		return uart->scratch;
	}
}

/* True when the byte is for the console. */
static bool write_register(struct capsule *capsule, unsigned reg, uint8_t value)
{
	struct uart *uart = &capsule->machine->uart;
	bool divisor = uart->lcr & LCR_DLAB;

	switch (reg) {
	case RBR_THR_DLL:
		if (!divisor)
			return transmit(capsule, value);
		uart->divisor[0] = value;
		break;
	case IER_DLM:
		if (divisor)
			uart->divisor[1] = value;
		else
			set_interrupts(capsule, value);
		break;
	case IIR_FCR:
		uart->fcr = value;
		break;
	case LCR:
		uart->lcr = value;
		break;
	case MCR:
		uart->mcr = value & MCR_MASK;
		uart_update(capsule);
		break;
	case SCR:
		uart->scratch = value;
		break;
	}
	return false;
}

/* Not inlined: the line's status is read far more often than all else, and this would make it slower. */
static __attribute__((noinline)) bool read_locked(struct capsule *capsule, unsigned reg, uint64_t *value)
{
	lock(&capsule->machine->lock);
	*value = read_register(capsule, reg);
	unlock(&capsule->machine->lock);
	return true;
}

bool uart_read(struct capsule *capsule, uint64_t offset, unsigned width, uint64_t *value)
{
	const struct uart *uart = &capsule->machine->uart;

	(void)width;
	/* line_status() as a console polls it for each byte: it changes nothing, so it needs no lock. */
	if (offset == LSR && uart->keys == 0 && !(uart->mcr & MCR_LOOP)) {
		*value = (atomic_load_explicit(&capsule->printed.full, memory_order_relaxed) ? 0u : LSR_EMPTY) |
			 (capsule_has_input(capsule) ? LSR_READY : 0u);
		return true;
	}
	*value = 0;
	return offset >= REGISTERS || read_locked(capsule, (unsigned)offset, value);
}

bool uart_write(struct capsule *capsule, uint64_t offset, unsigned width, uint64_t value)
{
	bool printed;

	(void)width;
	if (offset >= REGISTERS)
		return true;
	lock(&capsule->machine->lock);
	printed = write_register(capsule, (unsigned)offset, (uint8_t)value);
	unlock(&capsule->machine->lock);
	/* Without the lock: who has the console may be told, and may be the capsule itself. */
	if (printed && !line_pass(&lines[PORT_CONSOLE], capsule, (char)value))
		console_print(capsule, (char)value);
	return true;
}
