/* SPDX-License-Identifier: MIT */
/*
 * The control port, docs/control.md. Answers are never dropped: a request is read when the longest answer has room. Events
 * may take part of the room, and are counted when there is none.
 */
#include <inttypes.h>
#include <string.h>

#include "dmfs.h"
#include "json.h"
#include "ui.h"

#define LOG_ANSWER    16384u /* bytes of lines in one answer */
#define ATTACH_LEN    4096u  /* bytes of output that one who attaches gets */
#define EVENT_LEN     1024u  /* an event is at most so long */
#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

struct request {
	struct ui *ui;
	const struct json_object *object;
	uint64_t id;
	uint32_t capsule;
	struct text *result; /* what stands behind "result": */
	struct text *why;
	bool later; /* the answer comes when it is done */
};

/* --- the port ----------------------------------------------------------------------------------- */

static void put_line(struct control *control, const struct text *line)
{
	for (size_t i = 0; i <= line->len; i++)
		control->waiting[(control->from + control->len++) % CONTROL_OUTPUT] =
			(uint8_t)(i < line->len ? line->bytes[i] : '\n');
}

static void write_out(struct control *control)
{
	while (control->len > 0) {
		size_t run = CONTROL_OUTPUT - control->from;
		struct diosix_result done;

		if (run > control->len)
			run = control->len;
		if (run > DIOSIX_BATCH_LEN)
			run = DIOSIX_BATCH_LEN;
		done = diosix_control_write(control->waiting + control->from, run);
		if (done.error || done.value == 0 || done.value > run)
			return;
		control->from = (control->from + done.value) % CONTROL_OUTPUT;
		control->len -= done.value;
	}
}

static bool room_for_event(const struct control *control)
{
	return control->len + EVENT_LEN < CONTROL_EVENTS;
}

/* False, and counted, when there is no room. */
static bool put_event(struct control *control, const struct text *event)
{
	char buffer[64];
	struct text lost = TEXT_IN(buffer);

	if (!room_for_event(control)) {
		control->lost++;
		return false;
	}
	if (control->lost > 0) {
		text_add(&lost, "{\"event\": \"lost\", \"events\": %" PRIu64 "}", control->lost);
		put_line(control, &lost);
		control->lost = 0;
	}
	put_line(control, event);
	return true;
}

/* --- events ------------------------------------------------------------------------------------- */

void control_state(struct ui *ui, uint32_t index)
{
	const struct diosix_capsule_info *info = &ui->capsules[index].info;
	char buffer[EVENT_LEN];
	struct text event = TEXT_IN(buffer);

	if (!ui->control.asked)
		return;
	text_add(&event, "{\"event\": \"state\", \"capsule\": ");
	json_add_text(&event, info->name, strlen(info->name));
	text_add(&event, ", \"state\": \"%s\"}", state_name(info->state));
	put_event(&ui->control, &event);
}

void control_output(struct ui *ui, uint32_t index, const uint8_t *bytes, size_t len, uint64_t dropped)
{
	struct capsule *capsule = &ui->capsules[index];
	char buffer[EVENT_LEN];
	struct text event = TEXT_IN(buffer);

	if (!capsule->attached)
		return;
	capsule->lost += dropped;
	if (len == 0)
		return;
	text_add(&event, "{\"event\": \"output\", \"capsule\": ");
	json_add_text(&event, capsule->info.name, strlen(capsule->info.name));
	text_add(&event, ", \"data\": ");
	json_add_bytes(&event, bytes, len);
	if (capsule->lost > 0)
		text_add(&event, ", \"dropped\": %" PRIu64, capsule->lost);
	text_add(&event, "}");
	capsule->lost = put_event(&ui->control, &event) ? 0 : capsule->lost + len;
}

static void add_log_line(struct text *text, const struct ui *ui, const struct log_entry *line)
{
	static const char *const levels[] = {"error", "warning", "info", "debug"};

	text_add(text, "\"seq\": %" PRIu64 ", \"time_us\": %" PRIu64 ", \"level\": \"%s\", \"text\": ", line->sequence, line->time,
		 line->level < COUNT(levels) ? levels[line->level] : "debug");
	json_add_text(text, log_text(ui, line), line->len);
}

