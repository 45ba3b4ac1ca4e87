/* SPDX-License-Identifier: MIT */
/* The console service as somebody at the terminal sees it: views, bar, commands, slow lines, terminals of all kinds. */
#include <stdio.h>

#include "console_driver.h"

/* Options are cut into words where they stand. */
static void begin_with(const char *options)
{
	static char words[128];

	snprintf(words, sizeof(words), "%s", options);
	begin(words);
}

static void expect_all(const char *screen, const char *const *parts)
{
	for (; *parts; parts++)
		if (!strstr(screen, *parts))
			fail_msg("'%s' is not in '%s'", *parts, screen);
}

static int setup(void **state)
{
	fake_board_reset();
	return 0;
}

static void two_guests(const char *options)
{
	fake_capsule("one", DIOSIX_GUEST);
	fake_capsule("two", DIOSIX_GUEST);
	begin_with(options);
	seen();
}

static void one_guest(const char *options)
{
	fake_capsule("linux", DIOSIX_GUEST);
	begin_with(options);
	seen();
}

/* --- one guest ---------------------------------------------------------------------------------- */

static void one_guest_has_the_terminal_raw(void **state)
{
	one_guest("terminal=color");
	fake_print(1, "\x1b[2Jvi\x01\xff\r\n~");
	turn();
	assert_string_equal(seen(), "\x1b[2Jvi\x01\xff\r\n~");
	type("\x1b[A\x03\x11\xc3\xa4\r");
	assert_string_equal(fed(1), "\x1b[A\x03\x11\xc3\xa4\r");
}

static void all_bytes_but_one_reach_the_guest(void **state)
{
	char all[255];
	size_t len = 0;

	one_guest("terminal=dumb");
	for (unsigned i = 1; i < 256; i++)
		if (i != 0x1d)
			all[len++] = (char)i;
	all[len] = '\0';
	type(all);
	assert_string_equal(fed(1), all);
}

static void ctrl_bracket_twice_sends_one(void **state)
{
	one_guest("terminal=mono");
	type("a\x1d\x1d" "b");
	assert_string_equal(fed(1), "a\x1d" "b");
}

static void input_that_a_guest_does_not_take_waits(void **state)
{
	one_guest("terminal=dumb");
	fake.capsules[1].takes = 2;
	type("hello");
	assert_string_equal(fed(1), "he");
	assert_true(ui_deadline(&ui) <= now_us + FEED_TIME);
	fake.capsules[1].takes = SIZE_MAX;
	later(FEED_TIME);
	assert_string_equal(fed(1), "llo");
}

static void a_crash_is_said_on_its_own_screen(void **state)
{
	one_guest("terminal=dumb");
	fake.capsules[1].info.state = DIOSIX_STATE_STOPPED;
	fake.capsules[1].info.last_end = DIOSIX_END_CRASH;
	strcpy(fake.capsules[1].info.crash, "load access fault");
	turn();
	expect_seen("\r\n[diosix: linux has crashed: load access fault]\r\n");
}

/* --- the view of all ---------------------------------------------------------------------------- */

static void lines_have_their_capsule_in_front(void **state)
{
	two_guests("terminal=dumb");
	fake_print(1, "hello\r\n");
	fake_print(2, "world\r\n");
	turn();
	assert_string_equal(seen(), "[one] hello\r\n[two] world\r\n");
}

static void what_moves_the_cursor_is_left_out_of_all(void **state)
{
	static const struct {
		const char *printed, *seen;
	} rows[] = {
		{"a\x1b[31mb\x1b[mc", "abc"},
		{"a\x1b[1;1Hb", "ab"},
		{"a\x1b[\x1b[1;1Hb", "ab"},
		{"a\x1b\x1b[1;1Hb", "ab"},
		{"a\x1b(Bb", "ab"},
		{"a\x1b]0;title\x07" "b", "ab"},
		{"a\x1bPq\x1b\\b", "ab"},
		{"a\x9b" "1;1Hb", "ab"},	       /* CSI in one byte */
		{"a\xc2\x9b" "1;1Hb", "ab"},     /* and in UTF-8 */
		{"a\x9d" "0;title\x9c" "b", "ab"}, /* OSC to ST */
		{"a\xc2\x85" "b", "ab"},	       /* NEL */
		{"gr\xc3\xbc\xc3\x9f" "e", "gr\xc3\xbc\xc3\x9f" "e"},
		{"\xc2\xb5s \xe2\x80\x9b \xf0\x9f\x9b\x90", "\xc2\xb5s \xe2\x80\x9b \xf0\x9f\x9b\x90"},
		{"caf\xe9", "caf\xe9"}, /* Latin-1 */
		{"ab\b\bc", "ab\b\bc"},
		{"x\b\b\b\b\b\b\b[two] y", "x\b[two] y"}, /* not over its own name */
		{"\xc3\xa4\b\b\by", "\xc3\xa4y"},
	};
	char line[64];

	two_guests("terminal=mono view=all");
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake_print(1, rows[i].printed);
		fake_print(1, "\n");
		turn();
		snprintf(line, sizeof(line), "[one] %s\r\n", rows[i].seen);
		assert_string_equal(seen(), line);
	}
}

static void colour_where_there_is_colour(void **state)
{
	two_guests("terminal=color");
	fake_print(1, "hello\n");
	turn();
	assert_string_equal(seen(), "\x1b[32m[one] \x1b[mhello\r\n");
}

static void no_colour_on_a_monochrome_terminal(void **state)
{
	two_guests("terminal=mono");
	fake_print(1, "\x1b[31mhello\x1b[0m\n");
	turn();
	assert_string_equal(seen(), "[one] hello\r\n");
}

static void no_colour_when_it_is_not_wanted(void **state)
{
	two_guests("terminal=color color=never");
	fake_print(1, "hello\n");
	turn();
	assert_string_equal(seen(), "[one] hello\r\n");
}

static void a_half_line_waits_for_its_end(void **state)
{
	two_guests("terminal=dumb");
	fake_print(2, "wor");
	fake_print(1, "hello\n");
	turn();
	assert_string_equal(seen(), "[one] hello\r\n");
	fake_print(2, "ld\n");
	turn();
	assert_string_equal(seen(), "[two] world\r\n");
}

static void a_prompt_is_shown_after_half_a_second(void **state)
{
	two_guests("terminal=dumb");
	fake_print(2, "# ");
	turn();
	assert_string_equal(seen(), "");
	assert_int_equal(ui_deadline(&ui), now_us + PROMPT_TIME);
	later(PROMPT_TIME);
	assert_string_equal(seen(), "[two] # ");
	fake_print(2, "ls");
	turn();
	assert_string_equal(seen(), "ls");
	fake_print(1, "hello\n");
	turn();
	assert_string_equal(seen(), "\r\n[one] hello\r\n");
}

static void the_log_has_lines_of_its_own(void **state)
{
	two_guests("terminal=dumb");
	fake_print(2, "# ");
	turn();
	later(PROMPT_TIME);
	fake_log(DIOSIX_LOG_INFO, "diosix: capsule one: started");
	fake_log(DIOSIX_LOG_DEBUG, "too much");
	turn();
	assert_string_equal(seen(), "[two] # \r\ndiosix: capsule one: started\r\n");
}

