/* SPDX-License-Identifier: MIT */
/*
 * A connection to a board's control port (docs/control.md, version 1): lines of JSON, requests and their answers.
 */
#ifndef CTL_LINK_H
#define CTL_LINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define CONTROL_PROTOCOL 1

/* More than any line of the board's has; a longer one is none of its. */
#define LINK_LINE_MAX (256u << 10)

struct link {
	int fd;
	const char *path;
	int timeout_ms; /* how long an answer may take */
	unsigned id;    /* of the latest request */
	char *buffer;   /* LINK_LINE_MAX bytes; what came and has not been taken is from `at` to `len` */
	size_t at, len;
	/* Gets what the board says unasked while an answer is awaited; NULL: it is dropped. */
	void (*event)(void *context, const json_t *event);
	void *context;
};

/* Connects. A STATUS_..., after a message when it fails. link_close() in either case. */
int link_open(struct link *link, const char *path, int timeout_ms);
void link_close(struct link *link);

/*
 * Sends a request: `members` (taken over) with the command and an id of its own. STATUS_DONE, or STATUS_FAILED after a
 * message.
 */
int link_send(struct link *link, const char *command, json_t *members);

/*
 * The next object that has come, to be decref'ed; NULL when there is none yet. Lines that are none are passed over: on a
 * port that others used before, the first may be the rest of one.
 */
json_t *link_take(struct link *link);

/* Reads what there is, waiting for it. STATUS_DONE, or STATUS_FAILED after a message: the connection is lost. */
int link_fill(struct link *link);

/* Is this the answer to the latest request? */
bool link_is_answer(const struct link *link, const json_t *object);

/* Judges an answer: STATUS_DONE, or STATUS_REFUSED after the board's own sentence. */
int link_judge(const json_t *answer);

/*
 * Sends a request and waits for its answer, at most link->timeout_ms and more_ms. *result is to be decref'ed, and NULL
 * unless the status is STATUS_DONE.
 */
int link_ask(struct link *link, const char *command, json_t *members, int more_ms, json_t **result);

#endif
