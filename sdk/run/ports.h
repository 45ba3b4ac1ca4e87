/* SPDX-License-Identifier: MIT */
/*
 * Where others reach an emulated board: its second serial port as a Unix socket, QEMU's stub for
 * debuggers as a TCP port. Both are opened here, so that what is there already is never taken over; the TCP port
 * is handed to QEMU, the socket is relay.h's.
 */
#ifndef RUN_PORTS_H
#define RUN_PORTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/args.h"

struct control_port {
	int fd;           /* listens; -1: none */
	const char *path; /* of the socket */
	dev_t dev;        /* which file it is */
	ino_t ino;
};

/* Makes the socket that --control names, mode 0600. A STATUS_..., after a message when it fails. */
int control_port_open(struct control_port *port, const struct args *args);

/* Closes it, and removes the socket from its folder if it still is there. */
void control_port_close(struct control_port *port);

struct debug_port {
	int fd;        /* listens on this machine alone; -1: none */
	uint16_t port; /* TCP */
	bool wait;     /* the board begins when a debugger says so */
};

/* Opens the port that --gdb names, or a free one, and says how to attach. A STATUS_... */
int debug_port_open(struct debug_port *port, const struct args *args, const char *hypervisor);

/* What the board is told of the terminal that `fd` is: "dumb", "vt100", "mono" or "color". */
const char *terminal_kind(int fd);

#endif
