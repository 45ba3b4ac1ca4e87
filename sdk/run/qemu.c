/* SPDX-License-Identifier: MIT */
/* QEMU's command line, and QEMU. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/diag.h"
#include "flash.h"
#include "machine.h"

/* --- the command line ------------------------------------------------------------------------ */

struct command_line {
	struct arena arena;
	const char **argv; /* NULL ends it; has room for what this file adds */
	size_t argc;
	const char *append; /* for the board's bootargs */
};

/* Arguments of this file, at most. */
#define OWN_ARGUMENTS 64

static void add(struct command_line *line, const char *word)
{
	line->argv[line->argc++] = word;
}

static void add_words(struct command_line *line, const char *const *words)
{
	while (*words)
		add(line, *words++);
}

static void add_option(struct command_line *line, const char *option, const char *value)
{
	add(line, option);
	add(line, value);
}

static void add_board(struct command_line *line, const struct machine *machine)
{
	static const char *const always[] = {
		"-display", "none", "-monitor", "none", "-no-reboot", "-chardev",
		"stdio,id=console,signal=off", "-serial", "chardev:console", NULL,
	};
	struct arena *arena = &line->arena;

	add(line, QEMU);
	add_option(line, "-M", machine->board->name);
	add_option(line, "-bios", "none");
	add_option(line, "-kernel", arena_printf(arena, "/proc/self/fd/%d", machine->hypervisor_fd));
	add_option(line, "-initrd", arena_printf(arena, "/proc/self/fd/%d", machine->image_fd));
	add_option(line, "-smp",
		   arena_printf(arena, "%" PRIu64, machine->harts + machine->board->more_harts));
	add_option(line, "-m", arena_printf(arena, "%" PRIu64 "k", machine->memory >> 10));
	add_words(line, always);
	if (*machine->cpu)
		add_option(line, "-cpu", machine->cpu);
	if (!machine->flash)
		return;
	/*
	 * Not as -drive if=pflash, which QEMU 7.2 takes for firmware that is to load the kernel,
	 * and its machine has no pflash1 yet. So both banks begin as the file; only the second is
	 * written.
	 */
	add_option(line, "-blockdev", machine->flash);
	add_option(line, "-global", "driver=cfi.pflash01,property=drive,value=" FLASH_NODE);
}

static void add_ports(struct command_line *line, const struct machine *machine)
{
	if (machine->relay.folder >= 0) {
		add_option(line, "-chardev",
			   arena_printf(&line->arena, "pipe,id=control,path=/proc/self/fd/%d/" RELAY_PIPES,
					machine->relay.folder));
		add_words(line, machine->board->control);
	}
	if (machine->debug.fd >= 0) {
		add_option(line, "-chardev",
			   arena_printf(&line->arena, "socket,id=gdb,fd=%d,server=on,wait=off",
					machine->debug.fd));
		add_option(line, "-gdb", "chardev:gdb");
	}
	if (machine->debug.wait)
		add(line, "-S");
}

/* QEMU takes the last -append alone: the user's is joined with this program's. */
static void add_more(struct command_line *line, char **more)
{
	for (; *more; more++) {
		bool append = strcmp(*more, "-append") == 0 || strcmp(*more, "--append") == 0;

		if (append && more[1])
			line->append = arena_printf(&line->arena, "%s %s", line->append, *++more);
		else
			add(line, *more);
	}
}

static void make_command_line(struct command_line *line, const struct machine *machine, char **more)
{
	size_t count = 0;

	while (more[count])
		count++;
	line->argv = arena_alloc(&line->arena, (OWN_ARGUMENTS + count) * sizeof(*line->argv));
	line->append = arena_printf(&line->arena, "diosix.terminal=%s", machine->terminal);
	add_board(line, machine);
	add_ports(line, machine);
	add_more(line, more);
	add_option(line, "-append", line->append);
}

/* --- the process ----------------------------------------------------------------------------- */

/* The board's serial port: two pipes. */
struct serial {
	int in[2], out[2];
};

/* In the child: becomes QEMU, or returns with errno. */
static void become_qemu(const struct command_line *line, const struct serial *serial, pid_t parent)
{
	sigset_t none;

	/* It must not outlive this program, however that ends. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(STATUS_FAILED);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(serial->in[0], STDIN_FILENO) < 0 || dup2(serial->out[1], STDOUT_FILENO) < 0)
		return;
	execvp(QEMU, (char **)(uintptr_t)line->argv);
}

/* Starts QEMU with `serial` as its console. 0, or an errno that says why it did not start. */
static int start_qemu(struct machine *machine, const struct command_line *line,
		      const struct serial *serial)
{
	pid_t parent = getpid();
	int told[2], error = 0;

	if (pipe2(told, O_CLOEXEC) < 0)
		return errno;
	machine->qemu = fork();
	if (machine->qemu == 0) {
		become_qemu(line, serial, parent);
		error = errno;
		_exit(write(told[1], &error, sizeof(error)) == sizeof(error) ? STATUS_FAILED
									     : STATUS_USAGE);
	}
	if (machine->qemu < 0)
		error = errno;
	close(told[1]);
	/* The pipe closes by itself when the program was started. */
	if (machine->qemu > 0 && read(told[0], &error, sizeof(error)) == sizeof(error))
		waitpid(machine->qemu, NULL, 0);
	close(told[0]);
	return error;
}

/*
 * QEMU drops what the console of a sifive_u says while nobody takes it, and it says it byte by byte: a pipe
 * holds a million of them, a socket some hundred.
 */
#define OUTPUT_ROOM (1 << 20)

int machine_start(struct machine *machine, char **more, struct console *console)
{
	struct command_line line = {0};
	struct serial serial;
	int error;

	if (pipe2(serial.in, O_CLOEXEC) < 0 || pipe2(serial.out, O_CLOEXEC) < 0)
		return diag_file("start", QEMU, errno);
	fcntl(serial.in[1], F_SETFL, O_NONBLOCK);
	fcntl(serial.out[0], F_SETFL, O_NONBLOCK);
	fcntl(serial.out[0], F_SETPIPE_SZ, OUTPUT_ROOM);
	console->input = serial.in[1];
	console->output = serial.out[0];
	make_command_line(&line, machine, more);
	error = start_qemu(machine, &line, &serial);
	arena_free(&line.arena);
	close(serial.in[0]);
	close(serial.out[1]);
	if (error == ENOENT) {
		diag_error(QEMU " is not installed; Debian has it in the package qemu-system-misc");
		return STATUS_FAILED;
	}
	return error ? diag_file("start", QEMU, error) : STATUS_DONE;
}
