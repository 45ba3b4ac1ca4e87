/* SPDX-License-Identifier: MIT */
#include "console.h"

#include <stdio.h>
#include <string.h>

#include "arch/guest.h"
#include "arch/hart.h"
#include "capsule.h"
#include "line.h"
#include "log.h"
#include "roles.h"
#include "service_abi.h"

#define ESCAPE 0x1d /* Ctrl-] */

/* A guest may write so many bytes after it has seen its UART ready: those of a FIFO. */
#define FIFO_LEN 16u

/* The lock is held for no more of a capsule's output than this, and nobody prints so much while others wait. */
#define PIECE 256u

/* How often the lock is taken for what waits, before other work has its turn. */
#define PIECES 8u

#define PROVIDER_PATIENCE_S 10u

static struct line *const line = &lines[PORT_CONSOLE];

/* All of it is guarded by the line's lock. */
static bool panicking, ending;
static struct capsule *writer; /* whose unfinished line the cursor is on */
static uint32_t focus;
static bool escaped;	  /* the last byte was Ctrl-] */
static bool has_control;
static uint64_t log_unread; /* the first line that the provider has not read */
static uint64_t log_lost; /* bytes of the log, as the line was dead */

static uint32_t turn; /* who had the last one of those of whom something waits */

static void take(void)
{
	if (!panicking)
		lock(&line->lock);
}

static void give(void)
{
	if (!panicking)
		unlock(&line->lock);
}

static bool own(void)
{
	return line->provider == NULL || panicking;
}

static void put(char c)
{
	line_put(line, c);
	line->at_start = c == '\n';
}

static void put_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			put('\r');
		put(text[i]);
	}
}

/* The hypervisor's lines and other capsules' begin at the left, whatever is on the cursor's line. */
static void fresh_line(void)
{
	if (!line->at_start)
		put_text("\n", 1);
	writer = NULL;
}

void console_init(void)
{
	panicking = ending = escaped = false;
	line->at_start = true;
	writer = NULL;
	focus = turn = 0;
	log_lost = 0;
	line_init(PORT_CONSOLE);
	has_control = line_init(PORT_CONTROL);
}

bool board_has_control(void)
{
	return has_control;
}

/* --- the log -------------------------------------------------------------------------------- */

/* Room for all but what capsules print: who waits for it does not do so for ever. */
static bool may_log(size_t len, bool wait)
{
	char mark[64];

	if (!line_make_room(line, 2 * (uint32_t)len + sizeof(mark), wait)) {
		log_lost += len;
		return false;
	}
	fresh_line();
	if (log_lost != 0)
		put_text(mark, (size_t)snprintf(mark, sizeof(mark), "diosix: ... %lu bytes lost ...\n",
						(unsigned long)log_lost));
	log_lost = 0;
	return true;
}

static void print_line(const char *text, size_t len, bool wait)
{
	struct capsule *provider;

	take();
	provider = own() ? NULL : line->provider;
	if ((provider == NULL || !capsule_may(provider, DMFS_PERM_HV_LOG_READ)) && may_log(len, wait)) {
		put_text(text, len);
		put_text("\n", 1);
	}
	give();
}

void console_line(enum diosix_level level, const char *text, size_t len)
{
	print_line(text, len, true);
}

void console_panic(void)
{
	panicking = true;
	line_poll(line);
}

void console_banner(const char *text, size_t len)
{
	take();
	fresh_line();
	put_text(text, len);
	if (!line->at_start)
		put_text("\n", 1);
	give();
}

/* --- what capsules have printed ------------------------------------------------------------- */

static bool alone(void)
{
	return capsule_count == 1;
}

static char byte_at(const struct printed *printed, uint64_t at)
{
	return printed->ring[at % CONSOLE_RING_LEN];
}

static uint32_t room(const struct printed *printed)
{
	return CONSOLE_RING_LEN - (uint32_t)(printed->head - printed->line);
}

static void append(struct printed *printed, char c)
{
	printed->ring[printed->head++ % CONSOLE_RING_LEN] = c;
	printed->newlines += c == '\n';
}

static bool is_shown_at_once(const struct capsule *capsule)
{
	return alone() || capsule->index == focus;
}

/* Is there anything that can be shown now? Of those not in focus whole lines, and pieces of overlong ones. */
static bool has_more(const struct capsule *capsule)
{
	const struct printed *printed = &capsule->printed;

	if (is_shown_at_once(capsule))
		return printed->shown != printed->head || printed->lost != 0;
	return printed->newlines != 0 || printed->lost != 0 || printed->head - printed->line >= CONSOLE_LINE_LEN;
}

