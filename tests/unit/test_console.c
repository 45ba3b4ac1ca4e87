/* SPDX-License-Identifier: MIT */
/* The board's console with several capsules: whole lines, whoever prints in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "console.h"
#include "fake.h"
#include "line.h"
#include "log.h"
#include "machine.h"
#include "roles.h"
#include "service_abi.h"

static struct capsule two[2];
static struct machine machines[2];
static char rings[2][CONSOLE_RING_LEN];

static void type(const char *text)
{
	fake.ports[0].input = text;
	console_interrupt();
}

static void expect(const char *output)
{
	fake.ports[0].output[fake.ports[0].output_len] = '\0';
	assert_string_equal(fake.ports[0].output, output);
	fake.ports[0].output_len = 0;
}

static void say(struct capsule *capsule, const char *text)
{
	console_write(capsule, text, strlen(text));
}

static int setup(void **state)
{
	fake_reset(1);
	memset(two, 0, sizeof(two));
	for (uint32_t i = 0; i < 2; i++) {
		strcpy(two[i].name, i == 0 ? "one" : "two");
		two[i].index = i;
		two[i].machine = &machines[i];
		two[i].printed.ring = rings[i];
		two[i].state = CAPSULE_RUNNING;
		two[i].starts = 1;
		console_begin_life(&two[i]);
	}
	capsules = two;
	capsule_count = 2;
	type("\x1d"
	     "1");
	fake.ports[0].output_len = 0;
	return 0;
}

static void a_prompt_in_focus_is_seen_at_once(void **state)
{
	say(&two[0], "# ");
	expect("[one] # ");
}

static void others_are_shown_by_whole_lines(void **state)
{
	say(&two[1], "hel");
	expect("");
	say(&two[1], "lo\r\n");
	expect("[two] hello\r\n");
}

static void a_line_in_focus_goes_on_whole_after_anothers(void **state)
{
	say(&two[0], "user sp");
	say(&two[1], "hello\n");
	say(&two[0], "ace reached\n");
	expect("[one] user sp\r\n[two] hello\r\n[one] user space reached\n");
}

static void a_line_in_focus_goes_on_whole_after_the_log_s(void **state)
{
	say(&two[0], "# l");
	log_line(DIOSIX_LOG_INFO, "diosix: capsule two: stopped");
	say(&two[0], "s");
	expect("[one] # l\r\ndiosix: capsule two: stopped\r\n[one] # ls");
	say(&two[0], "\n");
}

static void the_focus_moves_and_shows_what_was_begun(void **state)
{
	say(&two[1], "# ");
	type("\x1d"
	     "2");
	expect("diosix: input goes to two\r\n[two] # ");
	say(&two[0], "done\n");
	expect("\r\n[one] done\r\n");
}

static void a_line_of_any_length_is_neither_lost_nor_too_long(void **state)
{
	char line[3 * CONSOLE_LINE_LEN + 1];

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	say(&two[0], line); /* in focus: it is kept only in part */
	type("\x1d"
	     "2");
	fake.ports[0].output_len = 0;
	say(&two[0], line);
	for (unsigned seen = 0, i = 0; i < fake.ports[0].output_len; i++) {
		seen = fake.ports[0].output[i] == '\n' ? 0 : seen + 1;
		assert_in_range(seen, 0, CONSOLE_LINE_LEN + 8);
	}
}

static void what_a_capsule_leaves_unfinished_is_shown_when_it_stops(void **state)
{
	say(&two[1], "last words");
	console_gone(&two[1]);
	expect("[two] last words\r\n");
	say(&two[0], "mine");
	console_gone(&two[0]);
	expect("[one] mine\r\n");
}

static void what_is_typed_while_a_capsule_restarts_is_for_its_next_life(void **state)
{
	type("early");
	console_gone(&two[0]);
	atomic_store(&two[0].state, CAPSULE_LOADING);
	type("late");
	assert_int_equal(two[0].input_head - two[0].input_tail, 9);
}

