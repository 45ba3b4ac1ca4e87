/* SPDX-License-Identifier: MIT */
/* What can be typed into the bar: one table. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dmfs.h"
#include "ui.h"

struct call {
	struct ui *ui;
	uint32_t capsule; /* the one that was named, or NOBODY */
	const char *words[4]; /* behind the command and the capsule; NULL where there are no more */
	struct text *out;
};

struct command {
	const char *name, *arguments, *permission, *help;
	enum { WITHOUT, MAYBE, WITH } capsule; /* whether it names one */
	void (*run)(struct call *call);
};

static const struct command commands[];
static const size_t command_count;

/* --- what it says ------------------------------------------------------------------------------- */

static void add_uptime(struct text *out, const struct ui *ui, const struct diosix_capsule_info *info)
{
	uint64_t began = ui_time(ui, info->started_at), s = ui->now > began ? (ui->now - began) / 1000000 : 0;

	if (info->state != DIOSIX_STATE_RUNNING)
		text_add(out, "       -");
	else if (s < 86400)
		text_add(out, "%2" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600, s / 60 % 60, s % 60);
	else
		text_add(out, "%7" PRIu64 "d", s / 86400);
}

static bool listed(struct call *call)
{
	capsules_refresh(call->ui);
	if (call->ui->list_error)
		call_failed(call->out, "capsule_list", call->ui->list_error);
	return call->ui->list_error == DIOSIX_OK;
}

/* A line of the list is to fit 80 columns, with how it ended. */
static int name_width(const struct ui *ui)
{
	size_t width = strlen("NAME");

	for (uint32_t i = 0; i < ui->count; i++)
		if (strlen(ui->capsules[i].info.name) > width)
			width = strlen(ui->capsules[i].info.name);
	return (int)width;
}

static void list(struct call *call)
{
	const struct ui *ui = call->ui;
	int width;

	if (!listed(call))
		return;
	width = name_width(ui);
	text_add(call->out, " #  %-*s %-7s %-9s %5s %-6s %8s %8s  %s\n", width, "NAME", "KIND", "STATE", "VCPUS", "PRIO", "MEMORY",
		 "UPTIME", "ENDED");
	for (uint32_t i = 0; i < ui->count; i++) {
		const struct diosix_capsule_info *info = &ui->capsules[i].info;
		const char *priority = dmfs_priority_name(info->priority);

		text_add(call->out, "%2u%c %-*s %-7s %-9s %5u %-6s %7" PRIu64 "K ", i + 1, i == ui->focus ? '*' : ' ', width, info->name,
			 info->kind == DIOSIX_SERVICE ? "service" : "guest", state_name(info->state), info->cpus,
			 priority ? priority : "", info->memory >> 10);
		add_uptime(call->out, ui, info);
		if (info->last_end != DIOSIX_END_NONE)
			text_add(call->out, "  %s %s", end_name(info->last_end), info->last_end == DIOSIX_END_CRASH ? info->crash : "");
		text_add(call->out, "\n");
	}
}

static void permissions(struct call *call)
{
	const struct diosix_capsule_info *info = &call->ui->capsules[call->capsule].info;

	if (!listed(call))
		return;
	text_add(call->out, "%s: %s\n", info->name, info->permissions ? "" : "no permissions");
	for (unsigned bit = 0; bit < DMFS_PERM_COUNT; bit++)
		if (info->permissions >> bit & 1)
			text_add(call->out, "  %s\n", dmfs_permission_name(bit));
}

static void image(struct call *call)
{
	const struct diosix_board_info *board = &call->ui->board;

	capsules_sample(call->ui);
	if (call->ui->stats_error) {
		call_failed(call->out, "hv_stats_read", call->ui->stats_error);
		return;
	}
	text_add(call->out, "image %.64s %.64s, rollback %" PRIu64 ", verified with\n", board->image, board->image_version,
		 board->rollback);
	for (uint32_t i = 0; i < board->key_count && i < DIOSIX_KEYS; i++) {
		text_add(call->out, "  key ");
		for (unsigned j = 0; j < 8; j++)
			text_add(call->out, "%02x", board->keys[i][j]);
		text_add(call->out, "\n");
	}
	text_add(call->out, "by diosix %.32s on %.64s\n", board->hypervisor, board->board);
}

static void stats(struct call *call)
{
	capsules_sample(call->ui);
	if (call->ui->stats_error)
		call_failed(call->out, "hv_stats_read", call->ui->stats_error);
	else
		top_table(call->ui, call->out, call->ui->terminal.columns, UINT32_MAX);
}

static void help(struct call *call)
{
	text_add(call->out, "In the bar a number or a name switches, and these are commands:\n");
	for (size_t i = 0; i < command_count; i++) {
		char synopsis[40];

		snprintf(synopsis, sizeof(synopsis), "%s %s", commands[i].name, commands[i].arguments);
		text_add(call->out, "  %-24s %s\n", synopsis, commands[i].help);
	}
	text_add(call->out, "Ctrl-] Ctrl-] sends one Ctrl-]. Tab completes, arrows edit and recall.\n");
}

/* --- what it does ------------------------------------------------------------------------------- */

static void operate(struct call *call, enum operation operation)
{
	if (!capsule_begin_leave(call->ui, operation, call->capsule))
		capsule_operate(call->ui, operation, call->capsule, call->out);
}

static void start(struct call *call)
{
	operate(call, OPERATION_START);
}

static void kill(struct call *call)
{
	operate(call, OPERATION_KILL);
}

static void restart(struct call *call)
{
	operate(call, OPERATION_RESTART);
}

