/* SPDX-License-Identifier: MIT */
#include "console.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/terminal.h"

#define ESCAPE 0x01 /* Ctrl-a */

static const char hypervisor_prefix[] = "diosix: ";

int console_catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	/* A reader of our output that went away is an error of write(). */
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* --- what the board says --------------------------------------------------------------------- */

static void end_line(struct console *console)
{
	if (strncmp(console->line, hypervisor_prefix, strlen(hypervisor_prefix)) == 0)
		memcpy(console->last, console->line, sizeof(console->last));
	console->line_len = 0;
	console->line[0] = '\0';
}

static void watch(struct console *console, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n' || data[i] == '\r') {
			if (console->line_len)
				end_line(console);
		} else if (console->line_len < sizeof(console->line) - 1) {
			console->line[console->line_len++] = data[i];
			console->line[console->line_len] = '\0';
		}
	}
}

/* Passes on what the board said. False at its end, or with errno when it cannot be passed on. */
static bool from_board(struct console *console)
{
	char buf[4096];
	ssize_t n = read(console->output, buf, sizeof(buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	errno = 0;
	if (n <= 0)
		return false;
	relay_hide(console->relay);
	watch(console, buf, (size_t)n);
	console->mid_line = buf[n - 1] != '\n';
	if (console->log &&
	    (fwrite(buf, 1, (size_t)n, console->log) != (size_t)n || fflush(console->log)))
		return false;
	return write_all(console->out, buf, (size_t)n);
}

/* --- what the user types --------------------------------------------------------------------- */

/* Takes Ctrl-a sequences out of what was typed. True when one of them ends it all. */
static bool escapes(struct console *console, const uint8_t *typed, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t c = typed[i];

		if (console->escaped && (c == 'x' || c == 'X'))
			return true;
		if (!console->escaped && c == ESCAPE) {
			console->escaped = true;
			continue;
		}
		/* Ctrl-a twice, or Ctrl-a a, is one Ctrl-a; with anything else both go through. */
		if (console->escaped)
			console->pending[console->pending_len++] = ESCAPE;
		if (!console->escaped || (c != ESCAPE && c != 'a'))
			console->pending[console->pending_len++] = c;
		console->escaped = false;
	}
	return false;
}

/* Reads what there is; only called when nothing is pending. True when the user ends it all. */
static bool from_user(struct console *console, bool terminal)
{
	uint8_t typed[sizeof(console->pending) / 2];
	ssize_t n = read(STDIN_FILENO, typed, sizeof(typed));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n <= 0) {
		/* The end of the input is not the end of the board. */
		console->input_ended = true;
		return false;
	}
	if (terminal)
		return escapes(console, typed, (size_t)n);
	memcpy(console->pending, typed, (size_t)n);
	console->pending_len = (size_t)n;
	return false;
}

static void to_board(struct console *console)
{
	ssize_t n = write(console->input, console->pending, console->pending_len);

	if (n > 0) {
		console->pending_len -= (size_t)n;
		memmove(console->pending, console->pending + n, console->pending_len);
	}
}

/* --- both ------------------------------------------------------------------------------------ */

/* Milliseconds until the time limit, -1 for none. */
static int left(const struct timespec *deadline, bool limited)
{
	struct timespec now;
	int64_t ms;

	if (!limited)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (int64_t)(deadline->tv_sec - now.tv_sec) * 1000 +
	     (deadline->tv_nsec - now.tv_nsec) / 1000000;
	return ms < 0 ? 0 : ms > 3600000 ? 3600000 : (int)ms;
}

static enum console_end relay(struct console *console, bool terminal,
			      const struct timespec *deadline)
{
	for (;;) {
		bool read_input = !console->input_ended && console->pending_len == 0;
		struct pollfd fds[4 + RELAY_FDS] = {
			{console->output, POLLIN, 0},
			{console->signals, POLLIN, 0},
			{read_input ? STDIN_FILENO : -1, POLLIN, 0},
			{console->pending_len ? console->input : -1, POLLOUT, 0},
		};
		int wait = left(deadline, console->timeout > 0);
		struct signalfd_siginfo info;

		if (wait == 0)
			return CONSOLE_TIMEOUT;
		relay_watch(console->relay, fds + 4);
		if (poll(fds, 4 + RELAY_FDS, wait) < 0 && errno != EINTR)
			return CONSOLE_FAILED;
		if (fds[1].revents && read(console->signals, &info, sizeof(info)) == sizeof(info)) {
			console->signal = (int)info.ssi_signo;
			return CONSOLE_SIGNAL;
		}
		relay_serve(console->relay, fds + 4);
		if (fds[3].revents & POLLOUT)
			to_board(console);
		if (fds[0].revents & (POLLIN | POLLHUP | POLLERR) && !from_board(console))
			return errno ? CONSOLE_FAILED : CONSOLE_CLOSED;
		if (fds[2].revents && from_user(console, terminal))
			return CONSOLE_ESCAPED;
	}
}

enum console_end console_relay(struct console *console)
{
	struct raw_terminal terminal;
	struct timespec deadline;
	enum console_end end;
	int error;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += console->timeout;
	console->input_ended = !terminal_has_input();
	raw_terminal_begin(&terminal);
	if (terminal.raw)
		diag_info("the keyboard is the board's now; Ctrl-a x ends it");
	end = relay(console, terminal.raw, &deadline);
	error = errno;
	if (console->line_len)
		end_line(console);
	raw_terminal_end(&terminal);
	/* What is said next begins a line of its own; a file or pipe gets the board's bytes only. */
	if (console->mid_line && isatty(console->out))
		write_all(console->out, "\n", 1);
	errno = error;
	return end;
}