static void the_log_comes_behind_what_was_printed_before(void **state)
{
	two_guests("terminal=dumb");
	fake_print(1, "one says\nlast words");
	fake_print(2, "half of");
	fake.capsules[1].info.state = DIOSIX_STATE_STOPPED;
	fake.capsules[1].info.last_end = DIOSIX_END_SHUTDOWN;
	fake_log(DIOSIX_LOG_INFO, "diosix: capsule one: stopped");
	turn();
	assert_string_equal(seen(), "[one] one says\r\n[one] last words\r\ndiosix: capsule one: stopped\r\n");
	fake_print(2, " it\n");
	turn();
	assert_string_equal(seen(), "[two] half of it\r\n");
	type("\x1done\r");
	expect_seen("one says\nlast words\r\n[diosix: one has shut down]\r\n");
}

static void a_start_comes_before_what_was_printed_since(void **state)
{
	two_guests("terminal=dumb");
	fake_log(DIOSIX_LOG_INFO, "diosix: capsule one: started");
	fake_start(1);
	fake_print(1, "one sa");
	turn();
	assert_string_equal(seen(), "diosix: capsule one: started\r\n");
	fake_print(1, "ys\n");
	turn();
	assert_string_equal(seen(), "[one] one says\r\n");
}

/* The log's line is read while the capsule is not running yet. */
static void so_it_does_when_the_console_looks_between_the_two(void **state)
{
	two_guests("terminal=dumb");
	fake_log(DIOSIX_LOG_INFO, "diosix: capsule one: started");
	fake.capsules[1].info.state = DIOSIX_STATE_LOADING;
	turn();
	fake_start(1);
	fake_print(1, "one says\n");
	turn();
	assert_string_equal(seen(), "diosix: capsule one: started\r\n[one] one says\r\n");
	type("\x1done\r");
	expect_seen("\n[diosix: one has started again]\r\none says\n");
}

/* Nobody looked meanwhile: it is all there at once. */
static void each_life_s_output_stands_between_its_beginning_and_its_end(void **state)
{
	two_guests("terminal=dumb");
	fake_print(1, "the first says\nand is gone");
	fake_log(DIOSIX_LOG_ERROR, "diosix: capsule one: crashed: it did");
	fake_log(DIOSIX_LOG_INFO, "diosix: capsule one: restarted");
	fake_start(1);
	fake_print(1, "the second says\n");
	fake.capsules[1].info.state = DIOSIX_STATE_STOPPED;
	fake.capsules[1].info.last_end = DIOSIX_END_SHUTDOWN;
	fake_log(DIOSIX_LOG_INFO, "diosix: capsule one: stopped");
	turn();
	assert_string_equal(seen(), "[one] the first says\r\n[one] and is gone\r\ndiosix: capsule one: crashed: it did\r\n"
				    "diosix: capsule one: restarted\r\n[one] the second says\r\n"
				    "diosix: capsule one: stopped\r\n");
	type("\x1done\r");
	expect_seen("the first says\nand is gone\r\n[diosix: one has started again]\r\nthe second says\n"
		    "\r\n[diosix: one has shut down]\r\n");
}

/* All that the hypervisor keeps for a capsule, on a line that takes little. */
static void so_it_does_on_a_slow_line(void **state)
{
	const char *text;

	two_guests("terminal=dumb");
	fake.line_takes = 0;
	while (fake_print(1, "a line like many others of this capsule that has much to say\n") > 0)
		;
	fake.capsules[1].ring_len -= 5;
	fake_print(1, "last\n");
	fake.capsules[1].info.state = DIOSIX_STATE_STOPPED;
	fake_log(DIOSIX_LOG_INFO, "diosix: capsule one: stopped");
	turn();
	for (unsigned i = 0; i < 200; i++) {
		fake.line_takes = 100;
		later(1000);
	}
	text = seen();
	assert_non_null(strstr(text, "last\r\n"));
	assert_true(strstr(text, "capsule one: stopped") > strstr(text, "last\r\n"));
}

/* It takes more than half a second for a few lines; each of both is there to its end. */
static void a_slow_line_makes_no_prompts(void **state)
{
	const char *text;
	unsigned lines = 0;

	two_guests("terminal=dumb");
	fake.line_takes = 0;
	while (fake_print(1, "a line of one that has much to say\n") + fake_print(2, "and of two, who is no better\n") > 0)
		;
	fake.capsules[1].ring_len -= fake.capsules[1].ring_len % 35;
	fake.capsules[2].ring_len -= fake.capsules[2].ring_len % 29;
	for (unsigned i = 0; i < 200; i++) {
		fake.line_takes = 100;
		later(300000);
	}
	for (text = seen(); *text; text = strchr(text, '\n') + 1, lines++)
		if (strncmp(text, "[one] a line of one that has much to say\r\n", 42) != 0)
			assert_memory_equal(text, "[two] and of two, who is no better\r\n", 36);
	assert_int_equal(lines, FAKE_RING / 35 + FAKE_RING / 29);
}

static void lines_before_the_service_are_not_shown_twice(void **state)
{
	fake_log(DIOSIX_LOG_INFO, "booted");
	two_guests("terminal=dumb");
	turn();
	assert_null(strstr(seen(), "booted"));
	type("\x1dlog\r");
	expect_seen("booted\r\n");
}

static void a_mark_says_what_was_lost(void **state)
{
	two_guests("terminal=dumb");
	fake.capsules[1].dropped = 1234;
	fake_print(1, "on\n");
	turn();
	assert_string_equal(seen(), "[one] ... 1234 bytes lost ...\r\n[one] on\r\n");
}

static void what_was_printed_before_a_line_of_the_log_stands_before_it(void **state)
{
	two_guests("terminal=dumb");
	for (unsigned i = 0; i < 80; i++)
		fake_print(1, "these are not the last words\n");
	fake_print(1, "these are\n");
	fake_log(DIOSIX_LOG_INFO, "diosix: capsule one: stopped");
	turn();
	assert_string_equal(strstr(seen(), "[one] these are\r\n"), "[one] these are\r\ndiosix: capsule one: stopped\r\n");
}

/* Who prints without end does not keep the log from being shown. */
static void a_flood_does_not_delay_the_log(void **state)
{
	unsigned printed = 0;

	two_guests("terminal=dumb");
	fake_log(DIOSIX_LOG_ERROR, "diosix: something happened");
	for (unsigned round = 0; round < 100; round++) {
		while (fake_print(1, "another line of a flood\n") == 24)
			printed++;
		ui_turn(&ui, ALL_EVENTS, now_us);
	}
	assert_true(printed > 1000);
	assert_non_null(strstr(seen(), "\r\ndiosix: something happened\r\n"));
}

static void a_mark_says_how_many_lines_of_the_log_were_lost(void **state)
{
	two_guests("terminal=dumb");
	fake_log(DIOSIX_LOG_INFO, "diosix: first");
	turn();
	for (unsigned i = 0; i < 8; i++)
		fake_log(DIOSIX_LOG_INFO, "diosix: too many");
	fake.log_first = 8;
	turn();
	assert_string_equal(seen(), "diosix: first\r\ndiosix: ... 7 lines of the log lost ...\r\ndiosix: too many\r\n");
}

/* --- slow lines --------------------------------------------------------------------------------- */

static void nothing_is_lost_on_a_slow_line(void **state)
{
	char line[32];
	unsigned printed = 0;

	two_guests("terminal=dumb");
	fake.line_takes = 0;
	for (unsigned round = 0; round < 20000; round++) {
		snprintf(line, sizeof(line), "line %u\n", printed);
		if (printed < 3000 && FAKE_RING - fake.capsules[1].ring_len >= strlen(line)) {
			fake_print(1, line);
			printed++;
		}
		fake.line_takes = 40;
		ui_turn(&ui, ALL_EVENTS, now_us += 1000);
	}
	assert_int_equal(printed, 3000);
	seen();
	for (const char *at = fake.line; printed > 0; printed--) {
		snprintf(line, sizeof(line), "[one] line %u\r\n", 3000 - printed);
		assert_memory_equal(at, line, strlen(line));
		at += strlen(line);
	}
}

