/* SPDX-License-Identifier: MIT */
/*
 * The console service as a whole. All of it runs on one vCPU, in turns: ui_turn() does what there is to do and never waits.
 * Times are microseconds since the board began. It reaches the board through diosix_call() alone.
 *
 *   output of capsules -> lines -> the screen "all"    -.
 *                      -> each one's screen             +-> terminal -> the board's line
 *                      -> the control port             /
 *   what is typed -> answers of the terminal -> bar, top, log -> or the guest in focus
 */
#ifndef CONSOLE_UI_H
#define CONSOLE_UI_H

#include "common/suggest.h"
#include "diosix.h"
#include "keys.h"
#include "line_edit.h"
#include "plain.h"
#include "screen.h"
#include "terminal.h"
#include "text.h"

#define CAPSULES_MAX	128u
#define NOBODY		UINT32_MAX
#define SCREEN_SIZE	16384u /* of one capsule */
#define ALL_SCREEN_SIZE 65536u
#define ASSEMBLED_LEN	256u
#define STOPS_MAX	16u
#define UNTAKEN_MAX	4096u /* the most that one capsule may have printed and nobody taken */
#define LOG_LINES	512u
#define LOG_TEXT	49152u
#define PAGE_SIZE	32768u
#define FEED_SIZE	65536u
#define STOP_TIME	10000000u
#define SAMPLE_TIME	1000000u
#define PROMPT_TIME	500000u /* after this an unfinished line is a prompt */
#define FOCUS_TIME	50000u	/* the same for the capsule in focus */
#define FEED_TIME	5000u	/* a guest does not say when it takes more */
#define END_TIME	2000000u /* for what is on its way to the terminal when the service ends */

/* A capsule's line on its way to the view of all. */
struct assembly {
	char text[ASSEMBLED_LEN];
	size_t len;
	uint64_t since; /* when the first byte of it came */
	uint64_t due;	/* view_due() then: the line's end may be there already */
	bool carriage;	/* a carriage return has come, and may end the line */
};

struct capsule {
	bool known; /* it has been seen: in the list, or by its output */
	struct diosix_capsule_info info;
	struct diosix_capsule_stats stats, before; /* now, and at the sample before */
	struct screen screen;
	struct plain plain;
	struct assembly assembly;
	bool changed;  /* its state, and nobody has been told yet on its screen */
	uint64_t due;  /* view_due() of that */
	uint64_t life; /* the last of which it was said that it has started */
	bool attached; /* the control port has its output */
	uint64_t lost; /* bytes that the control port has not seen */
};

/* Somebody waits until a capsule has stopped. */
struct stop {
	bool active, killed, control;
	uint32_t capsule;
	uint64_t handle;   /* of the life that is to end */
	uint64_t deadline; /* then it is killed */
	uint64_t id;	   /* of the control port's request */
};

struct log_entry {
	uint64_t sequence, time; /* microseconds */
	uint32_t at, len, level;
	uint64_t due; /* view_due() when it came */
};

/* The lines that were read, in order; the oldest go when there is no room. */
struct log {
	struct log_entry lines[LOG_LINES];
	uint32_t count;
	char text[LOG_TEXT];
	uint32_t used;
	uint64_t next; /* the sequence to read from */
	uint64_t shown; /* and to show from */
};

enum view { VIEW_ALL, VIEW_ONE };
enum mode { MODE_VIEW, MODE_BAR, MODE_SAYS, MODE_PAGE, MODE_TOP, MODE_LOG };

struct bar {
	struct line_edit line;
	char says[256]; /* instead of keys that help, or what came of the last command */
	bool fresh;	/* nothing has been typed */
	size_t drawn;	/* columns, on a terminal that only has lines */
	uint32_t follows; /* a capsule whose stop it tells of, or NOBODY */
};

struct top {
	char key;
	uint64_t sampled, before; /* when; 0 before there was a sample */
};

struct log_view {
	uint32_t level;	 /* the least important that is shown */
	uint64_t bottom; /* sequence of the last line on the screen; 0 follows the log */
	char search[64];
	bool typing; /* what to search for */
	bool missed; /* it was not found */
};

#define CONTROL_LINE	4096u
#define CONTROL_OUTPUT	131072u
#define CONTROL_EVENTS	32768u /* events may wait in this much of it */
#define CONTROL_ANSWER	65536u /* the longest */

enum operation { OPERATION_START, OPERATION_STOP, OPERATION_KILL, OPERATION_RESTART, OPERATION_FOCUS, OPERATIONS };

