/* SPDX-License-Identifier: MIT */
/* The log on a screen of its own: levels, search, scrolling. */
#include <string.h>

#include "ui.h"

static const char *const levels[] = {"error", "warning", "info", "debug"};

static bool shown(const struct ui *ui, const struct log_entry *line)
{
	return line->level <= ui->log_view.level;
}

/* "seconds.millis  text" */
static void add_line(struct ui *ui, const struct log_entry *line, struct text *text)
{
	/* Each says whose it is: here that is clear. */
	static const char prefix[] = "diosix: ";
	size_t skipped = sizeof(prefix) - 1;

	if (line->len < skipped || memcmp(log_text(ui, line), prefix, skipped) != 0)
		skipped = 0;
	text_add(text, "%6u.%03u %.*s", (unsigned)(line->time / 1000000), (unsigned)(line->time / 1000 % 1000),
		 (int)(line->len - skipped), log_text(ui, line) + skipped);
}

/* The index behind the last line on the screen. */
static uint32_t bottom(const struct ui *ui)
{
	uint32_t at = ui->log.count;

	if (ui->log_view.bottom == 0)
		return at;
	while (at > 0 && ui->log.lines[at - 1].sequence > ui->log_view.bottom)
		at--;
	return at;
}

/* The index of the first line on the screen when it ends before `end`. */
static uint32_t first_of(const struct ui *ui, uint32_t end)
{
	unsigned rows = ui->terminal.rows - 1;

	while (end > 0 && rows > 0)
		rows -= shown(ui, &ui->log.lines[--end]);
	return end;
}

/* --- moving ------------------------------------------------------------------------------------- */

static void scroll(struct ui *ui, int lines)
{
	uint32_t at = bottom(ui), first = first_of(ui, at);

	for (; lines < 0 && at > 1 && first > 0; at--) {
		lines += shown(ui, &ui->log.lines[at - 1]);
		first = first_of(ui, at - 1);
	}
	for (; lines > 0 && at < ui->log.count; at++)
		lines -= shown(ui, &ui->log.lines[at]);
	ui->log_view.bottom = at == ui->log.count || at == 0 ? 0 : ui->log.lines[at - 1].sequence;
}

static bool holds(const struct ui *ui, const struct log_entry *line, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + len <= line->len; i++)
		if (memcmp(log_text(ui, line) + i, word, len) == 0)
			return true;
	return false;
}

/* The next line with the word, upwards or down from the last on the screen, becomes the last. */
static void search(struct ui *ui, bool down)
{
	struct log_view *view = &ui->log_view;
	uint32_t at = bottom(ui);

	view->missed = true;
	if (view->search[0] == '\0' || at == 0)
		return;
	for (at--; view->missed && (down ? at + 1 < ui->log.count : at > 0);) {
		const struct log_entry *line = &ui->log.lines[down ? ++at : --at];

		if (!shown(ui, line) || !holds(ui, line, view->search))
			continue;
		view->bottom = line->sequence;
		view->missed = false;
	}
}

/* --- drawing ------------------------------------------------------------------------------------ */

static void draw_line(struct ui *ui, const struct log_entry *line)
{
	struct terminal *terminal = &ui->terminal;
	char buffer[320];
	struct text text = TEXT_IN(buffer);
	size_t width = terminal->columns - 1;
	unsigned style = line->level == DIOSIX_LOG_ERROR     ? STYLE_ERROR
			 : line->level == DIOSIX_LOG_WARNING ? STYLE_WARNING
							     : STYLE_PLAIN;
	bool found = ui->log_view.search[0] && holds(ui, line, ui->log_view.search);

	add_line(ui, line, &text);
	terminal_text(terminal, terminal_style(terminal, found ? STYLE_BAR : style));
	terminal_put(terminal, text.bytes, text.len < width ? text.len : width);
	terminal_text(terminal, terminal_style(terminal, STYLE_PLAIN));
	terminal_text(terminal, "\x1b[K\r\n");
}

static void draw_status(struct ui *ui)
{
	const struct log_view *view = &ui->log_view;
	char buffer[256];
	struct text text = TEXT_IN(buffer);

	if (view->typing)
		text_add(&text, "/%s", view->search);
	else
		text_add(&text, " log, %s%s%s%s: / n N search, e w i d level, arrows, q leaves", levels[view->level],
			 view->bottom ? "" : ", following", view->missed ? ", not found: " : "",
			 view->missed ? view->search : "");
	terminal_text(&ui->terminal, "\x1b[J");
	bar_bottom(ui, text.bytes, "");
	if (view->typing)
		terminal_printf(&ui->terminal, "%s\x1b[%u;%uH", terminal_cursor(&ui->terminal, true), ui->terminal.rows,
				(unsigned)text.len + 1);
}