/* More than anybody keeps. */
static void no_line_of_the_log_is_lost_on_a_slow_line_without_a_mark(void **state)
{
	char text[120];
	unsigned next = 0, lost = 0;

	two_guests("terminal=dumb");
	fake.line_takes = 0;
	for (unsigned round = 0; round < 6000; round++) {
		if (round < 1000) {
			snprintf(text, sizeof(text), "diosix: %u, and so many words that all of it is more than the screen keeps", round);
			fake_log(DIOSIX_LOG_WARNING, text);
		}
		fake.line_takes = 40;
		ui_turn(&ui, ALL_EVENTS, now_us += 1000);
	}
	seen();
	for (const char *at = fake.line; (at = strstr(at, "diosix: ")) != NULL; at++) {
		if (strncmp(at + 8, "... ", 4) == 0) {
			lost += (unsigned)atoi(at + 12);
			continue;
		}
		assert_int_equal(atoi(at + 8), next + lost);
		next++;
	}
	assert_int_equal(next + lost, 1000);
	assert_in_range(lost, 1, 500);
}

/* A line that takes nothing: what may be printed is bounded, and waits where the hypervisor has it. */
static void a_flood_stays_with_the_hypervisor(void **state)
{
	size_t taken = 0;

	two_guests("terminal=dumb");
	fake.line_takes = 0;
	for (unsigned i = 0; i < 1000; i++) {
		taken += fake_print(1, "flood flood flood flood flood flood\n");
		ui_turn(&ui, ALL_EVENTS, now_us += 1000);
	}
	assert_true(taken < FAKE_RING + 16384);
	assert_true(fake.capsules[1].ring_len > FAKE_RING - 64);
}

static void a_flood_does_not_delay_others(void **state)
{
	size_t before;

	two_guests("terminal=dumb");
	for (unsigned round = 0; round < 200; round++) {
		while (fake_print(1, "flood flood flood flood flood flood\n") == 36)
			;
		fake.line_takes = 256;
		ui_turn(&ui, ALL_EVENTS, now_us += 1000);
	}
	fake_print(2, "quick\n");
	before = fake.line_len;
	for (unsigned round = 0; round < 100; round++) {
		while (fake_print(1, "flood flood flood flood flood flood\n") == 36)
			;
		fake.line_takes = 256;
		ui_turn(&ui, ALL_EVENTS, now_us += 1000);
	}
	fake.line[fake.line_len] = '\0';
	assert_non_null(strstr(fake.line + before, "[two] quick"));
	assert_true(strstr(fake.line + before, "[two] quick") < fake.line + before + 12000);
}

/* --- the bar ------------------------------------------------------------------------------------ */

static void a_digit_switches(void **state)
{
	two_guests("terminal=mono");
	fake_print(2, "login: ");
	turn();
	seen();
	type("\x1d" "3");
	expect_seen("\x1b[2Jlogin: ");
	assert_int_equal(ui.view, VIEW_ONE);
	assert_int_equal(ui.focus, 2);
	assert_int_equal(fake.board.focus, 2);
	type("root\r");
	assert_string_equal(fed(2), "root\r");
}

static void it_follows_a_focus_that_another_capsule_gives(void **state)
{
	two_guests("terminal=mono view=one");
	fake_print(2, "login: ");
	turn();
	seen();
	fake.board.focus = 2;
	turn();
	expect_seen("\x1b[2Jlogin: ");
	type("root\r");
	assert_string_equal(fed(2), "root\r");
}

static void a_focus_in_the_view_of_all_is_said(void **state)
{
	two_guests("terminal=dumb");
	fake.board.focus = 2;
	turn();
	expect_seen("diosix: input goes to two\r\n");
	assert_int_equal(ui.view, VIEW_ALL);
}

static void a_focus_does_not_close_the_bar(void **state)
{
	two_guests("terminal=mono view=one");
	type("\x1dlis");
	fake.board.focus = 2;
	turn();
	assert_int_equal(ui.mode, MODE_BAR);
	assert_string_equal(ui.bar.line.text, "lis");
}

static void one_that_there_is_not_is_not_followed(void **state)
{
	two_guests("terminal=dumb");
	fake.board.focus = 77;
	turn();
	assert_int_equal(ui.focus, 1);
}

static void started_again_it_goes_on_with_the_one_in_focus(void **state)
{
	fake.board.focus = 2;
	two_guests("terminal=dumb");
	assert_int_equal(ui.focus, 2);
}

static void tab_completes_a_name(void **state)
{
	two_guests("terminal=mono");
	type("\x1dtw\t\r");
	assert_int_equal(ui.focus, 2);
}

static void escape_leaves_the_bar(void **state)
{
	two_guests("terminal=mono");
	type("\x1b[24;80R\x1d\x1b[24;80Rlist");
	assert_int_equal(ui.mode, MODE_BAR);
	type("\x1b");
	assert_int_equal(ui.mode, MODE_BAR);
	later(ESCAPE_TIME);
	assert_int_equal(ui.mode, MODE_VIEW);
}

static void what_came_while_the_bar_was_open_is_shown(void **state)
{
	two_guests("terminal=mono");
	type("\x1d");
	seen();
	fake_print(1, "meanwhile\n");
	turn();
	assert_null(strstr(seen(), "meanwhile"));
	type("\x1d" "\x1d");
	type("\x1d" "x\x1d");
	expect_seen("[one] meanwhile\r\n");
}

static void a_replay_begins_where_the_screen_was_cleared(void **state)
{
	one_guest("terminal=mono");
	fake_print(1, "old\r\n\x1b[H\x1b[2Jnew\r\n");
	turn();
	seen();
	type("\x1dlinux\r");
	assert_null(strstr(fake.line, "old"));
	expect_seen("\x1b[2Jnew");
}

static void a_replay_is_a_screenful_of_lines(void **state)
{
	char line[16];

	one_guest("terminal=mono");
	for (unsigned i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "line %u\r\n", i);
		fake_print(1, line);
	}
	turn();
	seen();
	type("\x1dlinux\r");
	fake.line[fake.line_len] = '\0';
	assert_null(strstr(fake.line, "line 77\r"));
	expect_seen("\x1b[2Jline 78\r\n");
}

static void a_replay_asks_nothing(void **state)
{
	one_guest("terminal=mono");
	fake_print(1, "\x1b[6n# \x1b[c\x1b[1m");
	turn();
	assert_string_equal(seen(), "\x1b[6n# \x1b[c\x1b[1m");
	type("\x1dlinux\r");
	expect_seen("\x1b[2J# \x1b[1m");
	fake_print(1, "\x1b[6n\x1b[");
	turn();
	expect_seen("\x1b[6n");
	type("\x1dlinux\r");
	expect_seen("\x1b[2J# \x1b[1m\x1b[");
	fake_print(1, "5n");
	turn();
	assert_string_equal(seen(), "5n");
}

static void the_bar_has_history(void **state)
{
	two_guests("terminal=dumb");
	type("\x1dimage\r");
	expect_seen("  key abababababababab\r\n");
	type("\x1d\x1b[A\r");
	expect_seen("image demo 2.0, rollback 7");
}

