/* SPDX-License-Identifier: MIT */
/*
 * A virtio console (VirtIO 1.2, sections 4.2 and 5.3), as the second port. Where the device has multiport it is its port 1,
 * which QEMU makes wait for a slow reader (it loses what port 0 writes then); otherwise the only one. Each queue has a page of
 * buffers. The device is part of the board; still its indexes are masked.
 */
#include <stddef.h>
#include <string.h>

#include "board_io.h"
#include "mmio.h"
#include "uart_drivers.h"

/* Section 4.2.2, registers of version 2. */
#define MAGIC		    0x000
#define VERSION		    0x004
#define DEVICE_ID	    0x008
#define DEVICE_FEATURES	    0x010
#define DEVICE_FEATURES_SEL 0x014
#define DRIVER_FEATURES	    0x020
#define DRIVER_FEATURES_SEL 0x024
#define QUEUE_SEL	    0x030
#define QUEUE_NUM_MAX	    0x034
#define QUEUE_NUM	    0x038
#define QUEUE_READY	    0x044
#define QUEUE_NOTIFY	    0x050
#define INTERRUPT_STATUS    0x060
#define INTERRUPT_ACK	    0x064
#define STATUS		    0x070
#define QUEUE_DESC	    0x080
#define QUEUE_DRIVER	    0x090
#define QUEUE_DEVICE	    0x0a0

#define MAGIC_VALUE	 0x74726976u
#define ID_CONSOLE	 3u
#define MULTIPORT	 2u /* bit 1 */
#define FEATURES_HIGH	 1u
#define VERSION_1	 1u /* bit 32 */
#define STATUS_SEEN	 3u /* acknowledge, driver */
#define STATUS_FEATURES	 8u
#define STATUS_DRIVER_OK 4u

#define QUEUE_LEN  16u
#define BUFFER_LEN 128u
#define DESC_WRITE 2u

enum { RECEIVE, TRANSMIT, CONTROL, QUEUES };

/* Section 5.3.2: their numbers. */
static const uint8_t single[QUEUES] = {[RECEIVE] = 0, [TRANSMIT] = 1};
static const uint8_t second[QUEUES] = {[RECEIVE] = 4, [TRANSMIT] = 5, [CONTROL] = 3};
static const uint8_t *numbers = single;

/* Section 5.3.6.2. */
struct control_message {
	uint32_t port;
	uint16_t event, value;
};
#define DEVICE_READY 0u
#define PORT_OPEN    6u

/* Section 2.7, split virtqueues; each buffer has its descriptor for ever, and is used in turn. */
struct queue {
	struct {
		uint64_t address;
		uint32_t len;
		uint16_t flags, next;
	} desc[QUEUE_LEN];
	struct {
		uint16_t flags, index, ring[QUEUE_LEN];
	} available;
	struct {
		uint16_t flags;
		volatile uint16_t index;
		struct {
			uint32_t id, len;
		} ring[QUEUE_LEN];
	} used;
	uint16_t seen;	/* entries of `used` that were looked at */
	uint32_t taken; /* bytes of the buffer received first */
	char buffers[QUEUE_LEN][BUFFER_LEN];
};

_Static_assert(offsetof(struct queue, available) % 2 == 0 && offsetof(struct queue, used) % 4 == 0, "section 2.7");

static _Alignas(16) struct queue queues[QUEUES];

/* Hands `buffer` to the device. */
static void offer(struct queue *queue, unsigned buffer)
{
	queue->available.ring[queue->available.index % QUEUE_LEN] = (uint16_t)buffer;
	mmio_fence();
	queue->available.index++;
	mmio_fence();
}

static void write_address(uint64_t reg, const volatile void *at)
{
	mmio_write32(reg, (uint32_t)(uintptr_t)at);
	mmio_write32(reg + 4, (uint32_t)((uint64_t)(uintptr_t)at >> 32));
}

static bool init_queue(uint64_t base, unsigned which)
{
	struct queue *queue = &queues[which];

	memset(queue, 0, sizeof(*queue));
	for (unsigned i = 0; i < QUEUE_LEN; i++) {
		queue->desc[i].address = (uintptr_t)queue->buffers[i];
		queue->desc[i].len = BUFFER_LEN;
		queue->desc[i].flags = which == RECEIVE ? DESC_WRITE : 0;
	}
	mmio_write32(base + QUEUE_SEL, numbers[which]);
	if (mmio_read32(base + QUEUE_NUM_MAX) < QUEUE_LEN)
		return false;
	mmio_write32(base + QUEUE_NUM, QUEUE_LEN);
	write_address(base + QUEUE_DESC, queue->desc);
	write_address(base + QUEUE_DRIVER, &queue->available);
	write_address(base + QUEUE_DEVICE, &queue->used);
	mmio_write32(base + QUEUE_READY, 1);
	return true;
}

