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
#include "log.h"
#include "machine.h"

static struct capsule two[2];
static struct machine machines[2];

static void type(const char *text)
{
	fake.input = text;
	console_receive();
}

static void expect(const char *output)
{
	fake.output[fake.output_len] = '\0';
	assert_string_equal(fake.output, output);
	fake.output_len = 0;
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
	}
	capsules = two;
	capsule_count = 2;
	type("\x1d"
	     "1");
	fake.output_len = 0;
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
	fake.output_len = 0;
	say(&two[0], line);
	for (unsigned seen = 0, i = 0; i < fake.output_len; i++) {
		seen = fake.output[i] == '\n' ? 0 : seen + 1;
		assert_in_range(seen, 0, CONSOLE_LINE_LEN + 8);
	}
}

static void what_a_capsule_leaves_unfinished_is_shown_when_it_stops(void **state)
{
	say(&two[1], "last words");
	console_flush(&two[1]);
	expect("[two] last words\r\n");
	say(&two[0], "mine");
	console_flush(&two[0]);
	expect("[one] mine\r\n");
}

static void alone_its_bytes_pass_as_they_are(void **state)
{
	capsule_count = 1;
	say(&two[0], "a\nb\r\n\x1b[K");
	expect("a\nb\r\n\x1b[K");
	say(&two[0], "\n");
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
		cmocka_unit_test_setup(alone_its_bytes_pass_as_they_are, setup),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
