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

static void keep(struct ui *ui, const struct diosix_log_line *line, const char *text)
{
	struct log *log = &ui->log;
	struct log_entry *entry;

	if (log->count == LOG_LINES || log->used + line->len > LOG_TEXT)
		make_room(log);
	entry = &log->lines[log->count++];
	*entry = (struct log_entry){
		.sequence = line->sequence,
		.time = ui_time(ui, line->time),
		.at = log->used,
		.len = line->len,
		.level = line->level,
		.due = view_due(ui),
	};
	memcpy(log->text + log->used, text, line->len);
	log->used += line->len;
	log->next = line->sequence + 1;
}

/* Lines of one batch; a length that goes beyond it ends it. */
static void keep_batch(struct ui *ui, const uint8_t *bytes, size_t len)
{
	struct diosix_log_line line;
	size_t at = 0;

	while (at + sizeof(line) <= len) {
		memcpy(&line, bytes + at, sizeof(line));
		at += sizeof(line);
		if (line.len > len - at)
			return;
		keep(ui, &line, (const char *)bytes + at);
		at += (line.len + 7u) & ~(size_t)7;
	}
}

int64_t log_refresh(struct ui *ui)
{
	static uint64_t batch[DIOSIX_BATCH_LEN / 8];

	/* So many batches at a time: who logs without end must not keep us. */
	for (unsigned i = 0; i < 64; i++) {
		struct diosix_result done = diosix_log_read(ui->log.next, batch, sizeof(batch));
		uint64_t next = ui->log.next;

		if (done.error || done.value == 0)
			return done.error;
		keep_batch(ui, (const uint8_t *)batch, done.value < sizeof(batch) ? done.value : sizeof(batch));
		if (ui->log.next == next)
			return DIOSIX_OK;
		ui->more = true; /* to show them */
	}
	return DIOSIX_OK;
}

static void show_line(struct ui *ui, const struct log_entry *line)
{
	uint32_t style = line->level == DIOSIX_LOG_ERROR     ? STYLE_ERROR
			 : line->level == DIOSIX_LOG_WARNING ? STYLE_WARNING
							     : STYLE_LOG;
	char mark[64];

	if (line->sequence > ui->log.shown)
		view_line(ui, STYLE_WARNING, mark,
			  (size_t)snprintf(mark, sizeof(mark), "... %lu lines of the log lost ...",
					   (unsigned long)(line->sequence - ui->log.shown)));
	if (line->level <= DIOSIX_LOG_INFO)
		view_line(ui, style, log_text(ui, line), line->len);
	ui->log.shown = line->sequence + 1;
}

/* The first line that has not been shown; NULL when all have been. */
static const struct log_entry *next_line(const struct log *log)
{
	for (uint32_t i = 0; i < log->count && log->shown < log->next; i++)
		if (log->lines[i].sequence >= log->shown)
			return &log->lines[i];
	return NULL;
}

void log_show(struct ui *ui)
{
	const struct log_entry *line;

	/* What capsules printed before it stands before it. */
	while ((line = next_line(&ui->log)) != NULL && !view_is_full(ui) && view_has_all(ui, line->due))
		show_line(ui, line);
}

bool log_is_behind(const struct ui *ui)
{
	return next_line(&ui->log) != NULL;
}

void log_go_on(struct ui *ui)
{
	const struct log_entry *line = next_line(&ui->log);

	ui->more |= line != NULL && !view_is_full(ui) && view_has_all(ui, line->due);
}

bool log_show_until(struct ui *ui, uint64_t sequence)
{
	const struct log_entry *line;

	if (ui->log.next < sequence)
		log_refresh(ui);
	while ((line = next_line(&ui->log)) != NULL && line->sequence < sequence) {
		if (view_is_full(ui))
			return false;
		show_line(ui, line);
	}
	return true;
}
