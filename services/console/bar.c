/* SPDX-License-Identifier: MIT */
/* The line at the bottom, where one switches and commands; and what commands have to say. */
#include <string.h>

#include "ui.h"

#define PROMPT "> "

static const char help[] = "a number or name switches, Tab completes, 'help' lists commands, Esc leaves";

void bar_close(struct ui *ui)
{
	if (terminal_draws(&ui->terminal)) {
		view_show(ui);
		return;
	}
	if (ui->mode == MODE_BAR)
		terminal_text(&ui->terminal, "\r\n");
	ui->keys.pending = 0;
	ui->mode = MODE_VIEW;
}

static void begin_bar(struct ui *ui, const char *says)
{
	struct text text = TEXT_IN(ui->bar.says);

	text_add(&text, "%s", says);
	ui->mode = MODE_BAR;
	ui->bar.fresh = true;
	ui->bar.drawn = 0;
	ui->bar.follows = NOBODY;
	ui->keys.pending = 0;
	line_clear(&ui->bar.line);
}

void bar_open(struct ui *ui)
{
	ui->bar.line.candidate = command_candidate;
	ui->bar.line.context = ui;
	begin_bar(ui, help);
	terminal_text(&ui->terminal, terminal_modes(&ui->terminal));
	terminal_ask_size(&ui->terminal, ui->now);
	/* Room for it: where the cursor is there mostly is a prompt. */
	terminal_text(&ui->terminal, "\r\n");
	bar_draw(ui);
}

/* --- drawing ------------------------------------------------------------------------------------ */

/* Without escape sequences: the line once more over itself, blanks over what was longer, and back to the cursor. */
static void draw_plain(struct ui *ui)
{
	struct line_edit *line = &ui->bar.line;
	size_t end = line->len;

	terminal_printf(&ui->terminal, "\r" PROMPT "%s", line->text);
	for (; end < ui->bar.drawn; end++)
		terminal_text(&ui->terminal, " ");
	for (; end > line->cursor; end--)
		terminal_text(&ui->terminal, "\b");
	ui->bar.drawn = line->len;
}

void bar_bottom(struct ui *ui, const char *text, const char *says)
{
	int width = (int)ui->terminal.columns - 1;
	char shown[512];
	struct text line = TEXT_IN(shown);

	text_add(&line, "%s%s", text, says);
	terminal_printf(&ui->terminal, "%s\x1b(B\x0f\x1b[r\x1b[?6l\x1b[%u;1H%s", terminal_cursor(&ui->terminal, false), ui->terminal.rows,
			terminal_style(&ui->terminal, STYLE_BAR));
	if (line.len > (size_t)width)
		terminal_printf(&ui->terminal, "%.*s...", width - 3, shown);
	else
		terminal_printf(&ui->terminal, "%-*s", width, shown);
	terminal_text(&ui->terminal, terminal_style(&ui->terminal, STYLE_PLAIN));
}

void bar_draw(struct ui *ui)
{
	struct line_edit *line = &ui->bar.line;
	unsigned width = ui->terminal.columns - 4;
	size_t from = line->cursor > width ? line->cursor - width : 0;
	char shown[LINE_LEN + 8];
	struct text text = TEXT_IN(shown);

	if (!terminal_draws(&ui->terminal)) {
		draw_plain(ui);
		return;
	}
	text_add(&text, PROMPT "%.*s%s", (int)width, line->text + from, ui->bar.says[0] ? "  " : "");
	bar_bottom(ui, text.bytes, ui->bar.says);
	terminal_printf(&ui->terminal, "%s\x1b[%u;%uH", terminal_cursor(&ui->terminal, true), ui->terminal.rows,
			(unsigned)(line->cursor - from + sizeof(PROMPT)));
}

/* --- keys --------------------------------------------------------------------------------------- */

static void run(struct ui *ui, const char *typed)
{
	struct text out = TEXT_IN(ui->page);
	char line[LINE_LEN + 1];

	strcpy(line, typed);
	out.bytes[0] = '\0';
	if (!terminal_draws(&ui->terminal)) {
		terminal_text(&ui->terminal, "\r\n");
		ui->mode = MODE_VIEW;
	}
	command_run(ui, line, &out);
	if (out.len > 0)
		bar_answer(ui, &out);
	else if (ui->mode == MODE_BAR)
		bar_close(ui);
}

static void show_candidates(struct ui *ui)
{
	line_candidates(&ui->bar.line, ui->bar.says, sizeof(ui->bar.says));
	if (terminal_draws(&ui->terminal))
		return;
	terminal_printf(&ui->terminal, "\r\n%s\r\n", ui->bar.says);
	ui->bar.drawn = 0;
}

