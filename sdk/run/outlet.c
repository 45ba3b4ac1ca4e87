/* SPDX-License-Identifier: MIT */
#include "outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/terminal.h"

#define WAITING_LEN 16384 /* bytes that may wait in the pipe */

static void *pass_on(void *arg)
{
	struct outlet *outlet = arg;
	char buf[4096];
	ssize_t n;

	while ((n = read(outlet->from, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0 && !write_all(outlet->to, buf, (size_t)n)) {
			outlet->error = errno;
			break;
		}
	close(outlet->from); /* who writes after an error is told */
	close(outlet->ended);
	return NULL;
}

static bool open_pipes(int in[2], int over[2])
{
	if (pipe2(in, O_CLOEXEC) < 0)
		return false;
	if (pipe2(over, O_CLOEXEC) == 0)
		return true;
	close(in[0]);
	close(in[1]);
	return false;
}

bool outlet_open(struct outlet *outlet, int to)
{
	int in[2], over[2], error;

	if (!open_pipes(in, over))
		return false;
	fcntl(in[1], F_SETPIPE_SZ, WAITING_LEN); /* as it may: otherwise more waits */
	*outlet = (struct outlet){.in = in[1], .over = over[0], .from = in[0], .ended = over[1], .to = to};
	error = fcntl(in[1], F_SETFL, O_NONBLOCK) < 0 ? errno : pthread_create(&outlet->thread, NULL, pass_on, outlet);
	if (error == 0)
		return true;
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(over[i]);
	}
	errno = error;
	return false;
}

void outlet_end(struct outlet *outlet)
{
	if (outlet->in >= 0)
		close(outlet->in);
	outlet->in = -1;
}

void outlet_close(struct outlet *outlet, bool is_over)
{
	outlet_end(outlet);
	close(outlet->over);
	if (is_over)
		pthread_join(outlet->thread, NULL);
	else
		pthread_detach(outlet->thread);
}
