/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "diosix.h"

#define ROWS_MAX    200u
#define COLUMNS_MAX 250u

/* ECMA-48 8.3.117 SGR: without colour a VT100's attributes, with it also these of the eight that every one has. */
static const struct {
	const char *mono, *color;
} styles[STYLE_CAPSULE + CAPSULE_COLORS] = {
	[STYLE_PLAIN] = {"\x1b[m", "\x1b[m"},
	[STYLE_BAR] = {"\x1b[7m", "\x1b[7m"},
	[STYLE_HEAD] = {"\x1b[7m", "\x1b[1;7m"},
	[STYLE_LOG] = {"\x1b[1m", "\x1b[1m"},
	[STYLE_ERROR] = {"\x1b[1m", "\x1b[1;31m"},
	[STYLE_WARNING] = {"\x1b[1m", "\x1b[33m"},
	[STYLE_CAPSULE + 0] = {"", "\x1b[36m"},
	[STYLE_CAPSULE + 1] = {"", "\x1b[32m"},
	[STYLE_CAPSULE + 2] = {"", "\x1b[35m"},
	[STYLE_CAPSULE + 3] = {"", "\x1b[33m"},
	[STYLE_CAPSULE + 4] = {"", "\x1b[34m"},
	[STYLE_CAPSULE + 5] = {"", "\x1b[1;36m"},
	[STYLE_CAPSULE + 6] = {"", "\x1b[1;32m"},
	[STYLE_CAPSULE + 7] = {"", "\x1b[1;35m"},
	[STYLE_CAPSULE + 8] = {"", "\x1b[1;33m"},
	[STYLE_CAPSULE + 9] = {"", "\x1b[1;34m"},
};

bool terminal_draws(const struct terminal *terminal)
{
	return terminal->kind >= TERMINAL_VT100;
}

const char *terminal_style(const struct terminal *terminal, unsigned style)
{
	if (!terminal_draws(terminal))
		return "";
	return terminal->colors ? styles[style].color : styles[style].mono;
}

/* The scrolling region to the whole screen, which moves the cursor, and between the two what else may. */
#define REGION(more) "\x1b" "7\x1b[r" more "\x1b" "8"
/* Attributes, character set, cursor keys, no reverse screen, keypad, wrapping, no new-line mode. */
#define VT100_MODES "\x1b[m\x1b(B\x0f\x1b[?1;5l\x1b>\x1b[?7h\x1b[20l"
/* A cursor, no inserting; no reports of the mouse, of the focus, of what is pasted. */
#define LATER_MODES "\x1b[?25h\x1b[4l\x1b[?1000;1002;1003;1004;1006;2004l"
/* xterm's modifyOtherKeys; what kitty has on its stack for this screen. */
#define PLAIN_KEYS "\x1b[>4m\x1b[<99u"

const char *terminal_modes(const struct terminal *terminal)
{
	if (!terminal_draws(terminal))
		return "";
	return terminal->kind == TERMINAL_VT100 ? VT100_MODES : REGION(PLAIN_KEYS) VT100_MODES LATER_MODES;
}

/* The alternate screen restores what was saved of the cursor, so its attributes come behind it. */
const char *terminal_reset(const struct terminal *terminal)
{
	if (!terminal_draws(terminal))
		return "";
	return terminal->kind == TERMINAL_VT100 ? REGION("") VT100_MODES
						: REGION(PLAIN_KEYS) "\x1b[?1049l\x1b[<99u" VT100_MODES LATER_MODES;
}

const char *terminal_cursor(const struct terminal *terminal, bool visible)
{
	if (terminal->kind <= TERMINAL_VT100)
		return "";
	return visible ? "\x1b[?25h" : "\x1b[?25l";
}

const char *terminal_clear(const struct terminal *terminal)
{
	return terminal_draws(terminal) ? "\x1b[?6l\x1b[H\x1b[2J" : "";
}

static void set_kind(struct terminal *terminal, enum terminal_kind kind)
{
	terminal->kind = kind;
	terminal->colors = !terminal->no_colors && (terminal->always_colors || kind == TERMINAL_COLOR);
}

void terminal_begin(struct terminal *terminal, enum terminal_kind kind, const char *color, uint64_t now)
{
	memset(terminal, 0, sizeof(*terminal));
	terminal->rows = 24;
	terminal->columns = 80;
	terminal->always_colors = strcmp(color, "always") == 0;
	terminal->no_colors = strcmp(color, "never") == 0;
	set_kind(terminal, kind);
	if (kind == TERMINAL_UNKNOWN) {
		terminal->question = ASK_KIND;
		terminal->asked = now;
		terminal_text(terminal, "\x1b[c"); /* primary device attributes */
	} else {
		terminal_ask_size(terminal, now);
	}
}

/* The far corner, of the screen and no region, is wherever the cursor gets stuck on the way to one that is too far. */
void terminal_ask_size(struct terminal *terminal, uint64_t now)
{
	if (!terminal_draws(terminal) || terminal->question != ASK_NOTHING)
		return;
	terminal->question = ASK_SIZE;
	terminal->asked = now;
	terminal->answer_len = 0;
	terminal_text(terminal, "\x1b" "7\x1b[?6l\x1b[999;999H\x1b[6n\x1b" "8");
}