static void a_terminal_without_sequences_gets_none(void **state)
{
	two_guests("terminal=dumb");
	fake_print(1, "\x1b[31mred\x1b[m\n");
	type("\x1dlist\r\x1dhelp\r\x1dtop\r\x1dlog\r\x1dpermissions console\r\x1done\r\x1d" "all\r\x1dnonsense\r");
	later(PROMPT_TIME);
	assert_null(strchr(seen(), 0x1b));
}

/* --- commands ----------------------------------------------------------------------------------- */

static void list_says_what_there_is(void **state)
{
	two_guests("terminal=dumb");
	type("\x1dlist\r");
	expect_seen(" 2* one     guest   running       2 normal   65536K");
}

static void what_is_wide_fits_80_columns(void **state)
{
	two_guests("terminal=mono");
	fake.capsules[1].info.state = DIOSIX_STATE_STOPPED;
	fake.capsules[1].info.last_end = DIOSIX_END_SHUTDOWN;
	fake.capsules[0].info.permissions = 0x1fff; /* more than a line of them */
	turn();
	type("\x1dlist\r");
	expect_seen("shutdown");
	type("q\x1dpermissions console\r");
	expect_all(seen(), (const char *const[]){"service_console", "capsule_focus", NULL});
	type("q\x1dpermissions two\r");
	expect_seen("two: no permissions");
	type("q\x1dtop\r");
	expect_seen("s state, u up");
}

static void a_wrong_command_gets_a_suggestion(void **state)
{
	two_guests("terminal=dumb");
	type("\x1dlits\r");
	expect_seen("'lits' is no command and no capsule; did you mean 'list'?\r\n");
	type("\x1dstop tow\r");
	expect_seen("there is no capsule 'tow'; did you mean 'two'?\r\n");
}

static void a_beginning_of_several_words_is_told_what_it_could_be(void **state)
{
	fake_capsule("guest-1", DIOSIX_GUEST);
	fake_capsule("guest-2", DIOSIX_GUEST);
	fake_capsule("linux", DIOSIX_GUEST);
	begin_with("terminal=mono");
	type("\x1dli\r");
	expect_seen("'li' is no command and no capsule; it could be list, linux");
	type("\x1ds\r");
	expect_seen("'s' is no command and no capsule; it could be start, stats, stop");
	type("\x1dgu\r");
	expect_seen("'gu' is no command and no capsule; it could be guest-1, guest-2");
	type("\x1dkill gu\r");
	expect_seen("there is no capsule 'gu'; it could be guest-1, guest-2");
	type("\x1dlis\r");
	expect_seen("'lis' is no command and no capsule; did you mean 'list'?");
	type("\x1dkill l\r");
	expect_seen("there is no capsule 'l'; did you mean 'linux'?");
	assert_int_equal(fake.capsules[3].info.state, DIOSIX_STATE_RUNNING);
}

static void a_beginning_of_many_words_names_some(void **state)
{
	for (char name[] = "guest-1"; name[6] <= '7'; name[6]++)
		fake_capsule(name, DIOSIX_GUEST);
	begin_with("terminal=dumb");
	type("\x1dkill g\r");
	expect_seen("there is no capsule 'g'; it could be guest-1, guest-2, guest-3, guest-4, guest-5, guest-6, ...\r\n");
}

static void a_missing_permission_is_named(void **state)
{
	fake.denied = 1ull << DIOSIX_CALL_CAPSULE_KILL;
	two_guests("terminal=dumb");
	type("\x1dkill one\r");
	expect_seen("the console may not do this: it lacks the permission 'capsule_stop'\r\n");
}

static void the_bar_counts_the_seconds_of_a_stop(void **state)
{
	size_t before;

	two_guests("terminal=mono");
	fake.capsules[1].stubborn = true;
	type("\x1dstop one 3\r");
	expect_seen("one is asked to stop; in 3 s it is killed");
	before = fake.line_len;
	turn();
	assert_int_equal(fake.line_len, before); /* nothing is drawn that is there already */
	later(1000000);
	expect_seen("one is asked to stop; in 2 s it is killed");
	later(2000000);
	expect_seen("one was killed");
	assert_int_equal(ui.mode, MODE_SAYS);
}

static void a_text_too_long_for_the_bar_is_marked(void **state)
{
	two_guests("terminal=mono");
	type("\x1b[24;40R\x1d\x1b[24;40R\t");
	expect_seen(">   all focus help image kill list l...\x1b[m");
}

static void help_fits_eighty_columns(void **state)
{
	size_t len;

	two_guests("terminal=dumb");
	seen();
	type("\x1dhelp\r");
	for (const char *line = seen(); *line; line += len + 1) {
		len = strcspn(line, "\n");
		assert_true(len <= 80); /* the carriage return among them */
		if (!line[len])
			break;
	}
}

static void stop_asks_and_then_kills(void **state)
{
	two_guests("terminal=dumb");
	fake.capsules[1].stubborn = true;
	type("\x1dstop one 3\r");
	expect_seen("one is asked to stop; in 3 s it is killed\r\n");
	later(2999999);
	assert_int_equal(fake.capsules[1].info.state, DIOSIX_STATE_RUNNING);
	assert_int_equal(ui_deadline(&ui), now_us + 1);
	later(1);
	assert_int_equal(fake.capsules[1].info.last_end, DIOSIX_END_KILLED);
	expect_seen("diosix: one did not stop in time and was killed\r\n");
}

static void without_a_list_numbers_are_names(void **state)
{
	fake.denied = 1ull << DIOSIX_CALL_CAPSULE_INFO;
	two_guests("terminal=dumb");
	fake_print(1, "hello\n");
	turn();
	assert_string_equal(seen(), "[2] hello\r\n");
	type("\x1dlist\r");
	expect_seen("it lacks the permission 'capsule_list'");
}

/* --- top and log -------------------------------------------------------------------------------- */

static void top_shows_shares(void **state)
{
	two_guests("terminal=mono");
	type("\x1dtop\r");
	seen();
	fake.capsules[2].stats.ran = 423000;
	fake.capsules[2].stats.exits[DIOSIX_EXIT_DEVICE] = 12345;
	later(SAMPLE_TIME);
	expect_seen("two       running   2  42.3    0  12k    0    0    0    0    0   64M   0   0:02");
	type("q");
	assert_int_equal(ui.mode, MODE_VIEW);
}

static void top_sorts(void **state)
{
	const char *all;

	two_guests("terminal=mono");
	fake.capsules[2].info.memory = 128 << 20;
	type("\x1dtop\rn");
	all = seen();
	assert_true(strstr(all, "one  ") < strstr(all, "two  "));
	type("m");
	all = seen();
	assert_true(strstr(all, "two  ") < strstr(all, "one  "));
}

