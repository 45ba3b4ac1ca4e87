/* SPDX-License-Identifier: MIT */
#include "diag.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A source line is shown in at most so many columns, moved so that the caret is in it. */
#define SHOWN_COLUMNS 88u

static bool no_color;
static bool quiet;

enum look { LOOK_PLAIN, LOOK_BOLD, LOOK_ERROR, LOOK_WARNING, LOOK_HINT };

static const char *const look_codes[] = {
	[LOOK_PLAIN] = "\033[0m",      [LOOK_BOLD] = "\033[1m",    [LOOK_ERROR] = "\033[1;31m",
	[LOOK_WARNING] = "\033[1;35m", [LOOK_HINT] = "\033[1;32m",
};

void diag_no_color(void)
{
	no_color = true;
}

void diag_quiet(void)
{
	quiet = true;
}

static bool smart_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

bool diag_can_draw(void)
{
	return !quiet && smart_terminal();
}

bool diag_wants_color(void)
{
	const char *env = getenv("NO_COLOR");

	return !no_color && !(env && *env);
}

static void look(enum look wanted)
{
	if (diag_wants_color() && smart_terminal())
		fputs(look_codes[wanted], stderr);
}

/* Length of the UTF-8 sequence at s, or 0 when it is none or one that a terminal obeys. */
static size_t printable(const char *s, size_t len)
{
	unsigned char c = (unsigned char)s[0];
	size_t n = c < 0x80                ? 1
		   : c >= 0xc2 && c < 0xe0 ? 2
		   : (c & 0xf0) == 0xe0    ? 3
		   : c >= 0xf0 && c < 0xf5 ? 4
					   : 0;

	if (c < 0x20 || c == 0x7f || n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
	}
	if (c == 0xc2 && (unsigned char)s[1] < 0xa0)
		return 0;
	return n;
}

void diag_put_clean(FILE *out, const char *s, size_t len)
{
	while (len > 0) {
		size_t n = printable(s, len);

		if (n == 0 && *s != '\t')
			fputc('?', out);
		else
			fwrite(s, 1, n ? n : 1, out);
		s += n ? n : 1;
		len -= n ? n : 1;
	}
}

/* Bytes of the first `count` characters of s. */
static size_t bytes_of(const char *s, size_t len, uint32_t count)
{
	size_t at = 0;

	while (at < len && count-- > 0) {
		size_t n = printable(s + at, len - at);

		at += n ? n : 1;
	}
	return at;
}

/* The given line of the source, without its end; false when there is none. */
static bool find_line(const struct diag_source *source, uint32_t line, const char **start,
		      size_t *len)
{
	const char *at = source->text, *end = source->text + source->len;
	const char *stop;

	while (at && --line > 0) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	if (!at || at >= end)
		return false;
	stop = memchr(at, '\n', (size_t)(end - at));
	*start = at;
	*len = (size_t)((stop ? stop : end) - at);
	if (*len > 0 && at[*len - 1] == '\r')
		--*len;
	return true;
}

static void show_line(const struct diag_source *source, struct diag_place place, const char *hint)
{
	const char *line;
	size_t len, caret, shown, skip = 0;

	if (!find_line(source, place.line, &line, &len))
		return;
	if (place.column > SHOWN_COLUMNS - 20)
		skip = bytes_of(line, len, place.column - 20);
	caret = bytes_of(line, len, place.column - 1);
	shown = bytes_of(line + skip, len - skip, SHOWN_COLUMNS);
	fprintf(stderr, "%5u | ", place.line);
	diag_put_clean(stderr, line + skip, shown);
	fputs("\n      | ", stderr);
	for (size_t i = skip; i < caret; i++) {
		/* One blank a character; a tab stays one, so that the caret stands beneath. */
		if (((unsigned char)line[i] & 0xc0) != 0x80)
			fputc(line[i] == '\t' ? '\t' : ' ', stderr);
	}
	look(LOOK_HINT);
	for (uint32_t i = 0; i == 0 || (i < place.length && caret + i < skip + shown); i++)
		fputc('^', stderr);
	if (hint) {
		fputc(' ', stderr);
		diag_put_clean(stderr, hint, strlen(hint));
	}
	look(LOOK_PLAIN);
	fputc('\n', stderr);
}

/* The one function that all messages pass through. */
static void emit(const char *path, struct diag_place place, enum look kind, const char *word,
		 const char *format, va_list args)
{
	char message[2048];

	vsnprintf(message, sizeof(message), format, args);
	/* What goes to stdout and stderr of one terminal keeps its order. */
	fflush(stdout);
	look(LOOK_BOLD);
	diag_put_clean(stderr, path, strlen(path));
	if (place.line)
		fprintf(stderr, ":%u:%u", place.line, place.column);
	fputs(": ", stderr);
	look(LOOK_PLAIN);
	look(kind);
	fputs(word, stderr);
	look(LOOK_PLAIN);
	diag_put_clean(stderr, message, strlen(message));
	fputc('\n', stderr);
}

static const struct diag_place nowhere;

void diag_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	emit("dmfs", nowhere, LOOK_ERROR, "error: ", format, args);
	va_end(args);
}

void diag_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	emit("dmfs", nowhere, LOOK_WARNING, "warning: ", format, args);
	va_end(args);
}

void diag_info(const char *format, ...)
{
	va_list args;

	if (quiet)
		return;
	va_start(args, format);
	emit("dmfs", nowhere, LOOK_PLAIN, "", format, args);
	va_end(args);
}

void diag_error_at_v(const struct diag_source *source, struct diag_place place, const char *hint,
		     const char *format, va_list args)
{
	emit(source->path, place, LOOK_ERROR, "error: ", format, args);
	if (place.line)
		show_line(source, place, hint);
}

void diag_warning_at_v(const struct diag_source *source, struct diag_place place, const char *hint,
		       const char *format, va_list args)
{
	emit(source->path, place, LOOK_WARNING, "warning: ", format, args);
	if (place.line)
		show_line(source, place, hint);
}

void diag_error_at(const struct diag_source *source, struct diag_place place, const char *hint,
		   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diag_error_at_v(source, place, hint, format, args);
	va_end(args);
}

int diag_file(const char *doing, const char *path, int error)
{
	diag_error("cannot %s '%s': %s", doing, path, strerror(error));
	return STATUS_FAILED;
}
