/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/diag.h"

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int say_silent(const struct link *link)
{
	diag_error("the board at '%s' does not answer: another has its control port, or its image no "
		   "console service with the permission service_control",
		   link->path);
	return STATUS_FAILED;
}

/* Waits for the descriptor until `deadline`; false after a message. */
static bool wait_for(const struct link *link, short events, int64_t deadline)
{
	for (;;) {
		struct pollfd fd = {link->fd, events, 0};
		int64_t left = deadline - now_ms();
		int found = left > 0 ? poll(&fd, 1, (int)left) : 0;

		if (found > 0)
			return true;
		if (found < 0 && errno != EINTR)
			return diag_file("use", link->path, errno) == STATUS_DONE;
		if (found == 0)
			return say_silent(link) == STATUS_DONE;
	}
}

static int send_all(struct link *link, const char *text, size_t len)
{
	int64_t deadline = now_ms() + link->timeout_ms;

	while (len > 0) {
		ssize_t n = send(link->fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			if (!wait_for(link, POLLOUT, deadline))
				return STATUS_FAILED;
		} else if (n < 0 && errno != EINTR) {
			return diag_file("write to", link->path, errno);
		}
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return STATUS_DONE;
}

/* --- opening --------------------------------------------------------------------------------- */

int link_open(struct link *link, const char *path, int timeout_ms)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	*link = (struct link){.fd = -1, .path = path, .timeout_ms = timeout_ms};
	if (strlen(path) >= sizeof(address.sun_path)) {
		diag_error("the path of a socket has at most %zu bytes, not %zu: '%s'",
			   sizeof(address.sun_path) - 1, strlen(path), path);
		return STATUS_FAILED;
	}
	strcpy(address.sun_path, path);
	/* So that the answer to one who was here before is not taken for one of ours. */
	link->id = randombytes_uniform(1u << 30) + 1;
	link->buffer = malloc(LINK_LINE_MAX);
	if (!link->buffer)
		return diag_file("connect to", path, ENOMEM);
	/* A board that goes away is an error of send(). */
	link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (link->fd < 0)
		return diag_file("connect to", path, errno);
	if (connect(link->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == EAGAIN ? say_silent(link) : diag_file("connect to", path, errno);
	/* Ends what somebody may have begun to send and left. */
	return send_all(link, "\n", 1);
}

void link_close(struct link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	free(link->buffer);
	link->fd = -1;
	link->buffer = NULL;
}

/* --- sending --------------------------------------------------------------------------------- */

int link_send(struct link *link, const char *command, json_t *members)
{
	json_t *request = members ? members : json_object();
	char *text;
	int status;

	json_object_set_new(request, "id", json_integer(++link->id));
	json_object_set_new(request, "command", json_string(command));
	text = json_dumps(request, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(request);
	if (!text)
		return diag_file("write to", link->path, ENOMEM);
	status = send_all(link, text, strlen(text));
	free(text);
	return status == STATUS_DONE ? send_all(link, "\n", 1) : status;
}

/* --- receiving ------------------------------------------------------------------------------- */

json_t *link_take(struct link *link)
{
	for (;;) {
		char *line = link->buffer + link->at;
		char *end = memchr(line, '\n', link->len - link->at);
		json_t *object;

		if (!end)
			return NULL;
		link->at = (size_t)(end - link->buffer) + 1;
		object = json_loadb(line, (size_t)(end - line), JSON_ALLOW_NUL, NULL);
		if (json_is_object(object))
			return object;
		json_decref(object);
	}
}

int link_fill(struct link *link)
{
	ssize_t n;

	memmove(link->buffer, link->buffer + link->at, link->len - link->at);
	link->len -= link->at;
	link->at = 0;
	if (link->len == LINK_LINE_MAX) {
		diag_error("what is at '%s' sends lines of more than %u bytes: that is no control port",
			   link->path, LINK_LINE_MAX);
		return STATUS_FAILED;
	}
	n = read(link->fd, link->buffer + link->len, LINK_LINE_MAX - link->len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return STATUS_DONE;
	if (n < 0)
		return diag_file("read from", link->path, errno);
	if (n == 0) {
		diag_error("the board at '%s' has closed the connection", link->path);
		return STATUS_FAILED;
	}
	link->len += (size_t)n;
	return STATUS_DONE;
}

bool link_is_answer(const struct link *link, const json_t *object)
{
	const json_t *id = json_object_get(object, "id");

	return json_is_integer(id) && json_integer_value(id) == link->id;
}

int link_judge(const json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (json_is_true(json_object_get(answer, "ok")))
		return STATUS_DONE;
	diag_error("%s", error ? error : "the board refuses that, and does not say why");
	return STATUS_REFUSED;
}

/* The answer to the latest request; NULL after a message. */
static json_t *await(struct link *link, int64_t deadline)
{
	for (;;) {
		json_t *object;

		while ((object = link_take(link)) != NULL) {
			if (link_is_answer(link, object))
				return object;
			if (link->event && !json_object_get(object, "id"))
				link->event(link->context, object);
			json_decref(object);
		}
		if (!wait_for(link, POLLIN, deadline) || link_fill(link) != STATUS_DONE)
			return NULL;
	}
}

int link_ask(struct link *link, const char *command, json_t *members, int more_ms, json_t **result)
{
	int status = link_send(link, command, members);
	json_t *answer;

	*result = NULL;
	if (status != STATUS_DONE)
		return status;
	answer = await(link, now_ms() + link->timeout_ms + more_ms);
	if (!answer)
		return STATUS_FAILED;
	status = link_judge(answer);
	if (status == STATUS_DONE)
		*result = json_incref(json_object_get(answer, "result"));
	json_decref(answer);
	if (status == STATUS_DONE && !*result) {
		diag_error("the board at '%s' answers without a result", link->path);
		return STATUS_FAILED;
	}
	return status;
}
