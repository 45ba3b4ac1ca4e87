/* SPDX-License-Identifier: MIT */
/*
 * Writes JSON (RFC 8259), indented by two blanks. `key` is NULL inside an array and at the top.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	unsigned depth;
	bool started; /* something stands before on this level */
};

/*
 * Begins what a command prints with --json: an object with `schema`, which is raised when a field
 * changes its meaning or goes away (docs/schemas describes each), and `command`. json_end_object()
 * ends it.
 */
#define JSON_SCHEMA 1u
void json_begin_result(struct json *json, const char *command);

void json_begin_object(struct json *json, const char *key);
void json_end_object(struct json *json);
void json_begin_array(struct json *json, const char *key);
void json_end_array(struct json *json);
/* Bytes that are no UTF-8 become U+FFFD. A NULL `text` is the value null. */
void json_text(struct json *json, const char *key, const char *text);
void json_bytes(struct json *json, const char *key, const char *text, size_t len);
void json_number(struct json *json, const char *key, uint64_t value);
/* A hexadecimal string, "0x80200000", for addresses. */
void json_address(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);

#endif
