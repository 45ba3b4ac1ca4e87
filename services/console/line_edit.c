/* SPDX-License-Identifier: MIT */
#include "line_edit.h"

#include <string.h>

#include "keys.h"
#include "text.h"

void line_clear(struct line_edit *line)
{
	line->text[0] = '\0';
	line->len = line->cursor = line->back = 0;
}

static void set(struct line_edit *line, const char *text)
{
	line->len = line->cursor = strlen(text);
	memcpy(line->text, text, line->len + 1);
}

static void insert(struct line_edit *line, const char *text, size_t len)
{
	if (line->len + len > LINE_LEN)
		return;
	memmove(line->text + line->cursor + len, line->text + line->cursor, line->len - line->cursor + 1);
	memcpy(line->text + line->cursor, text, len);
	line->len += len;
	line->cursor += len;
}

/* What is between the two, in any order, goes away, and the cursor is there. */
static void cut(struct line_edit *line, size_t a, size_t b)
{
	size_t from = a < b ? a : b, to = a < b ? b : a;

	memmove(line->text + from, line->text + to, line->len - to + 1);
	line->len -= to - from;
	line->cursor = from;
}

static size_t word_begin(const struct line_edit *line)
{
	size_t at = line->cursor;

	while (at > 0 && line->text[at - 1] == ' ')
		at--;
	while (at > 0 && line->text[at - 1] != ' ')
		at--;
	return at;
}

/* --- history ------------------------------------------------------------------------------------ */

static const char *remembered(const struct line_edit *line, unsigned back)
{
	return line->history[(line->remembered - back) % HISTORY_LEN];
}

void line_remember(struct line_edit *line)
{
	if (line->len == 0 || (line->remembered > 0 && strcmp(remembered(line, 1), line->text) == 0))
		return;
	memcpy(line->history[line->remembered++ % HISTORY_LEN], line->text, line->len + 1);
}

static void recall(struct line_edit *line, unsigned back)
{
	unsigned most = line->remembered < HISTORY_LEN ? line->remembered : HISTORY_LEN;

	if (back > most)
		return;
	if (line->back == 0)
		memcpy(line->typed, line->text, line->len + 1);
	line->back = back;
	set(line, back == 0 ? line->typed : remembered(line, back));
}

/* --- completion --------------------------------------------------------------------------------- */

static size_t completed_word(const struct line_edit *line)
{
	size_t at = line->cursor;

	while (at > 0 && line->text[at - 1] != ' ' && line->text[at - 1] != ':')
		at--;
	return at;
}

/* The next candidate from `*index` on that begins as the word does. */
static const char *next_match(const struct line_edit *line, size_t word, unsigned *index)
{
	const char *other;

	while ((other = line->candidate(line->context, line->text, word, (*index)++)) != NULL)
		if (strncmp(other, line->text + word, line->cursor - word) == 0)
			return other;
	return NULL;
}

static enum line_result complete(struct line_edit *line)
{
	size_t word = completed_word(line), typed = line->cursor - word, common = 0;
	const char *first = NULL, *other;
	unsigned index = 0, count = 0;

	if (!line->candidate)
		return LINE_GOES_ON;
	while ((other = next_match(line, word, &index)) != NULL) {
		if (count++ == 0) {
			first = other;
			common = strlen(first);
		}
		for (size_t i = typed; i < common; i++)
			if (first[i] != other[i])
				common = i;
	}
	if (count == 0)
		return LINE_GOES_ON;
	insert(line, first + typed, common - typed);
	if (count == 1 && line->cursor == line->len)
		insert(line, " ", 1);
	return count > 1 && common == typed ? LINE_AMBIGUOUS : LINE_GOES_ON;
}

void line_candidates(const struct line_edit *line, char *buffer, size_t size)
{
	struct text text = {.bytes = buffer, .size = size};
	size_t word = completed_word(line);
	unsigned index = 0;
	const char *other;

	buffer[0] = '\0';
	while (line->candidate && (other = next_match(line, word, &index)) != NULL)
		text_add(&text, "%s%s", text.len > 0 ? " " : "", other);
}

/* --- keys --------------------------------------------------------------------------------------- */

static void move_or_cut(struct line_edit *line, int key)
{
	switch (key) {
	case KEY_LEFT:
	case KEY_CTRL('B'):
		line->cursor -= line->cursor > 0;
		break;
	case KEY_RIGHT:
	case KEY_CTRL('F'):
		line->cursor += line->cursor < line->len;
		break;
	case KEY_HOME:
	case KEY_CTRL('A'):
		line->cursor = 0;
		break;
	case KEY_END:
	case KEY_CTRL('E'):
		line->cursor = line->len;
		break;
	case KEY_RUBOUT:
	case KEY_CTRL('H'):
		cut(line, line->cursor - (line->cursor > 0), line->cursor);
		break;
	case KEY_DELETE:
	case KEY_CTRL('D'):
		cut(line, line->cursor, line->cursor + (line->cursor < line->len));
		break;
	case KEY_CTRL('U'):
		cut(line, 0, line->cursor);
		break;
	case KEY_CTRL('K'):
		cut(line, line->cursor, line->len);
		break;
	case KEY_CTRL('W'):
		cut(line, word_begin(line), line->cursor);
		break;
	}
}

enum line_result line_key(struct line_edit *line, int key)
{
	char byte = (char)key;

	switch (key) {
	case '\r':
	case '\n':
		return LINE_DONE;
	case KEY_ESCAPE:
	case KEY_SWITCH:
	case KEY_CTRL('C'):
		return LINE_CANCELLED;
	case '\t':
		return complete(line);
	case KEY_UP:
	case KEY_CTRL('P'):
		recall(line, line->back + 1);
		return LINE_GOES_ON;
	case KEY_DOWN:
	case KEY_CTRL('N'):
		if (line->back > 0)
			recall(line, line->back - 1);
		return LINE_GOES_ON;
	}
	if (key >= ' ' && key < KEY_RUBOUT)
		insert(line, &byte, 1);
	else
		move_or_cut(line, key);
	return LINE_GOES_ON;
}