void bar_key(struct ui *ui, int key)
{
	char digit[] = {(char)key, '\0'};
	bool fresh = ui->bar.fresh;

	ui->bar.fresh = false;
	if (fresh && key == KEY_SWITCH) {
		bar_close(ui);
		input_for_guest(ui, KEY_SWITCH);
		return;
	}
	/* With up to nine capsules a digit is enough. */
	if (fresh && key >= '1' && key <= '9' && ui->count <= 9) {
		run(ui, digit);
		return;
	}
	ui->bar.says[0] = '\0';
	switch (line_key(&ui->bar.line, key)) {
	case LINE_DONE:
		line_remember(&ui->bar.line);
		run(ui, ui->bar.line.text);
		return;
	case LINE_CANCELLED:
		bar_close(ui);
		return;
	case LINE_AMBIGUOUS:
		show_candidates(ui);
		break;
	case LINE_GOES_ON:
		break;
	}
	bar_draw(ui);
}

/* --- answers ------------------------------------------------------------------------------------ */

static void print_plain(struct ui *ui, const struct text *text)
{
	for (size_t i = 0; i < text->len; i++) {
		if (text->bytes[i] == '\n')
			terminal_text(&ui->terminal, "\r");
		terminal_put(&ui->terminal, text->bytes + i, 1);
	}
	ui->mode = MODE_VIEW;
}

/* One line that fits stands in the bar; more have the screen. */
void bar_answer(struct ui *ui, struct text *text)
{
	char *end = strchr(text->bytes, '\n');

	if (!terminal_draws(&ui->terminal)) {
		if (text->bytes[text->len - 1] != '\n')
			text_add(text, "\n");
		print_plain(ui, text);
		return;
	}
	if ((!end || end[1] == '\0') && text->len < ui->terminal.columns) {
		if (end)
			*end = '\0';
		if (ui->mode != MODE_BAR) {
			view_show(ui);
			terminal_text(&ui->terminal, terminal_modes(&ui->terminal));
		}
		ui->mode = MODE_SAYS;
		bar_bottom(ui, text->bytes, "");
		return;
	}
	ui->mode = MODE_PAGE;
	ui->page_at = 0;
	page_draw(ui);
}

void bar_follow(struct ui *ui)
{
	char shown[sizeof(ui->bar.says)];
	struct text text = TEXT_IN(shown);

	if (ui->mode != MODE_SAYS || ui->bar.follows == NOBODY)
		return;
	if (!stop_describe(ui, ui->bar.follows, &text))
		ui->bar.follows = NOBODY;
	if (strcmp(ui->bar.says, shown) == 0)
		return;
	strcpy(ui->bar.says, shown);
	bar_bottom(ui, shown, "");
}

/* Whatever key it is, it goes on; one for the guest is not lost. */
void says_key(struct ui *ui, int key)
{
	bar_close(ui);
	if (key == KEY_SWITCH)
		bar_open(ui);
	else if (key < 256 && key != KEY_ESCAPE && key != '\r' && key != '\n')
		input_for_guest(ui, (uint8_t)key);
}

/* Draws lines of the page from `page_at` on; where the next one begins. */
static size_t draw_lines(struct ui *ui)
{
	unsigned width = ui->terminal.columns - 1;
	size_t at = ui->page_at;

	for (unsigned row = 1; row < ui->terminal.rows && ui->page[at] != '\0'; row++) {
		size_t len = strcspn(ui->page + at, "\n");

		terminal_put(&ui->terminal, ui->page + at, len < width ? len : width);
		terminal_text(&ui->terminal, "\r\n");
		at += len + (ui->page[at + len] == '\n');
	}
	return at;
}

void page_draw(struct ui *ui)
{
	static const char more[] = " more: space goes on, q leaves", last[] = " any key leaves";
	const char *says;

	terminal_text(&ui->terminal, terminal_reset(&ui->terminal));
	terminal_text(&ui->terminal, terminal_clear(&ui->terminal));
	says = ui->page[draw_lines(ui)] ? more : last;
	bar_bottom(ui, says, "");
}

void page_key(struct ui *ui, int key)
{
	size_t at = ui->page_at;

	for (unsigned row = 1; row < ui->terminal.rows && ui->page[at] != '\0'; row++)
		at += strcspn(ui->page + at, "\n") + 1;
	if (at >= strlen(ui->page) || key == 'q' || key == KEY_ESCAPE || key == KEY_SWITCH || key == KEY_CTRL('C')) {
		bar_close(ui);
		return;
	}
	ui->page_at = at;
	page_draw(ui);
}
