/* SPDX-License-Identifier: MIT */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/diag.h"

/*
 * A UART of QEMU's 7.2 drops what nobody takes, and says it byte by byte: of those a pipe holds a million, a
 * socket some hundred.
 */
#define PIPE_LEN (1 << 20)
/* How long a client may take nothing when the board has ended, in milliseconds. */
#define LAST_PATIENCE 5000

static const char input_name[] = RELAY_PIPES ".in";
static const char output_name[] = RELAY_PIPES ".out";

/* --- the pipes ------------------------------------------------------------------------------- */

/*
 * QEMU 7.2 takes a pipe for both directions by name only: so they have names, in a folder of our own. A child keeps them, as this
 * program may be killed at any time: it makes them, says so with an errno and the path, and removes them when `ours` is closed.
 */
static _Noreturn void keep(char *path, size_t len, int theirs)
{
	int error = 0, folder;
	char end;

	setsid(); /* whoever kills this program's process group does not mean it */
	folder = mkdtemp(path) ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (folder < 0 || mkfifoat(folder, input_name, 0600) < 0 || mkfifoat(folder, output_name, 0600) < 0)
		error = errno;
	if (write(theirs, &error, sizeof(error)) > 0 && write(theirs, path, len) > 0)
		while (read(theirs, &end, 1) < 0 && errno == EINTR)
			;
	if (folder >= 0) {
		unlinkat(folder, input_name, 0);
		unlinkat(folder, output_name, 0);
		rmdir(path);
	}
	_exit(STATUS_DONE);
}

/* Puts the path of the folder into `path`, a template for mkdtemp(). Returns 0 or an errno. */
static int start_keeper(struct relay *relay, char *path)
{
	size_t len = strlen(path);
	int ends[2], error = EPIPE;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return errno;
	relay->keeper = fork();
	if (relay->keeper == 0) {
		close(ends[0]);
		keep(path, len, ends[1]);
	}
	if (relay->keeper < 0)
		error = errno;
	close(ends[1]);
	relay->ours = ends[0];
	if (relay->keeper < 0 || recv(relay->ours, &error, sizeof(error), MSG_WAITALL) != sizeof(error) || error)
		return error;
	return recv(relay->ours, path, len, MSG_WAITALL) == (ssize_t)len ? 0 : EPIPE;
}