/* Lines wait in the log, so none is lost to a slow reader that the log still has. */
void control_log(struct ui *ui)
{
	struct control *control = &ui->control;
	char buffer[EVENT_LEN];

	for (uint32_t i = 0; control->following && i < ui->log.count; i++) {
		const struct log_entry *line = &ui->log.lines[i];
		struct text event = TEXT_IN(buffer);

		if (line->sequence < control->log_next)
			continue;
		if (!room_for_event(control))
			return;
		text_add(&event, "{\"event\": \"log\", ");
		add_log_line(&event, ui, line);
		text_add(&event, "}");
		put_event(control, &event);
		control->log_next = line->sequence + 1;
	}
}

void control_stopped(struct ui *ui, const struct stop *stop)
{
	char buffer[EVENT_LEN];
	struct text answer = TEXT_IN(buffer);

	text_add(&answer, "{\"id\": %" PRIu64 ", \"ok\": true, \"result\": {\"state\": \"%s\", \"how\": \"%s\"}}", stop->id,
		 state_name(ui->list_error ? DIOSIX_STATE_STOPPED : ui->capsules[stop->capsule].info.state),
		 stop->killed ? "killed" : "asked");
	put_line(&ui->control, &answer);
}

/* --- what it tells ------------------------------------------------------------------------------ */

static bool listed(struct request *request)
{
	capsules_refresh(request->ui);
	if (request->ui->list_error)
		call_failed(request->why, "capsule_list", request->ui->list_error);
	return request->ui->list_error == DIOSIX_OK;
}

static bool sampled(struct request *request)
{
	capsules_sample(request->ui);
	if (request->ui->stats_error)
		call_failed(request->why, "hv_stats_read", request->ui->stats_error);
	return request->ui->stats_error == DIOSIX_OK;
}

static void add_name(struct text *text, const char *name)
{
	json_add_text(text, name, strlen(name));
}

/* A client begins with it, so what another has asked to be told, and left, ends. */
static bool hello(struct request *request)
{
	const struct diosix_board_info *board = &request->ui->board;

	request->ui->control.following = false;
	for (uint32_t i = 0; i < request->ui->count; i++)
		request->ui->capsules[i].attached = false;
	capsules_sample(request->ui);
	text_add(request->result, "{\"diosix\": ");
	add_name(request->result, board->hypervisor);
	text_add(request->result, ", \"protocol\": 1, \"board\": ");
	add_name(request->result, board->board);
	text_add(request->result, "}");
	return true;
}

static void add_capsule(struct text *text, const struct ui *ui, const struct diosix_capsule_info *info)
{
	const char *priority = dmfs_priority_name(info->priority);
	uint64_t began = ui_time(ui, info->started_at);
	bool running = info->state == DIOSIX_STATE_RUNNING;

	text_add(text, "{\"name\": ");
	add_name(text, info->name);
	text_add(text, ", \"kind\": \"%s\", \"state\": \"%s\", \"cpus\": %u, \"priority\": \"%s\", \"memory\": %" PRIu64,
		 info->kind == DIOSIX_SERVICE ? "service" : "guest", state_name(info->state), info->cpus, priority ? priority : "",
		 info->memory);
	text_add(text, ", \"restarts\": %" PRIu64 ", \"uptime_us\": %" PRIu64 ", \"last_end\": \"%s\", \"crash\": ",
		 info->starts > 0 ? info->starts - 1 : 0, running && ui->now > began ? ui->now - began : 0, end_name(info->last_end));
	add_name(text, info->crash);
	text_add(text, "}");
}

static bool list(struct request *request)
{
	const char *comma = "";

	if (!listed(request))
		return false;
	text_add(request->result, "[");
	for (uint32_t i = 0; i < request->ui->count; i++) {
		text_add(request->result, "%s", comma);
		add_capsule(request->result, request->ui, &request->ui->capsules[i].info);
		comma = ", ";
	}
	text_add(request->result, "]");
	return true;
}

