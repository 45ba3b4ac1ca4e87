/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <inttypes.h>
#include <string.h>

static void put_char(struct json *json, unsigned char c)
{
	if (c == '"' || c == '\\')
		fprintf(json->out, "\\%c", c);
	else if (c < 0x20 || c == 0x7f)
		fprintf(json->out, "\\u%04x", c);
	else
		fputc(c, json->out);
}

/* Length of the well-formed UTF-8 sequence at s (Unicode table 3-7), 0 when there is none. */
static size_t sequence(const unsigned char *s, size_t len)
{
	size_t n = s[0] < 0x80   ? 1
		   : s[0] < 0xc2 ? 0
		   : s[0] < 0xe0 ? 2
		   : s[0] < 0xf0 ? 3
		   : s[0] < 0xf5 ? 4
				 : 0;

	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void put_string(struct json *json, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;

	fputc('"', json->out);
	for (size_t i = 0; i < len;) {
		size_t n = sequence(s + i, len - i);

		if (n == 1)
			put_char(json, s[i]);
		else if (n > 1)
			fwrite(s + i, 1, n, json->out);
		else
			fputs("\\ufffd", json->out);
		i += n ? n : 1;
	}
	fputc('"', json->out);
}

static void new_line(struct json *json)
{
	fputc('\n', json->out);
	for (unsigned i = 0; i < json->depth; i++)
		fputs("  ", json->out);
}

static void before_value(struct json *json, const char *key)
{
	if (json->started)
		fputc(',', json->out);
	if (json->depth > 0)
		new_line(json);
	if (key) {
		put_string(json, key, strlen(key));
		fputs(": ", json->out);
	}
	json->started = true;
}

static void begin(struct json *json, const char *key, char bracket)
{
	before_value(json, key);
	fputc(bracket, json->out);
	json->depth++;
	json->started = false;
}

static void end(struct json *json, char bracket)
{
	json->depth--;
	if (json->started)
		new_line(json);
	fputc(bracket, json->out);
	json->started = true;
	if (json->depth == 0)
		fputc('\n', json->out);
}

void json_begin_object(struct json *json, const char *key)
{
	begin(json, key, '{');
}

void json_end_object(struct json *json)
{
	end(json, '}');
}

void json_begin_array(struct json *json, const char *key)
{
	begin(json, key, '[');
}

void json_end_array(struct json *json)
{
	end(json, ']');
}

void json_begin_result(struct json *json, const char *command)
{
	json_begin_object(json, NULL);
	json_number(json, "schema", JSON_SCHEMA);
	json_text(json, "command", command);
}

void json_text(struct json *json, const char *key, const char *text)
{
	if (text) {
		json_bytes(json, key, text, strlen(text));
		return;
	}
	before_value(json, key);
	fputs("null", json->out);
}

void json_bytes(struct json *json, const char *key, const char *text, size_t len)
{
	before_value(json, key);
	put_string(json, text, len);
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	before_value(json, key);
	fprintf(json->out, "%" PRIu64, value);
}

void json_address(struct json *json, const char *key, uint64_t value)
{
	before_value(json, key);
	fprintf(json->out, "\"0x%" PRIx64 "\"", value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	before_value(json, key);
	fputs(value ? "true" : "false", json->out);
}