static bool open_pipes(struct relay *relay, const char *path)
{
	/* QEMU inherits it, and so need not know the path. */
	relay->folder = open(path, O_PATH | O_DIRECTORY);
	if (relay->folder < 0)
		return false;
	relay->output = openat(relay->folder, output_name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	/* For writing alone there would have to be a reader. */
	relay->input = openat(relay->folder, input_name, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (relay->output < 0 || relay->input < 0)
		return false;
	/* As much of it as this user may have. */
	fcntl(relay->output, F_SETPIPE_SZ, PIPE_LEN);
	return true;
}

/* Returns 0 or an errno. */
static int make_pipes(struct relay *relay)
{
	const char *temporary = getenv("TMPDIR");
	char *path;
	int error;

	if (asprintf(&path, "%s/dmfs-XXXXXX", temporary && *temporary ? temporary : "/tmp") < 0)
		return ENOMEM;
	error = start_keeper(relay, path);
	if (!error && !open_pipes(relay, path))
		error = errno;
	free(path);
	return error;
}

int relay_open(struct relay *relay, int listener)
{
	int error;

	*relay = (struct relay)RELAY_NONE;
	relay->listener = listener;
	error = listener < 0 ? 0 : make_pipes(relay);
	return error ? diag_file("make", "the control port's pipes", error) : STATUS_DONE;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void relay_hide(struct relay *relay)
{
	close_one(&relay->folder);
	close_one(&relay->ours);
	while (relay->keeper > 0 && waitpid(relay->keeper, NULL, 0) < 0 && errno == EINTR)
		;
	relay->keeper = -1;
}

void relay_close(struct relay *relay)
{
	relay_hide(relay);
	close_one(&relay->client);
	close_one(&relay->input);
	close_one(&relay->output);
}

/* --- pieces ---------------------------------------------------------------------------------- */

static bool is_empty(const struct relay_piece *piece)
{
	return piece->at == piece->len;
}

static bool may_come_again(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Reads a piece into one that is empty. False at the end, or when it cannot be read. */
static bool fill(struct relay_piece *piece, int fd)
{
	ssize_t n = read(fd, piece->data, sizeof(piece->data));

	piece->at = 0;
	piece->len = n > 0 ? (size_t)n : 0;
	return n > 0 || may_come_again(n);
}

/* Writes what is taken at once. False when nothing ever will be. */
static bool pass_on(struct relay_piece *piece, int fd)
{
	ssize_t n = write(fd, piece->data + piece->at, piece->len - piece->at);

	piece->at += n > 0 ? (size_t)n : 0;
	return n >= 0 || may_come_again(n);
}

/* --- clients --------------------------------------------------------------------------------- */

static void drop_client(struct relay *relay)
{
	close_one(&relay->client);
	relay->to_client.at = relay->to_client.len = 0;
}

/* What waits was meant for whoever was here before. */
static void drop_output(struct relay *relay)
{
	for (size_t dropped = 0; dropped < PIPE_LEN; dropped += relay->to_client.len) {
		if (!fill(&relay->to_client, relay->output) || relay->to_client.len == 0)
			break;
	}
	relay->to_client.at = relay->to_client.len = 0;
}

static void take_client(struct relay *relay)
{
	drop_output(relay);
	relay->client = accept4(relay->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	relay->client_silent = false;
}

static void serve_client(struct relay *relay, short happened)
{
	bool gone = relay->client_silent && (happened & (POLLHUP | POLLERR));

	if ((happened & POLLIN) && !relay->client_silent && is_empty(&relay->to_board))
		relay->client_silent = !fill(&relay->to_board, relay->client);
	if (gone || ((happened & POLLOUT) && !pass_on(&relay->to_client, relay->client)))
		drop_client(relay);
}

/* --- both ------------------------------------------------------------------------------------ */

enum { LISTENER, CLIENT, INPUT, OUTPUT };

static short client_events(const struct relay *relay)
{
	short read = is_empty(&relay->to_board) && !relay->client_silent ? POLLIN : 0;

	return (short)(read | (is_empty(&relay->to_client) ? 0 : POLLOUT));
}

void relay_watch(const struct relay *relay, struct pollfd fds[RELAY_FDS])
{
	short events = client_events(relay);
	/* Else poll() would say again and again that it has gone, while the board has not taken what it sent. */
	bool watched = events != 0 || relay->client_silent;

	fds[LISTENER] = (struct pollfd){relay->client < 0 ? relay->listener : -1, POLLIN, 0};
	fds[CLIENT] = (struct pollfd){watched ? relay->client : -1, events, 0};
	fds[INPUT] = (struct pollfd){is_empty(&relay->to_board) ? -1 : relay->input, POLLOUT, 0};
	fds[OUTPUT] = (struct pollfd){is_empty(&relay->to_client) ? relay->output : -1, POLLIN, 0};
}

void relay_serve(struct relay *relay, const struct pollfd fds[RELAY_FDS])
{
	if (fds[INPUT].revents && !pass_on(&relay->to_board, relay->input))
		relay->to_board.at = relay->to_board.len;
	if (fds[CLIENT].revents)
		serve_client(relay, fds[CLIENT].revents);
	/* At its end QEMU is going: the console tells. */
	if (fds[OUTPUT].revents && !fill(&relay->to_client, relay->output))
		close_one(&relay->output);
	if (relay->client < 0)
		relay->to_client.at = relay->to_client.len;
	if (fds[LISTENER].revents && relay->client < 0)
		take_client(relay);
}

void relay_finish(struct relay *relay, int signals)
{
	while (relay->client >= 0) {
		struct pollfd fds[] = {{relay->client, POLLOUT, 0}, {signals, POLLIN, 0}};

		if (is_empty(&relay->to_client) && relay->output >= 0 &&
		    !fill(&relay->to_client, relay->output))
			close_one(&relay->output);
		if (is_empty(&relay->to_client))
			return;
		if (poll(fds, 2, LAST_PATIENCE) <= 0 || fds[1].revents ||
		    !pass_on(&relay->to_client, relay->client))
			return;
	}
}
