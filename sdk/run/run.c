/* SPDX-License-Identifier: MIT */
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bundle.h"
#include "common/diag.h"
#include "common/file.h"
#include "common/json.h"
#include "common/suggest.h"
#include "console.h"
#include "flash.h"
#include "machine.h"
#include "ports.h"

/* As the user ended it: what a shell says of a program that Ctrl-C ended. */
#define STATUS_ENDED 130

/* The hypervisor's last line on a board that cannot give a status. */
#define ALL_STOPPED "diosix: board: all capsules stopped"

/*
 * The second serial port of each board, on a chardev "control": QEMU's `virt` has a UART alone, so
 * there it is a port of virtio's, which waits for a slow reader, as its console does not.
 */
static const char *const virtio_port[] = {
	"-global", "virtio-mmio.force-legacy=false", "-device", "virtio-serial-device,id=control-bus",
	"-device", "virtserialport,bus=control-bus.0,nr=1,chardev=control", NULL,
};
static const char *const second_uart[] = {"-serial", "chardev:control", NULL};

static const struct board boards[] = {
	{"virt", 2, 64, 0, "rv64", "rv64,h=false", "gstage", virtio_port, true, true},
	/* Its first hart is one without S-mode; its models are fixed. */
	{"sifive_u", 4, 4, 1, NULL, "", "pmp", second_uart, false, false},
};

static const char *board_name(const void *context, unsigned index)
{
	return index < sizeof(boards) / sizeof(boards[0]) ? boards[index].name : NULL;
}

#define DEFAULT_MEMORY (UINT64_C(1) << 30)

bool run_defaults(const char *name, uint64_t *guest_harts, uint64_t *memory)
{
	for (size_t i = 0; i < sizeof(boards) / sizeof(boards[0]); i++) {
		if (strcmp(boards[i].name, name) != 0)
			continue;
		*guest_harts = ((UINT64_C(1) << boards[i].harts) - 1) << boards[i].more_harts;
		*memory = DEFAULT_MEMORY;
		return true;
	}
	return false;
}

/* Where the hypervisor is, seen from the folder of this program: beside it, or installed. */
static const char *const hypervisors[] = {"diosix.elf", "../diosix.elf",
					  "../lib/diosix/diosix.elf"};

/* --- what is wanted -------------------------------------------------------------------------- */

static int choose_board(struct machine *machine, const struct args *args)
{
	const char *name = args_value(args, "board", 0), *near;
	char hint[96];

	name = name ? name : boards[0].name;
	for (size_t i = 0; i < sizeof(boards) / sizeof(boards[0]); i++) {
		if (strcmp(boards[i].name, name) == 0)
			machine->board = &boards[i];
	}
	if (machine->board)
		return STATUS_DONE;
	near = suggest_hint(hint, sizeof(hint), name, board_name, NULL);
	return args_wrong(args->command, "no emulated board '%s'; there is virt and sifive_u%s%s",
			  name, near ? "; " : "", near ? near : "");
}

static int choose_isolation(struct machine *machine, const struct args *args)
{
	const char *way = args_value(args, "isolation", 0);

	if (!way || strcmp(way, "auto") == 0)
		way = machine->board->automatic;
	if (strcmp(way, "gstage") != 0 && strcmp(way, "pmp") != 0)
		return args_wrong(args->command, "--isolation is auto, gstage or pmp, not '%s'",
				  way);
	machine->cpu = strcmp(way, "gstage") == 0 ? machine->board->gstage : machine->board->pmp;
	if (!machine->cpu)
		return args_wrong(args->command,
				  "%s has no H extension, so no isolation by %s; use pmp",
				  machine->board->name, way);
	return STATUS_DONE;
}

static int read_options(struct machine *machine, const struct args *args)
{
	int status = choose_board(machine, args);

	if (status == STATUS_DONE)
		status = choose_isolation(machine, args);
	if (status != STATUS_DONE)
		return status;
	machine->harts = machine->board->harts;
	machine->memory = DEFAULT_MEMORY;
	if (!args_number(args, "harts", 1, machine->board->max_harts, &machine->harts) ||
	    !args_size(args, "memory", UINT64_C(32) << 20, UINT64_C(1) << 40, &machine->memory) ||
	    !args_number(args, "timeout", 1, 1000000, &machine->timeout))
		return STATUS_USAGE;
	return STATUS_DONE;
}

