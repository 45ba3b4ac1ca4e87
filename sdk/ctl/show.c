/* SPDX-License-Identifier: MIT */
#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/diag.h"
#include "common/size.h"

#define COLUMNS_MAX 12
#define LINE_WIDTH  100

static void put(const char *text)
{
	diag_put_clean(stdout, text, strlen(text));
}

/* --- cells ----------------------------------------------------------------------------------- */

static const char *text_cell(struct arena *arena, const json_t *value)
{
	if (json_is_string(value))
		return *json_string_value(value) ? json_string_value(value) : "-";
	if (json_is_integer(value))
		return arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return "-";
}

static const char *size_cell(struct arena *arena, const json_t *value)
{
	char text[24];

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return "-";
	size_text(text, (uint64_t)json_integer_value(value));
	return arena_copy(arena, text, strlen(text));
}

/* Microseconds, as people say them. */
static const char *time_cell(struct arena *arena, const json_t *value)
{
	int64_t us = json_integer_value(value), seconds = us / 1000000;

	if (!json_is_integer(value) || us < 0)
		return "-";
	if (seconds < 60)
		return arena_printf(arena, "%" PRId64 ".%02" PRId64 " s", seconds,
				    us % 1000000 / 10000);
	if (seconds < 86400)
		return arena_printf(arena, "%" PRId64 ":%02" PRId64 ":%02" PRId64, seconds / 3600,
				    seconds / 60 % 60, seconds % 60);
	return arena_printf(arena, "%" PRId64 "d %" PRId64 "h", seconds / 86400,
			    seconds / 3600 % 24);
}

/* The sum of an object's numbers. */
static const char *sum_cell(struct arena *arena, const json_t *value)
{
	const char *key;
	const json_t *number;
	int64_t sum = 0;

	if (!json_is_object(value))
		return "-";
	json_object_foreach((json_t *)(uintptr_t)value, key, number)
		if (__builtin_add_overflow(sum, json_integer_value(number), &sum))
			return "-";
	return arena_printf(arena, "%" PRId64, sum);
}

/* --- tables ---------------------------------------------------------------------------------- */

struct column {
	const char *heading;
	const char *key;
	const char *(*cell)(struct arena *, const json_t *);
	bool right;
};

static const char *cell_of(struct arena *arena, const struct column *column, const json_t *row)
{
	return column->cell(arena, json_object_get(row, column->key));
}

static void put_cell(const char *text, size_t width, bool right, bool last)
{
	size_t len = strlen(text), blanks = len < width ? width - len : 0;

	if (right)
		printf("%*s", (int)blanks, "");
	diag_put_clean(stdout, text, len < width ? len : width);
	if (!right && !last)
		printf("%*s", (int)blanks, "");
	fputs(last ? "\n" : "  ", stdout);
}

/* A row an object. Nothing is cut: what is long stands last. */
static void put_table(const struct column *columns, size_t count, const json_t *rows)
{
	struct arena arena = {NULL};
	size_t width[COLUMNS_MAX], row;
	const json_t *object;

	for (size_t i = 0; i < count; i++) {
		width[i] = strlen(columns[i].heading);
		json_array_foreach(rows, row, object) {
			size_t len = strlen(cell_of(&arena, &columns[i], object));

			width[i] = len > width[i] ? len : width[i];
		}
	}
	for (size_t i = 0; i < count; i++)
		put_cell(columns[i].heading, width[i], columns[i].right, i + 1 == count);
	json_array_foreach(rows, row, object)
		for (size_t i = 0; i < count; i++)
			put_cell(cell_of(&arena, &columns[i], object), width[i], columns[i].right,
				 i + 1 == count);
	arena_free(&arena);
}

#define PUT_TABLE(columns, rows) put_table(columns, sizeof(columns) / sizeof((columns)[0]), rows)

void show_list(const char *capsule, const json_t *result)
{
	static const struct column columns[] = {
		{"NAME", "name", text_cell, false},
		{"KIND", "kind", text_cell, false},
		{"STATE", "state", text_cell, false},
		{"CPUS", "cpus", text_cell, true},
		{"PRIORITY", "priority", text_cell, false},
		{"MEMORY", "memory", size_cell, true},
		{"RESTARTS", "restarts", text_cell, true},
		{"UPTIME", "uptime_us", time_cell, true},
		{"LAST END", "last_end", text_cell, false},
		{"CRASH", "crash", text_cell, false},
	};

	PUT_TABLE(columns, result);
}

