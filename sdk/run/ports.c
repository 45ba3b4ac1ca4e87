/* SPDX-License-Identifier: MIT */
#include "ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/diag.h"

/* --- the control port ------------------------------------------------------------------------ */

static int control_failed(struct control_port *port, const char *path, int error)
{
	if (port->fd >= 0)
		close(port->fd);
	port->fd = -1;
	if (error != EADDRINUSE)
		return diag_file("make the control socket", path, error);
	diag_error("there is something at '%s' already; the control socket is not put over it, nor over one that a killed run has left",
		   path);
	return STATUS_FAILED;
}

int control_port_open(struct control_port *port, const struct args *args)
{
	const char *path = args_value(args, "control", 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat made;
	mode_t mask;
	int error;

	port->fd = -1;
	if (!path)
		return STATUS_DONE;
	if (!*path || strlen(path) >= sizeof(address.sun_path))
		return args_wrong(args->command, "--control takes a path of 1 to %zu bytes, not %zu",
				  sizeof(address.sun_path) - 1, strlen(path));
	strcpy(address.sun_path, path);
	port->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (port->fd < 0)
		return control_failed(port, path, errno);
	/* Who may write to it drives the board. */
	mask = umask(0177);
	error = bind(port->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
	umask(mask);
	if (error)
		return control_failed(port, path, error);
	if (listen(port->fd, 1) < 0 || stat(path, &made) < 0) {
		error = errno;
		unlink(path);
		return control_failed(port, path, error);
	}
	port->path = path;
	port->dev = made.st_dev;
	port->ino = made.st_ino;
	return STATUS_DONE;
}

void control_port_close(struct control_port *port)
{
	struct stat now;

	if (port->fd < 0)
		return;
	close(port->fd);
	port->fd = -1;
	if (lstat(port->path, &now) == 0 && now.st_dev == port->dev && now.st_ino == port->ino)
		unlink(port->path);
}

/* --- debuggers ------------------------------------------------------------------------------- */

static void say_how_to_attach(const struct debug_port *port, const char *hypervisor)
{
	diag_info("%s, to attach: gdb-multiarch '%s' -ex 'target remote 127.0.0.1:%u'",
		  port->wait ? "the board waits for a debugger" : "the board can be debugged",
		  hypervisor, port->port);
}

int debug_port_open(struct debug_port *port, const struct args *args, const char *hypervisor)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	uint64_t number = 0;
	int on = 1;

	port->fd = -1;
	port->wait = args_has(args, "gdb-wait");
	if (!args_has(args, "gdb"))
		return port->wait ? args_wrong(args->command, "--gdb-wait needs --gdb") : STATUS_DONE;
	if (!args_number(args, "gdb", 0, UINT16_MAX, &number))
		return STATUS_USAGE;
	address.sin_port = htons((uint16_t)number);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	port->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (port->fd < 0 || setsockopt(port->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(port->fd, (struct sockaddr *)&address, len) < 0 || listen(port->fd, 1) < 0 ||
	    getsockname(port->fd, (struct sockaddr *)&address, &len) < 0) {
		diag_error("cannot open the TCP port %u for --gdb: %s", (unsigned)number,
			   strerror(errno));
		return STATUS_FAILED;
	}
	port->port = ntohs(address.sin_port);
	say_how_to_attach(port, hypervisor);
	return STATUS_DONE;
}

/* --- the terminal ---------------------------------------------------------------------------- */

/* Terminals without colour, by the beginning of their names; the first that fits. */
static const struct {
	const char *name, *kind;
} without_color[] = {
	{"vt52", "dumb"}, {"adm", "dumb"}, {"vt1", "vt100"}, {"vt2", "mono"}, {"vt3", "mono"},
	{"vt4", "mono"}, {"vt5", "mono"}, {"ansi-m", "mono"}, {"xterm-mono", "mono"}, {"sun-m", "mono"},
	{"wyse", "mono"},
};

const char *terminal_kind(int fd)
{
	const char *name = getenv("TERM");

	if (!isatty(fd) || !name || !*name || strcmp(name, "dumb") == 0)
		return "dumb";
	for (size_t i = 0; i < sizeof(without_color) / sizeof(without_color[0]); i++) {
		if (strncmp(name, without_color[i].name, strlen(without_color[i].name)) == 0)
			return without_color[i].kind;
	}
	return diag_wants_color() ? "color" : "mono";
}