static int find_hypervisor(struct machine *machine, const struct args *args)
{
	const char *given = args_value(args, "hypervisor", 0);
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (given)
		return (machine->hypervisor = strdup(given)) ? STATUS_DONE : STATUS_FAILED;
	self[len > 0 ? len : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; i < sizeof(hypervisors) / sizeof(hypervisors[0]); i++) {
		if (asprintf(&machine->hypervisor, "%s/%s", self, hypervisors[i]) < 0)
			return diag_file("find", hypervisors[i], ENOMEM);
		if (access(machine->hypervisor, R_OK) == 0)
			return STATUS_DONE;
		free(machine->hypervisor);
		machine->hypervisor = NULL;
	}
	diag_error("no hypervisor: '%s/%s' is not there; build it with 'make', or give "
		   "--hypervisor FILE",
		   self, hypervisors[0]);
	return STATUS_FAILED;
}

/* --- what QEMU reads ------------------------------------------------------------------------- */

/* A file without a name that holds the bytes, which are freed. Its number, or -1 with errno. */
static int unnamed_file(const char *name, struct bytes *bytes)
{
	int fd = memfd_create(name, 0);
	size_t done = 0;

	while (fd >= 0 && done < bytes->len) {
		ssize_t n = write(fd, bytes->data + done, bytes->len - done);

		if (n < 0 && errno != EINTR) {
			close(fd);
			fd = -1;
		}
		done += n > 0 ? (size_t)n : 0;
	}
	/* The hypervisor may have a secret in it. */
	explicit_bzero(bytes->data, bytes->len);
	free(bytes->data);
	return fd;
}

static int prepare_files(struct machine *machine, const struct args *args)
{
	const char *image = args->operands[0];
	struct bytes bytes;
	int status = bundle_read(&bytes, machine->hypervisor, args);

	if (status != STATUS_DONE)
		return status;
	machine->hypervisor_fd = unnamed_file("hypervisor", &bytes);
	if (machine->hypervisor_fd < 0)
		return diag_file("copy", machine->hypervisor, errno);
	status = file_read_or_say(image, FILE_LIMIT, &bytes);
	if (status != STATUS_DONE)
		return status;
	machine->image_fd = unnamed_file("image", &bytes);
	return machine->image_fd < 0 ? diag_file("copy", image, errno) : STATUS_DONE;
}

static int prepare_flash(struct machine *machine, const struct args *args)
{
	const char *path = args_value(args, "flash", 0);

	if (!path)
		return STATUS_DONE;
	if (!machine->board->has_flash)
		return args_wrong(args->command, "%s has no flash memory for --flash",
				  machine->board->name);
	return flash_prepare(path, &machine->flash);
}

/* --- the end --------------------------------------------------------------------------------- */

/* The board is gone by itself: was all well? */
static int judge(const struct machine *machine, const struct console *console, int wait_status)
{
	bool clean = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;

	if (!console->last[0] && !clean) {
		diag_error(QEMU " failed before the hypervisor began");
		return STATUS_FAILED;
	}
	if (clean && (machine->board->has_status || strcmp(console->last, ALL_STOPPED) == 0))
		return STATUS_DONE;
	diag_error("the board ended with a failure; the hypervisor's last line: %s",
		   console->last[0] ? console->last : "none");
	return STATUS_REFUSED;
}

/* Nothing of it is left when it returns what QEMU has ended with. */
static int end_machine(struct machine *machine, const struct console *console, enum console_end end)
{
	int wait_status = 0;

	if (end != CONSOLE_CLOSED)
		kill(machine->qemu, SIGKILL);
	while (waitpid(machine->qemu, &wait_status, 0) < 0 && errno == EINTR)
		;
	if (end == CONSOLE_CLOSED)
		relay_finish(&machine->relay, console->signals);
	return wait_status;
}