/* "linux: timer 12, ecall 5": what made each capsule enter the hypervisor, in lines that fit. */
static void put_exits(struct arena *arena, const json_t *capsule)
{
	const char *name = text_cell(arena, json_object_get(capsule, "name")), *kind;
	const json_t *exits = json_object_get(capsule, "exits"), *number;
	size_t at = strlen(name) + 8;
	bool first = true;

	if (!json_object_size(exits))
		return;
	put(name);
	fputs(" exits: ", stdout);
	json_object_foreach((json_t *)(uintptr_t)exits, kind, number) {
		const char *word = arena_printf(arena, "%s %s", kind, text_cell(arena, number));

		if (!first && at + strlen(word) + 3 > LINE_WIDTH) {
			fputs(",\n    ", stdout);
			at = 4;
		} else if (!first) {
			fputs(", ", stdout);
			at += 2;
		}
		put(word);
		at += strlen(word);
		first = false;
	}
	putchar('\n');
}

void show_stats(const char *capsule, const json_t *result)
{
	static const struct column columns[] = {
		{"NAME", "name", text_cell, false},
		{"CPU TIME", "cpu_us", time_cell, true},
		{"EXITS", "exits", sum_cell, true},
		{"OUTPUT", "output", text_cell, true},
		{"DROPPED", "dropped", text_cell, true},
		{"SENT", "messages_sent", text_cell, true},
		{"RECEIVED", "messages_received", text_cell, true},
		{"GRANTS", "grants", text_cell, true},
	};
	const json_t *board = json_object_get(result, "board"), *each;
	const json_t *capsules = json_object_get(result, "capsules");
	struct arena arena = {NULL};
	size_t i;

	put(arena_printf(&arena, "board: %s harts, isolation %s, %s RAM, %s free, up %s",
			 text_cell(&arena, json_object_get(board, "harts")),
			 text_cell(&arena, json_object_get(board, "isolation")),
			 size_cell(&arena, json_object_get(board, "ram")),
			 size_cell(&arena, json_object_get(board, "free")),
			 time_cell(&arena, json_object_get(board, "time_us"))));
	fputs("\n\n", stdout);
	PUT_TABLE(columns, capsules);
	putchar('\n');
	json_array_foreach(capsules, i, each)
		put_exits(&arena, each);
	arena_free(&arena);
}

/* --- the rest -------------------------------------------------------------------------------- */

void show_words(const char *capsule, const json_t *result)
{
	const json_t *word;
	size_t i;

	if (json_array_size(result) == 0)
		diag_info("%s has no permissions", capsule);
	json_array_foreach(result, i, word) {
		put(json_is_string(word) ? json_string_value(word) : "-");
		putchar('\n');
	}
}

void show_image(const char *capsule, const json_t *result)
{
	static const char *const fields[] = {"name", "version", "rollback"};
	struct arena arena = {NULL};
	const json_t *key;
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		printf("%-10s", fields[i]);
		put(text_cell(&arena, json_object_get(result, fields[i])));
		putchar('\n');
	}
	json_array_foreach(json_object_get(result, "keys"), i, key) {
		printf("%-10s", "key");
		put(text_cell(&arena, key));
		putchar('\n');
	}
	arena_free(&arena);
}

void show_focus(const char *capsule, const json_t *result)
{
	(void)result;
	fputs("input goes to ", stdout);
	put(capsule);
	putchar('\n');
}

void show_state(const char *capsule, const json_t *result)
{
	const char *how = json_string_value(json_object_get(result, "how"));
	struct arena arena = {NULL};

	put(capsule);
	fputs(": ", stdout);
	put(text_cell(&arena, json_object_get(result, "state")));
	if (how) {
		fputs(", ", stdout);
		put(how);
	}
	putchar('\n');
	arena_free(&arena);
}

void show_log_line(const json_t *line)
{
	int64_t us = json_integer_value(json_object_get(line, "time_us"));
	struct arena arena = {NULL};

	printf("[%6" PRId64 ".%06" PRId64 "] ", us / 1000000, us < 0 ? -(us % 1000000) : us % 1000000);
	put(text_cell(&arena, json_object_get(line, "level")));
	putchar(' ');
	put(text_cell(&arena, json_object_get(line, "text")));
	putchar('\n');
	arena_free(&arena);
}
