/* SPDX-License-Identifier: MIT */
/* The second port: its provider gets every byte that comes, and an event whenever there is something that it has not read. */
#include "line.h"
#include "several.h"

#define BUFFER (RAM + 0x1000)

static struct fake_port *const port = &fake.ports[PORT_CONTROL];

static int setup_port(void **state)
{
	if (setup_several(state) != 0)
		return -1;
	port->irq = 7;
	line_start(PORT_CONTROL);
	as(0);
	return ABI(REGISTER, DIOSIX_ROLE_CONTROL) == SBI_SUCCESS && ABI(EVENTS, 0) == SBI_SUCCESS ? 0 : -1;
}

static bool has_news(void)
{
	assert_int_equal(ABI(EVENTS, 0), SBI_SUCCESS);
	return value() & DIOSIX_EVENT_CONTROL_INPUT;
}

static void expect_bytes(uint64_t room, const char *bytes)
{
	assert_int_equal(ABI(CONTROL_READ, BUFFER, room), SBI_SUCCESS);
	assert_int_equal(value(), strlen(bytes));
	assert_memory_equal(memory() + 0x1000, bytes, strlen(bytes));
}

static void input_is_an_event_and_is_read_once(void **state)
{
	port->input = "first";
	control_interrupt();
	assert_true(has_news());
	assert_false(has_news());
	expect_bytes(3, "fir");
	expect_bytes(100, "st");
	expect_bytes(100, "");
}

static void what_comes_while_the_provider_reads_is_read_or_is_an_event(void **state)
{
	port->input = "request";
	control_interrupt();
	assert_true(has_news());
	/* The line's end has come, its interrupt not yet. */
	port->input = "\n";
	expect_bytes(100, "request\n");
	control_interrupt();
	assert_false(has_news());
	expect_bytes(100, "");
	port->input = "next";
	control_interrupt();
	assert_true(has_news());
}

static void a_full_ring_leaves_the_rest_in_the_port_and_nothing_is_lost(void **state)
{
	static char much[3 * LINE_INPUT_LEN + 1];
	size_t got = 0;

	for (size_t i = 0; i < sizeof(much) - 1; i++)
		much[i] = (char)('a' + i % 23);
	port->input = much;
	control_interrupt();
	assert_true(has_news());
	assert_ptr_equal(port->input, much + LINE_INPUT_LEN);
	assert_false(port->input_on);
	while (ABI(CONTROL_READ, BUFFER, 700) == SBI_SUCCESS && value() > 0) {
		assert_memory_equal(memory() + 0x1000, much + got, value());
		got += value();
	}
	assert_int_equal(got, sizeof(much) - 1);
	assert_true(port->input_on);
}

static void what_came_before_there_was_a_provider_waits_for_it(void **state)
{
	capsules[1].config.permissions = BIT_OF(SERVICE_CONTROL);
	restart(0); /* which ends its role */
	port->input = "early";
	control_interrupt();
	as(1);
	ABI(EVENTS, 0);
	assert_int_equal(ABI(CONTROL_READ, BUFFER, 100), SBI_ERR_INVALID_STATE);
	assert_int_equal(ABI(REGISTER, DIOSIX_ROLE_CONTROL), SBI_SUCCESS);
	assert_true(has_news());
	assert_int_equal(ABI(CONTROL_READ, BUFFER, 100), SBI_SUCCESS);
	assert_int_equal(value(), 5);
}

#define test_port(function) cmocka_unit_test_setup_teardown(function, setup_port, teardown_several)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_port(input_is_an_event_and_is_read_once),
		test_port(what_comes_while_the_provider_reads_is_read_or_is_an_event),
		test_port(a_full_ring_leaves_the_rest_in_the_port_and_nothing_is_lost),
		test_port(what_came_before_there_was_a_provider_waits_for_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