static void stop(struct call *call)
{
	uint64_t time = STOP_TIME;
	unsigned seconds;
	char rest;

	if (call->words[0]) {
		if (sscanf(call->words[0], "%5u%c", &seconds, &rest) != 1) {
			text_add(call->out, "'%s' is no number of seconds", call->words[0]);
			return;
		}
		time = (uint64_t)seconds * 1000000;
	}
	if (!capsule_begin_stop(call->ui, call->capsule, time, NULL, call->out))
		return;
	stop_describe(call->ui, call->capsule, call->out);
	call->ui->bar.follows = call->capsule;
}

/* The hypervisor is told so that its own console has the same, should this one end. */
static void focus(struct call *call)
{
	diosix_capsule_focus(call->capsule);
	view_set(call->ui, VIEW_ONE, call->capsule);
}

static void all(struct call *call)
{
	view_set(call->ui, VIEW_ALL, call->ui->focus);
}

static void top(struct call *call)
{
	capsules_sample(call->ui);
	if (call->ui->stats_error || call->ui->list_error)
		call_failed(call->out, call->ui->stats_error ? "hv_stats_read" : "capsule_list",
			    call->ui->stats_error ? call->ui->stats_error : call->ui->list_error);
	else if (terminal_draws(&call->ui->terminal))
		top_open(call->ui);
	else
		top_table(call->ui, call->out, call->ui->terminal.columns, UINT32_MAX);
}

static void log_(struct call *call)
{
	int64_t error = log_refresh(call->ui);

	if (error)
		call_failed(call->out, "hv_log_read", error);
	else
		log_open(call->ui, call->words[0], call->words[0] ? call->words[1] : NULL);
}

static void quit(struct call *call)
{
	call->ui->stopping = true;
	/* Who was asked to stop is not started again, whatever his rule; without the permission it is as that says. */
	diosix_capsule_stop(DIOSIX_HANDLE_INDEX(diosix_self()));
}

static const struct command commands[] = {
	{"all", "", NULL, "all capsules' lines", WITHOUT, all},
	{"focus", "NAME", NULL, "NAME has the terminal, raw", WITH, focus},
	{"help", "", NULL, "this", WITHOUT, help},
	{"image", "", "hv_stats_read", "what was verified, and by which keys", WITHOUT, image},
	{"kill", "NAME", "capsule_stop", "ends it at once", WITH, kill},
	{"list", "", "capsule_list", "what capsules there are", WITHOUT, list},
	{"log", "[LEVEL] [WORD]", "hv_log_read", "the hypervisor's log: error, warning, info, debug", WITHOUT, log_},
	{"permissions", "NAME", "capsule_list", "what it may do", WITH, permissions},
	{"quit", "", NULL, "ends this; the hypervisor's console takes over", WITHOUT, quit},
	{"restart", "NAME", "capsule_restart", "ends it and starts it anew", WITH, restart},
	{"start", "NAME", "capsule_start", "starts what has stopped", WITH, start},
	{"stats", "", "hv_stats_read", "what top shows, once", WITHOUT, stats},
	{"stop", "NAME [SECONDS]", "capsule_stop", "asks it to stop, then kills it (10 s)", WITH, stop},
	{"top", "", "hv_stats_read", "who uses how much, once a second", WITHOUT, top},
};
static const size_t command_count = sizeof(commands) / sizeof(commands[0]);

/* --- finding it --------------------------------------------------------------------------------- */

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* Commands, then capsules. */
static const char *any_word(const void *context, unsigned index)
{
	const struct ui *ui = context;

	if (index < command_count)
		return commands[index].name;
	index -= (unsigned)command_count;
	for (uint32_t i = 0; i < ui->count; i++)
		if (ui->capsules[i].known && index-- == 0)
			return ui->capsules[i].info.name;
	return NULL;
}

const char *command_candidate(const void *context, const char *line, size_t word_at, unsigned index)
{
	char name[16] = "";
	const struct command *command;

	while (*line == ' ' || *line == ':') {
		line++;
		word_at -= word_at > 0;
	}
	if (word_at == 0)
		return any_word(context, index);
	sscanf(line, "%15s", name);
	command = find(name);
	if (!command || command->capsule == WITHOUT)
		return NULL;
	return any_word(context, index + (unsigned)command_count);
}

static void unknown(const struct ui *ui, const char *word, struct text *out)
{
	text_add(out, "'%.64s' is no command and no capsule", word);
	if (!add_hint(out, word, any_word, ui))
		text_add(out, "; 'help' lists commands");
}

static void run(struct call *call, const struct command *command, char **words, unsigned count)
{
	unsigned used = 1;

	if (command->capsule == WITH) {
		if (count < 2) {
			text_add(call->out, "usage: %s %s", command->name, command->arguments);
			return;
		}
		call->capsule = capsule_find(call->ui, words[used]);
		if (call->capsule == NOBODY) {
			capsule_unknown(call->ui, words[used], call->out);
			return;
		}
		used++;
	}
	for (unsigned i = used; i < count && i - used < 3; i++)
		call->words[i - used] = words[i];
	command->run(call);
}

void command_run(struct ui *ui, char *line, struct text *out)
{
	struct call call = {.ui = ui, .capsule = NOBODY, .out = out};
	char *words[4], *rest = line, *word;
	const struct command *command;
	unsigned count = 0;
	bool colon;

	rest += strspn(rest, " ");
	colon = *rest == ':';
	rest += colon;
	while (count < 4 && (word = strtok(count ? NULL : rest, " ")) != NULL)
		words[count++] = word;
	if (count == 0)
		return;
	command = find(words[0]);
	if (command) {
		run(&call, command, words, count);
		return;
	}
	call.capsule = capsule_find(ui, words[0]);
	if (!colon && call.capsule != NOBODY)
		focus(&call);
	else
		unknown(ui, words[0], out);
}