static size_t send_by(unsigned which, const struct board_uart *uart, const void *bytes, size_t len)
{
	struct queue *queue = &queues[which];
	size_t sent = 0;

	while (sent < len && (uint16_t)(queue->available.index - queue->used.index) < QUEUE_LEN) {
		unsigned buffer = queue->available.index % QUEUE_LEN;
		size_t piece = len - sent < BUFFER_LEN ? len - sent : BUFFER_LEN;

		memcpy(queue->buffers[buffer], (const char *)bytes + sent, piece);
		queue->desc[buffer].len = (uint32_t)piece;
		offer(queue, buffer);
		sent += piece;
	}
	if (sent != 0)
		mmio_write32(uart->base + QUEUE_NOTIFY, numbers[which]);
	return sent;
}

static size_t send(const struct board_uart *uart, const char *bytes, size_t len)
{
	return send_by(TRANSMIT, uart, bytes, len);
}

/* What the device says about its ports is not asked for: port 1 is there, or nobody will write to it. */
static void open_port(const struct board_uart *uart)
{
	const struct control_message ready = {0, DEVICE_READY, 1}, open = {1, PORT_OPEN, 1};

	send_by(CONTROL, uart, &ready, sizeof(ready));
	send_by(CONTROL, uart, &open, sizeof(open));
}

static uint32_t choose_features(uint64_t base)
{
	uint32_t features;

	mmio_write32(base + DEVICE_FEATURES_SEL, 0);
	features = mmio_read32(base + DEVICE_FEATURES) & MULTIPORT;
	numbers = features != 0 ? second : single;
	mmio_write32(base + DRIVER_FEATURES_SEL, 0);
	mmio_write32(base + DRIVER_FEATURES, features);
	mmio_write32(base + DRIVER_FEATURES_SEL, FEATURES_HIGH);
	mmio_write32(base + DRIVER_FEATURES, VERSION_1);
	return features;
}

/* Section 3.1.1. */
static bool init(const struct board_uart *uart)
{
	uint64_t base = uart->base;
	uint32_t features;

	if (mmio_read32(base + MAGIC) != MAGIC_VALUE || mmio_read32(base + VERSION) != 2 ||
	    mmio_read32(base + DEVICE_ID) != ID_CONSOLE)
		return false;
	mmio_write32(base + STATUS, 0);
	mmio_write32(base + STATUS, STATUS_SEEN);
	features = choose_features(base);
	mmio_write32(base + STATUS, STATUS_SEEN | STATUS_FEATURES);
	if (!(mmio_read32(base + STATUS) & STATUS_FEATURES) || !init_queue(base, RECEIVE) || !init_queue(base, TRANSMIT) ||
	    (features != 0 && !init_queue(base, CONTROL)))
		return false;
	mmio_write32(base + STATUS, STATUS_SEEN | STATUS_FEATURES | STATUS_DRIVER_OK);
	for (unsigned i = 0; i < QUEUE_LEN; i++)
		offer(&queues[RECEIVE], i);
	mmio_write32(base + QUEUE_NOTIFY, numbers[RECEIVE]);
	if (features != 0)
		open_port(uart);
	return true;
}

static int receive(const struct board_uart *uart)
{
	struct queue *queue = &queues[RECEIVE];

	while (queue->seen != queue->used.index) {
		unsigned entry = queue->seen % QUEUE_LEN, buffer;
		uint32_t len;

		mmio_fence();
		buffer = queue->used.ring[entry].id % QUEUE_LEN;
		len = queue->used.ring[entry].len;
		if (queue->taken < len && queue->taken < BUFFER_LEN)
			return (unsigned char)queue->buffers[buffer][queue->taken++];
		queue->taken = 0;
		queue->seen++;
		offer(queue, buffer);
		mmio_write32(uart->base + QUEUE_NOTIFY, numbers[RECEIVE]);
	}
	return -1;
}

/* They are always on: that of a buffer sent comes once, and must not be missed. */
static void interrupts(const struct board_uart *uart, bool input, bool room)
{
	(void)uart, (void)input, (void)room;
}

static void acknowledge(const struct board_uart *uart)
{
	mmio_write32(uart->base + INTERRUPT_ACK, mmio_read32(uart->base + INTERRUPT_STATUS));
	mmio_fence();
}

const struct uart_driver uart_virtio = {init, send, receive, interrupts, acknowledge};