/* --- answers ---------------------------------------------------------------------------------- */

/* Numbers of the sequence in `answer` into `values`; how many there are. */
static unsigned numbers(const struct terminal *terminal, unsigned *values, unsigned max)
{
	unsigned count = 0;
	bool fresh = true;

	for (size_t i = 2; i < terminal->answer_len; i++) {
		char c = terminal->answer[i];

		if (c < '0' || c > '9') {
			fresh = true;
			continue;
		}
		if (fresh && count == max)
			break;
		if (fresh)
			values[count++] = 0;
		fresh = false;
		if (values[count - 1] < 10000)
			values[count - 1] = values[count - 1] * 10 + (unsigned)(c - '0');
	}
	return count;
}

/* A class of 62 and above names what else it has; 22 is colour. */
static enum terminal_kind kind_of(const unsigned *values, unsigned count)
{
	for (unsigned i = 1; i < count; i++)
		if (values[0] >= 62 && values[i] == 22)
			return TERMINAL_COLOR;
	return TERMINAL_MONO;
}

static unsigned within(unsigned value, unsigned least, unsigned most)
{
	return value < least ? least : value > most ? most : value;
}

static void answered(struct terminal *terminal)
{
	unsigned values[16] = {0}, count = numbers(terminal, values, 16);
	unsigned rows = terminal->rows, columns = terminal->columns;
	enum question question = terminal->question;

	terminal->question = ASK_NOTHING;
	terminal->answer_len = 0;
	if (question == ASK_KIND) {
		set_kind(terminal, kind_of(values, count));
		terminal_ask_size(terminal, terminal->asked);
	} else if (count == 2) {
		terminal->rows = within(values[0], 4, ROWS_MAX);
		terminal->columns = within(values[1], 20, COLUMNS_MAX);
		terminal->resized |= terminal->rows != rows || terminal->columns != columns;
	}
}

/* Is it the answer so far? ESC [ then digits, semicolons and, for what it is, a question mark; then the last byte. */
static bool fits(const struct terminal *terminal, bool *complete)
{
	size_t last = terminal->answer_len - 1;
	char c = terminal->answer[last];

	*complete = false;
	if (last < 2)
		return c == "\x1b["[last];
	if (terminal->question == ASK_KIND && last == 2)
		return c == '?';
	if ((c >= '0' && c <= '9') || c == ';')
		return terminal->answer_len < ANSWER_LEN;
	*complete = c == (terminal->question == ASK_KIND ? 'c' : 'R');
	return *complete;
}

bool terminal_takes(struct terminal *terminal, uint8_t byte)
{
	bool complete;

	if (terminal->question == ASK_NOTHING || (terminal->answer_len == 0 && byte != 0x1b)) {
		terminal->answer[0] = (char)byte;
		terminal->answer_len = 1;
		return false;
	}
	terminal->answer[terminal->answer_len++] = (char)byte;
	if (!fits(terminal, &complete))
		return false;
	if (complete)
		answered(terminal);
	return true;
}

bool terminal_late(struct terminal *terminal, uint64_t now)
{
	if (now < terminal_deadline(terminal))
		return false;
	if (terminal->question == ASK_KIND)
		set_kind(terminal, TERMINAL_DUMB);
	terminal->question = ASK_NOTHING;
	return true;
}

uint64_t terminal_deadline(const struct terminal *terminal)
{
	return terminal->question == ASK_NOTHING ? UINT64_MAX : terminal->asked + ANSWER_TIME;
}

bool terminal_waits(const struct terminal *terminal)
{
	return terminal->question != ASK_NOTHING;
}

/* --- output ----------------------------------------------------------------------------------- */

size_t terminal_room(const struct terminal *terminal)
{
	return TERMINAL_BUFFER - terminal->len;
}

void terminal_put(struct terminal *terminal, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	for (size_t i = 0; i < len && terminal->len < TERMINAL_BUFFER; i++)
		terminal->waiting[(terminal->from + terminal->len++) % TERMINAL_BUFFER] = from[i];
}

void terminal_text(struct terminal *terminal, const char *text)
{
	terminal_put(terminal, text, strlen(text));
}

void terminal_printf(struct terminal *terminal, const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	terminal_text(terminal, line);
}

void terminal_flush(struct terminal *terminal)
{
	while (terminal->len > 0) {
		size_t run = TERMINAL_BUFFER - terminal->from;
		struct diosix_result done;

		if (run > terminal->len)
			run = terminal->len;
		if (run > DIOSIX_BATCH_LEN)
			run = DIOSIX_BATCH_LEN;
		done = diosix_console_write(terminal->waiting + terminal->from, run);
		if (done.error != DIOSIX_OK || done.value == 0 || done.value > run)
			return;
		terminal->from = (terminal->from + done.value) % TERMINAL_BUFFER;
		terminal->len -= done.value;
	}
}