static void close_ports(struct machine *machine)
{
	relay_close(&machine->relay);
	control_port_close(&machine->control);
}

/* Says how it has ended; `error` is an errno. */
static int explain(const struct machine *machine, const struct console *console, enum console_end end, int wait_status,
		   int error)
{
	switch (end) {
	case CONSOLE_CLOSED:
		return judge(machine, console, wait_status);
	case CONSOLE_ESCAPED:
		diag_info("ended by Ctrl-a x");
		return STATUS_ENDED;
	case CONSOLE_TIMEOUT:
		diag_error("the time limit of %" PRIu64 " s is over", machine->timeout);
		return STATUS_TIMEOUT;
	case CONSOLE_SIGNAL:
		return 128 + console->signal;
	default:
		return diag_file("write", "the console", error);
	}
}

/* How it came to its end; `status` is the exit status. */
static void print_json(const struct machine *machine, const struct args *args,
		       const struct console *console, enum console_end end, int status)
{
	static const char *const ends[] = {
		[CONSOLE_CLOSED] = "board",   [CONSOLE_ESCAPED] = "user",  [CONSOLE_TIMEOUT] = "timeout",
		[CONSOLE_SIGNAL] = "signal", [CONSOLE_FAILED] = "output",
	};
	struct json json = {.out = stdout};

	json_begin_result(&json, "run");
	json_text(&json, "image", args->operands[0]);
	json_text(&json, "board", machine->board->name);
	json_text(&json, "ended_by", ends[end]);
	json_number(&json, "status", (uint64_t)status);
	json_text(&json, "last_line", console->last[0] ? console->last : NULL);
	json_end_object(&json);
}

/* With --json standard output has the result; the board's console is then on standard error. */
static int console_fd(const struct args *args)
{
	return args_has(args, "json") ? STDERR_FILENO : STDOUT_FILENO;
}

static int relay(struct machine *machine, const struct args *args)
{
	const char *log = args_value(args, "log", 0);
	struct console console = {
		.timeout = (unsigned)machine->timeout, .out = console_fd(args), .relay = &machine->relay,
	};
	enum console_end end;
	int status, wait_status, error;

	/* What somebody has in it stays: a run is appended. */
	if (log && !(console.log = fopen(log, "ae")))
		return diag_file("write", log, errno);
	/* From here on a signal ends it in good order, the socket removed. */
	console.signals = console_catch_signals();
	status = console.signals < 0 ? diag_file("start", QEMU, errno)
				     : control_port_open(&machine->control, args);
	if (status == STATUS_DONE)
		status = relay_open(&machine->relay, machine->control.fd);
	if (status == STATUS_DONE)
		status = machine_start(machine, args->rest, &console);
	if (status == STATUS_DONE) {
		end = console_relay(&console);
		error = errno;
		wait_status = end_machine(machine, &console, end);
		close_ports(machine);
		/* Who reads what is said now may have stopped to. */
		console_release_signals();
		status = explain(machine, &console, end, wait_status, error);
		if (args_has(args, "json"))
			print_json(machine, args, &console, end, status);
	}
	close_ports(machine);
	if (console.log)
		fclose(console.log);
	return status;
}

int run_command(const struct args *args)
{
	struct machine machine = {
		.hypervisor_fd = -1, .image_fd = -1, .control.fd = -1, .debug.fd = -1,
		.relay = RELAY_NONE,
		.terminal = terminal_kind(console_fd(args)),
	};
	int status = read_options(&machine, args);

	if (status == STATUS_DONE)
		status = find_hypervisor(&machine, args);
	if (status == STATUS_DONE)
		status = prepare_files(&machine, args);
	if (status == STATUS_DONE)
		status = prepare_flash(&machine, args);
	if (status == STATUS_DONE)
		status = debug_port_open(&machine.debug, args, machine.hypervisor);
	if (status == STATUS_DONE)
		status = relay(&machine, args);
	free(machine.hypervisor);
	free(machine.flash);
	return status;
}
