/* SPDX-License-Identifier: MIT */
#include "plain.h"

#include <string.h>

#define ESC 0x1b

enum { OUTSIDE, AFTER_ESCAPE, IN_SEQUENCE, IN_STRING, STRING_ESCAPE };

/* Is the byte part of an escape sequence (ECMA-48 5.4 and 5.6)? */
static bool in_escape(struct plain *plain, uint8_t byte)
{
	switch (plain->escape) {
	case OUTSIDE:
		if (byte != ESC)
			return false;
		plain->escape = AFTER_ESCAPE;
		return true;
	case AFTER_ESCAPE:
		if (byte == '[')
			plain->escape = IN_SEQUENCE;
		else if (byte && strchr("]PX^_", byte))
			plain->escape = IN_STRING;
		else if (byte != ESC && (byte < 0x20 || byte > 0x2f)) /* those come before a last byte: ESC ( B */
			plain->escape = OUTSIDE;
		return true;
	case IN_SEQUENCE:
		if (byte == ESC)
			plain->escape = AFTER_ESCAPE;
		/* Nobody ends a line within one: it was cut short. */
		else if (byte >= 0x40 || byte == '\n')
			plain->escape = OUTSIDE;
		return byte != '\n';
	default:
		if (byte == 0x07 || byte == '\n' || (plain->escape == STRING_ESCAPE && byte == '\\'))
			plain->escape = OUTSIDE;
		else
			plain->escape = byte == ESC ? STRING_ESCAPE : IN_STRING;
		return byte != '\n';
	}
}

static uint8_t rest_of(uint8_t first)
{
	return first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

size_t plain_take(struct plain *plain, uint8_t byte, uint8_t text[2])
{
	bool more = plain->rest > 0 && (byte & 0xc0) == 0x80, held = plain->held && more;
	size_t len = 0;

	plain->rest = more ? plain->rest - 1 : rest_of(byte);
	plain->held = !more && byte == 0xc2;
	/* C1, U+0080 to U+009F, as one byte or as two: each is ESC and a letter. */
	if ((byte & 0xe0) == 0x80 && (held || !more)) {
		in_escape(plain, ESC);
		in_escape(plain, byte - 0x40);
		return 0;
	}
	if (in_escape(plain, byte) || plain->held)
		return 0;
	if (held)
		text[len++] = 0xc2;
	text[len++] = byte;
	return len;
}
