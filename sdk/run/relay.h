/* SPDX-License-Identifier: MIT */
/*
 * Carries a board's second serial port to and fro: QEMU has two pipes for it, one client at a time the
 * control socket. A client that reads slowly loses nothing as long as the pipe has room, 1 MiB; then a port of
 * virtio's waits, and a UART of QEMU's drops.
 */
#ifndef RUN_RELAY_H
#define RUN_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Bytes that were read and not yet written. */
struct relay_piece {
	char data[16384];
	size_t at, len; /* what is left: data[at] to data[len - 1] */
};

struct relay {
	int listener;	   /* the control socket's, -1: there is none, and nothing is done */
	int input, output; /* of the board; pipes, non-blocking */
	int folder;	   /* where QEMU finds them, while it has to: its descriptor, -1 */
	pid_t keeper;	   /* removes that when `ours` is closed, if only by our end; -1 */
	int ours;
	int client;	   /* -1: nobody. What the board says is dropped then */
	bool client_silent; /* it sends no more, but may still read */
	struct relay_piece to_board, to_client;
};

/* Before it is opened. */
#define RELAY_NONE {.listener = -1, .input = -1, .output = -1, .folder = -1, .keeper = -1, .ours = -1, .client = -1}

/* Makes the pipes, if there is a listener; relay_close() after it, whatever it returns. A STATUS_..., after a message if it failed. */
int relay_open(struct relay *relay, int listener);

/* The name of the pipes is in `folder`, as QEMU's -chardev pipe wants it: NAME.in and NAME.out. */
#define RELAY_PIPES "control"

/* Removes their names: QEMU has opened them, or never will. */
void relay_hide(struct relay *relay);

/* What poll() has to watch; then what is to be done about it. */
#define RELAY_FDS 4
void relay_watch(const struct relay *relay, struct pollfd fds[RELAY_FDS]);
void relay_serve(struct relay *relay, const struct pollfd fds[RELAY_FDS]);

/*
 * QEMU is gone: gives the client the rest. Ends early when `signals`, a signalfd, can be read, or the client has
 * taken nothing for some seconds.
 */
void relay_finish(struct relay *relay, int signals);

void relay_close(struct relay *relay);

#endif