static void no_line_of_top_is_wider_than_the_terminal(void **state)
{
	two_guests("terminal=mono");
	type("\x1dtop\r");
	for (const char *line = ui.page; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") < 80);
}

static void log_filters_and_searches(void **state)
{
	two_guests("terminal=mono");
	fake_log(DIOSIX_LOG_INFO, "needle here");
	fake_log(DIOSIX_LOG_ERROR, "bad thing");
	type("\x1dlog\r");
	expect_seen("needle here");
	type("e");
	assert_null(strstr(seen(), "needle"));
	type("i/needle\r");
	expect_seen("\x1b[7m     1.000 needle here");
}

/* --- terminals ---------------------------------------------------------------------------------- */

static void the_command_that_runs_the_board_knows_the_terminal(void **state)
{
	strcpy(fake.board.terminal, "dumb");
	fake_capsule("linux", DIOSIX_GUEST);
	begin_with("");
	assert_null(strchr(seen(), 0x1b));
	assert_int_equal(ui.terminal.kind, TERMINAL_DUMB);
}

static void who_does_not_answer_is_dumb(void **state)
{
	fake_capsule("one", DIOSIX_GUEST);
	fake_capsule("two", DIOSIX_GUEST);
	begin_with("");
	assert_string_equal(seen(), "\x1b[c");
	fake_print(1, "early\n");
	turn();
	assert_string_equal(seen(), "");
	later(ANSWER_TIME);
	expect_seen("[one] early\r\n");
	assert_int_equal(ui.terminal.kind, TERMINAL_DUMB);
}

static void a_vt100_is_monochrome(void **state)
{
	one_guest("");
	type("\x1b[?1;2c");
	assert_int_equal(ui.terminal.kind, TERMINAL_MONO);
	assert_string_equal(seen(), "\x1b" "7\x1b[?6l\x1b[999;999H\x1b[6n\x1b" "8\x1b[m\x1b[?25h");
	type("\x1b[50;132Rx");
	assert_int_equal(ui.terminal.rows, 50);
	assert_int_equal(ui.terminal.columns, 132);
	assert_string_equal(fed(1), "x");
}

/* Named so, it gets nothing that came after it. */
static void a_plain_vt100_gets_what_it_has(void **state)
{
	two_guests("terminal=vt100");
	fake_print(1, "\x1b[31mhello\x1b[m\n");
	fake_log(DIOSIX_LOG_ERROR, "bad");
	type("\x1dtop\r");
	later(SAMPLE_TIME);
	type("q\x1dlog\r/bad\rq\x1dlist\rq\x1dhelp\r \x1dtwo\r\x1d" "all\r\x1dquit\r");
	later(ANSWER_TIME);
	assert_true(ui.ended);
	assert_null(strstr(seen(), "\x1b[?25"));
	assert_null(strstr(fake.line, "\x1b[?1049"));
	assert_null(strstr(fake.line, "\x1b[3"));
	assert_null(strstr(fake.line, "\x1b[4l"));
	assert_null(strstr(fake.line, "\x1b[?1000"));
	assert_null(strstr(fake.line, "\x1b[>"));
	assert_null(strstr(fake.line, "\x1b[<"));
	assert_non_null(strstr(fake.line, "\x1b[?1;5l\x1b>\x1b[?7h\x1b[20l"));
	assert_non_null(strstr(fake.line, "\x1b[?6l"));
	assert_non_null(strstr(fake.line, "\x1b[7m"));
}

static void a_later_terminal_has_colour(void **state)
{
	one_guest("");
	type("\x1b[?64;1;2;6;9;15;18;21;22c");
	assert_int_equal(ui.terminal.kind, TERMINAL_COLOR);
}

static void keys_that_look_like_an_answer_are_kept(void **state)
{
	one_guest("terminal=mono");
	type("\x1b[Aq");
	assert_string_equal(fed(1), "\x1b[Aq");
	type("\x1b[1");
	assert_string_equal(fed(1), "");
	later(ANSWER_TIME);
	assert_string_equal(fed(1), "\x1b[1");
}

static void asked_to_stop_it_resets_and_ends(void **state)
{
	two_guests("terminal=mono");
	type("\x1dtop\r");
	ui_turn(&ui, DIOSIX_EVENT_STOP, now_us);
	assert_false(ui.ended);
	later(ANSWER_TIME);
	assert_true(ui.ended);
	assert_false(ui.lost);
	expect_seen("\x1b[?25h");
}

/* Who has the line next would take it for something that was typed. */
static void the_terminal_s_answer_is_awaited_before_the_end(void **state)
{
	two_guests("terminal=mono");
	type("\x1b[24;80R");
	fake.capsules[0].info.permissions = ~UINT64_C(0);
	type("\x1drestart console\r\x1b[24;");
	assert_int_equal(fake.capsules[0].info.starts, 1);
	type("80R");
	assert_int_equal(fake.capsules[0].info.starts, 2);
	type("\x1dkill console\r");
	assert_int_equal(fake.capsules[0].info.state, DIOSIX_STATE_RUNNING);
	later(ANSWER_TIME);
	assert_int_equal(fake.capsules[0].info.state, DIOSIX_STATE_STOPPED);
	assert_string_equal(fed(1), "");
	assert_string_equal(fed(2), "");
}

static void what_was_shown_is_not_lost_at_the_end(void **state)
{
	static char lines[FAKE_RING];
	unsigned turns = 0;

	memset(lines, 'x', FAKE_RING - 6);
	memcpy(lines + FAKE_RING - 6, "\nlast\n", 6);
	two_guests("terminal=dumb");
	type("\x1done\r");
	for (char *at = lines; fake_print(1, "x") == 1; at++)
		fake.capsules[1].ring[at - lines] = *at;
	for (; !ui.ended && turns < 100; turns++)
		ui_turn(&ui, DIOSIX_EVENT_STOP, now_us);
	assert_true(ui.ended);
	assert_false(ui.lost);
	assert_non_null(strstr(seen(), "x\nlast\n"));
}

static void a_burst_of_the_log_is_shown_whole(void **state)
{
	const char *text;

	two_guests("terminal=dumb");
	for (unsigned i = 0; i < 300; i++)
		fake_log(DIOSIX_LOG_INFO, i == 299 ? "the last of many lines" : "one of many lines of the log");
	ui_turn(&ui, DIOSIX_EVENT_LOG, now_us);
	while (ui_deadline(&ui) == 0)
		ui_turn(&ui, 0, now_us);
	text = seen();
	assert_non_null(strstr(text, "the last of many lines"));
	assert_null(strstr(text, "lost"));
	for (unsigned i = 0; i < 300; i++)
		fake_log(DIOSIX_LOG_INFO, i == 299 ? "the last at the end" : "one of many lines of the log");
	ui_turn(&ui, DIOSIX_EVENT_STOP, now_us);
	for (unsigned i = 0; i < 100 && !ui.ended; i++)
		ui_turn(&ui, 0, now_us);
	assert_true(ui.ended);
	assert_false(ui.lost);
	assert_non_null(strstr(seen(), "the last at the end"));
}

static void what_it_could_not_show_at_the_end_is_lost_and_said_so(void **state)
{
	two_guests("terminal=dumb");
	fake_print(1, "never seen\n");
	fake.line_takes = 0;
	turn();
	ui_turn(&ui, DIOSIX_EVENT_STOP, now_us);
	assert_false(ui.ended);
	later(END_TIME);
	assert_true(ui.ended);
	assert_true(ui.lost);
}

/* --- programs that have the terminal say keys in full --------------------------------------------- */

static const char *const switches[] = {
	"\x1b[27;5;93~",		 /* xterm, modifyOtherKeys=2 */
	"\x1b[93;5u",		 /* the same with formatOtherKeys=1; kitty */
	"\x1b[93;133u",		 /* with Num Lock */
	"\x1b[93:125;5:1u",	 /* with the key's other codes, and what happened to it */
	"\x1b[93:125:93;5:2;29u", /* and its text */
};
#define SWITCHES (sizeof(switches) / sizeof(switches[0]))

static void type_slowly(const char *text)
{
	for (; *text; text++) {
		type((const char[]){*text, '\0'});
		later(ESCAPE_TIME / 2);
	}
}

static void ctrl_bracket_in_full_opens_the_bar(void **state)
{
	one_guest("terminal=color");
	for (unsigned i = 0; i < SWITCHES; i++) {
		type(switches[i]);
		assert_int_equal(ui.mode, MODE_BAR);
		assert_string_equal(fed(1), "");
		type(switches[i]);
		assert_int_equal(ui.mode, MODE_VIEW);
		assert_string_equal(fed(1), "\x1d");
	}
}

/* The escape, which came alone, has not waited. */
static void it_may_come_byte_by_byte(void **state)
{
	one_guest("terminal=color");
	later(ANSWER_TIME); /* it has been asked for its size */
	for (unsigned i = 0; i < SWITCHES; i++) {
		type_slowly(switches[i]);
		assert_int_equal(ui.mode, MODE_BAR);
		assert_string_equal(fed(1), "\x1b");
		type("\x03");
		assert_int_equal(ui.mode, MODE_VIEW);
		later(ANSWER_TIME);
	}
}

static void an_escape_alone_does_not_wait(void **state)
{
	one_guest("terminal=color");
	later(ANSWER_TIME); /* it has been asked for its size */
	type("\x1b");
	assert_string_equal(fed(1), "\x1b");
	type("\x1b\x1b");
	assert_string_equal(fed(1), "\x1b\x1b");
	type("x");
	assert_string_equal(fed(1), "x");
	later(ESCAPE_TIME);
	assert_string_equal(fed(1), "");
	assert_int_equal(ui_deadline(&ui), UINT64_MAX);
}

static void other_keys_reach_the_guest_as_they_are(void **state)
{
	static const char *const others[] = {
		"\x1b[A", "\x1bOA", "\x1b[5~", "\x1b[27;5;91~", "\x1b[27;1;93~", "\x1b[27;7;93~", "\x1b[93;3u", "\x1b[93;5:3u",
		"\x1b[93u", "\x1b[93;5~", "\x1b[27u", "\x1b[u", "\x1b[1;5u", "\x1b[193;5u", "\x1b[93;5R", "\x1b[<0;93;5M", "\x1b]",
		"\x1b[200~pasted\x1b[201~", "\x1b\x1b[A", "\x1b[9\x1b[93;5\x1bOP", "\x1b[93;5\x03",
		"\x1b[93;5555555555555555555555555555555555555555555555555555u", "\x1b[93;5;;;;;;;::::::u]",
	};

	one_guest("terminal=color");
	later(ANSWER_TIME); /* it has been asked for its size */
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		type(others[i]);
		assert_string_equal(fed(1), others[i]);
		type_slowly(others[i]);
		assert_string_equal(fed(1), others[i]);
		assert_int_equal(ui.mode, MODE_VIEW);
	}
	type("\x1b[93;5");
	assert_string_equal(fed(1), "");
	later(ESCAPE_TIME);
	assert_string_equal(fed(1), "\x1b[93;5");
	type("u");
	assert_string_equal(fed(1), "u");
}