static void put_prefix(const struct capsule *capsule)
{
	put('[');
	put_text(capsule->name, strlen(capsule->name));
	put(']');
	put(' ');
}

static void put_mark(struct capsule *capsule)
{
	struct printed *printed = &capsule->printed;
	char mark[48];

	fresh_line();
	put_prefix(capsule);
	put_text(mark, (size_t)snprintf(mark, sizeof(mark), "... %lu bytes lost ...\n", (unsigned long)printed->lost));
	printed->lost = 0;
	printed->past_lost = false;
	printed->line = printed->shown;
}

/* A whole line of a capsule that is not in focus, or a piece of an overlong one. */
static void put_line(struct capsule *capsule)
{
	struct printed *printed = &capsule->printed;
	uint64_t end = printed->head;
	char c = 0;

	fresh_line();
	put_prefix(capsule);
	printed->shown = printed->line; /* what of it is on the board's line already was interrupted there */
	while (c != '\n' && printed->shown != end && printed->shown - printed->line < CONSOLE_LINE_LEN) {
		c = byte_at(printed, printed->shown++);
		if (c != '\r' && c != '\n')
			put(c);
	}
	put_text("\n", 1);
	printed->newlines -= c == '\n';
	printed->line = printed->shown;
}

/* In focus: byte by byte, so that a prompt is seen; a prefix where its line begins. Alone without. */
static void put_bytes(struct capsule *capsule)
{
	struct printed *printed = &capsule->printed;
	bool raw = alone();

	if (!raw && writer != capsule) {
		fresh_line();
		writer = capsule;
		printed->shown = printed->line; /* once more, after others have printed below it */
	}
	for (uint32_t n = 0; n < PIECE && printed->shown != printed->head; n++) {
		char c = byte_at(printed, printed->shown++);

		if (!raw && line->at_start) {
			put_prefix(capsule);
			n += DMFS_MAX_CAPSULE_NAME_LEN;
		}
		put(c);
		printed->newlines -= c == '\n';
		if (raw || c == '\n' || c == '\r')
			printed->line = printed->shown;
		else if (printed->shown - printed->line == CONSOLE_LINE_LEN)
			printed->line++;
	}
}

/* A piece of what waits. */
static void show(struct capsule *capsule)
{
	struct printed *printed = &capsule->printed;
	bool at_once = is_shown_at_once(capsule);

	if (printed->lost != 0 && (at_once ? printed->shown : printed->line) == printed->head)
		put_mark(capsule);
	else if (at_once)
		put_bytes(capsule);
	else
		put_line(capsule);
}

static void set_waits(struct capsule *capsule, bool waits)
{
	line->waiting += (uint32_t)waits - (uint32_t)capsule->printed.waits;
	capsule->printed.waits = waits;
}

/* Much room again? Then its UART is to say so, once the lock is given back. */
static struct capsule *relieved(struct capsule *capsule)
{
	const struct printed *printed = &capsule->printed;

	if (!atomic_load(&printed->full) || room(printed) < CONSOLE_RING_LEN / 2 || printed->lost != 0)
		return NULL;
	atomic_store(&capsule->printed.full, false);
	return capsule;
}

static void tell(struct capsule *capsule)
{
	if (capsule != NULL)
		machine_uart(capsule);
}

/* Whoever is next of those for which `wanted` is true; NULL when it is for none. */
static struct capsule *next(bool (*wanted)(const struct capsule *capsule))
{
	for (uint32_t i = 0; i < capsule_count; i++) {
		turn = turn + 1 < capsule_count ? turn + 1 : 0;
		if (wanted(&capsules[turn]))
			return &capsules[turn];
	}
	return NULL;
}

static bool waits(const struct capsule *capsule)
{
	return capsule->printed.waits;
}

/* Shows a piece of whoever is next, if the line takes it. False when there was nothing to do. */
static bool show_next(void)
{
	struct capsule *capsule = NULL, *told = NULL;

	take();
	if (own() && line->waiting != 0 && line_takes(line))
		capsule = next(waits);
	if (capsule != NULL) {
		show(capsule);
		set_waits(capsule, has_more(capsule));
		told = relieved(capsule);
	}
	line_listen(line, own() && line->waiting != 0);
	give();
	tell(told);
	return capsule != NULL;
}

