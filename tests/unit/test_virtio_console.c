/* SPDX-License-Identifier: MIT */
/* The driver of a virtio console, with a device that says what it should not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../hypervisor/drivers/virtio_console.c"

static uint32_t registers[64];
static struct board_uart port;
static struct queue *const in = &queues[RECEIVE], *const out = &queues[TRANSMIT];

static int setup(void **state)
{
	memset(registers, 0, sizeof(registers));
	registers[MAGIC / 4] = MAGIC_VALUE;
	registers[VERSION / 4] = 2;
	registers[DEVICE_ID / 4] = ID_CONSOLE;
	registers[QUEUE_NUM_MAX / 4] = QUEUE_LEN;
	port.base = (uintptr_t)registers;
	assert_true(init(&port));
	return 0;
}

/* The device says that it has filled a buffer. */
static void fill(uint32_t id, const char *bytes, uint32_t len)
{
	strcpy(in->buffers[id % QUEUE_LEN], bytes);
	in->used.ring[in->used.index % QUEUE_LEN].id = id;
	in->used.ring[in->used.index % QUEUE_LEN].len = len;
	in->used.index++;
}

static void all_buffers_are_offered_and_what_comes_is_received_in_order(void **state)
{
	assert_int_equal(registers[STATUS / 4], STATUS_SEEN | STATUS_FEATURES | STATUS_DRIVER_OK);
	assert_int_equal(in->available.index, QUEUE_LEN);
	assert_int_equal(receive(&port), -1);
	fill(3, "hi", 2);
	fill(1, "!", 1);
	assert_int_equal(receive(&port), 'h');
	assert_int_equal(receive(&port), 'i');
	assert_int_equal(receive(&port), '!');
	assert_int_equal(receive(&port), -1);
	/* Both are the device's again. */
	assert_int_equal(in->available.index, QUEUE_LEN + 2);
	assert_int_equal(in->available.ring[0], 3);
	assert_int_equal(in->available.ring[1], 1);
}

static void no_more_is_taken_than_a_buffer_has(void **state)
{
	unsigned n = 0;

	fill(QUEUE_LEN - 1, "x", UINT32_MAX);
	while (receive(&port) >= 0)
		n++;
	assert_int_equal(n, BUFFER_LEN);
}

static void a_buffer_that_there_is_not_is_one_that_there_is(void **state)
{
	fill(UINT32_MAX, "a", 1);
	fill(QUEUE_LEN, "b", 1);
	assert_int_equal(receive(&port), 'a');
	assert_int_equal(receive(&port), 'b');
	assert_int_equal(receive(&port), -1);
	assert_int_equal(in->available.ring[0], QUEUE_LEN - 1);
	assert_int_equal(in->available.ring[1], 0);
}

static void an_index_that_has_run_away_comes_to_an_end(void **state)
{
	in->used.index = UINT16_MAX;
	assert_int_equal(receive(&port), -1);
	assert_int_equal(in->seen, UINT16_MAX);
}

static void as_much_is_sent_as_there_are_buffers(void **state)
{
	char bytes[(QUEUE_LEN + 1) * BUFFER_LEN];

	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(send(&port, bytes, 5), 5);
	assert_int_equal(out->desc[0].len, 5);
	assert_int_equal(registers[QUEUE_NOTIFY / 4], TRANSMIT);
	assert_int_equal(send(&port, bytes, sizeof(bytes)), (QUEUE_LEN - 1) * BUFFER_LEN);
	assert_int_equal(send(&port, bytes, 1), 0);
	out->used.index = 2;
	assert_int_equal(send(&port, bytes, sizeof(bytes)), 2 * BUFFER_LEN);
	assert_int_equal(out->available.ring[0], 0);
	assert_int_equal(out->available.ring[1], 1);
}

static void nothing_is_sent_when_more_was_used_than_was_offered(void **state)
{
	out->used.index = 1;
	assert_int_equal(send(&port, "x", 1), 0);
	assert_int_equal(out->available.index, 0);
}

/* What another kind of device, an older one, or one without room says. */
static void what_cannot_be_used_is_refused(void **state)
{
	static const struct {
		unsigned reg;
		uint32_t value;
	} cases[] = {{MAGIC, 0}, {VERSION, 1}, {DEVICE_ID, 0}, {DEVICE_ID, 2}, {QUEUE_NUM_MAX, QUEUE_LEN - 1}};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup(state);
		registers[cases[i].reg / 4] = cases[i].value;
		assert_false(init(&port));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_buffers_are_offered_and_what_comes_is_received_in_order, setup),
		cmocka_unit_test_setup(no_more_is_taken_than_a_buffer_has, setup),
		cmocka_unit_test_setup(a_buffer_that_there_is_not_is_one_that_there_is, setup),
		cmocka_unit_test_setup(an_index_that_has_run_away_comes_to_an_end, setup),
		cmocka_unit_test_setup(as_much_is_sent_as_there_are_buffers, setup),
		cmocka_unit_test_setup(nothing_is_sent_when_more_was_used_than_was_offered, setup),
		cmocka_unit_test_setup(what_cannot_be_used_is_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