static void the_byte_itself_opens_the_bar_behind_anything(void **state)
{
	one_guest("terminal=color");
	later(ANSWER_TIME); /* it has been asked for its size */
	type("\x1b[9\x1d");
	assert_int_equal(ui.mode, MODE_BAR);
	assert_string_equal(fed(1), "\x1b[9");
	type("\x1b[27u"); /* Esc in full */
	assert_int_equal(ui.mode, MODE_VIEW);
	later(ANSWER_TIME);
	type("\x1b\x1d");
	assert_int_equal(ui.mode, MODE_BAR);
	assert_string_equal(fed(1), "\x1b");
}

static void the_bar_understands_keys_in_full(void **state)
{
	two_guests("terminal=color");
	type("\x1b[93;5uh\x1b[101ux\x1b[127ulp\x1b[13u");
	assert_int_equal(ui.mode, MODE_PAGE);
	expect_seen("restart");
	type("\x1b[27;5;99~");
	assert_int_equal(ui.mode, MODE_VIEW);
}

/* --- what a guest's program leaves switched on ------------------------------------------------------ */

static void its_own_screens_switch_off_what_a_program_has_on(void **state)
{
	static const char *const off[] = {
		"\x1b[m", "\x1b(B\x0f", "\x1b[?1;5l", "\x1b>", "\x1b[?7h", "\x1b[20l", "\x1b[4l", "\x1b[?25h", "\x1b[>4m", "\x1b[<99u",
		"\x1b[?1000;1002;1003;1004;1006;2004l", "\x1b[?6l", "\x1b[r", NULL,
	};
	const char *screen, *left;

	two_guests("terminal=color");
	type("\x1d");
	screen = seen();
	expect_all(screen, off);
	assert_null(strstr(screen, "1049")); /* what it is about stays on the screen */
	type("top\r");
	screen = seen();
	expect_all(screen, off);
	left = strstr(screen, "\x1b[?1049l");
	assert_non_null(left);
	/* Leaving the alternate screen restores attributes: they come behind it, and the screen is emptied last. */
	left = strstr(left, "\x1b[m\x1b(B\x0f");
	assert_non_null(left);
	assert_non_null(strstr(left, "\x1b[?6l\x1b[H\x1b[2J"));
	type("q");
	expect_all(seen(), off);
}

static void back_in_view_a_program_has_its_modes(void **state)
{
	static const char draws[] = "\x1b[?1049h\x1b[?1002;1006h\x1b[>1u\x1b[?6h\x1b[4h";

	one_guest("terminal=color");
	fake_print(1, draws);
	type("\x1dtop\r");
	seen();
	type("q");
	expect_seen(draws);
}

/* A notice has room for the longest that there is. */
static void the_longest_crash_is_said(void **state)
{
	char name[32], crash[sizeof(fake.capsules[1].info.crash)], line[256];

	memset(name, 'n', sizeof(name) - 1);
	memset(crash, 'c', sizeof(crash) - 1);
	name[sizeof(name) - 1] = crash[sizeof(crash) - 1] = '\0';
	fake_capsule(name, DIOSIX_GUEST);
	begin_with("terminal=color");
	fake.capsules[1].info.state = DIOSIX_STATE_STOPPED;
	fake.capsules[1].info.last_end = DIOSIX_END_CRASH;
	strcpy(fake.capsules[1].info.crash, crash);
	turn();
	snprintf(line, sizeof(line), "\r\n[diosix: %s has crashed: %.96s]\r\n", name, crash);
	expect_seen(line);
}

/* --- the end -------------------------------------------------------------------------------------  */

static void end_slowly(void)
{
	ui_turn(&ui, DIOSIX_EVENT_STOP, now_us);
	for (unsigned i = 0; !ui.ended && i < 200; i++)
		later(20000);
	assert_true(ui.ended);
}

/* What it took and nobody saw is said to be lost. */
static void output_before_the_terminal_has_answered(void **state)
{
	fake_capsule("one", DIOSIX_GUEST);
	fake_capsule("two", DIOSIX_GUEST);
	begin_with("");
	fake_print(1, "hello\n");
	end_slowly();
	expect_seen("hello");
	assert_false(ui.lost);
}

static void log_before_the_terminal_has_answered(void **state)
{
	fake_capsule("one", DIOSIX_GUEST);
	fake_capsule("two", DIOSIX_GUEST);
	begin_with("");
	fake_log(DIOSIX_LOG_ERROR, "diosix: capsule one: crashed: it did");
	ui_turn(&ui, DIOSIX_EVENT_LOG, now_us);
	end_slowly();
	expect_seen("crashed: it did");
	assert_false(ui.lost);
}

static void an_unfinished_line_at_the_end(void **state)
{
	two_guests("terminal=dumb");
	fake_print(1, "a question? ");
	end_slowly();
	expect_seen("a question? ");
	assert_false(ui.lost);
}