static void one_that_has_stopped_takes_no_input_and_is_started_without_any(void **state)
{
	type("stale");
	atomic_store(&two[0].state, CAPSULE_STOPPED);
	console_set_provider(&two[1]);
	assert_int_equal(console_feed(&two[1], &two[0], "hi", 2), -1);
	console_forget_input(&two[0]);
	atomic_store(&two[0].state, CAPSULE_RUNNING);
	assert_false(capsule_has_input(&two[0]));
	assert_int_equal(console_feed(&two[1], &two[0], "hi", 2), 2);
}

static void alone_its_bytes_pass_as_they_are(void **state)
{
	capsule_count = 1;
	say(&two[0], "a\nb\r\n\x1b[K");
	expect("a\nb\r\n\x1b[K");
	say(&two[0], "\n");
}

/* --- a line that is slow --------------------------------------------------------------------- */

static struct fake_port *const port = &fake.ports[PORT_CONSOLE];

/* From here on the line takes `room` bytes, and interrupts when it has more. */
static void slow_line(unsigned room)
{
	port->irq = 10;
	line_start(PORT_CONSOLE);
	port->limited = true;
	port->room = room;
}

/* The line takes all, as fast as interrupts come; they end when nothing waits. */
static void let_go(void)
{
	for (unsigned i = 0; port->room_on; i++) {
		assert_in_range(i, 0, 5000);
		port->room = 16;
		console_interrupt();
	}
	port->output[port->output_len] = '\0';
}