static void add_stats(struct text *text, const struct ui *ui, const struct capsule *capsule)
{
	static const char *const exits[DIOSIX_EXITS] = {"call", "device", "emulated", "fault", "wait", "timer", "interrupt"};
	const struct diosix_capsule_stats *stats = &capsule->stats;

	text_add(text, "{\"name\": ");
	add_name(text, capsule->info.name);
	text_add(text, ", \"cpu_us\": %" PRIu64 ", \"exits\": {", ui_time(ui, stats->ran));
	for (unsigned i = 0; i < DIOSIX_EXITS; i++)
		text_add(text, "%s\"%s\": %" PRIu64, i ? ", " : "", exits[i], stats->exits[i]);
	text_add(text, "}, \"output\": %" PRIu64 ", \"dropped\": %" PRIu64 ", \"messages_sent\": %" PRIu64, stats->output,
		 stats->dropped, stats->messages_sent);
	text_add(text, ", \"messages_received\": %" PRIu64 ", \"grants\": %" PRIu64 "}", stats->messages_received, stats->grants);
}

static bool stats(struct request *request)
{
	const struct diosix_board_info *board = &request->ui->board;
	const char *comma = "";

	if (!sampled(request))
		return false;
	text_add(request->result, "{\"board\": {\"harts\": %u, \"isolation\": \"%s\", \"ram\": %" PRIu64, board->harts,
		 board->isolation == DIOSIX_GSTAGE ? "gstage" : "pmp", board->ram);
	text_add(request->result, ", \"free\": %" PRIu64 ", \"time_us\": %" PRIu64 "}, \"capsules\": [", board->free,
		 request->ui->now);
	for (uint32_t i = 0; i < request->ui->count; i++) {
		text_add(request->result, "%s", comma);
		add_stats(request->result, request->ui, &request->ui->capsules[i]);
		comma = ", ";
	}
	text_add(request->result, "]}");
	return true;
}

static bool permissions(struct request *request)
{
	const char *comma = "";

	if (!listed(request))
		return false;
	text_add(request->result, "[");
	for (unsigned bit = 0; bit < DMFS_PERM_COUNT; bit++) {
		if (!(request->ui->capsules[request->capsule].info.permissions >> bit & 1))
			continue;
		text_add(request->result, "%s\"%s\"", comma, dmfs_permission_name(bit));
		comma = ", ";
	}
	text_add(request->result, "]");
	return true;
}

static bool image(struct request *request)
{
	const struct diosix_board_info *board = &request->ui->board;

	if (!sampled(request))
		return false;
	text_add(request->result, "{\"name\": ");
	add_name(request->result, board->image);
	text_add(request->result, ", \"version\": ");
	add_name(request->result, board->image_version);
	text_add(request->result, ", \"rollback\": %" PRIu64 ", \"keys\": [", board->rollback);
	for (uint32_t i = 0; i < board->key_count && i < DIOSIX_KEYS; i++) {
		text_add(request->result, "%s\"", i ? ", " : "");
		for (unsigned j = 0; j < 8; j++)
			text_add(request->result, "%02x", board->keys[i][j]);
		text_add(request->result, "\"");
	}
	text_add(request->result, "]}");
	return true;
}

/* --- what it does ------------------------------------------------------------------------------- */

/* Afterwards nobody is here to answer. */
static bool take_leave(struct request *request, enum operation operation)
{
	if (!capsule_begin_leave(request->ui, operation, request->capsule))
		return false;
	text_add(request->result, "{\"state\": \"stopping\"%s}", operation == OPERATION_STOP ? ", \"how\": \"asked\"" : "");
	return true;
}

static bool operate(struct request *request, enum operation operation)
{
	if (!capsule_operate(request->ui, operation, request->capsule, request->why))
		return false;
	text_add(request->result, "{\"state\": \"%s\"}", state_name(request->ui->capsules[request->capsule].info.state));
	return true;
}

static bool start(struct request *request)
{
	return operate(request, OPERATION_START);
}

static bool kill(struct request *request)
{
	return take_leave(request, OPERATION_KILL) || operate(request, OPERATION_KILL);
}

static bool restart(struct request *request)
{
	return take_leave(request, OPERATION_RESTART) || operate(request, OPERATION_RESTART);
}

static bool focus(struct request *request)
{
	if (!operate(request, OPERATION_FOCUS))
		return false;
	if (request->ui->begun)
		view_focus(request->ui, request->capsule);
	return true;
}

