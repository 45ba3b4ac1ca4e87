/* SPDX-License-Identifier: MIT */
/* The board's log: pages of it, and with --follow what comes. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/diag.h"
#include "ctl.h"
#include "show.h"

struct log {
	struct link *link;
	bool follow, json;
	json_int_t next; /* the first line that has not been had */
	bool missed;     /* there are more than those that came */
	json_t *lines;   /* of --json, until all are there; NULL: lines are printed as they come */
};

static void put_line(struct log *log, json_t *line)
{
	if (log->lines) {
		json_array_append(log->lines, line);
	} else if (log->json) {
		json_dumpf(line, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		show_log_line(line);
	}
}

/* Takes a line unless it has been there. */
static bool take_line(struct log *log, json_t *line)
{
	json_int_t seq = json_integer_value(json_object_get(line, "seq"));

	if (!json_is_object(line) || seq < log->next)
		return false;
	put_line(log, line);
	log->next = seq + 1;
	return true;
}

/* What comes while an answer is awaited, which may have the lines before. */
static void take_event(void *context, const json_t *object)
{
	const char *event = json_string_value(json_object_get(object, "event"));
	struct log *log = context;

	if (event && (strcmp(event, "log") == 0 || strcmp(event, "lost") == 0))
		log->missed = true;
}

/* Asks from log->next until there is no more. A STATUS_... */
static int read_pages(struct log *log)
{
	for (;;) {
		json_t *members = json_object(), *result, *line;
		json_int_t before = log->next, next;
		int status;
		size_t i;

		log->missed = false;
		json_object_set_new(members, "from", json_integer(log->next));
		json_object_set_new(members, "follow", json_boolean(log->follow));
		status = link_ask(log->link, "log", members, 0, &result);
		if (status != STATUS_DONE)
			return status;
		json_array_foreach(json_object_get(result, "lines"), i, line)
			take_line(log, line);
		next = json_integer_value(json_object_get(result, "next"));
		log->next = next > log->next ? next : log->next;
		json_decref(result);
		/* A page that brings nothing is the end, whatever the board says of more. */
		if ((i == 0 || log->next <= before) && !log->missed)
			return STATUS_DONE;
	}
}

/* Lines that come by themselves; where some are missing, those are asked for. */
static int follow(struct log *log)
{
	for (;;) {
		json_t *object = link_take(log->link);
		const char *event = json_string_value(json_object_get(object, "event"));
		int status = STATUS_DONE;

		if (event && strcmp(event, "log") == 0) {
			if (json_integer_value(json_object_get(object, "seq")) > log->next)
				status = read_pages(log);
			if (status == STATUS_DONE)
				take_line(log, object);
		} else if (event && strcmp(event, "lost") == 0) {
			status = read_pages(log);
		}
		json_decref(object);
		if (!object) {
			struct pollfd fd = {log->link->fd, POLLIN, 0};

			if (fflush(stdout) != 0)
				return diag_file("write", "standard output", errno);
			poll(&fd, 1, -1);
			status = link_fill(log->link);
		}
		if (status != STATUS_DONE)
			return status;
	}
}

int ctl_log(struct link *link, const struct args *args, const char *capsule)
{
	struct log log = {.link = link, .follow = args_has(args, "follow"), .json = args_has(args, "json")};
	json_t *result;
	int status;

	link->event = take_event;
	link->context = &log;
	if (log.json && !log.follow)
		log.lines = json_array();
	status = read_pages(&log);
	if (status == STATUS_DONE && log.follow)
		status = follow(&log);
	if (status == STATUS_DONE && log.lines) {
		result = json_pack("{s:O, s:I}", "lines", log.lines, "next", log.next);
		json_dumpf(result, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(result);
	}
	json_decref(log.lines);
	return status;
}
