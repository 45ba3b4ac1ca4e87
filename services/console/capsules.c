/* SPDX-License-Identifier: MIT */
/* What capsules there are, and what can be done to them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmfs.h"
#include "ui.h"

#define HINTS_MAX 6u

static const char *word(const char *const *words, size_t count, uint32_t number)
{
	return number < count && words[number] ? words[number] : "unknown";
}

const char *state_name(uint32_t state)
{
	static const char *const names[] = {
		[DIOSIX_STATE_NEW] = "loading",	      [DIOSIX_STATE_RUNNING] = "running",
		[DIOSIX_STATE_STOPPING] = "stopping", [DIOSIX_STATE_LOADING] = "loading",
		[DIOSIX_STATE_SCRUBBING] = "scrubbing", [DIOSIX_STATE_STOPPED] = "stopped",
	};

	return word(names, sizeof(names) / sizeof(names[0]), state);
}

const char *end_name(uint32_t end)
{
	static const char *const names[] = {
		[DIOSIX_END_NONE] = "none",   [DIOSIX_END_SHUTDOWN] = "shutdown", [DIOSIX_END_REBOOT] = "reboot",
		[DIOSIX_END_CRASH] = "crash", [DIOSIX_END_KILLED] = "killed",
	};

	return word(names, sizeof(names) / sizeof(names[0]), end);
}

const char *capsule_name(const struct ui *ui, uint32_t index)
{
	return index < ui->count ? ui->capsules[index].info.name : "nobody";
}

/* Without capsule_list their numbers are their names. */
struct capsule *capsule_at(struct ui *ui, uint32_t index)
{
	struct capsule *capsule = &ui->capsules[index % CAPSULES_MAX];

	if (!capsule->known) {
		capsule->known = true;
		capsule->info.index = index;
		snprintf(capsule->info.name, sizeof(capsule->info.name), "%u", (unsigned)index + 1);
		capsule->screen.size = SCREEN_SIZE;
		capsule->screen.bytes = malloc(SCREEN_SIZE); /* never freed; without it nothing is kept */
		if (index >= ui->count)
			ui->count = index + 1;
	}
	return capsule;
}

/* --- the list ----------------------------------------------------------------------------------- */

static const char *end_sentence(uint32_t end)
{
	static const char *const ends[] = {
		[DIOSIX_END_NONE] = "has stopped",    [DIOSIX_END_SHUTDOWN] = "has shut down",
		[DIOSIX_END_REBOOT] = "has rebooted", [DIOSIX_END_CRASH] = "has crashed",
		[DIOSIX_END_KILLED] = "was killed",
	};

	return word(ends, sizeof(ends) / sizeof(ends[0]), end);
}

/* In its own view nobody sees the log, so what has become of it stands on its screen. */
static void notice(struct ui *ui, struct capsule *capsule, const char *sentence, const char *reason)
{
	char text[192];

	snprintf(text, sizeof(text), "%s %s%s%.96s", capsule->info.name, sentence, *reason ? ": " : "", reason);
	view_notice(ui, capsule->info.index, text);
}

static void tell_start(struct ui *ui, struct capsule *capsule, uint64_t life)
{
	capsule->life = life;
	view_end_line(ui, capsule->info.index); /* the former life's: nobody else would */
	notice(ui, capsule, life > 1 ? "has started again" : "has started", "");
}

static void tell(struct ui *ui, struct capsule *capsule)
{
	const struct diosix_capsule_info *info = &capsule->info;

	capsule->changed = false;
	if (info->starts > capsule->life)
		tell_start(ui, capsule, info->starts);
	if (info->state != DIOSIX_STATE_RUNNING)
		view_end_line(ui, info->index);
	if (info->state == DIOSIX_STATE_STOPPED)
		notice(ui, capsule, end_sentence(info->last_end), info->last_end == DIOSIX_END_CRASH ? info->crash : "");
}

void capsules_notice(struct ui *ui)
{
	for (uint32_t i = 0; i < ui->count; i++) {
		struct capsule *capsule = &ui->capsules[i];

		if (capsule->changed && view_has_all(ui, capsule->due))
			tell(ui, capsule);
	}
}

void capsule_lives(struct ui *ui, uint32_t index, uint64_t life)
{
	struct capsule *capsule = capsule_at(ui, index);

	if (life <= capsule->life)
		return;
	/* All is shown that it printed before. */
	if (capsule->changed && capsule->info.starts < life)
		tell(ui, capsule);
	if (capsule->info.starts < life)
		capsules_refresh(ui);
	if (capsule->info.starts != 0)
		tell_start(ui, capsule, life);
	capsule->life = life; /* without capsule_list nobody knows more */
}