/* A number, or what it is when there is none. */
static bool number(struct request *request, const char *name, enum json_kind kind, uint64_t *value)
{
	const struct json_member *member = json_find(request->object, name);

	if (!member)
		return true;
	if (member->kind != kind) {
		text_add(request->why, "'%s' is %s", name, kind == JSON_BOOL ? "true or false" : "a number");
		return false;
	}
	*value = member->number;
	return true;
}

static bool stop(struct request *request)
{
	uint64_t time_ms = STOP_TIME / 1000;

	if (!number(request, "timeout_ms", JSON_NUMBER, &time_ms))
		return false;
	if (time_ms > 86400000) {
		text_add(request->why, "'timeout_ms' is a day at most");
		return false;
	}
	if (take_leave(request, OPERATION_STOP))
		return true;
	request->later = true;
	return capsule_begin_stop(request->ui, request->capsule, time_ms * 1000, &request->id, request->why);
}

static bool log_(struct request *request)
{
	struct ui *ui = request->ui;
	uint64_t from = 0, follow = 0, next = 0;
	int64_t error;

	if (!number(request, "from", JSON_NUMBER, &from) || !number(request, "follow", JSON_BOOL, &follow))
		return false;
	error = log_refresh(ui);
	if (error) {
		call_failed(request->why, "hv_log_read", error);
		return false;
	}
	text_add(request->result, "{\"lines\": [");
	for (uint32_t i = 0; i < ui->log.count && request->result->len < LOG_ANSWER; i++) {
		const struct log_entry *line = &ui->log.lines[i];

		if (line->sequence < from)
			continue;
		text_add(request->result, "%s{", next ? ", " : "");
		add_log_line(request->result, ui, line);
		text_add(request->result, "}");
		next = line->sequence + 1;
	}
	if (next == 0)
		next = from > ui->log.next ? from : ui->log.next;
	text_add(request->result, "], \"next\": %" PRIu64 "}", next);
	if (follow && !ui->control.following)
		ui->control.log_next = next;
	ui->control.following |= follow != 0;
	return true;
}

static bool attach(struct request *request)
{
	struct capsule *capsule = &request->ui->capsules[request->capsule];
	uint64_t from = screen_tail(&capsule->screen), head = capsule->screen.head;
	uint8_t last[ATTACH_LEN];
	size_t len = 0, run;
	const uint8_t *bytes;

	if (head - from > ATTACH_LEN)
		from = head - ATTACH_LEN;
	while ((run = screen_run(&capsule->screen, from + len, &bytes)) > 0) {
		memcpy(last + len, bytes, run);
		len += run;
	}
	text_add(request->result, "{\"data\": ");
	json_add_bytes(request->result, last, len);
	text_add(request->result, "}");
	capsule->attached = true;
	capsule->lost = 0;
	return true;
}

static bool detach(struct request *request)
{
	request->ui->capsules[request->capsule].attached = false;
	text_add(request->result, "{}");
	return true;
}

static bool input(struct request *request)
{
	const struct json_member *data = json_find(request->object, "data");
	struct diosix_result done = {0};
	long len;

	if (!data || data->kind != JSON_STRING) {
		text_add(request->why, "'input' needs 'data', a string");
		return false;
	}
	len = json_bytes_of(data->text, data->len);
	if (len < 0) {
		text_add(request->why, "'data' has a character beyond U+00FF: each is one byte");
		return false;
	}
	if (len > 0)
		done = diosix_console_feed(request->capsule, data->text, (size_t)len);
	if (done.error == DIOSIX_INVALID_STATE)
		text_add(request->why, "%s takes no input: it has stopped", capsule_name(request->ui, request->capsule));
	else if (done.error)
		call_failed(request->why, "service_console", done.error);
	text_add(request->result, "{\"taken\": %" PRIu64 "}", done.value);
	return done.error == DIOSIX_OK;
}

/* --- requests ----------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	bool capsule; /* it names one */
	bool (*run)(struct request *request);
} commands[] = {
	{"attach", true, attach},	    {"detach", true, detach},	{"focus", true, focus}, {"hello", false, hello},
	{"image", false, image},	    {"input", true, input},	{"kill", true, kill},	{"list", false, list},
	{"log", false, log_},		    {"permissions", true, permissions}, {"restart", true, restart},
	{"start", true, start},		    {"stats", false, stats},	{"stop", true, stop},
};

