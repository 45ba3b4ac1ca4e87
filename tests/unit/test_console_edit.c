/* SPDX-License-Identifier: MIT */
/* Small parts of the console service: keys, the line that is typed, the ring of a screen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "keys.h"
#include "line_edit.h"
#include "screen.h"

static struct line_edit line;

static const char *candidate(const void *context, const char *text, size_t word_at, unsigned index)
{
	static const char *const words[] = {"start", "stats", "stop", "top"};

	return index < 4 ? words[index] : NULL;
}

static int setup(void **state)
{
	memset(&line, 0, sizeof(line));
	line.candidate = candidate;
	return 0;
}

static enum line_result type(const char *text)
{
	enum line_result result = LINE_GOES_ON;

	for (; *text; text++)
		result = line_key(&line, (uint8_t)*text);
	return result;
}

static void letters_go_in_at_the_cursor(void **state)
{
	type("ac");
	line_key(&line, KEY_LEFT);
	type("b");
	assert_string_equal(line.text, "abc");
	assert_int_equal(line.cursor, 2);
}

static void keys_of_a_shell(void **state)
{
	type("one two three");
	type("\x17");
	assert_string_equal(line.text, "one two ");
	type("\x01\x0b");
	assert_string_equal(line.text, "");
	type("abc\x7f\x08");
	assert_string_equal(line.text, "a");
	line_key(&line, KEY_HOME);
	line_key(&line, KEY_DELETE);
	assert_string_equal(line.text, "");
	type("\x7f\x04");
	line_key(&line, KEY_LEFT);
	line_key(&line, KEY_RIGHT);
	assert_int_equal(line.cursor, 0);
}

static void it_is_bounded(void **state)
{
	for (unsigned i = 0; i < 1000; i++)
		type("x");
	assert_int_equal(line.len, LINE_LEN);
	type("\x15");
	assert_int_equal(line.len, 0);
}

static void history_comes_back_and_goes(void **state)
{
	for (unsigned i = 0; i < HISTORY_LEN + 3; i++) {
		char text[] = {(char)('a' + i), '\0'};

		type(text);
		assert_int_equal(type("\r"), LINE_DONE);
		line_remember(&line);
		line_clear(&line);
	}
	type("typed");
	for (unsigned i = 0; i < HISTORY_LEN + 3; i++)
		line_key(&line, KEY_UP);
	assert_string_equal(line.text, "d");
	for (unsigned i = 0; i < HISTORY_LEN + 3; i++)
		line_key(&line, KEY_DOWN);
	assert_string_equal(line.text, "typed");
}

static void tab_completes(void **state)
{
	char all[64];

	type("to\t");
	assert_string_equal(line.text, "top ");
	line_clear(&line);
	type("s\t");
	assert_string_equal(line.text, "st");
	assert_int_equal(type("\t"), LINE_AMBIGUOUS);
	line_candidates(&line, all, sizeof(all));
	assert_string_equal(all, "start stats stop");
	type("a\t");
	assert_string_equal(line.text, "sta");
	type("zz\t");
	assert_string_equal(line.text, "stazz");
}

static int key_of(const char *bytes)
{
	struct keys keys = {.pending = 0};
	int key = KEY_NONE;

	for (; *bytes; bytes++)
		key = keys_take(&keys, (uint8_t)*bytes, 0);
	return key;
}

static void sequences_are_keys(void **state)
{
	assert_int_equal(key_of("\x1b[A"), KEY_UP);
	assert_int_equal(key_of("\x1bOB"), KEY_DOWN);
	assert_int_equal(key_of("\x1b[3~"), KEY_DELETE);
	assert_int_equal(key_of("\x1b[1;5C"), KEY_NONE);
	assert_int_equal(key_of("\x1b[1;5Cx"), 'x');
	assert_int_equal(key_of("\x1b[111111111111111111111~x"), 'x');
	assert_int_equal(key_of("\x1b\x1b"), KEY_ESCAPE);
	assert_int_equal(key_of("\x1d"), KEY_SWITCH);
}

static void an_escape_alone_is_the_key(void **state)
{
	struct keys keys = {.pending = 0};

	assert_int_equal(keys_take(&keys, 0x1b, 5), KEY_NONE);
	assert_int_equal(keys_late(&keys, 5 + ESCAPE_TIME - 1), KEY_NONE);
	assert_int_equal(keys_late(&keys, 5 + ESCAPE_TIME), KEY_ESCAPE);
	assert_int_equal(keys_deadline(&keys), UINT64_MAX);
}

static const char *replay(struct screen *screen, const char *text, unsigned rows)
{
	static char from[128];
	const uint8_t *bytes;
	size_t len = 0, run;

	screen_put(screen, text, strlen(text));
	for (uint64_t at = screen_replay(screen, rows); (run = screen_run(screen, at, &bytes)) > 0; at += run) {
		memcpy(from + len, bytes, run);
		len += run;
	}
	from[len] = '\0';
	return from;
}

static void a_replay_begins_at_a_sane_place(void **state)
{
	uint8_t ring[64];
	struct screen screen = {.bytes = ring, .size = sizeof(ring)};

	assert_string_equal(replay(&screen, "one\ntwo\nthree", 2), "two\nthree");
	assert_string_equal(replay(&screen, "\x1b[2Jfresh\n", 10), "\x1b[2Jfresh\n");
	assert_string_equal(replay(&screen, "\x1b[?1049hvi\n\n\n\n", 2), "\x1b[?1049hvi\n\n\n\n");
	assert_string_equal(replay(&screen, "\x1b[?1049l$ ls\n", 2), "\x1b[?1049l$ ls\n");
	/* The ring has gone round: it does not begin within a line. */
	assert_string_equal(replay(&screen, "0123456789012345678901234567890123456789012345678901234567890123456789\nlast", 9), "last");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(letters_go_in_at_the_cursor, setup),
		cmocka_unit_test_setup(keys_of_a_shell, setup),
		cmocka_unit_test_setup(it_is_bounded, setup),
		cmocka_unit_test_setup(history_comes_back_and_goes, setup),
		cmocka_unit_test_setup(tab_completes, setup),
		cmocka_unit_test(sequences_are_keys),
		cmocka_unit_test(an_escape_alone_is_the_key),
		cmocka_unit_test(a_replay_begins_at_a_sane_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