static void update(struct ui *ui, uint32_t index, const struct diosix_capsule_info *info)
{
	struct capsule *capsule = capsule_at(ui, index);
	struct diosix_capsule_info was = capsule->info;

	capsule->info = *info;
	capsule->info.index = index;
	capsule->info.name[sizeof(info->name) - 1] = '\0';
	capsule->info.crash[sizeof(info->crash) - 1] = '\0';
	if (was.size == 0)
		capsule->life = info->starts;
	if (was.size == 0 || (was.state == info->state && was.starts == info->starts))
		return;
	capsule->changed = true;
	capsule->due = view_due(ui);
	ui->more = true;
	control_state(ui, index);
}

void capsules_refresh(struct ui *ui)
{
	struct diosix_capsule_info info;

	for (uint32_t i = 0; i < CAPSULES_MAX; i++) {
		struct diosix_result done;

		memset(&info, 0, sizeof(info));
		done = diosix_capsule_info(i, &info);
		ui->list_error = done.error == DIOSIX_BAD_RANGE ? DIOSIX_OK : done.error;
		if (done.error)
			break;
		update(ui, i, &info);
	}
}

void capsules_sample(struct ui *ui)
{
	ui->stats_error = diosix_board_info(&ui->board).error;
	if (ui->stats_error)
		return;
	for (uint32_t i = 0; i < ui->count; i++) {
		struct capsule *capsule = &ui->capsules[i];

		if (!capsule->known)
			continue;
		capsule->before = capsule->stats;
		diosix_capsule_stats(i, &capsule->stats);
	}
}

/* --- names -------------------------------------------------------------------------------------- */

static uint32_t number(const char *text)
{
	uint32_t value = 0;

	for (; *text >= '0' && *text <= '9' && value < 1000; text++)
		value = value * 10 + (uint32_t)(*text - '0');
	return *text == '\0' ? value : 0;
}

uint32_t capsule_find(const struct ui *ui, const char *name)
{
	uint32_t index;

	for (uint32_t i = 0; i < ui->count; i++)
		if (ui->capsules[i].known && strcmp(ui->capsules[i].info.name, name) == 0)
			return i;
	index = number(name) - 1;
	return index < ui->count && ui->capsules[index].known ? index : NOBODY;
}

static const char *known_name(const void *context, unsigned index)
{
	const struct ui *ui = context;

	for (uint32_t i = 0; i < ui->count; i++)
		if (ui->capsules[i].known && index-- == 0)
			return ui->capsules[i].info.name;
	return NULL;
}

/* The next candidate from `*index` on that begins with the word. */
static const char *next_beginning(suggest_candidate candidate, const void *context, const char *word, unsigned *index)
{
	const char *other;

	while ((other = candidate(context, (*index)++)) != NULL)
		if (strncmp(other, word, strlen(word)) == 0)
			return other;
	return NULL;
}

bool add_hint(struct text *why, const char *word, suggest_candidate candidate, const void *context)
{
	unsigned index = 0;
	const char *first = next_beginning(candidate, context, word, &index);
	const char *other = first ? next_beginning(candidate, context, word, &index) : NULL;

	if (!first)
		first = suggest(word, candidate, context);
	if (!other) {
		if (first)
			text_add(why, "; did you mean '%s'?", first);
		return first != NULL;
	}
	text_add(why, "; it could be %s", first);
	for (unsigned count = 1; other && count <= HINTS_MAX; count++) {
		text_add(why, ", %s", count < HINTS_MAX ? other : "...");
		other = next_beginning(candidate, context, word, &index);
	}
	return true;
}

void capsule_unknown(const struct ui *ui, const char *name, struct text *why)
{
	text_add(why, "there is no capsule '%.64s'", name);
	add_hint(why, name, known_name, ui);
}

/* --- operations --------------------------------------------------------------------------------- */

void call_failed(struct text *why, const char *permission, int64_t error)
{
	switch (error) {
	case DIOSIX_DENIED:
		text_add(why, "the console may not do this: it lacks the permission '%s'", permission);
		break;
	case DIOSIX_NOT_SUPPORTED:
		text_add(why, "this hypervisor cannot do this");
		break;
	case DIOSIX_BAD_RANGE:
		text_add(why, "there is no such capsule");
		break;
	default:
		text_add(why, "the hypervisor could not do this (error %d)", (int)error);
	}
}

static const struct {
	struct diosix_result (*call)(uint32_t index);
	const char *permission;
	const char *wrong_state;
} operations[OPERATIONS] = {
	[OPERATION_START] = {diosix_capsule_start, "capsule_start", "it has not stopped"},
	[OPERATION_STOP] = {diosix_capsule_stop, "capsule_stop", "it is not running"},
	[OPERATION_KILL] = {diosix_capsule_kill, "capsule_stop", "it has stopped already"},
	[OPERATION_RESTART] = {diosix_capsule_restart, "capsule_restart", "it has stopped; 'start' starts it"},
	[OPERATION_FOCUS] = {diosix_capsule_focus, "capsule_focus", "it cannot have it"},
};