struct control {
	bool registered, asked, following;
	bool overlong; /* the line so far is longer than may be: the rest is skipped */
	char line[CONTROL_LINE];
	size_t line_len;
	uint8_t input[1024];
	size_t input_at, input_len;
	uint8_t waiting[CONTROL_OUTPUT];
	size_t from, len;
	uint64_t lost; /* events */
	uint64_t log_next;
};

struct ui {
	uint64_t now;
	uint64_t timebase;
	bool registered, ended, stopping;
	bool lost; /* when it ended, there was more to show */
	const char *view_option; /* as the command line has them; NULL for none */
	const char *focus_option, *color_option;
	enum terminal_kind terminal_option;
	bool begun; /* the terminal is known, and something is on it */
	bool left; /* the terminal is to be as it was before */
	uint64_t end_by, end_due; /* 0, or when it ends, and view_due() when it was asked to */
	bool leaving; /* by `farewell`, before this time; no more requests are taken */
	enum operation farewell;
	uint64_t leave_by;

	struct capsule capsules[CAPSULES_MAX];
	uint32_t count; /* of them that may be known */
	int64_t list_error, stats_error;
	struct diosix_board_info board;

	enum view view;
	enum mode mode;
	uint32_t focus;
	struct screen all;
	uint32_t writer; /* whose unfinished line is the last of `all`, or NOBODY */
	uint32_t column; /* how far back on it he may go */
	uint64_t taken;	 /* bytes of what capsules have printed */
	bool drained;	 /* there were no more */
	uint64_t shown;	 /* how far the screen of the view is on the terminal */
	uint64_t replayed; /* what is before this is shown again, without questions to the terminal */

	/* Output that has been taken and not been put anywhere. */
	uint64_t batch[256];
	size_t batch_at, batch_len;
	struct diosix_output piece; /* `len` bytes of it are left */
	bool more;   /* there may be more to do at once */
	bool redraw; /* top's screen, or the log's, is not as it should be */

	struct terminal terminal;
	struct keys keys;
	struct bar bar;
	struct top top;
	struct log_view log_view;
	char page[PAGE_SIZE];
	size_t page_at;

	/* What was typed for a guest that has not taken it. */
	uint8_t feed[FEED_SIZE];
	size_t feed_from, feed_len;

	struct stop stops[STOPS_MAX];
	struct log log;
	struct control control;
};

/* --- ui.c: its life */

/* `arguments` are words of the form option=value. */
void ui_begin(struct ui *ui, int count, char **arguments, uint64_t timebase, uint64_t now);
/* `events` are those of diosix_events(). */
void ui_turn(struct ui *ui, uint64_t events, uint64_t now);
/* When the next turn is due, events aside; UINT64_MAX for never. */
uint64_t ui_deadline(const struct ui *ui);
/* Microseconds of so many ticks. */
static inline uint64_t ui_time(const struct ui *ui, uint64_t ticks)
{
	return ticks / ui->timebase * 1000000 + ticks % ui->timebase * 1000000 / ui->timebase;
}

/* --- capsules.c: what there is, and what can be done to it */

void capsules_refresh(struct ui *ui);
void capsules_sample(struct ui *ui);
/* Says on their screens what has become of them, behind what they printed before. */
void capsules_notice(struct ui *ui);
/* It has printed something in this life: that it has started is said before. */
void capsule_lives(struct ui *ui, uint32_t index, uint64_t life);
/* Makes it known when it was not. */
struct capsule *capsule_at(struct ui *ui, uint32_t index);
const char *capsule_name(const struct ui *ui, uint32_t index);
/* A name, or a number as the list has it; NOBODY for neither. */
uint32_t capsule_find(const struct ui *ui, const char *name);
/* For a word that is none of the candidates: those that begin with it, or the one that is like it; false when there is none. */
bool add_hint(struct text *why, const char *word, suggest_candidate candidate, const void *context);
/* "there is no capsule 'x'", with a hint. */
void capsule_unknown(const struct ui *ui, const char *name, struct text *why);
const char *state_name(uint32_t state);
const char *end_name(uint32_t end);

/* False with a sentence in `why` when it cannot be done. */
bool capsule_operate(struct ui *ui, enum operation operation, uint32_t index, struct text *why);
/*
 * A stop, kill or restart of the console itself, if it may do that: it is done by capsule_leave(), once nothing that was
 * answered or asked is on its way any more. False when it is not such.
 */
