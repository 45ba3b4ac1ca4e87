/* SPDX-License-Identifier: MIT */
/*
 * An emulated board: what it is made of, and QEMU as it.
 */
#ifndef RUN_MACHINE_H
#define RUN_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/args.h"
#include "console.h"
#include "ports.h"
#include "relay.h"

#define QEMU "qemu-system-riscv64"

struct board {
	const char *name;
	unsigned harts, max_harts; /* with S-mode: by default, at most */
	unsigned more_harts;       /* without */
	const char *gstage, *pmp;  /* QEMU's -cpu for a way to isolate; NULL: impossible */
	const char *automatic;     /* what `auto` stands for */
	const char *const *control; /* QEMU's arguments for a second serial port; NULL ends them */
	bool has_flash;            /* for a rollback index */
	bool has_status;           /* QEMU's exit status is the board's */
};

struct machine {
	const struct board *board;
	const char *cpu; /* "" for the board's own */
	uint64_t harts, memory, timeout;
	char *hypervisor;
	char *flash; /* QEMU's -blockdev, or NULL */
	int hypervisor_fd, image_fd; /* files without a name, which QEMU reads */
	struct control_port control;
	struct relay relay; /* between that and QEMU */
	struct debug_port debug;
	const char *terminal; /* what the board's terminal can do: "dumb", "vt100", "mono" or "color" */
	pid_t qemu;
};

/*
 * Starts QEMU as the board, with `more` arguments (NULL ends them) and console->input and ->output, which it
 * fills in, as its first serial port. A STATUS_..., after a message when it is not STATUS_DONE.
 */
int machine_start(struct machine *machine, char **more, struct console *console);

#endif