bool capsule_operate(struct ui *ui, enum operation operation, uint32_t index, struct text *why)
{
	struct diosix_result done = operations[operation].call(index);
	const char *name = capsule_name(ui, index);

	capsules_refresh(ui);
	if (done.error == DIOSIX_OK)
		return true;
	if (done.error == DIOSIX_INVALID_STATE)
		text_add(why, "%s: %s", name, operations[operation].wrong_state);
	else if (done.error == DIOSIX_FAILED && operation == OPERATION_START)
		text_add(why, "%s: there is no memory for it", name);
	else
		call_failed(why, operations[operation].permission, done.error);
	return false;
}

static bool may(const struct diosix_capsule_info *info, const char *permission)
{
	const char *name;

	for (unsigned bit = 0; (name = dmfs_permission_name(bit)) != NULL; bit++)
		if (strcmp(name, permission) == 0)
			return info->permissions >> bit & 1;
	return false;
}

bool capsule_begin_leave(struct ui *ui, enum operation operation, uint32_t index)
{
	if (operation == OPERATION_START || operation == OPERATION_FOCUS)
		return false;
	if (index != DIOSIX_HANDLE_INDEX(diosix_self()) || ui->list_error ||
	    !may(&ui->capsules[index].info, operations[operation].permission))
		return false;
	ui->leaving = true;
	ui->leave_by = ui->now + END_TIME;
	ui->farewell = operation;
	return true;
}

void capsule_leave(struct ui *ui)
{
	char why[128];
	struct text nobody_asks = TEXT_IN(why);

	if (ui->now < ui->leave_by && (control_is_behind(ui) || terminal_waits(&ui->terminal)))
		return;
	ui->leaving = false;
	capsule_operate(ui, ui->farewell, DIOSIX_HANDLE_INDEX(diosix_self()), &nobody_asks);
}

/* --- stopping ----------------------------------------------------------------------------------- */

/* Without the permission to list nobody knows whether it has followed: it is killed in time all the same. */
static bool has_stopped(const struct ui *ui, const struct stop *stop)
{
	const struct diosix_capsule_info *info = &ui->capsules[stop->capsule].info;

	if (ui->list_error)
		return stop->killed;
	return info->state == DIOSIX_STATE_STOPPED || info->starts != stop->handle;
}

bool capsule_begin_stop(struct ui *ui, uint32_t index, uint64_t time, const uint64_t *control_id, struct text *why)
{
	struct stop *stop = NULL;

	for (unsigned i = 0; i < STOPS_MAX; i++) {
		if (!ui->stops[i].active) {
			stop = &ui->stops[i];
		} else if (ui->stops[i].capsule == index && !has_stopped(ui, &ui->stops[i])) {
			text_add(why, "%s is asked to stop already; 'kill' ends it at once", capsule_name(ui, index));
			return false;
		}
	}
	if (!stop) {
		text_add(why, "%u capsules are being stopped already", STOPS_MAX);
		return false;
	}
	if (!capsule_operate(ui, OPERATION_STOP, index, why))
		return false;
	*stop = (struct stop){
		.active = true,
		.control = control_id != NULL,
		.id = control_id ? *control_id : 0,
		.capsule = index,
		.handle = ui->capsules[index].info.starts,
		.deadline = ui->now + time,
	};
	ui->more = true;
	return true;
}

static void stopped(struct ui *ui, struct stop *stop)
{
	char line[128];
	int len;

	stop->active = false;
	if (stop->control) {
		control_stopped(ui, stop);
	} else if (stop->killed) {
		len = snprintf(line, sizeof(line), "%s did not stop in time and was killed", capsule_name(ui, stop->capsule));
		view_line(ui, STYLE_WARNING, line, (size_t)len);
	}
}

bool stop_describe(const struct ui *ui, uint32_t index, struct text *out)
{
	const struct diosix_capsule_info *info = &ui->capsules[index].info;

	for (unsigned i = 0; i < STOPS_MAX; i++) {
		const struct stop *stop = &ui->stops[i];
		uint64_t left = stop->deadline > ui->now ? stop->deadline - ui->now : 0;

		if (!stop->active || stop->capsule != index)
			continue;
		if (stop->killed)
			text_add(out, "%s did not stop in time and is killed", info->name);
		else
			text_add(out, "%s is asked to stop; in %u s it is killed", info->name, (unsigned)((left + 999999) / 1000000));
		return true;
	}
	text_add(out, "%s %s", info->name, info->state == DIOSIX_STATE_STOPPED ? end_sentence(info->last_end) : "runs again");
	return false;
}

void stops_tick(struct ui *ui)
{
	for (unsigned i = 0; i < STOPS_MAX; i++) {
		struct stop *stop = &ui->stops[i];

		if (!stop->active)
			continue;
		if (!has_stopped(ui, stop) && !stop->killed && ui->now >= stop->deadline) {
			stop->killed = true;
			diosix_capsule_kill(stop->capsule);
			capsules_refresh(ui);
		}
		if (has_stopped(ui, stop))
			stopped(ui, stop);
	}
}
