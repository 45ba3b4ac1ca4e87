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

static sigset_t ending_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	return set;
}

void console_release_signals(void)
{
	sigset_t set = ending_signals();

	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int console_catch_signals(void)
{
	sigset_t set = ending_signals();

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

/* What the outlet takes now of what the board said. False with errno when it takes nothing any more. */
static bool pass_on(struct console *console)
{
	ssize_t n = write(console->outlet->in, console->passing + console->passing_at, console->passing_len);

	if (n < 0 && errno == EPIPE)
		errno = console->outlet->error;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	console->passing_at += (size_t)n;
	console->passing_len -= (size_t)n;
	return true;
}

/* Takes what the board said; only called when it has been passed on before. False at its end, or with errno. */
static bool from_board(struct console *console)
{
	char *buf = console->passing;
	ssize_t n = read(console->output, buf, sizeof(console->passing));

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
	console->passing_at = 0;
	console->passing_len = (size_t)n;
	return pass_on(console);
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

enum { BOARD_SAYS, SIGNALS, USER_TYPES, BOARD_TAKES, OUTLET_TAKES, OUTLET_OVER, WATCHED };

static enum console_end relay(struct console *console, bool terminal,
			      const struct timespec *deadline)
{
	for (;;) {
		bool read_input = !console->input_ended && console->pending_len == 0;
		struct pollfd fds[WATCHED + RELAY_FDS] = {
			[BOARD_SAYS] = {console->passing_len ? -1 : console->output, POLLIN, 0},
			[SIGNALS] = {console->signals, POLLIN, 0},
			[USER_TYPES] = {read_input ? STDIN_FILENO : -1, POLLIN, 0},
			[BOARD_TAKES] = {console->pending_len ? console->input : -1, POLLOUT, 0},
			[OUTLET_TAKES] = {console->passing_len ? console->outlet->in : -1, POLLOUT, 0},
			[OUTLET_OVER] = {console->outlet->over, POLLIN, 0},
		};
		int wait = left(deadline, console->timeout > 0);
		struct signalfd_siginfo info;

		if (wait == 0)
			return CONSOLE_TIMEOUT;
		relay_watch(console->relay, fds + WATCHED);
		if (poll(fds, WATCHED + RELAY_FDS, wait) < 0 && errno != EINTR)
			return CONSOLE_FAILED;
		if (fds[SIGNALS].revents && read(console->signals, &info, sizeof(info)) == sizeof(info)) {
			console->signal = (int)info.ssi_signo;
			return CONSOLE_SIGNAL;
		}
		if (fds[OUTLET_OVER].revents) {
			errno = console->outlet->error;
			return CONSOLE_FAILED;
		}
		relay_serve(console->relay, fds + WATCHED);
		if (fds[OUTLET_TAKES].revents & POLLOUT && !pass_on(console))
			return CONSOLE_FAILED;
		if (fds[BOARD_TAKES].revents & POLLOUT)
			to_board(console);
		if (fds[BOARD_SAYS].revents & (POLLIN | POLLHUP | POLLERR) && !from_board(console))
			return errno ? CONSOLE_FAILED : CONSOLE_CLOSED;
		if (fds[USER_TYPES].revents && from_user(console, terminal))
			return CONSOLE_ESCAPED;
	}
}

/* The rest goes out. True when all has, or can no more; otherwise `end` says why it is not waited for any longer. */
static bool finish(struct console *console, bool terminal, const struct timespec *deadline, bool limited, enum console_end *end)
{
	bool typing = *end == CONSOLE_CLOSED && terminal;
	struct signalfd_siginfo info;

	for (;;) {
		struct pollfd fds[4] = {
			{console->passing_len ? console->outlet->in : -1, POLLOUT, 0},
			{console->outlet->over, POLLIN, 0},
			{*end == CONSOLE_CLOSED ? console->signals : -1, POLLIN, 0},
			{typing && !console->input_ended ? STDIN_FILENO : -1, POLLIN, 0},
		};
		int wait = left(deadline, limited);

		if (wait == 0) {
			*end = *end == CONSOLE_CLOSED ? CONSOLE_TIMEOUT : *end;
			return false;
		}
		if (console->passing_len == 0)
			outlet_end(console->outlet);
		if (poll(fds, 4, wait) < 0 && errno != EINTR)
			return false;
		if (fds[2].revents && read(console->signals, &info, sizeof(info)) == sizeof(info)) {
			console->signal = (int)info.ssi_signo;
			*end = CONSOLE_SIGNAL;
			return false;
		}
		console->pending_len = 0; /* there is no board for it */
		if (fds[3].revents && from_user(console, terminal)) {
			*end = CONSOLE_ESCAPED;
			return false;
		}
		if (fds[0].revents & POLLOUT && !pass_on(console))
			console->passing_len = 0; /* the thread has more to say about it */
		if (fds[1].revents)
			return true;
	}
}

static enum console_end relay_and_finish(struct console *console, bool terminal)
{
	struct timespec deadline, second;
	enum console_end end;
	int error;
	bool is_over;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += console->timeout;
	end = relay(console, terminal, &deadline);
	error = errno;
	clock_gettime(CLOCK_MONOTONIC, &second);
	second.tv_sec++;
	is_over = end == CONSOLE_CLOSED ? finish(console, terminal, &deadline, console->timeout > 0, &end)
					: finish(console, terminal, &second, true, &end);
	if (is_over && end == CONSOLE_CLOSED && console->outlet->error) {
		end = CONSOLE_FAILED;
		error = console->outlet->error;
	}
	outlet_close(console->outlet, is_over);
	console->mid_line &= is_over;
	errno = error;
	return end;
}

enum console_end console_relay(struct console *console)
{
	static struct outlet outlet; /* its thread may be there until the program's end */
	struct raw_terminal terminal;
	enum console_end end;
	int error;

	if (!outlet_open(&outlet, console->out))
		return CONSOLE_FAILED;
	console->outlet = &outlet;
	console->input_ended = !terminal_has_input();
	raw_terminal_begin(&terminal);
	if (terminal.raw)
		diag_info("the keyboard is the board's now; Ctrl-a x ends it");
	end = relay_and_finish(console, terminal.raw);
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