/* Some of what waits. Where there are no interrupts to go on with it, all. */
static void show_some(void)
{
	for (unsigned i = 0; (i < PIECES || !line->interrupts) && show_next(); i++)
		;
}

/* The lock is held. What cannot be shown waits; true when it is the first thing there for the provider. */
static bool print(struct capsule *capsule, const char *text, size_t len, size_t *taken)
{
	struct printed *printed = &capsule->printed;
	bool empty = printed->shown == printed->head;
	size_t n = 0;

	if (ending) /* what waits is the last, or somebody who prints without end keeps the board */
		return false;
	/* Nothing comes after what was lost until that has been said: its place is the ring's end. */
	while (n < len && room(printed) != 0 && printed->lost == 0)
		append(printed, text[n++]);
	*taken += n;
	if (room(printed) < FIFO_LEN)
		atomic_store(&printed->full, true);
	if (!own())
		return empty && n != 0;
	if (line->waiting == 0 && line_takes(line) && has_more(capsule))
		show(capsule);
	set_waits(capsule, has_more(capsule));
	return false;
}

size_t console_write(struct capsule *capsule, const char *text, size_t len)
{
	struct capsule *provider = NULL;
	size_t n = 0;
	bool more;

	take();
	if (alone() && own() && !ending && line->waiting == 0)
		while (n < len && line_takes(line))
			put(text[n++]);
	if (n < len && print(capsule, text + n, len - n, &n))
		provider = line->provider;
	atomic_store_explicit(&capsule->output, capsule->output + n, memory_order_relaxed);
	more = line->waiting != 0;
	give();
	if (provider != NULL)
		capsule_post_events(provider, DIOSIX_EVENT_CONSOLE_OUTPUT);
	if (more)
		show_some();
	return n;
}

void console_print(struct capsule *capsule, char c)
{
	struct printed *printed = &capsule->printed;

	if (console_write(capsule, &c, 1) == 1)
		return;
	take();
	printed->lost += !ending;
	atomic_fetch_add(&capsule->output, 1);
	atomic_fetch_add(&capsule->dropped, 1);
	if (own() && !ending)
		set_waits(capsule, true);
	give();
}

void console_begin_life(struct capsule *capsule)
{
	struct printed *printed = &capsule->printed;
	uint64_t log = log_next();

	take();
	printed->past = printed->present;
	printed->past_lost = printed->lost != 0;
	printed->present = (struct life){capsule_handle(capsule), log, printed->head};
	give();
}

void console_gone(struct capsule *capsule)
{
	struct printed *printed = &capsule->printed;
	bool more = true;

	take();
	if (own() && !alone() && printed->head != printed->line && room(printed) >= 2) {
		append(printed, '\r');
		append(printed, '\n');
	}
	give();
	/* What the log says next comes after it, if at all possible. */
	while (more) {
		struct capsule *told = NULL;

		take();
		more = own() && has_more(capsule) && line->head - line->tail < LINE_LEN / 2;
		if (more)
			show(capsule);
		if (own()) {
			set_waits(capsule, has_more(capsule));
			told = relieved(capsule); /* its next life finds its UART ready */
		}
		give();
		tell(told);
	}
	show_some();
}

void console_forget_input(struct capsule *capsule)
{
	take();
	capsule->input_tail = capsule->input_head;
	give();
}

void console_end(void)
{
	struct capsule *provider;

	take();
	provider = line->provider;
	ending = true;
	give();
	if (provider != NULL)
		console_set_provider(NULL);
	take();
	line_poll(line);
	give();
	while (show_next())
		;
}

/* --- input ---------------------------------------------------------------------------------- */

size_t console_read(struct capsule *capsule, char *text, size_t len)
{
	size_t n = 0;

	take();
	while (n < len && capsule->input_tail != capsule->input_head)
		text[n++] = capsule->input[capsule->input_tail++ % CONSOLE_INPUT_LEN];
	give();
	return n;
}

/* What is typed while it restarts is for its next life. One that has stopped takes nothing. */
static bool takes_input(const struct capsule *capsule)
{
	return atomic_load(&capsule->state) < CAPSULE_SCRUBBING;
}

static bool feed(struct capsule *capsule, char c)
{
	if (!takes_input(capsule) || capsule->input_head - capsule->input_tail == CONSOLE_INPUT_LEN)
		return false;
	capsule->input[capsule->input_head++ % CONSOLE_INPUT_LEN] = c;
	return true;
}