static unsigned count(const char *text)
{
	unsigned n = 0;

	for (const char *at = port->output; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

static void what_the_line_does_not_take_goes_out_by_its_interrupt(void **state)
{
	slow_line(3);
	log_line(DIOSIX_LOG_INFO, "diosix: slow");
	expect("dio");
	assert_true(port->room_on);
	let_go();
	expect("six: slow\r\n");
	assert_true(port->input_on);
}

static void a_flood_neither_delays_nor_loses_anothers_lines(void **state)
{
	slow_line(0);
	while (console_write(&two[0], "flood flood\n", 12) == 12)
		;
	assert_true(two[0].printed.full);
	say(&two[1], "hello\n");
	assert_false(two[1].printed.full);
	/* It comes as soon as what was on the line before it is gone, though so much waits. */
	for (unsigned i = 0; count("[two] hello") == 0; i++) {
		assert_in_range(i, 0, (LINE_SHARE + 1024) / 16);
		port->room = 16;
		console_interrupt();
		port->output[port->output_len] = '\0';
		console_write(&two[0], "flood flood\n", 12);
	}
	let_go();
	assert_false(two[0].printed.full);
	assert_int_equal(two[0].dropped + two[1].dropped, 0);
}

static void what_is_printed_nevertheless_is_lost_and_a_mark_says_so(void **state)
{
	slow_line(0);
	while (console_write(&two[1], "0123456\n", 8) == 8)
		;
	for (unsigned i = 0; i < 5; i++)
		console_print(&two[1], 'x');
	assert_int_equal(two[1].dropped, 5);
	let_go();
	assert_int_equal(count("[two] ... 5 bytes lost ...\r\n"), 1);
	say(&two[1], "on\n");
	let_go();
	assert_int_equal(count("[two] on\r\n"), 1);
	assert_int_equal(count("lost"), 1);
}

static void after_a_life_that_ended_with_a_full_buffer_the_next_finds_room(void **state)
{
	slow_line(0);
	while (console_write(&two[1], "flood flood\n", 12) == 12)
		;
	assert_true(two[1].printed.full);
	port->limited = false;
	console_gone(&two[1]);
	assert_false(two[1].printed.full);
}

static void a_focus_that_is_set_without_end_takes_the_line_from_nobody(void **state)
{
	slow_line(0);
	for (unsigned i = 0; i < 2000; i++)
		console_set_focus(&two[i % 2]);
	assert_in_range(lines[PORT_CONSOLE].head - lines[PORT_CONSOLE].tail, 1, LINE_SHARE + 512);
	console_set_focus(&two[1]);
	type("x");
	assert_true(capsule_has_input(&two[1]));
	let_go();
}

static void at_the_end_all_of_it_goes_out(void **state)
{
	slow_line(0);
	say(&two[1], "last words\n");
	log_line(DIOSIX_LOG_INFO, "diosix: last line");
	port->limited = false;
	console_end();
	expect("[two] last words\r\ndiosix: last line\r\n");
}

static void a_line_that_takes_nothing_is_not_waited_for_for_ever(void **state)
{
	slow_line(0);
	for (unsigned i = 0; i < 2000; i++)
		log_line(DIOSIX_LOG_INFO, "diosix: line %u", i);
	console_end();
	log_line(DIOSIX_LOG_INFO, "diosix: after all");
	expect("");
}

static void nobody_takes_the_last_lines(void **state)
{
	two[1].config.permissions = 1 << DMFS_PERM_HV_LOG_READ;
	console_end();
	console_set_provider(&two[1]);
	log_line(DIOSIX_LOG_INFO, "diosix: last line");
	expect("diosix: last line\r\n");
}

static void what_is_printed_while_the_board_ends_does_not_keep_it(void **state)
{
	console_end();
	assert_int_equal(console_write(&two[0], "more\n", 5), 0);
	console_print(&two[0], 'x');
	assert_int_equal(two[0].printed.lost, 0);
	assert_int_equal(two[0].dropped, 1);
	expect("");
}

/* --- a provider -------------------------------------------------------------------------------- */

static int setup_provider(void **state)
{
	setup(state);
	two[1].config.permissions = 1 << DMFS_PERM_SERVICE_CONSOLE | 1 << DMFS_PERM_HV_LOG_READ;
	console_set_provider(&two[1]);
	return 0;
}

static void expect_record(const char *at, uint32_t capsule, const char *text, uint64_t dropped)
{
	struct diosix_output record;

	memcpy(&record, at, sizeof(record));
	assert_int_equal(DIOSIX_HANDLE_INDEX(record.handle), capsule);
	assert_int_equal(record.dropped, dropped);
	assert_int_equal(record.len, strlen(text));
	assert_memory_equal(at + sizeof(record), text, record.len);
}

static void the_provider_gets_output_with_its_capsules_index(void **state)
{
	char buffer[256];

	say(&two[0], "# ");
	assert_int_equal(two[1].events, DIOSIX_EVENT_CONSOLE_OUTPUT);
	say(&two[1], "mine");
	log_line(DIOSIX_LOG_INFO, "diosix: kept");
	expect("");
	assert_int_equal(console_take_output(&two[0], buffer, sizeof(buffer)), -1);
	assert_int_equal(console_take_output(&two[1], buffer, sizeof(buffer)), 80);
	expect_record(buffer, 1, "mine", 0);
	expect_record(buffer + 40, 0, "# ", 0);
	assert_int_equal(console_take_output(&two[1], buffer, sizeof(buffer)), 0);
	assert_int_equal(line_write(&lines[PORT_CONSOLE], &two[1], buffer + sizeof(struct diosix_output), 4), 4);
	expect("mine");
}

static void begin_life(struct capsule *capsule)
{
	log_line(DIOSIX_LOG_INFO, "diosix: capsule %s: restarted", capsule->name);
	capsule->starts++;
	console_begin_life(capsule);
}

static void expect_life(const char *at, uint64_t starts, uint64_t log, const char *text)
{
	struct diosix_output record;

	expect_record(at, 0, text, 0);
	memcpy(&record, at, sizeof(record));
	assert_int_equal(DIOSIX_HANDLE_STARTS(record.handle), starts);
	assert_int_equal(record.log, log);
}

/* Half of what the first life printed is taken before its end. Of lives that nobody looked at, the last has it all. */
static void a_record_is_of_one_life_and_says_what_the_log_said_before(void **state)
{
	uint64_t log = log_next();
	char buffer[256];

	say(&two[0], "takenwaits");
	assert_int_equal(console_take_output(&two[1], buffer, sizeof(struct diosix_output) + 8), 40);
	expect_life(buffer, 1, log, "takenwai");
	begin_life(&two[0]);
	say(&two[0], "second");
	assert_int_equal(console_take_output(&two[1], buffer, sizeof(buffer)), 80);
	expect_life(buffer, 1, log, "ts");
	expect_life(buffer + 40, 2, log + 1, "second");
	begin_life(&two[0]);
	say(&two[0], "third");
	begin_life(&two[0]);
	begin_life(&two[0]);
	say(&two[0], "fifth");
	console_take_output(&two[1], buffer, sizeof(buffer));
	expect_life(buffer, 4, log + 3, "third");
	expect_life(buffer + 40, 5, log + 4, "fifth");
}

/* What a life lost is said before the next one's output begins. */
static void what_was_lost_is_of_the_life_that_lost_it(void **state)
{
	static char buffer[2 * CONSOLE_RING_LEN];
	struct diosix_output record;
	int64_t len, at = 0;

	for (unsigned i = 0; i < CONSOLE_RING_LEN + 7; i++)
		console_print(&two[0], 'x');
	begin_life(&two[0]);
	len = console_take_output(&two[1], buffer, sizeof(buffer));
	while (at < len) {
		memcpy(&record, buffer + at, sizeof(record));
		if (record.dropped != 0)
			assert_int_equal(DIOSIX_HANDLE_STARTS(record.handle), 1);
		at += (int64_t)(sizeof(record) + align_up(record.len, 8));
	}
}

static void the_provider_is_told_what_was_lost(void **state)
{
	static char buffer[2 * CONSOLE_RING_LEN];
	int64_t len, at = 0;
	uint64_t bytes = 0, dropped = 0;

	for (unsigned i = 0; i < CONSOLE_RING_LEN + 7; i++)
		console_print(&two[0], 'x');
	assert_true(two[0].printed.full);
	len = console_take_output(&two[1], buffer, sizeof(buffer));
	assert_false(two[0].printed.full);
	while (at < len) {
		struct diosix_output record;

		memcpy(&record, buffer + at, sizeof(record));
		bytes += record.len;
		dropped += record.dropped;
		at += (int64_t)(sizeof(record) + align_up(record.len, 8));
	}
	assert_int_equal(bytes, CONSOLE_RING_LEN);
	assert_int_equal(dropped, 7);
	assert_int_equal(two[0].dropped, 7);
	assert_int_equal(two[0].output, CONSOLE_RING_LEN + 7);
}

static void what_is_typed_is_the_providers(void **state)
{
	char buffer[8];

	type("a\x1d"
	     "2");
	assert_int_equal(two[1].events, DIOSIX_EVENT_CONSOLE_INPUT);
	assert_int_equal(line_read(&lines[PORT_CONSOLE], &two[1], buffer, sizeof(buffer)), 3);
	assert_memory_equal(buffer, "a\x1d"
				    "2", 3);
	assert_int_equal(console_feed(&two[1], &two[0], "hi", 2), 2);
	assert_int_equal(console_read(&two[0], buffer, sizeof(buffer)), 2);
	expect("");
}

static void each_loss_has_its_mark_where_it_was(void **state)
{
	struct diosix_output record;
	char buffer[512];
	uint32_t printed = 0;

	/* A byte at a time, whether it is taken or not, while the provider takes little. */
	while (two[0].printed.lost == 0)
		console_print(&two[0], (char)('a' + printed++ % 26));
	assert_int_equal(two[0].printed.lost, 1);
	console_take_output(&two[1], buffer, 64);
	for (unsigned i = 0; i < 9; i++)
		console_print(&two[0], (char)('a' + printed++ % 26));
	assert_int_equal(two[0].printed.lost, 10);
	while (console_take_output(&two[1], buffer, sizeof(buffer)) > 0 && two[0].printed.lost != 0)
		;
	console_print(&two[0], (char)('a' + printed % 26));
	assert_int_equal(console_take_output(&two[1], buffer, sizeof(buffer)), sizeof(record) + 8);
	memcpy(&record, buffer, sizeof(record));
	assert_int_equal(record.len, 1);
	assert_int_equal(buffer[sizeof(record)], 'a' + printed % 26);
}

static void when_the_provider_ends_the_hypervisor_goes_on_with_all_that_waits(void **state)
{
	say(&two[0], "# ");
	say(&two[1], "dying\n");
	log_line(DIOSIX_LOG_INFO, "diosix: read");
	console_log_read(&two[1], log_next());
	log_line(DIOSIX_LOG_INFO, "diosix: unread");
	console_set_provider(NULL);
	expect("\r\ndiosix: ... what the console service had not shown is lost ...\r\n"
	       "diosix: unread\r\n[two] dying\r\n[one] # ");
	type("x");
	assert_true(capsule_has_input(&two[0]));
}

static void the_log_that_a_provider_leaves_behind_is_not_waited_for(void **state)
{
	for (unsigned i = 0; i < 400; i++)
		log_line(DIOSIX_LOG_INFO, "diosix: line %u of a log that nobody has read", i);
	slow_line(0);
	console_set_provider(NULL);
	assert_in_range(port->asked, 1, 2000);
	let_go();
	log_line(DIOSIX_LOG_INFO, "diosix: after it");
	let_go();
	assert_int_equal(count("diosix: line 0 of"), 1);
	assert_int_equal(count("bytes lost ...\r\ndiosix: after it"), 1);
}

static void a_provider_that_reads_nothing_for_ten_seconds_loses_its_role(void **state)
{
	console_set_provider(NULL);
	assert_true(role_take(DIOSIX_ROLE_CONSOLE, &two[1]));
	fake.ports[PORT_CONSOLE].output_len = 0;
	type("a");
	fake.time += 10ull * board.timebase_hz;
	type("b");
	expect("");
	fake.time++;
	type("c");
	expect("\r\ndiosix: ... what the console service had not shown is lost ...\r\n"
	       "diosix: the console service two does not answer, the hypervisor's console takes over\r\n");
	assert_int_equal(role_provider(DIOSIX_ROLE_CONSOLE), 0);
	type("d");
	assert_true(capsule_has_input(&two[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_prompt_in_focus_is_seen_at_once, setup),
		cmocka_unit_test_setup(others_are_shown_by_whole_lines, setup),
		cmocka_unit_test_setup(a_line_in_focus_goes_on_whole_after_anothers, setup),
		cmocka_unit_test_setup(a_line_in_focus_goes_on_whole_after_the_log_s, setup),
		cmocka_unit_test_setup(the_focus_moves_and_shows_what_was_begun, setup),
		cmocka_unit_test_setup(a_line_of_any_length_is_neither_lost_nor_too_long, setup),
		cmocka_unit_test_setup(what_a_capsule_leaves_unfinished_is_shown_when_it_stops, setup),
		cmocka_unit_test_setup(what_is_typed_while_a_capsule_restarts_is_for_its_next_life, setup),
		cmocka_unit_test_setup(one_that_has_stopped_takes_no_input_and_is_started_without_any, setup),
		cmocka_unit_test_setup(alone_its_bytes_pass_as_they_are, setup),
		cmocka_unit_test_setup(what_the_line_does_not_take_goes_out_by_its_interrupt, setup),
		cmocka_unit_test_setup(a_flood_neither_delays_nor_loses_anothers_lines, setup),
		cmocka_unit_test_setup(what_is_printed_nevertheless_is_lost_and_a_mark_says_so, setup),
		cmocka_unit_test_setup(after_a_life_that_ended_with_a_full_buffer_the_next_finds_room, setup),
		cmocka_unit_test_setup(a_focus_that_is_set_without_end_takes_the_line_from_nobody, setup),
		cmocka_unit_test_setup(at_the_end_all_of_it_goes_out, setup),
		cmocka_unit_test_setup(a_line_that_takes_nothing_is_not_waited_for_for_ever, setup),
		cmocka_unit_test_setup(nobody_takes_the_last_lines, setup),
		cmocka_unit_test_setup(what_is_printed_while_the_board_ends_does_not_keep_it, setup),
		cmocka_unit_test_setup(the_provider_gets_output_with_its_capsules_index, setup_provider),
		cmocka_unit_test_setup(a_record_is_of_one_life_and_says_what_the_log_said_before, setup_provider),
		cmocka_unit_test_setup(what_was_lost_is_of_the_life_that_lost_it, setup_provider),
		cmocka_unit_test_setup(the_provider_is_told_what_was_lost, setup_provider),
		cmocka_unit_test_setup(what_is_typed_is_the_providers, setup_provider),
		cmocka_unit_test_setup(each_loss_has_its_mark_where_it_was, setup_provider),
		cmocka_unit_test_setup(when_the_provider_ends_the_hypervisor_goes_on_with_all_that_waits, setup_provider),
		cmocka_unit_test_setup(the_log_that_a_provider_leaves_behind_is_not_waited_for, setup_provider),
		cmocka_unit_test_setup(a_provider_that_reads_nothing_for_ten_seconds_loses_its_role, setup_provider),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