bool capsule_begin_leave(struct ui *ui, enum operation operation, uint32_t index);
void capsule_leave(struct ui *ui);
/* A sentence about an error of a call that needs this permission. */
void call_failed(struct text *why, const char *permission, int64_t error);
/* Asks it to stop, and kills it after `time`. */
bool capsule_begin_stop(struct ui *ui, uint32_t index, uint64_t time, const uint64_t *control_id, struct text *why);
void stops_tick(struct ui *ui);
/* How far that is; false when it is over. */
bool stop_describe(const struct ui *ui, uint32_t index, struct text *out);

/* --- log.c: the hypervisor's log */

/* Reads what is new. The error of the call. */
int64_t log_refresh(struct ui *ui);
/* Puts it into the view of all, as far as there is room, behind what capsules printed before. */
void log_show(struct ui *ui);
/* Are there lines that it has not got yet? */
bool log_is_behind(const struct ui *ui);
/* Has it room for one of them now? Then there is more to do at once. */
void log_go_on(struct ui *ui);
/* The same with the lines before `sequence`, whatever has been printed: false when there was no room for all of them. */
bool log_show_until(struct ui *ui, uint64_t sequence);
static inline const char *log_text(const struct ui *ui, const struct log_entry *line)
{
	return ui->log.text + line->at;
}

/* --- views.c: all, and one */

/* Draws what the view has, from the beginning. */
void view_show(struct ui *ui);
void view_set(struct ui *ui, enum view view, uint32_t focus);
/* Another is in focus; the view of all goes on as it is. */
void view_focus(struct ui *ui, uint32_t focus);
/* The terminal has enough to do: what is to be shown waits. */
bool view_is_full(struct ui *ui);
/* Takes output from the hypervisor as far as there is room for it. */
void view_take_output(struct ui *ui);
/* Is all on its screen that was printed when ui->taken was `due` less what may wait? */
static inline bool view_has_all(const struct ui *ui, uint64_t due)
{
	return ui->drained || ui->taken >= due;
}
/* `due` for what has been printed until now: whatever may wait of all capsules. */
static inline uint64_t view_due(const struct ui *ui)
{
	return ui->taken + (uint64_t)ui->count * UNTAKEN_MAX;
}
/* A capsule prints no more: its last line may have no end. */
void view_end_line(struct ui *ui, uint32_t index);
/* Moves what is new to the terminal. */
void view_pump(struct ui *ui);
/* Is there anything that has been taken and is not on the line yet? */
bool view_is_behind(struct ui *ui);
/* Unfinished lines that have waited long enough. */
void view_tick(struct ui *ui);
uint64_t view_deadline(const struct ui *ui);
/* A line of the console's own, in the view that there is; in `all` with this style. */
void view_line(struct ui *ui, unsigned style, const char *text, size_t len);
/* The same about a capsule: in `all`, and on its own screen. */
void view_notice(struct ui *ui, uint32_t index, const char *text);

/* --- bar.c: the line at the bottom */

void bar_open(struct ui *ui);
void bar_draw(struct ui *ui);
/* The last line of the screen: `text`, and `says` as far as there is room. The cursor is hidden. */
void bar_bottom(struct ui *ui, const char *text, const char *says);
/* Tells how far the stop is that was asked for last. */
void bar_follow(struct ui *ui);
void bar_key(struct ui *ui, int key);
void says_key(struct ui *ui, int key);
void page_draw(struct ui *ui);
void page_key(struct ui *ui, int key);
/* Shows what a command has to say. */
void bar_answer(struct ui *ui, struct text *text);
/* Back to the view. */
void bar_close(struct ui *ui);

/* --- top.c, log_view.c: whole screens */

void top_open(struct ui *ui);
void top_draw(struct ui *ui);
void top_key(struct ui *ui, int key);
void top_table(struct ui *ui, struct text *text, unsigned columns, unsigned rows);
void log_open(struct ui *ui, const char *level, const char *search);
void log_draw(struct ui *ui);
void log_key(struct ui *ui, int key);

/* --- input.c */

void input_take(struct ui *ui);
void input_feed(struct ui *ui);
void input_for_guest(struct ui *ui, uint8_t byte);
void input_late(struct ui *ui);

/* --- commands.c */

void command_run(struct ui *ui, char *line, struct text *out);
/* For completion, with line_candidate's arguments; the context is the ui. */
const char *command_candidate(const void *context, const char *line, size_t word_at, unsigned index);

/* --- control.c: the second port */

void control_turn(struct ui *ui);
/* Is there anything that the port has not taken, with somebody there who asked? */
bool control_is_behind(const struct ui *ui);
void control_state(struct ui *ui, uint32_t index);
void control_output(struct ui *ui, uint32_t index, const uint8_t *bytes, size_t len, uint64_t dropped);
void control_log(struct ui *ui);
void control_stopped(struct ui *ui, const struct stop *stop);

#endif
