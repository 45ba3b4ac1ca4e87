/* SPDX-License-Identifier: MIT */
/* A capsule's console on standard input and output. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/terminal.h"
#include "ctl.h"
#include "run/console.h"

#define ESCAPE 0x1d /* Ctrl-] */

/* How long a capsule that takes nothing is left in peace, in milliseconds. */
#define RETRY_MS 50

/* Bytes of one request: escaped as \u00xx they still fit the port's line of 4096. */
#define INPUT_MAX 256

struct session {
	struct link *link;
	const char *capsule;
	struct raw_terminal terminal;
	int signals; /* signalfd */
	bool escaped, input_ended, over;
	bool asked;   /* a request with input awaits its answer */
	bool refused; /* the capsule took nothing the last time */
	uint8_t pending[2 * INPUT_MAX]; /* input that it has not taken yet */
	size_t pending_len;
	int status;
};

/* --- output ---------------------------------------------------------------------------------- */

/* A byte for each character of the string, which is UTF-8; one above U+00FF is none of the board's. */
static bool put_bytes(const json_t *data)
{
	const unsigned char *text = (const unsigned char *)json_string_value(data);
	size_t len = json_string_length(data), out = 0;
	char bytes[4096];

	for (size_t i = 0; text && i < len; i++) {
		if ((text[i] & 0xc0) == 0x80)
			continue;
		if (out == sizeof(bytes)) {
			if (!write_all(STDOUT_FILENO, bytes, out))
				return false;
			out = 0;
		}
		if (text[i] < 0x80)
			bytes[out++] = (char)text[i];
		else if (text[i] <= 0xc3)
			bytes[out++] = (char)((text[i] & 3) << 6 | (text[i + 1] & 0x3f));
		else
			bytes[out++] = '?';
	}
	return write_all(STDOUT_FILENO, bytes, out);
}

static void put_output(struct session *session, const json_t *output)
{
	json_int_t dropped = json_integer_value(json_object_get(output, "dropped"));

	if (dropped > 0)
		diag_warning("%" JSON_INTEGER_FORMAT " bytes of output are lost here", dropped);
	if (!put_bytes(json_object_get(output, "data"))) {
		session->status = diag_file("write", "standard output", errno);
		session->over = true;
	}
}

/* What the board says unasked. */
static void take_event(void *context, const json_t *object)
{
	struct session *session = context;
	const char *event = json_string_value(json_object_get(object, "event"));
	const char *capsule = json_string_value(json_object_get(object, "capsule"));

	if (event && strcmp(event, "lost") == 0)
		diag_warning("the board could not tell all: output may be lost here");
	if (!event || !capsule || strcmp(capsule, session->capsule) != 0)
		return;
	if (strcmp(event, "output") == 0)
		put_output(session, object);
}

/* --- input ----------------------------------------------------------------------------------- */

static void push(struct session *session, uint8_t byte)
{
	session->pending[session->pending_len++] = byte;
}

/* Takes Ctrl-] sequences out of what was typed. */
static void take_typed(struct session *session, const uint8_t *typed, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool escaped = session->escaped;

		session->escaped = false;
		if (escaped && (typed[i] == '.' || typed[i] == 'q')) {
			session->over = true;
			return;
		}
		if (!escaped && typed[i] == ESCAPE && session->terminal.raw) {
			session->escaped = true;
			continue;
		}
		/* Twice it is one of them; before anything else it goes through. */
		if (escaped && typed[i] != ESCAPE)
			push(session, ESCAPE);
		push(session, typed[i]);
	}
}

static void read_input(struct session *session)
{
	uint8_t typed[INPUT_MAX];
	ssize_t n = read(STDIN_FILENO, typed, sizeof(typed));

	if (n > 0)
		take_typed(session, typed, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		session->input_ended = true; /* which does not end the capsule */
}

static int send_input(struct session *session)
{
	size_t len = session->pending_len < INPUT_MAX ? session->pending_len : INPUT_MAX;
	char text[2 * INPUT_MAX];
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = session->pending[i];

		if (c >= 0x80)
			text[out++] = (char)(0xc0 | c >> 6);
		text[out++] = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
	}
	session->asked = true;
	session->refused = false;
	return link_send(session->link, "input",
			 json_pack("{s:s, s:s%}", "capsule", session->capsule, "data", text, out));
}

