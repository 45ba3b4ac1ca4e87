/* SPDX-License-Identifier: MIT */
#include "signer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/diag.h"

/* Somebody may have to find the token first. */
#define DEFAULT_TIMEOUT 120u

/* A helper at work: its standard input and output, -1 when closed. */
struct helper {
	const char *command;
	pid_t pid;
	int in, out;
	const uint8_t *region; /* what is still to be given to it */
	uint64_t left;
	uint8_t answer[SIGNER_ANSWER_LEN + 1]; /* one more, to notice too many */
	size_t got;
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* In the child. */
static _Noreturn void become(const char *command, int in, int out)
{
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0) {
		signal(SIGPIPE, SIG_DFL);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	}
	_exit(127);
}

static int start(struct helper *helper)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) < 0)
		return errno;
	if (pipe2(out, O_CLOEXEC) < 0) {
		close(in[0]);
		close(in[1]);
		return errno;
	}
	helper->pid = fork();
	if (helper->pid == 0)
		become(helper->command, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	helper->in = in[1];
	helper->out = out[0];
	fcntl(helper->in, F_SETFL, O_NONBLOCK);
	return helper->pid < 0 ? errno : 0;
}

static void give(struct helper *helper)
{
	ssize_t n = write(helper->in, helper->region, helper->left);

	/* One that does not want to know the rest may still give an answer, which will be judged. */
	if (n < 0 && errno != EINTR && errno != EAGAIN)
		helper->left = 0;
	if (n > 0) {
		helper->region += n;
		helper->left -= (size_t)n;
	}
	if (helper->left == 0)
		close_end(&helper->in);
}

static void take(struct helper *helper)
{
	size_t room = sizeof(helper->answer) - helper->got;
	ssize_t n = read(helper->out, helper->answer + helper->got, room);

	if (n > 0)
		helper->got += (size_t)n;
	if (n == 0 || (n < 0 && errno != EINTR) || helper->got == sizeof(helper->answer))
		close_end(&helper->out);
}

static int64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Until it has closed its output; false when that takes too long. */
static bool converse(struct helper *helper, int64_t deadline)
{
	while (helper->out >= 0) {
		struct pollfd ends[] = {{helper->out, POLLIN, 0}, {helper->in, POLLOUT, 0}};
		int64_t left = deadline - milliseconds();

		if (left <= 0)
			return false;
		poll(ends, 2, left > 1000 ? 1000 : (int)left);
		if (ends[1].revents)
			give(helper);
		if (ends[0].revents)
			take(helper);
	}
	return true;
}

static int judge(const struct helper *helper, int wait_status)
{
	if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != 0) {
		diag_error("the signer '%s' failed with %s %d", helper->command,
			   WIFEXITED(wait_status) ? "status" : "signal",
			   WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
						  : WTERMSIG(wait_status));
		return STATUS_FAILED;
	}
	if (helper->got == SIGNER_ANSWER_LEN)
		return STATUS_DONE;
	diag_error("the signer '%s' has answered %s %u bytes, a public key and a signature",
		   helper->command, helper->got > SIGNER_ANSWER_LEN ? "more than" : "less than",
		   SIGNER_ANSWER_LEN);
	return STATUS_REFUSED;
}

/* Waits for its end, which is due by the deadline as well. */
static bool reap(struct helper *helper, int64_t deadline, int *wait_status)
{
	const struct timespec moment = {0, 10000000};

	while (waitpid(helper->pid, wait_status, WNOHANG) == 0) {
		if (milliseconds() >= deadline)
			return false;
		nanosleep(&moment, NULL);
	}
	return true;
}

/* Ends the children that this program has now, but those with a session of their own: an agent that is to stay. False when there are none. */
static bool end_children(void)
{
	char path[64];
	bool any = false;
	FILE *list;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	list = fopen(path, "re");
	while (list && fscanf(list, "%d", &pid) == 1) {
		if (getsid(pid) != getsid(0) || kill(pid, SIGKILL) < 0)
			continue;
		waitpid(pid, NULL, 0);
		any = true;
	}
	if (list)
		fclose(list);
	return any;
}

/*
 * Ends the helper and whatever it has started: as this program adopts orphans, the children of one that has ended are in the next
 * round. A process group of its own would do it at once, but keep it from the terminal, where it may ask for a PIN.
 */
static void end(const struct helper *helper)
{
	kill(helper->pid, SIGKILL);
	waitpid(helper->pid, NULL, 0);
	while (end_children())
		;
}

int signer_run(const struct args *args, unsigned index, const void *region, uint64_t len,
	       uint8_t answer[SIGNER_ANSWER_LEN])
{
	struct helper helper = {.command = args_value(args, "signer", index),
				.region = region, .left = len, .in = -1, .out = -1};
	uint64_t timeout = DEFAULT_TIMEOUT;
	void (*before)(int);
	int error, status = STATUS_FAILED, wait_status = 0;
	int64_t deadline;

	if (!args_number(args, "signer-timeout", 1, 86400, &timeout))
		return STATUS_USAGE;
	before = signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	deadline = milliseconds() + (int64_t)timeout * 1000;
	error = start(&helper);
	if (error) {
		diag_file("start", helper.command, error);
	} else if (converse(&helper, deadline) && reap(&helper, deadline, &wait_status)) {
		status = judge(&helper, wait_status);
	} else {
		end(&helper);
		diag_error("the signer '%s' has not answered within %" PRIu64 " s", helper.command,
			   timeout);
	}
	close_end(&helper.in);
	close_end(&helper.out);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	signal(SIGPIPE, before);
	memcpy(answer, helper.answer, SIGNER_ANSWER_LEN);
	return status;
}
