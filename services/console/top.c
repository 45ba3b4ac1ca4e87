/* SPDX-License-Identifier: MIT */
/* Who uses how much: a table, drawn once a second. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ui.h"

struct row {
	const struct capsule *capsule;
	uint64_t cpu; /* tenths of a percent of one hart */
	uint64_t exits;
	uint64_t a_second[DIOSIX_EXITS];
};

/* --- rows --------------------------------------------------------------------------------------- */

static void measure(const struct ui *ui, const struct capsule *capsule, struct row *row)
{
	uint64_t time = ui->top.sampled - ui->top.before;
	const struct diosix_capsule_stats *now = &capsule->stats, *before = &capsule->before;

	*row = (struct row){.capsule = capsule};
	if (ui->top.before == 0 || time == 0)
		return;
	row->cpu = now->ran > before->ran ? ui_time(ui, now->ran - before->ran) * 1000 / time : 0;
	for (unsigned i = 0; i < DIOSIX_EXITS; i++) {
		uint64_t count = now->exits[i] > before->exits[i] ? now->exits[i] - before->exits[i] : 0;

		row->a_second[i] = count * 1000000 / time;
		row->exits += row->a_second[i];
	}
}

static uint64_t restarts(const struct capsule *capsule)
{
	return capsule->info.starts > 0 ? capsule->info.starts - 1 : 0;
}

/* Does `a` come before `b`? The most first, but for names. */
static bool before(const struct row *a, const struct row *b, char key)
{
	const struct diosix_capsule_info *x = &a->capsule->info, *y = &b->capsule->info;

	switch (key) {
	case 'c':
		return a->cpu > b->cpu;
	case 'e':
		return a->exits > b->exits;
	case 'm':
		return x->memory > y->memory;
	case 'r':
		return restarts(a->capsule) > restarts(b->capsule);
	case 'u':
		return x->started_at < y->started_at;
	case 's':
		return x->state < y->state;
	default:
		return strcmp(x->name, y->name) < 0;
	}
}

static uint32_t sorted_rows(const struct ui *ui, struct row *rows)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < ui->count; i++) {
		struct row row;
		uint32_t at = count;

		if (!ui->capsules[i].known)
			continue;
		measure(ui, &ui->capsules[i], &row);
		for (; at > 0 && before(&row, &rows[at - 1], ui->top.key); at--)
			rows[at] = rows[at - 1];
		rows[at] = row;
		count++;
	}
	return count;
}

/* --- text --------------------------------------------------------------------------------------- */

/* Into at most four columns. */
static const char *brief(char *buffer, uint64_t number)
{
	static const char units[] = " kMGT";
	unsigned unit = 0;

	for (; number >= 10000 || (unit > 0 && number >= 1000); unit++)
		number /= 1000;
	if (unit == 0)
		snprintf(buffer, 8, "%u", (unsigned)number);
	else
		snprintf(buffer, 8, "%u%c", (unsigned)number, unit < sizeof(units) - 1 ? units[unit] : '?');
	return buffer;
}

static void add_row(struct text *text, const struct ui *ui, const struct row *row, int name_width)
{
	const struct diosix_capsule_info *info = &row->capsule->info;
	uint64_t began = ui_time(ui, info->started_at), up = ui->now > began ? (ui->now - began) / 1000000 : 0;
	char number[8];

	text_add(text, "%-*.*s %-8.8s %2u %3u.%u", name_width, name_width, info->name, state_name(info->state), info->cpus,
		 (unsigned)(row->cpu / 10), (unsigned)(row->cpu % 10));
	for (unsigned i = 0; i < DIOSIX_EXITS; i++)
		text_add(text, " %4s", brief(number, row->a_second[i]));
	text_add(text, " %4sM", brief(number, info->memory >> 20));
	text_add(text, " %3s", brief(number, restarts(row->capsule)));
	if (info->state != DIOSIX_STATE_RUNNING)
		text_add(text, "      -\n");
	else if (up < 6000)
		text_add(text, " %3u:%02u\n", (unsigned)(up / 60), (unsigned)(up % 60));
	else
		text_add(text, " %3uh%02u\n", (unsigned)(up / 3600), (unsigned)(up / 60 % 60));
}

#define FIXED_WIDTH 70 /* all columns but the name's */

void top_table(struct ui *ui, struct text *text, unsigned columns, unsigned rows)
{
	static struct row table[CAPSULES_MAX];
	uint32_t count = sorted_rows(ui, table);
	const struct diosix_board_info *board = &ui->board;
	int width = (int)columns - 1 - FIXED_WIDTH;

	width = width < 9 ? 9 : width > 31 ? 31 : width;
	text_add(text, "diosix on %.32s: %u harts, %u of %u MiB free, %u capsules\n", board->board, board->harts,
		 (unsigned)(board->free >> 20), (unsigned)(board->ram >> 20), count);
	text_add(text, "%-*s %-8s %2s %5s %4s %4s %4s %4s %4s %4s %4s %5s %3s %6s\n", width, "NAME", "STATE", "VC", "%CPU", "CALL",
		 "DEV", "EMUL", "FLT", "WAIT", "TIME", "INT", "MEM", "RST", "UP");
	for (uint32_t i = 0; i < count && i + 2 < rows; i++)
		add_row(text, ui, &table[i], width);
}

/* --- the screen --------------------------------------------------------------------------------- */

void top_open(struct ui *ui)
{
	if (!ui->top.key)
		ui->top.key = 'c';
	ui->mode = MODE_TOP;
	ui->top.before = 0;
	ui->top.sampled = ui->now;
	terminal_ask_size(&ui->terminal, ui->now);
	terminal_text(&ui->terminal, terminal_reset(&ui->terminal));
	terminal_text(&ui->terminal, terminal_clear(&ui->terminal));
	top_draw(ui);
}

/* In place: each line over the old one, and what was longer is erased. */
void top_draw(struct ui *ui)
{
	struct text text = TEXT_IN(ui->page);
	struct terminal *terminal = &ui->terminal;
	const char *line = ui->page;

	terminal_flush(terminal);
	ui->redraw = terminal->len > 0; /* the line is slow: later */
	if (ui->redraw)
		return;
	top_table(ui, &text, terminal->columns, terminal->rows - 1);
	terminal_printf(terminal, "%s\x1b[H", terminal_cursor(terminal, false));
	for (unsigned row = 0; *line && row + 1 < terminal->rows; row++) {
		size_t len = strcspn(line, "\n"), width = terminal->columns - 1;

		terminal_text(terminal, row == 1 ? terminal_style(terminal, STYLE_HEAD) : "");
		terminal_put(terminal, line, len < width ? len : width);
		terminal_text(terminal, row == 1 ? terminal_style(terminal, STYLE_PLAIN) : "");
		terminal_text(terminal, "\x1b[K\r\n");
		line += len + (line[len] == '\n');
	}
	terminal_text(terminal, "\x1b[J");
	bar_bottom(ui, " q leaves; sorts by: c cpu, e exits, m mem, n name, r restarts, s state, u up", "");
}

void top_key(struct ui *ui, int key)
{
	if (key == 'q' || key == KEY_ESCAPE || key == KEY_CTRL('C')) {
		bar_close(ui);
	} else if (key == KEY_SWITCH) {
		bar_close(ui);
		bar_open(ui);
	} else if (key > 0 && key < 128 && strchr("cemnrsu", key)) {
		ui->top.key = (char)key;
		top_draw(ui);
	}
}
