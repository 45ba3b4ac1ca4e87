/* SPDX-License-Identifier: MIT */
/*
 * What the tools say to people, on standard error. All of it passes through one function, which
 * colours it on a terminal and makes bytes that would steer a terminal harmless.
 */
#ifndef COMMON_DIAG_H
#define COMMON_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit statuses of every subcommand. */
enum exit_status {
	STATUS_DONE = 0,
	STATUS_REFUSED = 1, /* an image, signature or manifest is refused or invalid */
	STATUS_USAGE = 2,
	STATUS_FAILED = 3, /* a file or the system failed */
	STATUS_TIMEOUT = 124,
};

/* A text that errors point into; `path` is what people call it. */
struct diag_source {
	const char *path;
	const char *text;
	size_t len;
};

/* Where in it, from 1, in characters; line 0 is nowhere. */
struct diag_place {
	uint32_t line;
	uint32_t column;
	uint32_t length;
};

/* Both are off unless called; NO_COLOR, TERM=dumb and a stderr that is no terminal also turn colour
 * off. */
void diag_no_color(void);
void diag_quiet(void);

/* Neither diag_no_color() nor NO_COLOR has been said. */
bool diag_wants_color(void);

/* Is standard error a terminal that may be drawn on, and is something wanted there? */
bool diag_can_draw(void);

/* "dmfs: error: ..."; a message is a sentence without a full stop. */
void diag_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void diag_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "dmfs: ..."; nothing after diag_quiet(). */
void diag_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * "path:line:column: error: ..." with the source line, a caret and the hint, which may be NULL.
 */
void diag_error_at(const struct diag_source *source, struct diag_place place, const char *hint,
		   const char *format, ...) __attribute__((format(printf, 4, 5)));
void diag_error_at_v(const struct diag_source *source, struct diag_place place, const char *hint,
		     const char *format, va_list args);

/* The same with the word "warning". */
void diag_warning_at_v(const struct diag_source *source, struct diag_place place, const char *hint,
		       const char *format, va_list args);

/* Text of unknown origin, what would steer a terminal replaced by question marks. */
void diag_put_clean(FILE *out, const char *s, size_t len);

/* diag_error() for a file that failed with errno `error`; always STATUS_FAILED. */
int diag_file(const char *doing, const char *path, int error);

#endif
