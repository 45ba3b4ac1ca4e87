/* SPDX-License-Identifier: MIT */
/* JSON (RFC 8259) as the control port has it: flat objects are read, anything is written. */
#ifndef CONSOLE_JSON_H
#define CONSOLE_JSON_H

#include "text.h"

#define JSON_MEMBERS 8u

enum json_kind { JSON_STRING, JSON_NUMBER, JSON_BOOL, JSON_NULL };

struct json_member {
	char *name;
	enum json_kind kind;
	char *text;	 /* of a string: UTF-8 that may hold zeros, and is terminated by one more */
	size_t len;
	uint64_t number; /* whole ones from 0 on; 1 for true */
};

struct json_object {
	struct json_member members[JSON_MEMBERS];
	unsigned count;
};

/*
 * Reads one object that has no others in it, in place: the line is changed, has room for a zero behind it, and the members
 * point into it. False with a sentence when it is no such thing.
 */
bool json_read(char *line, size_t len, struct json_object *object, struct text *why);
/* The member of that name, or NULL. */
const struct json_member *json_find(const struct json_object *object, const char *name);
/*
 * Characters of UTF-8 that stand for a byte each, in place; how many bytes, or -1 when one of them is beyond U+00FF.
 */
long json_bytes_of(char *text, size_t len);

/* A string of characters that stand for a byte each. */
void json_add_bytes(struct text *text, const void *bytes, size_t len);
/* A string of text; what is not printable ASCII becomes '?'. */
void json_add_text(struct text *text, const char *bytes, size_t len);

#endif
