/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "json.h"

struct reader {
	char *at, *end; /* *end is a zero */
	struct text *why;
};

static bool refuse(struct reader *reader, const char *why)
{
	if (reader->why->len == 0)
		text_add(reader->why, "%s", why);
	return false;
}

static void skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) && *reader->at)
		reader->at++;
}

static bool take(struct reader *reader, char c)
{
	skip_blanks(reader);
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

/* --- strings ------------------------------------------------------------------------------------ */

/* RFC 3629: bytes of the character at `at`, 0 when it is none. Overlong forms and surrogates are none. */
static size_t utf8_len(const char *at, const char *end)
{
	const uint8_t *b = (const uint8_t *)at;
	size_t len = b[0] < 0x80 ? 1 : b[0] < 0xc2 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : b[0] < 0xf5 ? 4 : 0;

	if (len > (size_t)(end - at))
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f) || (b[0] == 0xf0 && b[1] < 0x90) ||
	    (b[0] == 0xf4 && b[1] > 0x8f))
		return 0;
	return len;
}

static char *put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
		return to;
	}
	if (c >= 0x10000) {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
	} else if (c >= 0x800) {
		*to++ = (char)(0xe0 | c >> 12);
	} else {
		*to++ = (char)(0xc0 | c >> 6);
	}
	if (c >= 0x800)
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	*to++ = (char)(0x80 | (c & 0x3f));
	return to;
}

static bool hex4(struct reader *reader, uint32_t *value)
{
	*value = 0;
	for (unsigned i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *digit = reader->at < reader->end && *reader->at ? strchr(digits, *reader->at) : NULL;

		if (!digit)
			return refuse(reader, "\\u needs four hexadecimal digits");
		*value = *value << 4 | ((uint32_t)(digit - digits) & 15);
		reader->at++;
	}
	return true;
}

/* Behind a \u: one of them, or two surrogates. */
static bool unicode(struct reader *reader, char **to)
{
	uint32_t high, low;

	if (!hex4(reader, &high))
		return false;
	if (high >= 0xd800 && high < 0xe000) {
		if (high >= 0xdc00 || reader->end - reader->at < 2 || reader->at[0] != '\\' || reader->at[1] != 'u')
			return refuse(reader, "half of a pair of surrogates");
		reader->at += 2;
		if (!hex4(reader, &low))
			return false;
		if (low < 0xdc00 || low >= 0xe000)
			return refuse(reader, "half of a pair of surrogates");
		high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	}
	*to = put_utf8(*to, high);
	return true;
}

static bool escape(struct reader *reader, char **to)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	char c = *reader->at++;
	const char *name = c ? strchr(names, c) : NULL;

	if (c == 'u')
		return unicode(reader, to);
	if (!name)
		return refuse(reader, "an escape that there is not");
	*(*to)++ = values[name - names];
	return true;
}

/* Behind the quote. What is decoded is never longer than what it stands for. */
static bool string(struct reader *reader, char **text, size_t *len)
{
	char *to = reader->at;

	*text = to;
	while (reader->at < reader->end && *reader->at != '"') {
		size_t bytes = utf8_len(reader->at, reader->end);

		if (bytes == 0)
			return refuse(reader, "the line is not UTF-8");
		if ((uint8_t)*reader->at < ' ')
			return refuse(reader, "a control character in a string");
		if (*reader->at == '\\') {
			reader->at++;
			if (!escape(reader, &to))
				return false;
			continue;
		}
		memmove(to, reader->at, bytes);
		to += bytes;
		reader->at += bytes;
	}
	if (reader->at == reader->end)
		return refuse(reader, "a string without an end");
	reader->at++;
	*to = '\0';
	*len = (size_t)(to - *text);
	return true;
}

/* --- values ------------------------------------------------------------------------------------- */

static bool number(struct reader *reader, struct json_member *member)
{
	const char *from = reader->at;

	member->kind = JSON_NUMBER;
	for (; *reader->at >= '0' && *reader->at <= '9'; reader->at++) {
		unsigned digit = (unsigned)(*reader->at - '0');

		if (member->number > (UINT64_MAX - digit) / 10)
			return refuse(reader, "a number that is too large");
		member->number = member->number * 10 + digit;
	}
	if (reader->at == from || (*from == '0' && reader->at > from + 1) || (*reader->at && strchr(".eE", *reader->at)))
		return refuse(reader, "numbers are whole, from 0 on");
	return true;
}

static bool value(struct reader *reader, struct json_member *member)
{
	static const struct {
		const char *word;
		enum json_kind kind;
		uint64_t number;
	} words[] = {{"true", JSON_BOOL, 1}, {"false", JSON_BOOL, 0}, {"null", JSON_NULL, 0}};

	if (take(reader, '"')) {
		member->kind = JSON_STRING;
		return string(reader, &member->text, &member->len);
	}
	for (unsigned i = 0; i < 3; i++) {
		size_t len = strlen(words[i].word);

		if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, words[i].word, len) != 0)
			continue;
		reader->at += len;
		member->kind = words[i].kind;
		member->number = words[i].number;
		return true;
	}
	if (*reader->at == '{' || *reader->at == '[')
		return refuse(reader, "a request has no objects and no lists in it");
	return number(reader, member);
}

static bool member(struct reader *reader, struct json_object *object)
{
	struct json_member *next = &object->members[object->count];
	size_t len;

	if (object->count == JSON_MEMBERS)
		return refuse(reader, "a request has at most 8 members");
	memset(next, 0, sizeof(*next));
	if (!take(reader, '"'))
		return refuse(reader, "a member begins with its name in quotes");
	if (!string(reader, &next->name, &len))
		return false;
	if (strlen(next->name) != len || json_find(object, next->name))
		return refuse(reader, "a name that is no name, or there twice");
	if (!take(reader, ':'))
		return refuse(reader, "a colon is missing behind a name");
	if (!value(reader, next))
		return false;
	object->count++;
	return true;
}

bool json_read(char *line, size_t len, struct json_object *object, struct text *why)
{
	struct reader reader = {.at = line, .end = line + len, .why = why};

	object->count = 0;
	line[len] = '\0';
	if (!take(&reader, '{'))
		return refuse(&reader, "a request is an object: {\"id\": 1, \"command\": \"list\"}");
	if (!take(&reader, '}')) {
		do {
			if (!member(&reader, object))
				return false;
		} while (take(&reader, ','));
		if (!take(&reader, '}'))
			return refuse(&reader, "a comma or the closing brace is missing");
	}
	skip_blanks(&reader);
	return reader.at == reader.end || refuse(&reader, "something follows the object");
}

const struct json_member *json_find(const struct json_object *object, const char *name)
{
	for (unsigned i = 0; i < object->count; i++)
		if (strcmp(object->members[i].name, name) == 0)
			return &object->members[i];
	return NULL;
}

long json_bytes_of(char *text, size_t len)
{
	char *to = text;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)text[i];

		if (c >= 0x80) {
			if ((c != 0xc2 && c != 0xc3) || i + 1 == len)
				return -1;
			c = (uint8_t)(c << 6 | ((uint8_t)text[++i] & 0x3f));
		}
		*to++ = (char)c;
	}
	return to - text;
}