static void set_focus(struct capsule *next)
{
	focus = next->index;
	writer = NULL;
	/* The beginning of its line once more. */
	next->printed.shown = next->printed.line;
	set_waits(next, has_more(next));
}

static void show_focus(struct capsule *next)
{
	set_focus(next);
	fresh_line();
	put_text("diosix: input goes to ", 22);
	put_text(next->name, strlen(next->name));
	put_text("\n", 1);
	if (has_more(next))
		show(next);
	set_waits(next, has_more(next));
}

static void help(void)
{
	char text[80];
	int len;

	fresh_line();
	put_text("diosix: Ctrl-] then: a digit switches, ? helps, Ctrl-] sends itself\n", 68);
	for (uint32_t i = 0; i < capsule_count && i < 9; i++) {
		len = snprintf(text, sizeof(text), "diosix:   %u %s%s\n", i + 1, capsules[i].name,
			       i == focus ? " (in focus)" : "");
		put_text(text, (size_t)len);
	}
}

/* Returns the capsule that got a byte, NULL when none did. A full buffer drops what comes. */
static struct capsule *receive(char c)
{
	struct capsule *capsule = &capsules[focus];

	if (escaped) {
		escaped = false;
		if (c >= '1' && c <= '9' && (uint32_t)(c - '1') < capsule_count)
			show_focus(&capsules[c - '1']);
		else if (c == '?')
			help();
		if (c != ESCAPE)
			return NULL;
	} else if (c == ESCAPE) {
		escaped = true;
		return NULL;
	}
	return feed(capsule, c) ? capsule : NULL;
}

/* For the provider; false when it has left what was typed alone for too long. */
static bool keep(char c)
{
	uint64_t now = arch_time();

	if (line->input_head == line->input_tail)
		line->unread_since = now;
	if (now - line->unread_since > (uint64_t)PROVIDER_PATIENCE_S * board.timebase_hz)
		return false;
	line_keep(line, c);
	return true;
}

static void typed(char c)
{
	struct capsule *provider, *capsule = NULL;
	uint64_t handle = 0;
	bool kept;

	take();
	provider = line->provider;
	if (provider != NULL)
		handle = capsule_handle(provider);
	kept = provider != NULL && keep(c);
	if (provider == NULL)
		capsule = receive(c);
	give();
	if (kept) {
		capsule_post_events(provider, DIOSIX_EVENT_CONSOLE_INPUT);
	} else if (provider != NULL) {
		role_drop(DIOSIX_ROLE_CONSOLE, handle); /* and not of a life that has begun meanwhile */
		log_line(DIOSIX_LOG_WARNING,
			 "diosix: the console service %s does not answer, the hypervisor's console takes over",
			 provider->name);
	}
	tell(capsule);
}

void console_interrupt(void)
{
	struct capsule *provider;
	uint64_t news;
	int c;

	board_port_acknowledge(PORT_CONSOLE);
	while ((c = board_port_receive(PORT_CONSOLE)) >= 0)
		if (capsule_count != 0)
			typed((char)c);
	take();
	line_drain(line);
	news = line_room_events(line);
	provider = line->provider;
	line_listen(line, own() && line->waiting != 0);
	give();
	if (provider != NULL && news != 0)
		capsule_post_events(provider, news);
	if (line->waiting != 0)
		show_some();
}

void board_external_interrupt(void)
{
	uint32_t source;

	while ((source = board_irq_claim()) != 0) {
		if (source == board_port_irq(PORT_CONSOLE))
			console_interrupt();
		else if (source == board_port_irq(PORT_CONTROL))
			control_interrupt();
		board_irq_complete(source);
	}
}

/* --- the provider --------------------------------------------------------------------------- */

void console_log_read(const struct capsule *capsule, uint64_t next)
{
	take();
	if (line->provider == capsule && next > log_unread)
		log_unread = next;
	give();
}

/*
 * Those that are still there, as far as the line has room: they are many, and the next provider waits until it is told, as
 * do capsules that end.
 */
static void print_log(uint64_t from, uint64_t end)
{
	struct diosix_log_line about;
	char text[LOG_LINE_LEN];

	while (from < end && log_get(from, &about, text)) {
		print_line(text, about.len, false);
		from = about.sequence + 1;
	}
}

/* One that shuts down has shown what it took. */
static bool left_in_order(const struct capsule *provider)
{
	return atomic_load(&provider->state) == CAPSULE_STOPPING && provider->stop_reason == STOP_SHUTDOWN;
}

