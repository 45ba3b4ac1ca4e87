/* SPDX-License-Identifier: MIT */
/* The guest's NS16550A, register by register, and the sequences by which Linux' 8250 driver finds and uses it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "console.h"
#include "fake.h"
#include "machine.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };
#define FCR IIR

static struct capsule *capsule;

static int setup(void **state)
{
	fake_reset(1);
	capsule = fake_capsule(1, 4096);
	/* The line is seen through the PLIC. */
	capsule->machine->plic.priority[DTGEN_UART_IRQ] = 1;
	capsule->machine->plic.enable[1][0] = 1u << DTGEN_UART_IRQ;
	return 0;
}

static uint8_t get(unsigned reg)
{
	uint64_t value = UINT64_MAX;

	assert_true(uart_read(capsule, reg, 1, &value));
	assert_in_range(value, 0, 255);
	return (uint8_t)value;
}

static void set(unsigned reg, uint8_t value)
{
	assert_true(uart_write(capsule, reg, 1, value));
}

static bool interrupting(void)
{
	return capsule->machine->plic.level[0] >> DTGEN_UART_IRQ & 1;
}

static void type(const char *text)
{
	fake.ports[0].input = text;
	console_interrupt();
}

static void bytes_are_sent_to_the_console(void **state)
{
	set(DATA, 'h');
	set(DATA, 'i');
	assert_string_equal(fake.ports[0].output, "hi");
	assert_int_equal(get(LSR), 0x60);
}

static void bytes_are_received_in_order(void **state)
{
	assert_int_equal(get(LSR) & 1, 0);
	type("ab");
	assert_int_equal(get(LSR), 0x61);
	assert_int_equal(get(DATA), 'a');
	assert_int_equal(get(DATA), 'b');
	assert_int_equal(get(LSR), 0x60);
	assert_int_equal(get(DATA), 0);
}

static void a_received_byte_interrupts_until_all_are_read(void **state)
{
	type("ab");
	assert_false(interrupting());
	set(IER, 1);
	assert_true(interrupting());
	assert_int_equal(get(IIR), 0x04);
	assert_true(interrupting()); /* reading the cause does not take it away */
	get(DATA);
	assert_true(interrupting());
	get(DATA);
	assert_false(interrupting());
	assert_int_equal(get(IIR), 0x01);
	type("c");
	assert_true(interrupting());
}

static void an_empty_transmitter_interrupts_when_asked_to_and_reading_the_cause_acknowledges(void **state)
{
	set(IER, 2);
	assert_true(interrupting());
	assert_int_equal(get(IIR), 0x02);
	assert_false(interrupting());
	assert_int_equal(get(IIR), 0x01);
	set(DATA, 'x');
	assert_true(interrupting());
	assert_int_equal(get(IIR), 0x02);
	set(IER, 2); /* was on already */
	assert_false(interrupting());
	set(IER, 0);
	set(IER, 2);
	assert_true(interrupting());
	set(IER, 0);
	assert_false(interrupting());
	assert_int_equal(get(IIR), 0x01);
}

static void receiving_comes_before_sending_as_a_cause(void **state)
{
	type("a");
	set(IER, 3);
	assert_int_equal(get(IIR), 0x04);
	get(DATA);
	assert_int_equal(get(IIR), 0x02);
	assert_int_equal(get(IIR), 0x01);
}

/* serial8250_do_startup() takes a UART that does not interrupt again when asked a second time for a broken one. */
static void linux_finds_a_transmit_interrupt_without_bugs(void **state)
{
	set(IER, 2);
	get(IIR);
	set(IER, 0);
	set(IER, 2);
	assert_int_equal(get(IIR) & 0x0f, 0x02);
}

/* autoconfig() of 8250_port.c: bits of IER, loopback, FIFO. */
static void linux_takes_it_for_a_16550a(void **state)
{
	set(IER, 0);
	assert_int_equal(get(IER) & 0x0f, 0);
	set(IER, 0x0f);
	assert_int_equal(get(IER), 0x0f);
	set(IER, 0);
	set(MCR, 0x10 | 0x0a);
	assert_int_equal(get(MSR) & 0xf0, 0x90);
	set(MCR, 0);
	set(LCR, 0);
	set(FCR, 1);
	assert_int_equal(get(IIR) >> 6, 3);
	set(FCR, 0);
	assert_int_equal(get(IIR) >> 6, 0);
	set(LCR, 0x80);
	set(FCR, 0x20); /* nothing of a 16750 or 16650 */
	assert_int_equal(get(IIR) & 0x20, 0);
	set(LCR, 0);
}

static void the_divisor_is_behind_the_latch(void **state)
{
	set(LCR, 0x83);
	set(DATA, 0x12);
	set(IER, 0x34);
	assert_int_equal(get(DATA), 0x12);
	assert_int_equal(get(IER), 0x34);
	set(LCR, 0x03);
	assert_int_equal(get(LCR), 0x03);
	assert_int_equal(get(IER), 0);
	assert_int_equal(fake.ports[0].output_len, 0);
	assert_false(interrupting());
}