static int take_answer(struct session *session, const json_t *answer)
{
	json_int_t taken = json_integer_value(
		json_object_get(json_object_get(answer, "result"), "taken"));
	int status = link_judge(answer);

	if (status != STATUS_DONE)
		return status;
	if (taken < 0 || (size_t)taken > session->pending_len) {
		diag_error("the board took more input than it was sent");
		return STATUS_FAILED;
	}
	session->asked = false;
	session->refused = taken == 0;
	session->pending_len -= (size_t)taken;
	memmove(session->pending, session->pending + taken, session->pending_len);
	return STATUS_DONE;
}

/* --- both ------------------------------------------------------------------------------------ */

/* All that has come. */
static int take_messages(struct session *session)
{
	int status = STATUS_DONE;
	json_t *object;

	while (status == STATUS_DONE && (object = link_take(session->link)) != NULL) {
		if (link_is_answer(session->link, object))
			status = take_answer(session, object);
		else
			take_event(session, object);
		json_decref(object);
	}
	return status;
}

/* Waits for one of the three that have something to say, and lets it. A STATUS_... or 128 and a signal. */
static int wait_and_read(struct session *session)
{
	bool read_more = !session->input_ended && session->pending_len == 0;
	struct pollfd fds[] = {
		{session->link->fd, POLLIN, 0},
		{session->signals, POLLIN, 0},
		{read_more ? STDIN_FILENO : -1, POLLIN, 0},
	};
	struct signalfd_siginfo info;
	int found = poll(fds, 3, session->refused && !session->asked ? RETRY_MS : -1);

	if (found < 0)
		return errno == EINTR ? STATUS_DONE : diag_file("use", session->link->path, errno);
	session->refused = false;
	if (fds[1].revents && read(session->signals, &info, sizeof(info)) == sizeof(info))
		return 128 + (int)info.ssi_signo;
	if (fds[2].revents)
		read_input(session);
	return fds[0].revents ? link_fill(session->link) : STATUS_DONE;
}

static int relay(struct session *session)
{
	int status = take_messages(session);

	while (status == STATUS_DONE && !session->over) {
		status = wait_and_read(session);
		if (status == STATUS_DONE)
			status = take_messages(session);
		if (status == STATUS_DONE && session->pending_len && !session->asked &&
		    !session->refused && !session->over)
			status = send_input(session);
	}
	return status == STATUS_DONE ? session->status : status;
}

int ctl_attach(struct link *link, const struct args *args, const char *capsule)
{
	struct session session = {.link = link, .capsule = capsule, .signals = console_catch_signals()};
	json_t *result;
	int status;

	if (args_has(args, "json"))
		return args_wrong(args->command, "'attach' has no result for --json");
	if (session.signals < 0)
		return diag_file("attach to", capsule, errno);
	link->event = take_event;
	link->context = &session;
	status = link_ask(link, "attach", json_pack("{s:s}", "capsule", capsule), 0, &result);
	if (status != STATUS_DONE)
		return status;
	session.input_ended = !terminal_has_input();
	raw_terminal_begin(&session.terminal);
	if (session.terminal.raw)
		diag_info("the keyboard is that of '%s' now; Ctrl-] then '.' or q detaches", capsule);
	put_output(&session, result);
	json_decref(result);
	status = relay(&session);
	raw_terminal_end(&session.terminal);
	/* Whether it is answered does not matter any more. */
	if (status != STATUS_FAILED)
		link_send(link, "detach", json_pack("{s:s}", "capsule", capsule));
	if (session.terminal.raw && session.over)
		diag_info("detached from '%s'", capsule);
	return status;
}
