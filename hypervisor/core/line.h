/* SPDX-License-Identifier: MIT */
/*
 * A serial line of the board: what is sent waits in a ring until the port has room, which its interrupt tells; what
 * comes for a service waits in another. Line PORT_CONSOLE is the console's, which takes what it gets from there first.
 */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board_io.h"
#include "capsule.h"
#include "lock.h"

/* What capsules print, and services write, waits only while less than LINE_SHARE waits: all else is for the log. */
#define LINE_LEN       16384u
#define LINE_SHARE     2048u
#define LINE_INPUT_LEN 1024u

struct line {
	struct lock lock;	  /* guards all of it */
	enum board_port port;
	struct capsule *provider; /* the service that has this line, or NULL */
	bool interrupts;	  /* has them: otherwise who sends waits for the port */
	bool input_on, room_on;	  /* what interrupts are on for */
	bool room_wanted;	  /* the provider is to be told of room */
	bool stuck;		  /* the port takes nothing any more */
	bool at_start;		  /* the cursor is at the left */
	uint32_t waiting;	  /* capsules of whose output something waits that could be sent */
	uint32_t head, tail;	  /* of what is sent */
	uint32_t input_head, input_tail;
	uint64_t unread_since; /* ticks: of what has come; reading any of it begins anew */
	char bytes[LINE_LEN];
	char input[LINE_INPUT_LEN];
};

extern struct line lines[BOARD_PORTS];

/* Finds the port; false when there is none. From line_start() on its interrupt is on, where it has one, on this hart. */
bool line_init(enum board_port port);
void line_start(enum board_port port);

/* --- for whoever holds its lock ----------------------------------------------------------------- */

/* The general way of line_put(). */
void line_queue(struct line *line, char c);

/* Sends a byte, at once where possible; it is lost when there is no room for it. */
static inline void line_put(struct line *line, char c)
{
	if (line->head != line->tail || board_port_send(line->port, &c, 1) == 0)
		line_queue(line, c);
}

/*
 * The usual case of a byte of a capsule: it is the only one, nothing waits, and the port takes it. False: it has not been
 * sent. This takes the lock.
 */
static inline bool line_pass(struct line *line, struct capsule *capsule, char c)
{
	bool sent;

	lock(&line->lock);
	sent = capsule_count == 1 && line->provider == NULL && line->waiting == 0 && line->head == line->tail &&
	       board_port_send(line->port, &c, 1) == 1;
	if (sent) {
		line->at_start = c == '\n';
		atomic_store_explicit(&capsule->output, capsule->output + 1, memory_order_relaxed);
	}
	unlock(&line->lock);
	return sent;
}

/* Is there room for what capsules and services send? */
static inline bool line_takes(const struct line *line)
{
	return line->head - line->tail < LINE_SHARE;
}

/* Is there room for `len` bytes? If told to, waits for it, but not long. */
bool line_make_room(struct line *line, uint32_t len, bool wait);

/* Sends what waits: as much as the port takes now; all of it, unless it takes nothing any more. */
void line_drain(struct line *line);
void line_flush(struct line *line);

/* From here on who sends waits for the port. */
void line_poll(struct line *line);

/* Interrupts: on for room while something waits, here or, by `more`, elsewhere; on for input while there is room for it. */
void line_listen(struct line *line, bool more);

/* --- for its provider, which takes the lock ------------------------------------------------------- */

/*
 * Up to `len` bytes that have come, or are to be sent; how many these were, or -1 when the capsule is not the
 * provider.
 */
int64_t line_read(struct line *line, const struct capsule *capsule, char *bytes, size_t len);
int64_t line_write(struct line *line, const struct capsule *capsule, char *bytes, size_t len);

/* A byte for the provider, with the lock held; false when there is no room. */
bool line_keep(struct line *line, char c);

/* What there is to tell the provider after the port had room: events, or 0. The lock is held. */
uint64_t line_room_events(struct line *line);

/* The interrupt of the second port. */
void control_interrupt(void);

#endif