static void registers_keep_only_the_bits_that_there_are(void **state)
{
	set(IER, 0xf0);
	assert_int_equal(get(IER), 0);
	set(MCR, 0xff);
	assert_int_equal(get(MCR), 0x1f);
	set(SCR, 0xa5);
	assert_int_equal(get(SCR), 0xa5);
	set(LSR, 0xff);
	set(MSR, 0xff);
	set(MCR, 0);
	assert_int_equal(get(LSR), 0x60);
	assert_int_equal(get(MSR), 0xb0);
}

static void loopback_returns_what_is_sent_and_keeps_the_console_out(void **state)
{
	type("z");
	set(MCR, 0x10);
	assert_int_equal(get(LSR) & 1, 0);
	set(IER, 1);
	set(DATA, 'q');
	assert_true(interrupting());
	assert_int_equal(fake.ports[0].output_len, 0);
	assert_int_equal(get(DATA), 'q');
	assert_false(interrupting());
	set(MCR, 0);
	assert_true(interrupting());
	assert_int_equal(get(DATA), 'z');
}

static void each_modem_output_comes_back_as_its_input(void **state)
{
	static const uint8_t pairs[][2] = {{0, 0}, {1, 0x20}, {2, 0x10}, {4, 0x40}, {8, 0x80}, {15, 0xf0}};

	for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		set(MCR, 0x10 | pairs[i][0]);
		assert_int_equal(get(MSR), pairs[i][1]);
	}
}

static void wide_accesses_are_of_their_lowest_byte_and_holes_read_zero(void **state)
{
	uint64_t value;

	for (unsigned width = 1; width <= 8; width *= 2) {
		assert_true(uart_write(capsule, SCR, width, 0x1122334455667788));
		assert_true(uart_read(capsule, SCR, width, &value));
		assert_int_equal(value, 0x88);
	}
	for (uint64_t at = 8; at < DTGEN_UART_SIZE; at++) {
		assert_true(uart_write(capsule, at, 1, 0xff));
		assert_true(uart_read(capsule, at, 1, &value));
		assert_int_equal(value, 0);
	}
}

static void input_beyond_the_buffer_is_dropped_and_what_is_in_it_kept(void **state)
{
	char text[CONSOLE_INPUT_LEN + 10];

	for (unsigned i = 0; i < sizeof(text) - 1; i++)
		text[i] = (char)('a' + i % 26);
	text[sizeof(text) - 1] = '\0';
	type(text);
	for (unsigned i = 0; i < CONSOLE_INPUT_LEN; i++)
		assert_int_equal(get(DATA), 'a' + i % 26);
	assert_int_equal(get(LSR) & 1, 0);
}

/* As Linux' interrupt handler reads: what there is until it finds nothing. Breaks are '^'. */
static unsigned serve_interrupt(char *out)
{
	unsigned count = 0;

	if ((get(IIR) & 0x0f) != 0x04)
		return 0;
	for (uint8_t status = get(LSR); status & 0x01; status = get(LSR)) {
		uint8_t byte = get(DATA);

		assert_true(!(status & 0x10) || byte == 0);
		out[count++] = status & 0x10 ? '^' : (char)byte;
	}
	out[count] = '\0';
	return count;
}

static void a_request_to_stop_is_a_break_and_a_key_for_each_interrupt_and_then_comes_what_was_typed(void **state)
{
	static const char *const served[] = {"^s", "^u", "^ox"};
	char got[16];

	set(IER, 0x01);
	type("x");
	uart_ask_to_stop(capsule);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(interrupting());
		assert_int_equal(serve_interrupt(got), strlen(served[i]));
		assert_string_equal(got, served[i]);
	}
	assert_false(interrupting());
	assert_int_equal(serve_interrupt(got), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(bytes_are_sent_to_the_console, setup),
		cmocka_unit_test_setup(bytes_are_received_in_order, setup),
		cmocka_unit_test_setup(a_request_to_stop_is_a_break_and_a_key_for_each_interrupt_and_then_comes_what_was_typed,
				       setup),
		cmocka_unit_test_setup(a_received_byte_interrupts_until_all_are_read, setup),
		cmocka_unit_test_setup(
			an_empty_transmitter_interrupts_when_asked_to_and_reading_the_cause_acknowledges, setup),
		cmocka_unit_test_setup(receiving_comes_before_sending_as_a_cause, setup),
		cmocka_unit_test_setup(linux_finds_a_transmit_interrupt_without_bugs, setup),
		cmocka_unit_test_setup(linux_takes_it_for_a_16550a, setup),
		cmocka_unit_test_setup(the_divisor_is_behind_the_latch, setup),
		cmocka_unit_test_setup(registers_keep_only_the_bits_that_there_are, setup),
		cmocka_unit_test_setup(loopback_returns_what_is_sent_and_keeps_the_console_out, setup),
		cmocka_unit_test_setup(each_modem_output_comes_back_as_its_input, setup),
		cmocka_unit_test_setup(wide_accesses_are_of_their_lowest_byte_and_holes_read_zero, setup),
		cmocka_unit_test_setup(input_beyond_the_buffer_is_dropped_and_what_is_in_it_kept, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