/* It may have held output of capsules that nobody will see: the mark stands where that is missing. */
static void say_taken_over(void)
{
	static const char mark[] = "diosix: ... what the console service had not shown is lost ...\n";

	fresh_line();
	put_text(mark, sizeof(mark) - 1);
}

void console_set_provider(struct capsule *provider)
{
	bool any = false;
	uint64_t unread, end = log_next();

	take();
	/* Nobody takes the last lines, whoever still runs. */
	if (ending && provider != NULL) {
		give();
		return;
	}
	if (provider != NULL)
		fresh_line();
	line->at_start &= provider == NULL && line->provider == NULL; /* whatever it makes of the screen */
	if (provider == NULL && line->provider != NULL && !left_in_order(line->provider))
		say_taken_over();
	unread = line->provider != NULL && capsule_may(line->provider, DMFS_PERM_HV_LOG_READ) ? log_unread : end;
	log_unread = end;
	line->provider = provider;
	line->room_wanted = false;
	line->input_head = line->input_tail = 0;
	escaped = false;
	writer = NULL;
	give();
	for (uint32_t i = 0; i < capsule_count; i++) {
		struct printed *printed = &capsules[i].printed;

		take();
		if (!own())
			printed->line = printed->shown;
		set_waits(&capsules[i], own() && has_more(&capsules[i]));
		any |= printed->shown != printed->head;
		give();
	}
	if (provider == NULL)
		print_log(unread, end);
	for (unsigned i = 0; i < PIECES && show_next(); i++)
		;
	if (provider != NULL && any)
		capsule_post_events(provider, DIOSIX_EVENT_CONSOLE_OUTPUT);
}

void console_set_focus(struct capsule *capsule)
{
	struct capsule *provider;

	take();
	provider = line->provider;
	if (provider != NULL)
		focus = capsule->index;
	else if (line_takes(line)) /* whoever calls this without end says so no oftener than capsules print */
		show_focus(capsule);
	else
		set_focus(capsule);
	give();
	if (provider != NULL)
		capsule_post_events(provider, DIOSIX_EVENT_FOCUS);
}

uint32_t console_focus(void)
{
	uint32_t index;

	take();
	index = focus;
	give();
	return index;
}

static bool has_output(const struct capsule *capsule)
{
	return capsule->printed.shown != capsule->printed.head || capsule->printed.lost != 0;
}

/* A record of what the capsule has printed in one life, of at most `len` bytes and a multiple of 8; how many bytes it has. */
static size_t take_record(struct capsule *capsule, char *buffer, size_t len)
{
	struct printed *printed = &capsule->printed;
	bool past = printed->shown < printed->present.from, mark = printed->lost != 0 && printed->shown == printed->head;
	const struct life *life = past || (mark && printed->past_lost) ? &printed->past : &printed->present;
	uint64_t end = past ? printed->present.from : printed->head;
	struct diosix_output record = {.handle = life->handle, .log = life->log};
	size_t most = len - sizeof(record) < PIECE ? len - sizeof(record) : PIECE;
	char *bytes = buffer + sizeof(record);

	if (mark) {
		record.dropped = printed->lost;
		printed->lost = 0;
		printed->past_lost = false;
	}
	for (; record.len < most && printed->shown != end; record.len++) {
		bytes[record.len] = byte_at(printed, printed->shown++);
		printed->newlines -= bytes[record.len] == '\n';
	}
	printed->line = printed->shown;
	memcpy(buffer, &record, sizeof(record));
	return sizeof(record) + align_up(record.len, 8);
}

int64_t console_take_output(const struct capsule *provider, char *buffer, size_t len)
{
	struct capsule *capsule, *told;
	size_t done = 0;

	len = align_down(len, 8);
	do {
		told = capsule = NULL;
		take();
		if (line->provider != provider) {
			give();
			return done != 0 ? (int64_t)done : -1;
		}
		if (len - done > sizeof(struct diosix_output))
			capsule = next(has_output);
		if (capsule != NULL) {
			done += take_record(capsule, buffer + done, len - done);
			told = relieved(capsule);
		}
		give();
		tell(told);
	} while (capsule != NULL);
	return (int64_t)done;
}

int64_t console_feed(const struct capsule *provider, struct capsule *capsule, const char *bytes, size_t len)
{
	size_t n = 0;

	take();
	if (line->provider != provider || !takes_input(capsule)) {
		give();
		return -1;
	}
	while (n < len && feed(capsule, bytes[n]))
		n++;
	give();
	if (n != 0)
		tell(capsule);
	return (int64_t)n;
}
