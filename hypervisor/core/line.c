/* SPDX-License-Identifier: MIT */
#include "line.h"

#include "arch/hart.h"
#include "console.h"
#include "service_abi.h"

/* So often in a row the port may take nothing before it is given up: about a second, and a line of the log's part of it. */
#define PATIENCE     (1u << 20)
#define LOG_PATIENCE (1u << 14)

/* The lock is held for no more bytes than these. */
#define PIECE	    256u
#define DRAIN_PIECE 64u

struct line lines[BOARD_PORTS];

bool line_init(enum board_port port)
{
	lines[port].port = port;
	return board_port_init(port);
}

void line_start(enum board_port port)
{
	struct line *line = &lines[port];

	lock(&line->lock);
	line->interrupts = board_irq_enable(board_port_irq(port));
	if (line->interrupts)
		line_listen(line, false);
	unlock(&line->lock);
}

/* --- sending ------------------------------------------------------------------------------------ */

static bool drain(struct line *line)
{
	uint32_t at = line->tail % LINE_LEN, len = line->head - line->tail, sent;

	if (len > LINE_LEN - at)
		len = LINE_LEN - at;
	sent = (uint32_t)board_port_send(line->port, &line->bytes[at], len < DRAIN_PIECE ? len : DRAIN_PIECE);
	line->tail += sent;
	return sent != 0;
}

void line_drain(struct line *line)
{
	if (line->head != line->tail)
		drain(line);
}

void line_flush(struct line *line)
{
	uint32_t patience = line->stuck ? 1 : PATIENCE;

	for (uint32_t tries = 0; line->head != line->tail && tries < patience; tries++)
		if (drain(line))
			tries = 0;
	line->stuck = line->head != line->tail;
}

bool line_make_room(struct line *line, uint32_t len, bool wait)
{
	uint32_t patience = wait ? LOG_PATIENCE : 1;

	for (uint32_t tries = 0; LINE_LEN - (line->head - line->tail) < len; tries++) {
		if (tries == patience)
			return false;
		drain(line);
	}
	return true;
}

void line_queue(struct line *line, char c)
{
	if (line->head - line->tail == LINE_LEN)
		return;
	line->bytes[line->head++ % LINE_LEN] = c;
	if (line->interrupts)
		line_listen(line, true);
	else
		line_flush(line);
}

void line_poll(struct line *line)
{
	line->interrupts = false;
	line_flush(line);
}

static bool input_full(const struct line *line)
{
	return line->input_head - line->input_tail == LINE_INPUT_LEN;
}

/* The console takes what is typed, whatever becomes of it: Ctrl-] may be in it. */
void line_listen(struct line *line, bool more)
{
	bool input = line->port == PORT_CONSOLE || !input_full(line), room = more || line->head != line->tail;

	if (!line->interrupts || (input == line->input_on && room == line->room_on))
		return;
	line->input_on = input;
	line->room_on = room;
	board_port_interrupts(line->port, input, room);
}

uint64_t line_room_events(struct line *line)
{
	if (!line->room_wanted || line->head - line->tail > LINE_SHARE / 2)
		return 0;
	line->room_wanted = false;
	return line->port == PORT_CONSOLE ? DIOSIX_EVENT_CONSOLE_ROOM : DIOSIX_EVENT_CONTROL_ROOM;
}

/* --- its provider ------------------------------------------------------------------------------- */

bool line_keep(struct line *line, char c)
{
	if (input_full(line))
		return false;
	line->input[line->input_head++ % LINE_INPUT_LEN] = c;
	return true;
}

/* What has come by the second port, as far as there is room for it: the rest stays in the port. */
static void fill(struct line *line)
{
	int c;

	while (!input_full(line) && (c = board_port_receive(line->port)) >= 0)
		line_keep(line, (char)c);
	line_listen(line, false);
}

/*
 * Filled first: whatever comes after that raises the port's interrupt, and an event. What is taken from the port once the ring has
 * been read would wait there unannounced, as the interrupt finds nothing new.
 */
static size_t read_piece(struct line *line, char *bytes, size_t len)
{
	size_t n = 0;

	if (line->port == PORT_CONTROL)
		fill(line);
	while (n < len && line->input_tail != line->input_head)
		bytes[n++] = line->input[line->input_tail++ % LINE_INPUT_LEN];
	if (n != 0)
		line->unread_since = arch_time();
	if (line->port == PORT_CONTROL)
		line_listen(line, false);
	return n;
}

static size_t write_piece(struct line *line, char *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && line_takes(line))
		line->bytes[line->head++ % LINE_LEN] = bytes[n++];
	while (drain(line))
		;
	if (line->interrupts)
		line_listen(line, false);
	else
		line_flush(line);
	if (n < len)
		line->room_wanted = true;
	return n;
}

/* Piece by piece: the lock is others' too. */
static int64_t transfer(struct line *line, const struct capsule *capsule, char *bytes, size_t len,
			size_t (*piece)(struct line *line, char *bytes, size_t len))
{
	size_t done = 0, n = 0, most;

	do {
		most = len - done < PIECE ? len - done : PIECE;
		lock(&line->lock);
		if (line->provider != capsule) {
			unlock(&line->lock);
			return done != 0 ? (int64_t)done : -1;
		}
		n = piece(line, bytes + done, most);
		unlock(&line->lock);
		done += n;
	} while (n == most && done < len);
	return (int64_t)done;
}

int64_t line_read(struct line *line, const struct capsule *capsule, char *bytes, size_t len)
{
	return transfer(line, capsule, bytes, len, read_piece);
}

int64_t line_write(struct line *line, const struct capsule *capsule, char *bytes, size_t len)
{
	return transfer(line, capsule, bytes, len, write_piece);
}

/* --- the second port ------------------------------------------------------------------------------ */

void control_set_provider(struct capsule *capsule)
{
	struct line *line = &lines[PORT_CONTROL];
	bool waits;

	lock(&line->lock);
	line->provider = capsule;
	line->room_wanted = false;
	waits = line->input_head != line->input_tail;
	unlock(&line->lock);
	if (capsule != NULL && waits)
		capsule_post_events(capsule, DIOSIX_EVENT_CONTROL_INPUT);
}

/* What comes without a provider waits for one. */
void control_interrupt(void)
{
	struct line *line = &lines[PORT_CONTROL];
	struct capsule *provider;
	uint64_t news = 0;
	uint32_t before;

	lock(&line->lock);
	board_port_acknowledge(line->port);
	line_drain(line);
	before = line->input_head;
	fill(line);
	if (line->input_head != before)
		news = DIOSIX_EVENT_CONTROL_INPUT;
	news |= line_room_events(line);
	provider = line->provider;
	unlock(&line->lock);
	if (provider != NULL && news != 0)
		capsule_post_events(provider, news);
}