/* A member that is a string; NULL with a sentence when it is not. */
static const char *word(struct request *request, const char *name)
{
	const struct json_member *member = json_find(request->object, name);

	if (member && member->kind == JSON_STRING && strlen(member->text) == member->len)
		return member->text;
	text_add(request->why, "'%s' is missing, or no string", name);
	return NULL;
}

static bool run(struct request *request)
{
	const char *name, *command;

	if (!number(request, "id", JSON_NUMBER, &request->id) || !(command = word(request, "command")))
		return false;
	for (size_t i = 0; i < COUNT(commands); i++) {
		if (strcmp(commands[i].name, command) != 0)
			continue;
		if (!commands[i].capsule)
			return commands[i].run(request);
		name = word(request, "capsule");
		if (!name)
			return false;
		request->capsule = capsule_find(request->ui, name);
		if (request->capsule != NOBODY)
			return commands[i].run(request);
		capsule_unknown(request->ui, name, request->why);
		return false;
	}
	text_add(request->why, "there is no command '%.32s'", command);
	return false;
}

static void answer(struct ui *ui, char *line, size_t len, const char *refusal)
{
	static char result_bytes[CONTROL_ANSWER - 256], answer_bytes[CONTROL_ANSWER];
	char why_bytes[256] = "";
	struct text result = TEXT_IN(result_bytes), whole = TEXT_IN(answer_bytes), why = TEXT_IN(why_bytes);
	struct json_object object;
	struct request request = {.ui = ui, .object = &object, .result = &result, .why = &why};
	bool ok = false;

	ui->control.asked = true;
	if (refusal)
		text_add(&why, "%s", refusal);
	else if (json_read(line, len, &object, &why))
		ok = run(&request);
	if (ok && request.later)
		return;
	if (ok && result.cut) {
		ok = false;
		text_add(&why, "the answer is too long");
	}
	text_add(&whole, "{\"id\": %" PRIu64 ", \"ok\": %s, \"%s\": ", request.id, ok ? "true" : "false", ok ? "result" : "error");
	if (ok)
		text_bytes(&whole, result.bytes, result.len);
	else
		json_add_text(&whole, why.bytes, why.len);
	text_add(&whole, "}");
	put_line(&ui->control, &whole);
}

static void take_byte(struct ui *ui, char byte)
{
	struct control *control = &ui->control;

	if (byte != '\n') {
		control->overlong |= control->line_len == CONTROL_LINE - 1;
		if (!control->overlong)
			control->line[control->line_len++] = byte;
		return;
	}
	if (control->overlong)
		answer(ui, control->line, 0, "a request is at most 4096 bytes long");
	else if (control->line_len > 0 && control->line[0] != '\r')
		answer(ui, control->line, control->line_len, NULL);
	control->overlong = false;
	control->line_len = 0;
}

static bool read_in(struct control *control)
{
	struct diosix_result done = diosix_control_read(control->input, sizeof(control->input));

	control->input_at = 0;
	control->input_len = done.error || done.value > sizeof(control->input) ? 0 : done.value;
	return control->input_len > 0;
}

/* The first line ends what a life before this may have left of one; the second, which is empty, says that this one begins. */
static bool begin(struct control *control)
{
	static const struct text nothing;

	control->registered = diosix_register(DIOSIX_ROLE_CONTROL).error == DIOSIX_OK;
	for (unsigned i = 0; i < 2 && control->registered; i++)
		put_line(control, &nothing);
	return control->registered;
}

bool control_is_behind(const struct ui *ui)
{
	return ui->control.asked && ui->control.len > 0;
}

void control_turn(struct ui *ui)
{
	struct control *control = &ui->control;

	if (!control->registered && !begin(control))
		return;
	control_log(ui);
	write_out(control);
	for (unsigned i = 0; i < 16384; i++) {
		if (ui->leaving)
			return;
		if (control->len + CONTROL_ANSWER + STOPS_MAX * EVENT_LEN > CONTROL_OUTPUT)
			return; /* requests wait */
		if (control->input_at == control->input_len && !read_in(control))
			return;
		take_byte(ui, (char)control->input[control->input_at++]);
		if (control->len > 0)
			write_out(control);
	}
	ui->more = true;
}
