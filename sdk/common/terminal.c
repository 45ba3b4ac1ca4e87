/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

bool terminal_has_input(void)
{
	return !isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) == getpgrp();
}

void raw_terminal_begin(struct raw_terminal *terminal)
{
	struct termios raw;

	terminal->raw = isatty(STDIN_FILENO) && terminal_has_input() &&
			tcgetattr(STDIN_FILENO, &terminal->before) == 0;
	if (!terminal->raw)
		return;
	raw = terminal->before;
	cfmakeraw(&raw);
	raw.c_oflag |= OPOST;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void raw_terminal_end(const struct raw_terminal *terminal)
{
	int error = errno;

	/* What was typed and not read is for nobody. Output is not waited for: it may have been stopped. */
	if (terminal->raw) {
		tcflush(STDIN_FILENO, TCIFLUSH);
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal->before);
	}
	errno = error;
}

bool write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd wait = {fd, POLLOUT, 0};

			poll(&wait, 1, -1);
		} else if (n < 0 && errno != EINTR) {
			return false;
		}
		at += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return true;
}
