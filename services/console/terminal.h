/* SPDX-License-Identifier: MIT */
/*
 * The terminal at the other end of the board's line: what it can, how large it is, and the bytes on their way to it. Times
 * are in microseconds.
 */
#ifndef CONSOLE_TERMINAL_H
#define CONSOLE_TERMINAL_H

#include "text.h"

enum terminal_kind {
	TERMINAL_UNKNOWN, /* it is being asked */
	TERMINAL_DUMB,	  /* lines only: it never gets an escape sequence from here */
	TERMINAL_VT100,	  /* it gets what a VT100 has, and nothing else */
	TERMINAL_MONO,	  /* a later one, or one that ignores what it does not know; without colour */
	TERMINAL_COLOR,
};

enum style {
	STYLE_PLAIN,
	STYLE_BAR,
	STYLE_HEAD,
	STYLE_LOG,
	STYLE_ERROR,
	STYLE_WARNING,
	STYLE_CAPSULE, /* this and the next ones: a colour for each of some capsules */
};
#define CAPSULE_COLORS 10u

#define TERMINAL_BUFFER 65536u
#define ANSWER_TIME	500000u /* how long a terminal may think about a question */
#define ANSWER_LEN	64u

enum question { ASK_NOTHING, ASK_KIND, ASK_SIZE };

struct terminal {
	enum terminal_kind kind;
	bool colors, no_colors, always_colors;
	bool resized; /* the size has changed since somebody looked */
	unsigned rows, columns;
	/* The question that waits for an answer, and what of it has come. */
	enum question question;
	uint64_t asked;
	char answer[ANSWER_LEN];
	size_t answer_len;
	/* What the line has not taken yet: a ring. */
	uint8_t waiting[TERMINAL_BUFFER];
	size_t from, len;
};

/* `kind` UNKNOWN asks it. `color` is "auto", "always" or "never". */
void terminal_begin(struct terminal *terminal, enum terminal_kind kind, const char *color, uint64_t now);
/* Does it understand escape sequences? */
bool terminal_draws(const struct terminal *terminal);
void terminal_ask_size(struct terminal *terminal, uint64_t now);

/*
 * A byte from the line. True when it belongs to an answer, or may: if it then does not, what was held back is in
 * `answer`, `answer_len` bytes, when this says false, and the byte is the last of them.
 */
bool terminal_takes(struct terminal *terminal, uint8_t byte);
/* No answer in time: what was held back is left in `answer`, and true. */
bool terminal_late(struct terminal *terminal, uint64_t now);
/* When terminal_late() wants to be called; UINT64_MAX for never. */
uint64_t terminal_deadline(const struct terminal *terminal);
/* Has it been asked something and not answered? */
bool terminal_waits(const struct terminal *terminal);

/* Queues bytes; there is room for terminal_room() of them. */
size_t terminal_room(const struct terminal *terminal);
void terminal_put(struct terminal *terminal, const void *bytes, size_t len);
void terminal_text(struct terminal *terminal, const char *text);
void terminal_printf(struct terminal *terminal, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Hands to the line what it takes. */
void terminal_flush(struct terminal *terminal);

/* Sequences; empty where the terminal has no such thing. */
const char *terminal_style(const struct terminal *terminal, unsigned style);
/* Switches off what the last program has switched on, but stays on its screen and where the cursor is. */
const char *terminal_modes(const struct terminal *terminal);
/* The same, and leaves an alternate screen. Origin mode ends with terminal_clear(), as that moves the cursor. */
const char *terminal_reset(const struct terminal *terminal);
const char *terminal_cursor(const struct terminal *terminal, bool visible);
const char *terminal_clear(const struct terminal *terminal);

#endif
