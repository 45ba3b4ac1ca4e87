/* SPDX-License-Identifier: MIT */
/* The hypervisor's log: which lines are kept, by their numbers, and who is told of new ones. */
#include <stdio.h>

#include "log.h"
#include "sbi_guest.h"
#include "service_abi.h"

#define LOG_READ DIOSIX_CALL_LOG_READ

static uint64_t last_number(void)
{
	struct diosix_log_line line = {0};
	char text[LOG_LINE_LEN];
	uint64_t last = 0;

	while (log_get(last + 1, &line, text))
		last = line.sequence;
	return last;
}

static void a_line_is_printed_and_kept_with_its_time_and_level(void **state)
{
	struct diosix_log_line line;
	char text[LOG_LINE_LEN];
	uint64_t last = last_number();

	fake.time = 4711;
	log_line(DIOSIX_LOG_WARNING, "diosix: %s %u", "number", 7);
	assert_non_null(strstr(fake.ports[0].output, "diosix: number 7\r\n"));
	assert_true(log_get(last + 1, &line, text));
	assert_int_equal(line.sequence, last + 1);
	assert_int_equal(line.time, 4711);
	assert_int_equal(line.level, DIOSIX_LOG_WARNING);
	assert_int_equal(line.len, 16);
	assert_memory_equal(text, "diosix: number 7", 16);
	assert_false(log_get(last + 2, &line, text));
}

static void what_is_too_long_is_cut_off(void **state)
{
	char longer[400], text[LOG_LINE_LEN];
	struct diosix_log_line line;
	uint64_t last = last_number();

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	log_line(DIOSIX_LOG_INFO, "%s", longer);
	assert_true(log_get(last + 1, &line, text));
	assert_int_equal(line.len, LOG_LINE_LEN);
	assert_memory_equal(text, longer, LOG_LINE_LEN);
}

/* Lines of `len` bytes until the first ones are gone: what is left is in order, whole, and ends with the last. */
static void fill(unsigned len, unsigned count)
{
	struct diosix_log_line line;
	char text[LOG_LINE_LEN], want[LOG_LINE_LEN + 1];
	uint64_t last = last_number(), at;

	for (unsigned i = 1; i <= count; i++)
		log_line(DIOSIX_LOG_INFO, "%0*lu", (int)len, (unsigned long)(last + i));
	assert_true(log_get(1, &line, text));
	assert_true(line.sequence > last);
	for (at = line.sequence; log_get(at, &line, text); at++) {
		assert_int_equal(line.sequence, at);
		snprintf(want, sizeof(want), "%0*lu", (int)len, (unsigned long)at);
		assert_int_equal(line.len, len);
		assert_memory_equal(text, want, len);
	}
	assert_int_equal(at, last + count + 1);
}

static void the_last_lines_are_kept_whatever_their_length(void **state)
{
	fill(20, 1000);	 /* as many as there are numbers for */
	fill(200, 1000); /* as many as there are bytes for */
	fill(LOG_LINE_LEN, 300);
	fill(21, 600);
}

static void whole_lines_are_read_in_batches(void **state)
{
	const struct diosix_log_line *line = (const void *)memory();
	uint64_t last;

	capsule->config.permissions = UINT64_C(1) << DMFS_PERM_HV_LOG_READ;
	last = last_number();
	log_line(DIOSIX_LOG_ERROR, "one");
	log_line(DIOSIX_LOG_DEBUG, "three bytes");
	assert_int_equal(call(DIOSIX_EXTENSION, LOG_READ, last + 1, RAM, SIZE), 0);
	assert_int_equal(value(), 2 * sizeof(*line) + 8 + 16);
	assert_int_equal(line->sequence, last + 1);
	assert_int_equal(line->level, DIOSIX_LOG_ERROR);
	assert_memory_equal(line + 1, "one", 3);
	line = (const void *)(memory() + sizeof(*line) + 8);
	assert_int_equal(line->sequence, last + 2);
	assert_memory_equal(line + 1, "three bytes", 11);
	/* With room for one and a half there is one, and with room for none nothing. */
	call(DIOSIX_EXTENSION, LOG_READ, last + 1, RAM, sizeof(*line) + 8 + 30);
	assert_int_equal(value(), sizeof(*line) + 8);
	call(DIOSIX_EXTENSION, LOG_READ, last + 1, RAM, sizeof(*line) + 2);
	assert_int_equal(value(), 0);
	call(DIOSIX_EXTENSION, LOG_READ, last + 3, RAM, SIZE);
	assert_int_equal(value(), 0);
}

static void a_call_reads_a_page_at_most_and_into_the_callers_memory(void **state)
{
	capsule->config.permissions = UINT64_C(1) << DMFS_PERM_HV_LOG_READ;
	fill(100, 300);
	memset(memory(), 0xa5, SIZE);
	assert_int_equal(call(DIOSIX_EXTENSION, LOG_READ, 1, RAM, UINT64_MAX), 0);
	assert_in_range(value(), DIOSIX_BATCH_LEN / 2, DIOSIX_BATCH_LEN);
	assert_int_equal((uint8_t)memory()[DIOSIX_BATCH_LEN], 0xa5);
	assert_int_equal(call(DIOSIX_EXTENSION, LOG_READ, 1, RAM + SIZE - 8, 16), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(call(DIOSIX_EXTENSION, LOG_READ, 1, 0, 16), SBI_ERR_INVALID_ADDRESS);
}

static void who_may_read_it_is_told_and_nobody_else(void **state)
{
	log_line(DIOSIX_LOG_INFO, "unheard");
	assert_int_equal(atomic_load(&capsule->events) & DIOSIX_EVENT_LOG, 0);
	capsule->config.permissions = UINT64_C(1) << DMFS_PERM_HV_LOG_READ;
	log_line(DIOSIX_LOG_INFO, "heard");
	assert_int_equal(atomic_load(&capsule->events) & DIOSIX_EVENT_LOG, DIOSIX_EVENT_LOG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_is_printed_and_kept_with_its_time_and_level, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_too_long_is_cut_off, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_lines_are_kept_whatever_their_length, setup, teardown),
		cmocka_unit_test_setup_teardown(whole_lines_are_read_in_batches, setup, teardown),
		cmocka_unit_test_setup_teardown(a_call_reads_a_page_at_most_and_into_the_callers_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(who_may_read_it_is_told_and_nobody_else, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
