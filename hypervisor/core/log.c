/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arch/hart.h"
#include "capsule.h"
#include "console.h"
#include "hart.h"
#include "lock.h"

#define LINES 512u
#define BYTES (20u * 1024)

struct line {
	uint64_t time;
	uint64_t at; /* of its first byte, of all that were ever written */
	uint16_t len;
	uint16_t level;
};

/* Line n is lines[n % LINES], byte n of all is bytes[n % BYTES]. */
static struct lock log_lock;
static struct line lines[LINES];
static char bytes[BYTES];
static uint64_t first = 1, next = 1; /* lines that are kept */
static uint64_t end;		     /* bytes written */
static bool panicking;

/* At a place in the ring, which may have to be done in two parts. */
static void copy_in(uint64_t at, const char *text, uint32_t len)
{
	uint32_t from = at % BYTES, part = len < BYTES - from ? len : BYTES - from;

	memcpy(bytes + from, text, part);
	memcpy(bytes, text + part, len - part);
}

static void copy_out(uint64_t at, char *text, uint32_t len)
{
	uint32_t from = at % BYTES, part = len < BYTES - from ? len : BYTES - from;

	memcpy(text, bytes + from, part);
	memcpy(text + part, bytes, len - part);
}

static void keep(enum diosix_level level, const char *text, uint32_t len)
{
	uint64_t now = hart_count != 0 ? arch_time() : 0;

	lock(&log_lock);
	copy_in(end, text, len);
	lines[next % LINES] = (struct line){now, end, (uint16_t)len, (uint16_t)level};
	end += len;
	next++;
	while (next - first > LINES || end - lines[first % LINES].at > BYTES)
		first++;
	unlock(&log_lock);
}

void log_line(enum diosix_level level, const char *format, ...)
{
	char text[LOG_LINE_LEN + 1];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0)
		return;
	if ((uint32_t)len > LOG_LINE_LEN)
		len = LOG_LINE_LEN;
	if (!panicking)
		keep(level, text, (uint32_t)len);
	console_line(level, text, (uint32_t)len);
	if (!panicking)
		capsules_post_events(DMFS_PERM_HV_LOG_READ, DIOSIX_EVENT_LOG);
}

bool log_get(uint64_t from, struct diosix_log_line *line, char *text)
{
	const struct line *kept;
	bool found;

	lock(&log_lock);
	if (from < first)
		from = first;
	found = from < next;
	if (found) {
		kept = &lines[from % LINES];
		*line = (struct diosix_log_line){from, kept->time, kept->level, kept->len};
		copy_out(kept->at, text, kept->len);
	}
	unlock(&log_lock);
	return found;
}

uint64_t log_next(void)
{
	uint64_t number;

	lock(&log_lock);
	number = next;
	unlock(&log_lock);
	return number;
}

void log_panic(void)
{
	panicking = true;
	console_panic();
}