static void no_busy_loop_at_the_end(void **state)
{
	two_guests("terminal=dumb");
	fake_print(1, "a question? ");
	turn();
	fake.line_takes = 0;
	fake_log(DIOSIX_LOG_ERROR, "diosix: something");
	fake_print(2, "more\n");
	ui_turn(&ui, DIOSIX_EVENT_STOP, now_us);
	later(1000000);
	assert_false(ui.ended);
	assert_true(ui_deadline(&ui) > now_us);
}

static void ctrl_bracket_at_the_end_hides_nothing(void **state)
{
	two_guests("terminal=color");
	later(ANSWER_TIME);
	for (unsigned i = 0; i < 60; i++)
		fake_print(1, "a line of one that has much to say, and some more\n");
	fake_print(1, "and the last one\n");
	fake.line_takes = 0;
	ui_turn(&ui, DIOSIX_EVENT_STOP, now_us);
	assert_false(ui.ended);
	fake_type("\x1d");
	later(1000);
	fake.line_takes = SIZE_MAX;
	for (unsigned i = 0; !ui.ended && i < 200; i++)
		later(20000);
	assert_true(ui.ended);
	assert_non_null(strstr(seen(), "and the last one"));
	assert_false(ui.lost);
}

static void starting_the_console_says_why_not(void **state)
{
	two_guests("terminal=dumb");
	fake.capsules[0].info.permissions = UINT64_MAX;
	turn();
	type("\x1dstart console\r");
	expect_seen("console: it has not stopped");
}

static void no_key_is_longer_than_it_is(void **state)
{
	two_guests("terminal=dumb");
	type("\x1d");
	type("\x1b[11111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111");
	assert_int_equal(ui.mode, MODE_BAR);
	fake_request("{\"id\": 1, \"command\": \"focus\", \"capsule\": \"two\"}");
	turn();
	later(ESCAPE_TIME);
	/* The sequence was the bar's. */
	assert_int_equal(fake.capsules[1].input_len + fake.capsules[2].input_len, 0);
}

static void no_key_is_longer_than_it_is_at_the_end(void **state)
{
	two_guests("terminal=color");
	later(ANSWER_TIME);
	type("\x1dtop\r");
	type("\x1b[11111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111");
	assert_int_equal(ui.mode, MODE_TOP);
	fake.line_takes = 0;
	ui_turn(&ui, DIOSIX_EVENT_STOP, now_us);
	later(ESCAPE_TIME);
	assert_int_equal(ui.feed_len, 0);
}

/* The line has just room for what was printed, and not for all of what ends it. */
static void the_terminal_is_reset_whole_or_waited_for(void **state)
{
	const char *screen;

	two_guests("terminal=color view=one");
	later(ANSWER_TIME);
	seen();
	fake_print(1, "0123456789");
	fake.line_takes = 10 + 5;
	ui_turn(&ui, DIOSIX_EVENT_STOP, now_us);
	if (!ui.ended) {
		fake.line_takes = SIZE_MAX;
		later(1000);
	}
	assert_true(ui.ended);
	screen = seen();
	assert_non_null(strstr(screen, "0123456789"));
	assert_non_null(strstr(screen, terminal_reset(&ui.terminal)));
	assert_false(ui.lost);
}

/* Its reset waits for room when a key and a request come. */
static void nothing_comes_after_the_terminal_has_been_left(void **state)
{
	two_guests("terminal=color view=one");
	later(ANSWER_TIME);
	fake.line_takes = 6;
	ui_turn(&ui, DIOSIX_EVENT_STOP, now_us);
	assert_true(ui.left);
	assert_false(ui.ended);
	fake_type("\x1d");
	fake_request("{\"id\": 1, \"command\": \"focus\", \"capsule\": \"two\"}");
	later(1000);
	assert_int_equal(ui.mode, MODE_VIEW);
	fake.line_takes = SIZE_MAX;
	later(1000);
	assert_true(ui.ended);
	assert_false(ui.lost);
	assert_null(strstr(seen(), "\x1b[6n"));
}

static void one_that_never_had_the_console_just_ends(void **state)
{
	fake.denied = UINT64_C(1) << DIOSIX_CALL_REGISTER | UINT64_C(1) << DIOSIX_CALL_CONSOLE_WRITE;
	two_guests("");
	ui_turn(&ui, DIOSIX_EVENT_STOP, now_us);
	assert_true(ui.ended);
	assert_false(ui.lost);
}

/* What was typed for a guest reaches it. */
static void what_was_typed_before_the_end_is_fed(void **state)
{
	one_guest("terminal=dumb");
	fake.capsules[1].takes = 2;
	type("hello");
	fake.capsules[1].takes = SIZE_MAX;
	end_slowly();
	assert_string_equal(fed(1), "hello");
}

/* --- the end, when it is not quick ---------------------------------------------------------------- */

/* It is nothing that somebody typed, for the guest or for whoever has the line next. */
static void the_answer_to_what_it_asked_first_is_awaited(void **state)
{
	fake_capsule("one", DIOSIX_GUEST);
	begin_with("");
	ui_turn(&ui, DIOSIX_EVENT_STOP, now_us);
	assert_false(ui.ended);
	later(ANSWER_TIME / 2);
	type("\x1b[?62;22c");
	later(ANSWER_TIME);
	assert_true(ui.ended);
	assert_string_equal(fed(1), "");
}

static void the_answer_is_not_for_the_guest(void **state)
{
	fake_capsule("one", DIOSIX_GUEST);
	begin_with("");
	fake_print(1, "hello\n");
	fake.line_takes = 0;
	ui_turn(&ui, DIOSIX_EVENT_STOP, now_us);
	assert_false(ui.ended);
	type("\x1b[?62;22c");
	assert_string_equal(fed(1), "");
}

/* What a program prints from here on would switch on again what has been switched off. */
static void nothing_comes_behind_the_reset(void **state)
{
	const char *screen;

	one_guest("terminal=color");
	later(ANSWER_TIME);
	seen();
	fake_print(1, "x");
	fake.line_takes = 6;
	ui_turn(&ui, DIOSIX_EVENT_STOP, now_us);
	assert_false(ui.ended);
	fake_print(1, "\x1b[?1049h");
	fake.line_takes = SIZE_MAX;
	later(1000);
	assert_true(ui.ended);
	screen = seen();
	assert_null(strstr(screen, "\x1b[?1049h"));
}

