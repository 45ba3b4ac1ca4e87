/* SPDX-License-Identifier: MIT */
/*
 * The views of what capsules print. Each has a screen, a ring of bytes, and the terminal follows it: `shown` says how far.
 * While the terminal is behind, output stays with the hypervisor, whose buffer for each capsule then fills: whoever
 * floods waits, and the others' pieces are taken in turn with his.
 */
#include <stdio.h>
#include <string.h>

#include "questions.h"
#include "ui.h"

#define LINE_AHEAD  1024u /* bytes that may wait for the line */
#define VIEW_AHEAD  2048u /* and for the terminal's buffer */
#define SLICE	    64u	  /* bytes that are put on screens at a time */
#define SLICES_MAX  16u   /* of them in a turn: who types or asks is not kept waiting by what is printed */

static struct screen *current(struct ui *ui)
{
	return ui->view == VIEW_ALL || ui->focus == NOBODY ? &ui->all : &capsule_at(ui, ui->focus)->screen;
}

bool view_is_behind(struct ui *ui)
{
	return ui->begun && (!ui->drained || ui->terminal.len > 0 || current(ui)->head > ui->shown);
}

/* Is what capsules print on the terminal now? */
static bool live(const struct ui *ui)
{
	return ui->mode == MODE_VIEW;
}

/* --- the view of all ---------------------------------------------------------------------------- */

static void all_text(struct ui *ui, const char *text)
{
	screen_put(&ui->all, text, strlen(text));
}

static const char *style_of(const struct ui *ui, uint32_t index)
{
	return terminal_style(&ui->terminal, STYLE_CAPSULE + index % CAPSULE_COLORS);
}

/* Whoever is not the last writer begins a line of his own. */
static void all_begin(struct ui *ui, uint32_t index)
{
	const char *style = style_of(ui, index);

	if (ui->writer == index)
		return;
	if (ui->writer != NOBODY)
		all_text(ui, "\r\n");
	ui->writer = index;
	ui->column = 0;
	all_text(ui, style);
	all_text(ui, "[");
	all_text(ui, capsule_name(ui, index));
	all_text(ui, "] ");
	if (*style)
		all_text(ui, terminal_style(&ui->terminal, STYLE_PLAIN));
}

/*
 * Back over what stands on its line it may go, but not over its name. Who can tell how wide what is not ASCII is: that does
 * not count.
 */
static void put_own(struct ui *ui, uint8_t byte)
{
	if (byte == '\b' && ui->column == 0)
		return;
	if (byte == '\b')
		ui->column--;
	else if (byte >= ' ' && byte < 0x7f)
		ui->column++;
	screen_put(&ui->all, &byte, 1);
}

/* What there is of a capsule's line; `end` when that is all. */
static void emit(struct ui *ui, uint32_t index, bool end)
{
	struct assembly *assembly = &ui->capsules[index].assembly;

	if (assembly->len == 0 && !end)
		return;
	all_begin(ui, index);
	for (size_t i = 0; i < assembly->len; i++)
		put_own(ui, (uint8_t)assembly->text[i]);
	assembly->len = 0;
	if (end) {
		all_text(ui, "\r\n");
		ui->writer = NOBODY;
	}
}

static void assemble(struct ui *ui, uint32_t index, uint8_t byte)
{
	struct assembly *assembly = &ui->capsules[index].assembly;

	if (byte == '\r') {
		assembly->carriage = true;
		return;
	}
	/* A carriage return alone ends a line as well: what comes next would overwrite it. */
	if (byte == '\n' || (assembly->carriage && (assembly->len > 0 || ui->writer == index))) {
		emit(ui, index, true);
		assembly->carriage = false;
		if (byte == '\n')
			return;
	}
	assembly->carriage = false;
	if (byte < ' ' && byte != '\t' && byte != '\b')
		return;
	if (byte == 0x7f)
		return;
	if (assembly->len == 0) {
		assembly->since = ui->now;
		assembly->due = view_due(ui);
	}
	assembly->text[assembly->len++] = (char)byte;
	if (assembly->len == ASSEMBLED_LEN)
		emit(ui, index, false);
}

/* When what there is of its line is shown as it is; UINT64_MAX for nothing, or when its end may be there to be taken. */
static uint64_t is_prompt_at(const struct ui *ui, uint32_t index)
{
	const struct assembly *assembly = &ui->capsules[index].assembly;

	if (assembly->len == 0 || !view_has_all(ui, assembly->due))
		return UINT64_MAX;
	return assembly->since + (index == ui->focus ? FOCUS_TIME : PROMPT_TIME);
}

