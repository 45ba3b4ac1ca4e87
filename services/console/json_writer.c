/* SPDX-License-Identifier: MIT */
#include "json.h"

static void add_byte(struct text *text, uint8_t byte)
{
	char two[] = {(char)(0xc0 | byte >> 6), (char)(0x80 | (byte & 0x3f))};

	if (byte == '"' || byte == '\\')
		text_add(text, "\\%c", byte);
	else if (byte == '\n')
		text_add(text, "\\n");
	else if (byte < ' ' || byte == 0x7f)
		text_add(text, "\\u%04x", byte);
	else if (byte < 0x80)
		text_bytes(text, &byte, 1);
	else
		text_bytes(text, two, 2);
}

void json_add_bytes(struct text *text, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	text_add(text, "\"");
	for (size_t i = 0; i < len; i++)
		add_byte(text, from[i]);
	text_add(text, "\"");
}

void json_add_text(struct text *text, const char *bytes, size_t len)
{
	text_add(text, "\"");
	for (size_t i = 0; i < len; i++)
		add_byte(text, bytes[i] >= ' ' && bytes[i] <= '~' ? (uint8_t)bytes[i] : '?');
	text_add(text, "\"");
}