void log_draw(struct ui *ui)
{
	uint32_t end = bottom(ui);

	terminal_flush(&ui->terminal);
	ui->redraw = ui->terminal.len > 0; /* once the line has taken what there is */
	if (ui->redraw)
		return;
	terminal_printf(&ui->terminal, "%s\x1b[H", terminal_cursor(&ui->terminal, false));
	for (uint32_t i = first_of(ui, end); i < end; i++)
		if (shown(ui, &ui->log.lines[i]))
			draw_line(ui, &ui->log.lines[i]);
	draw_status(ui);
}

static void print_all(struct ui *ui)
{
	for (uint32_t i = 0; i < ui->log.count; i++) {
		const struct log_entry *line = &ui->log.lines[i];
		char buffer[320];
		struct text text = TEXT_IN(buffer);

		if (!shown(ui, line) || (ui->log_view.search[0] && !holds(ui, line, ui->log_view.search)))
			continue;
		add_line(ui, line, &text);
		terminal_printf(&ui->terminal, "%s\r\n", buffer);
	}
}

void log_open(struct ui *ui, const char *level, const char *word)
{
	struct log_view *view = &ui->log_view;
	struct text text = TEXT_IN(view->search);

	memset(view, 0, sizeof(*view));
	view->level = DIOSIX_LOG_INFO;
	for (uint32_t i = 0; level && i < 4; i++)
		if (strcmp(levels[i], level) == 0)
			view->level = i;
	text_add(&text, "%s", word ? word : "");
	if (!terminal_draws(&ui->terminal)) {
		print_all(ui);
		return;
	}
	ui->mode = MODE_LOG;
	terminal_text(&ui->terminal, terminal_reset(&ui->terminal));
	terminal_text(&ui->terminal, terminal_clear(&ui->terminal));
	if (view->search[0])
		search(ui, false);
	log_draw(ui);
}

/* --- keys --------------------------------------------------------------------------------------- */

static void type_search(struct ui *ui, int key)
{
	struct log_view *view = &ui->log_view;
	size_t len = strlen(view->search);

	if (key == '\r' || key == '\n' || key == KEY_ESCAPE) {
		view->typing = false;
		if (key != KEY_ESCAPE)
			search(ui, false);
	} else if ((key == KEY_RUBOUT || key == KEY_CTRL('H')) && len > 0) {
		view->search[len - 1] = '\0';
	} else if (key >= ' ' && key < KEY_RUBOUT && len + 1 < sizeof(view->search)) {
		view->search[len] = (char)key;
		view->search[len + 1] = '\0';
	}
}

static void move(struct ui *ui, int key)
{
	int page = (int)ui->terminal.rows - 2;

	switch (key) {
	case KEY_UP:
	case 'k':
		scroll(ui, -1);
		break;
	case KEY_DOWN:
	case 'j':
		scroll(ui, 1);
		break;
	case KEY_PAGE_UP:
	case 'b':
		scroll(ui, -page);
		break;
	case KEY_PAGE_DOWN:
	case ' ':
		scroll(ui, page);
		break;
	case KEY_HOME:
	case 'g':
		scroll(ui, -(int)LOG_LINES);
		break;
	case KEY_END:
	case 'G':
		ui->log_view.bottom = 0;
		break;
	}
}

void log_key(struct ui *ui, int key)
{
	struct log_view *view = &ui->log_view;
	const char *level = key > 0 && key < 128 ? strchr("ewid", key) : NULL;

	view->missed = false;
	if (view->typing) {
		type_search(ui, key);
	} else if (key == 'q' || key == KEY_ESCAPE || key == KEY_CTRL('C') || key == KEY_SWITCH) {
		bar_close(ui);
		return;
	} else if (key == '/') {
		view->typing = true;
		view->search[0] = '\0';
	} else if (key == 'n' || key == 'N') {
		search(ui, key == 'N');
	} else if (level) {
		view->level = (uint32_t)(level - "ewid");
	} else {
		move(ui, key);
	}
	log_draw(ui);
}