static void no_key_is_too_long_where_nothing_is_drawn(void **state)
{
	two_guests("terminal=dumb");
	type("\x1d");
	fake.line_takes = 0;
	type("\x1b[1111111111111111111111111111111111111111111111111111111111111");
	ui_turn(&ui, DIOSIX_EVENT_STOP, now_us);
	assert_false(ui.ended);
	fake_type("1");
	ui_turn(&ui, DIOSIX_EVENT_STOP, now_us);
	assert_int_equal(fake.capsules[1].input_len + ui.feed_len, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(output_before_the_terminal_has_answered, setup),
		cmocka_unit_test_setup(log_before_the_terminal_has_answered, setup),
		cmocka_unit_test_setup(an_unfinished_line_at_the_end, setup),
		cmocka_unit_test_setup(no_busy_loop_at_the_end, setup),
		cmocka_unit_test_setup(ctrl_bracket_at_the_end_hides_nothing, setup),
		cmocka_unit_test_setup(starting_the_console_says_why_not, setup),
		cmocka_unit_test_setup(the_terminal_is_reset_whole_or_waited_for, setup),
		cmocka_unit_test_setup(nothing_comes_after_the_terminal_has_been_left, setup),
		cmocka_unit_test_setup(one_that_never_had_the_console_just_ends, setup),
		cmocka_unit_test_setup(what_was_typed_before_the_end_is_fed, setup),
		cmocka_unit_test_setup(one_guest_has_the_terminal_raw, setup),
		cmocka_unit_test_setup(all_bytes_but_one_reach_the_guest, setup),
		cmocka_unit_test_setup(ctrl_bracket_twice_sends_one, setup),
		cmocka_unit_test_setup(input_that_a_guest_does_not_take_waits, setup),
		cmocka_unit_test_setup(a_crash_is_said_on_its_own_screen, setup),
		cmocka_unit_test_setup(lines_have_their_capsule_in_front, setup),
		cmocka_unit_test_setup(what_moves_the_cursor_is_left_out_of_all, setup),
		cmocka_unit_test_setup(colour_where_there_is_colour, setup),
		cmocka_unit_test_setup(no_colour_on_a_monochrome_terminal, setup),
		cmocka_unit_test_setup(no_colour_when_it_is_not_wanted, setup),
		cmocka_unit_test_setup(a_half_line_waits_for_its_end, setup),
		cmocka_unit_test_setup(a_prompt_is_shown_after_half_a_second, setup),
		cmocka_unit_test_setup(the_log_has_lines_of_its_own, setup),
		cmocka_unit_test_setup(the_log_comes_behind_what_was_printed_before, setup),
		cmocka_unit_test_setup(so_it_does_on_a_slow_line, setup),
		cmocka_unit_test_setup(a_slow_line_makes_no_prompts, setup),
		cmocka_unit_test_setup(a_start_comes_before_what_was_printed_since, setup),
		cmocka_unit_test_setup(so_it_does_when_the_console_looks_between_the_two, setup),
		cmocka_unit_test_setup(each_life_s_output_stands_between_its_beginning_and_its_end, setup),
		cmocka_unit_test_setup(lines_before_the_service_are_not_shown_twice, setup),
		cmocka_unit_test_setup(a_mark_says_what_was_lost, setup),
		cmocka_unit_test_setup(what_was_printed_before_a_line_of_the_log_stands_before_it, setup),
		cmocka_unit_test_setup(a_flood_does_not_delay_the_log, setup),
		cmocka_unit_test_setup(a_mark_says_how_many_lines_of_the_log_were_lost, setup),
		cmocka_unit_test_setup(no_line_of_the_log_is_lost_on_a_slow_line_without_a_mark, setup),
		cmocka_unit_test_setup(nothing_is_lost_on_a_slow_line, setup),
		cmocka_unit_test_setup(a_flood_stays_with_the_hypervisor, setup),
		cmocka_unit_test_setup(a_flood_does_not_delay_others, setup),
		cmocka_unit_test_setup(a_digit_switches, setup),
		cmocka_unit_test_setup(it_follows_a_focus_that_another_capsule_gives, setup),
		cmocka_unit_test_setup(a_focus_in_the_view_of_all_is_said, setup),
		cmocka_unit_test_setup(a_focus_does_not_close_the_bar, setup),
		cmocka_unit_test_setup(one_that_there_is_not_is_not_followed, setup),
		cmocka_unit_test_setup(started_again_it_goes_on_with_the_one_in_focus, setup),
		cmocka_unit_test_setup(tab_completes_a_name, setup),
		cmocka_unit_test_setup(escape_leaves_the_bar, setup),
		cmocka_unit_test_setup(what_came_while_the_bar_was_open_is_shown, setup),
		cmocka_unit_test_setup(a_replay_begins_where_the_screen_was_cleared, setup),
		cmocka_unit_test_setup(a_replay_is_a_screenful_of_lines, setup),
		cmocka_unit_test_setup(a_replay_asks_nothing, setup),
		cmocka_unit_test_setup(the_bar_has_history, setup),
		cmocka_unit_test_setup(a_terminal_without_sequences_gets_none, setup),
		cmocka_unit_test_setup(list_says_what_there_is, setup),
		cmocka_unit_test_setup(what_is_wide_fits_80_columns, setup),
		cmocka_unit_test_setup(a_wrong_command_gets_a_suggestion, setup),
		cmocka_unit_test_setup(a_beginning_of_several_words_is_told_what_it_could_be, setup),
		cmocka_unit_test_setup(a_beginning_of_many_words_names_some, setup),
		cmocka_unit_test_setup(a_missing_permission_is_named, setup),
		cmocka_unit_test_setup(stop_asks_and_then_kills, setup),
		cmocka_unit_test_setup(the_bar_counts_the_seconds_of_a_stop, setup),
		cmocka_unit_test_setup(a_text_too_long_for_the_bar_is_marked, setup),
		cmocka_unit_test_setup(help_fits_eighty_columns, setup),
		cmocka_unit_test_setup(without_a_list_numbers_are_names, setup),
		cmocka_unit_test_setup(top_shows_shares, setup),
		cmocka_unit_test_setup(top_sorts, setup),
		cmocka_unit_test_setup(no_line_of_top_is_wider_than_the_terminal, setup),
		cmocka_unit_test_setup(log_filters_and_searches, setup),
		cmocka_unit_test_setup(the_command_that_runs_the_board_knows_the_terminal, setup),
		cmocka_unit_test_setup(who_does_not_answer_is_dumb, setup),
		cmocka_unit_test_setup(a_vt100_is_monochrome, setup),
		cmocka_unit_test_setup(a_plain_vt100_gets_what_it_has, setup),
		cmocka_unit_test_setup(a_later_terminal_has_colour, setup),
		cmocka_unit_test_setup(keys_that_look_like_an_answer_are_kept, setup),
		cmocka_unit_test_setup(ctrl_bracket_in_full_opens_the_bar, setup),
		cmocka_unit_test_setup(it_may_come_byte_by_byte, setup),
		cmocka_unit_test_setup(an_escape_alone_does_not_wait, setup),
		cmocka_unit_test_setup(other_keys_reach_the_guest_as_they_are, setup),
		cmocka_unit_test_setup(the_byte_itself_opens_the_bar_behind_anything, setup),
		cmocka_unit_test_setup(the_bar_understands_keys_in_full, setup),
		cmocka_unit_test_setup(its_own_screens_switch_off_what_a_program_has_on, setup),
		cmocka_unit_test_setup(back_in_view_a_program_has_its_modes, setup),
		cmocka_unit_test_setup(the_longest_crash_is_said, setup),
		cmocka_unit_test_setup(asked_to_stop_it_resets_and_ends, setup),
		cmocka_unit_test_setup(the_terminal_s_answer_is_awaited_before_the_end, setup),
		cmocka_unit_test_setup(what_was_shown_is_not_lost_at_the_end, setup),
		cmocka_unit_test_setup(a_burst_of_the_log_is_shown_whole, setup),
		cmocka_unit_test_setup(what_it_could_not_show_at_the_end_is_lost_and_said_so, setup),
		cmocka_unit_test_setup(no_key_is_longer_than_it_is, setup),
		cmocka_unit_test_setup(no_key_is_longer_than_it_is_at_the_end, setup),
		cmocka_unit_test_setup(the_answer_to_what_it_asked_first_is_awaited, setup),
		cmocka_unit_test_setup(the_answer_is_not_for_the_guest, setup),
		cmocka_unit_test_setup(nothing_comes_behind_the_reset, setup),
		cmocka_unit_test_setup(no_key_is_too_long_where_nothing_is_drawn, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
