/* SPDX-License-Identifier: MIT */
/* Text that grows in somebody's buffer; what does not fit is left out, and it stays zero-terminated. */
#ifndef CONSOLE_TEXT_H
#define CONSOLE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *bytes;
	size_t size, len; /* size counts the terminating zero */
	bool cut;	  /* something was left out */
};

#define TEXT_IN(array) ((struct text){.bytes = (array), .size = sizeof(array)})

void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_bytes(struct text *text, const void *bytes, size_t len);

#endif
