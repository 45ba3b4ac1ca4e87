/* SPDX-License-Identifier: MIT */
/* The hypervisor's log, as far back as there is room for it. */
#include <stdio.h>
#include <string.h>

#include "ui.h"

/* The older half goes. */
static void make_room(struct log *log)
{
	uint32_t half = log->count / 2, from = half < log->count ? log->lines[half].at : log->used;

	memmove(log->text, log->text + from, log->used - from);
	memmove(log->lines, log->lines + half, (log->count - half) * sizeof(log->lines[0]));
	log->used -= from;
	log->count -= half;
	for (uint32_t i = 0; i < log->count; i++)
		log->lines[i].at -= from;
}

/* A line about a capsule stands behind what that has printed, an unfinished line too; but its start comes before all of it. */
static void settle(struct ui *ui, const char *text, size_t len)
{
	for (uint32_t i = 0; i < ui->count; i++) {
		char about[64];
		size_t of = (size_t)snprintf(about, sizeof(about), "diosix: capsule %s: ", capsule_name(ui, i));

		if (len <= of || memcmp(text, about, of) != 0 || (len - of == 7 && memcmp(text + of, "started", 7) == 0))
			continue;
		view_take_earlier(ui);
		view_end_line(ui, i);
	}
}

static void keep(struct ui *ui, const struct diosix_log_line *line, const char *text, bool show)
{
	struct log *log = &ui->log;
	struct log_entry *entry;
	uint32_t style = line->level == DIOSIX_LOG_ERROR     ? STYLE_ERROR
			 : line->level == DIOSIX_LOG_WARNING ? STYLE_WARNING
							     : STYLE_LOG;

	if (log->count == LOG_LINES || log->used + line->len > LOG_TEXT)
		make_room(log);
	entry = &log->lines[log->count++];
	*entry = (struct log_entry){
		.sequence = line->sequence,
		.time = ui_time(ui, line->time),
		.at = log->used,
		.len = line->len,
		.level = line->level,
	};
	memcpy(log->text + log->used, text, line->len);
	log->used += line->len;
	log->next = line->sequence + 1;
	if (!show || line->level > DIOSIX_LOG_INFO)
		return;
	settle(ui, text, line->len);
	view_line(ui, style, text, line->len);
}

/* Lines of one batch; a length that goes beyond it ends it. */
static void keep_batch(struct ui *ui, const uint8_t *bytes, size_t len, bool show)
{
	struct diosix_log_line line;
	size_t at = 0;

	while (at + sizeof(line) <= len) {
		memcpy(&line, bytes + at, sizeof(line));
		at += sizeof(line);
		if (line.len > len - at)
			return;
		keep(ui, &line, (const char *)bytes + at, show);
		at += (line.len + 7u) & ~(size_t)7;
	}
}

int64_t log_refresh(struct ui *ui, bool show)
{
	static uint64_t batch[DIOSIX_BATCH_LEN / 8];

	/* So many batches at a time: who logs without end must not keep us. */
	for (unsigned i = 0; i < 64; i++) {
		struct diosix_result done = diosix_log_read(ui->log.next, batch, sizeof(batch));
		uint64_t next = ui->log.next;

		if (done.error || done.value == 0)
			return done.error;
		keep_batch(ui, (const uint8_t *)batch, done.value < sizeof(batch) ? done.value : sizeof(batch), show);
		if (ui->log.next == next)
			return DIOSIX_OK;
	}
	ui->more = true;
	return DIOSIX_OK;
}
