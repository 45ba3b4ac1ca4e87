/* SPDX-License-Identifier: MIT */
/* The console service's life: it begins, takes turns, and ends. */
#include "ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- it begins ---------------------------------------------------------------------------------- */

static enum terminal_kind terminal_kind(const char *word)
{
	static const struct {
		const char *word;
		enum terminal_kind kind;
	} kinds[] = {{"dumb", TERMINAL_DUMB}, {"vt100", TERMINAL_VT100}, {"mono", TERMINAL_MONO}, {"color", TERMINAL_COLOR}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].word, word) == 0)
			return kinds[i].kind;
	return TERMINAL_UNKNOWN;
}

static const char *option(int count, char **arguments, const char *name)
{
	size_t len = strlen(name);

	for (int i = 0; i < count; i++)
		if (strncmp(arguments[i], name, len) == 0 && arguments[i][len] == '=')
			return arguments[i] + len + 1;
	return NULL;
}

void ui_begin(struct ui *ui, int count, char **arguments, uint64_t timebase, uint64_t now)
{
	const char *terminal = option(count, arguments, "terminal"), *color = option(count, arguments, "color");

	memset(ui, 0, sizeof(*ui));
	ui->now = now;
	ui->timebase = timebase ? timebase : 1;
	ui->view_option = option(count, arguments, "view");
	ui->focus_option = option(count, arguments, "focus");
	ui->color_option = color ? color : "auto";
	ui->terminal_option = terminal ? terminal_kind(terminal) : TERMINAL_UNKNOWN;
	ui->writer = ui->focus = NOBODY;
	ui->log.next = 1;
	ui->all.size = ALL_SCREEN_SIZE;
	ui->all.bytes = malloc(ALL_SCREEN_SIZE);
}

/*
 * Lines of the log up to now were on the line before, by the hypervisor's own console; it prints none that come when this
 * service has registered, so what is between the two is rather said twice than not at all.
 */
static void begin_service(struct ui *ui)
{
	enum terminal_kind kind = ui->terminal_option;

	log_refresh(ui);
	ui->log.shown = ui->log.next;
	if (diosix_register(DIOSIX_ROLE_CONSOLE).error)
		return;
	ui->registered = true;
	capsules_refresh(ui);
	capsules_sample(ui);
	if (kind == TERMINAL_UNKNOWN && ui->stats_error == DIOSIX_OK)
		kind = terminal_kind(ui->board.terminal);
	terminal_begin(&ui->terminal, kind, ui->color_option, ui->now);
}

static bool is_guest(const struct ui *ui, uint32_t index)
{
	return index < ui->count && ui->capsules[index].known && ui->capsules[index].info.kind == DIOSIX_GUEST;
}

/* The first guest; `guests` says how many there are. */
static uint32_t first_guest(const struct ui *ui, unsigned *guests)
{
	uint32_t first = NOBODY;

	*guests = 0;
	for (uint32_t i = ui->count; i-- > 0;)
		if (is_guest(ui, i)) {
			first = i;
			++*guests;
		}
	return first;
}

/* The boot log stays on the screen, and the view begins below it. */
static void begin_view(struct ui *ui)
{
	char hint[128];
	unsigned guests;
	uint32_t focus = first_guest(ui, &guests), wanted = NOBODY;

	if (ui->focus_option)
		wanted = capsule_find(ui, ui->focus_option);
	else if (!ui->stats_error && is_guest(ui, ui->board.focus))
		focus = ui->board.focus; /* as it was before this service was started again */
	if (wanted != NOBODY)
		focus = wanted;
	if (focus != NOBODY)
		ui->focus = focus;
	ui->view = guests == 1 || wanted != NOBODY ? VIEW_ONE : VIEW_ALL;
	if (ui->view_option)
		ui->view = strcmp(ui->view_option, "one") == 0 ? VIEW_ONE : VIEW_ALL;
	if (ui->focus != NOBODY)
		diosix_capsule_focus(ui->focus); /* for the hypervisor's console, should this one end */
	ui->begun = true;
	/* One that crashed may have left it otherwise. */
	terminal_text(&ui->terminal, terminal_style(&ui->terminal, STYLE_PLAIN));
	terminal_text(&ui->terminal, terminal_cursor(&ui->terminal, true));
	ui->mode = MODE_VIEW;
	if (ui->view == VIEW_ALL)
		view_line(ui, STYLE_LOG, hint, (size_t)snprintf(hint, sizeof(hint), "input goes to %s; Ctrl-] opens the console's bar",
								capsule_name(ui, ui->focus)));
	if (ui->view_option && strcmp(ui->view_option, "top") == 0 && terminal_draws(&ui->terminal) && !ui->stats_error)
		top_open(ui);
}

/* --- it takes turns ----------------------------------------------------------------------------- */

static void follow_log(struct ui *ui)
{
	uint64_t next = ui->log.next;

	log_refresh(ui);
	if (ui->log.next != next && ui->mode == MODE_LOG)
		log_draw(ui);
}

/* Somebody has named another capsule. What this service named itself is where it is already. */
static void follow_focus(struct ui *ui)
{
	if (diosix_board_info(&ui->board).error || !ui->begun || ui->board.focus == ui->focus || ui->board.focus >= ui->count)
		return;
	view_set(ui, ui->view, ui->board.focus);
}