void view_tick(struct ui *ui)
{
	for (uint32_t i = 0; i < ui->count; i++)
		if (ui->now >= is_prompt_at(ui, i))
			emit(ui, i, false);
}

uint64_t view_deadline(const struct ui *ui)
{
	uint64_t first = UINT64_MAX;

	for (uint32_t i = 0; i < ui->count; i++)
		if (is_prompt_at(ui, i) < first)
			first = is_prompt_at(ui, i);
	return first;
}

void view_line(struct ui *ui, unsigned style, const char *text, size_t len)
{
	const char *set = terminal_style(&ui->terminal, style);

	if (ui->writer != NOBODY)
		all_text(ui, "\r\n");
	ui->writer = NOBODY;
	all_text(ui, set);
	if (len < 8 || memcmp(text, "diosix: ", 8) != 0)
		all_text(ui, "diosix: ");
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)text[i] >= ' ')
			screen_put(&ui->all, text + i, 1);
	if (*set)
		all_text(ui, terminal_style(&ui->terminal, STYLE_PLAIN));
	all_text(ui, "\r\n");
}

void view_notice(struct ui *ui, uint32_t index, const char *text)
{
	const char *const parts[] = {terminal_reset(&ui->terminal), "\r\n[diosix: ", text, "]\r\n"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		screen_put(&capsule_at(ui, index)->screen, parts[i], strlen(parts[i]));
}

/* --- output that comes -------------------------------------------------------------------------- */

static void mark_lost(struct ui *ui, uint32_t index, uint64_t bytes)
{
	char line[128];
	int len = snprintf(line, sizeof(line), "[%s] ... %lu bytes lost ...\r\n", capsule_name(ui, index), (unsigned long)bytes);

	emit(ui, index, false);
	if (ui->writer != NOBODY)
		all_text(ui, "\r\n");
	ui->writer = NOBODY;
	screen_put(&ui->all, line, (size_t)len);
	screen_put(&ui->capsules[index].screen, "\r\n", 2);
	screen_put(&ui->capsules[index].screen, line, (size_t)len);
}

/* Has the piece that was begun more? */
static bool has_piece(const struct ui *ui)
{
	return ui->piece.len > 0 || ui->piece.dropped > 0;
}

static uint32_t piece_of(const struct ui *ui)
{
	return DIOSIX_HANDLE_INDEX(ui->piece.handle);
}

/* Begins the next piece of the batch; false at its end. */
static bool next_piece(struct ui *ui)
{
	struct diosix_output *piece = &ui->piece;

	ui->batch_at = (ui->batch_at + 7) & ~(size_t)7;
	if (ui->batch_at + sizeof(*piece) > ui->batch_len)
		return false;
	memcpy(piece, (uint8_t *)ui->batch + ui->batch_at, sizeof(*piece));
	ui->batch_at += sizeof(*piece);
	if (piece_of(ui) >= CAPSULES_MAX || piece->len > ui->batch_len - ui->batch_at) {
		ui->batch_at = ui->batch_len;
		*piece = (struct diosix_output){0};
		return false;
	}
	capsule_lives(ui, piece_of(ui), DIOSIX_HANDLE_STARTS(piece->handle));
	if (ui->focus == NOBODY)
		ui->focus = piece_of(ui);
	return true;
}

/* At its end the service takes what was printed before, if the line is fast enough; all else is the hypervisor's to show. */
static bool may_take(const struct ui *ui)
{
	return !ui->stopping || (ui->taken < ui->end_due && ui->now + END_TIME / 2 < ui->end_by);
}

static bool next_batch(struct ui *ui)
{
	struct diosix_result done;

	if (!may_take(ui))
		return false;
	done = diosix_console_output(ui->batch, sizeof(ui->batch));
	ui->batch_at = 0;
	ui->batch_len = done.error || done.value > sizeof(ui->batch) ? 0 : done.value;
	if (ui->batch_len == 0)
		return false;
	return next_piece(ui);
}

static void put_slice(struct ui *ui)
{
	const uint8_t *bytes = (const uint8_t *)ui->batch + ui->batch_at;
	uint32_t len = ui->piece.len < SLICE ? ui->piece.len : SLICE, index = piece_of(ui);
	uint8_t text[2];

	if (ui->piece.dropped) {
		mark_lost(ui, index, ui->piece.dropped);
		control_output(ui, index, NULL, 0, ui->piece.dropped);
		ui->piece.dropped = 0;
	}
	screen_put(&ui->capsules[index].screen, bytes, len);
	for (uint32_t i = 0; i < len; i++)
		for (size_t n = plain_take(&ui->capsules[index].plain, bytes[i], text), j = 0; j < n; j++)
			assemble(ui, index, text[j]);
	control_output(ui, index, bytes, len, 0);
	ui->batch_at += len;
	ui->piece.len -= len;
	ui->taken += len;
	/* Somebody types on this line: what is new of it is wanted at once. */
	if (ui->piece.len == 0 && ui->writer == index)
		emit(ui, index, false);
}

/*
 * A terminal that draws gets the view anew when the bar is closed; one that does not goes on where it was, so nothing may be
 * overwritten meanwhile.
 */
bool view_is_full(struct ui *ui)
{
	const struct screen *screen = current(ui);
	uint64_t waits = screen->head - ui->shown;

	return live(ui) ? waits > VIEW_AHEAD : !terminal_draws(&ui->terminal) && waits > screen->size / 2;
}

void view_take_output(struct ui *ui)
{
	ui->drained = false;
	for (unsigned i = 0; i < SLICES_MAX; i++) {
		view_pump(ui);
		if (view_is_full(ui))
			return;
		ui->drained = !has_piece(ui) && !next_piece(ui) && !next_batch(ui);
		if (ui->drained)
			return;
		/* What was said before this life began stands before what that prints. */
		if (log_show_until(ui, ui->piece.log))
			put_slice(ui);
	}
	ui->more = true;
}

void view_end_line(struct ui *ui, uint32_t index)
{
	emit(ui, index, false);
}

/* --- the terminal follows ------------------------------------------------------------------------- */

void view_pump(struct ui *ui)
{
	struct screen *screen = current(ui);
	const uint8_t *bytes;
	size_t run = 0;

	if (!live(ui) || !ui->begun)
		return;
	if (ui->shown < screen_tail(screen))
		ui->shown = screen_tail(screen);
	do {
		while (ui->terminal.len < LINE_AHEAD && (run = questions_pass(screen, &ui->shown, ui->replayed, &bytes)) > 0) {
			if (run > LINE_AHEAD)
				run = LINE_AHEAD;
			terminal_put(&ui->terminal, bytes, run);
			ui->shown += run;
		}
		terminal_flush(&ui->terminal);
	} while (run > 0 && ui->terminal.len < LINE_AHEAD);
}

void view_show(struct ui *ui)
{
	struct screen *screen = current(ui);

	if (ui->mode != MODE_VIEW)
		ui->keys = (struct keys){0}; /* what has begun there is for nobody */
	ui->mode = MODE_VIEW;
	terminal_text(&ui->terminal, terminal_reset(&ui->terminal));
	terminal_text(&ui->terminal, terminal_clear(&ui->terminal));
	ui->shown = screen_replay(screen, ui->terminal.rows - 1);
	ui->replayed = screen->head;
	view_pump(ui);
}

static void set_focus(struct ui *ui, enum view view, uint32_t focus)
{
	char line[64];

	if (focus != ui->focus) {
		ui->feed_len = 0; /* it was typed for another */
		ui->keys.pending = 0;
		if (view == VIEW_ALL)
			view_line(ui, STYLE_LOG, line,
				  (size_t)snprintf(line, sizeof(line), "input goes to %s", capsule_name(ui, focus)));
	}
	ui->focus = focus;
}

void view_focus(struct ui *ui, uint32_t focus)
{
	if (ui->view == VIEW_ALL)
		set_focus(ui, ui->view, focus);
	else
		view_set(ui, ui->view, focus);
}

void view_set(struct ui *ui, enum view view, uint32_t focus)
{
	set_focus(ui, view, focus);
	ui->view = view;
	if (!terminal_draws(&ui->terminal))
		terminal_printf(&ui->terminal, "\r\n[%s]\r\n", view == VIEW_ALL ? "all" : capsule_name(ui, focus));
	/* Who is in the bar or a screen of the console's sees it when he leaves. */
	if (ui->mode == MODE_VIEW || !terminal_draws(&ui->terminal))
		view_show(ui);
}
