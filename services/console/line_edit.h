/* SPDX-License-Identifier: MIT */
/* One line that is being typed: editing as in a shell, history, completion. It draws nothing. */
#ifndef CONSOLE_LINE_EDIT_H
#define CONSOLE_LINE_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#define LINE_LEN     120u
#define HISTORY_LEN  16u

/*
 * The candidate with this index for the word that begins at `word_at`, NULL after the last. What stands before the word is
 * in `line`.
 */
typedef const char *(*line_candidate)(const void *context, const char *line, size_t word_at, unsigned index);

struct line_edit {
	char text[LINE_LEN + 1];
	size_t len, cursor;
	char history[HISTORY_LEN][LINE_LEN + 1];
	unsigned remembered; /* lines, ever */
	unsigned back;	     /* how many lines back in history this one is; 0 is the one being typed */
	char typed[LINE_LEN + 1]; /* that one, meanwhile */
	line_candidate candidate;
	const void *context;
};

enum line_result {
	LINE_GOES_ON,
	LINE_DONE,	/* Enter */
	LINE_CANCELLED, /* Esc, Ctrl-], Ctrl-C */
	LINE_AMBIGUOUS, /* Tab, and several candidates: line_candidates() has them */
};

void line_clear(struct line_edit *line);
enum line_result line_key(struct line_edit *line, int key);
/* Keeps the line for later, unless it is empty or the same as the last. */
void line_remember(struct line_edit *line);
/* The candidates for the word at the cursor, with a blank between them. */
void line_candidates(const struct line_edit *line, char *buffer, size_t size);

#endif