static void refresh_screen(struct ui *ui)
{
	bool resized = ui->terminal.resized;

	ui->terminal.resized = false;
	if (ui->mode == MODE_TOP && ui->now >= ui->top.sampled + SAMPLE_TIME) {
		ui->top.before = ui->top.sampled;
		ui->top.sampled = ui->now;
		capsules_refresh(ui);
		capsules_sample(ui);
		terminal_ask_size(&ui->terminal, ui->now);
		top_draw(ui);
	} else if (ui->mode == MODE_TOP && (resized || ui->redraw)) {
		top_draw(ui);
	}
	if (ui->mode == MODE_BAR && resized)
		bar_draw(ui);
	bar_follow(ui);
	if (ui->mode == MODE_PAGE && resized)
		page_draw(ui);
	if (ui->mode == MODE_LOG && (resized || ui->redraw))
		log_draw(ui);
}

static bool stopping_any(const struct ui *ui)
{
	for (unsigned i = 0; i < STOPS_MAX; i++)
		if (ui->stops[i].active)
			return true;
	return false;
}

static void serve(struct ui *ui, uint64_t events)
{
	input_take(ui);
	input_late(ui);
	if (events & DIOSIX_EVENT_FOCUS)
		follow_focus(ui);
	if (!ui->begun && ui->terminal.kind != TERMINAL_UNKNOWN)
		begin_view(ui);
	view_tick(ui);
	if (ui->begun) {
		ui->drained = false;
		log_show(ui);
		view_take_output(ui);
		capsules_notice(ui);
		log_show(ui);
	}
	view_pump(ui);
	if (ui->begun)
		log_go_on(ui);
	refresh_screen(ui);
	input_feed(ui);
}

static void begin_end(struct ui *ui)
{
	ui->end_by = ui->now + END_TIME;
	ui->end_due = view_due(ui);
	if (!ui->registered)
		return;
	log_refresh(ui);
	capsules_refresh(ui);
}

static void leave_terminal(struct ui *ui)
{
	if (!ui->registered) /* it is another's */
		return;
	if (ui->begun)
		terminal_text(&ui->terminal, terminal_reset(&ui->terminal));
	terminal_text(&ui->terminal, "\r\n");
}

static void show_the_rest(struct ui *ui)
{
	if (ui->mode != MODE_VIEW)
		bar_close(ui);
	view_tick(ui);
	view_take_output(ui);
	capsules_notice(ui);
	for (uint32_t i = 0; ui->drained && i < ui->count; i++)
		view_end_line(ui, i); /* there is no more of it */
	log_show(ui);
	view_pump(ui);
	log_go_on(ui);
}

/* What is on the way still gets there, as far as the line takes it. True when it has, or its time is over. */
static bool has_shown_all(struct ui *ui)
{
	if (ui->end_by == 0)
		begin_end(ui);
	input_take(ui); /* an answer is not for whoever has the line next */
	input_late(ui);
	input_feed(ui);
	if (ui->registered && !ui->begun && ui->terminal.kind != TERMINAL_UNKNOWN)
		begin_view(ui);
	if (ui->begun)
		show_the_rest(ui);
	terminal_flush(&ui->terminal);
	ui->lost = view_is_behind(ui) || control_is_behind(ui) || (ui->begun && log_is_behind(ui));
	return (!ui->lost && !terminal_waits(&ui->terminal)) || ui->now >= ui->end_by;
}

/* Nothing comes after the terminal has been left. */
static void end(struct ui *ui)
{
	if (!ui->left && has_shown_all(ui)) {
		leave_terminal(ui);
		ui->left = true;
	}
	if (!ui->left)
		return;
	terminal_flush(&ui->terminal);
	ui->ended = ui->terminal.len == 0 || ui->now >= ui->end_by;
	ui->lost |= ui->ended && ui->terminal.len > 0;
}

void ui_turn(struct ui *ui, uint64_t events, uint64_t now)
{
	ui->now = now;
	ui->more = false;
	ui->stopping |= (events & DIOSIX_EVENT_STOP) != 0;
	if (!ui->registered && !ui->stopping)
		begin_service(ui);
	/* The log first: it says when a capsule started, and so before what that has printed. */
	if (ui->registered && !ui->stopping && (events & DIOSIX_EVENT_LOG))
		follow_log(ui);
	if ((events & DIOSIX_EVENT_CAPSULES) || stopping_any(ui))
		capsules_refresh(ui);
	if (!ui->left)
		stops_tick(ui);
	if (ui->registered && !ui->stopping)
		serve(ui, events);
	if (!ui->left)
		control_turn(ui);
	terminal_flush(&ui->terminal);
	if (ui->leaving)
		capsule_leave(ui);
	if (ui->stopping)
		end(ui);
}

static void sooner(uint64_t *deadline, uint64_t other)
{
	if (other < *deadline)
		*deadline = other;
}

/* Its end; while somebody sees the seconds that are left, the next of these. */
static uint64_t next_of_stop(const struct ui *ui, const struct stop *stop)
{
	uint64_t left = stop->deadline > ui->now ? stop->deadline - ui->now : 0;

	return ui->mode == MODE_SAYS && left > 0 ? ui->now + (left - 1) % 1000000 + 1 : stop->deadline;
}

uint64_t ui_deadline(const struct ui *ui)
{
	uint64_t deadline = UINT64_MAX;

	if (ui->more)
		return 0;
	sooner(&deadline, terminal_deadline(&ui->terminal));
	sooner(&deadline, keys_deadline(&ui->keys));
	sooner(&deadline, view_deadline(ui));
	if (ui->mode == MODE_TOP)
		sooner(&deadline, ui->top.sampled + SAMPLE_TIME);
	if (ui->feed_len > 0)
		sooner(&deadline, ui->now + FEED_TIME);
	if (ui->stopping)
		sooner(&deadline, ui->end_by);
	if (ui->leaving)
		sooner(&deadline, ui->leave_by);
	for (unsigned i = 0; i < STOPS_MAX; i++)
		if (ui->stops[i].active && !ui->stops[i].killed)
			sooner(&deadline, next_of_stop(ui, &ui->stops[i]));
	return deadline;
}
