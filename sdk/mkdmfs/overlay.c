/* SPDX-License-Identifier: MIT */
#include "overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <libfdt.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dtgen/dtgen.h"

#define OVERLAY_MAX_LEN (1u << 20)

/* What dtc leaves: each a temporary file. */
struct compilation {
	FILE *compiled, *messages;
};

static bool read_stream(FILE *stream, struct bytes *out)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(stream));
	return file_read(path, OVERLAY_MAX_LEN, out) == 0;
}

/* dtc's exit status; -1 when it could not be run, with errno set. Source goes in by standard input. */
static int run_dtc(const char *path, const struct compilation *to)
{
	const char *slash = strrchr(path, '/');
	/* Included files are looked for beside the source. */
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	const char *argv[] = {"dtc", "-q", "-@", "-I", "dts", "-O", "dtb", "-i", folder, "-", NULL};
	posix_spawn_file_actions_t actions;
	int status = 0;
	pid_t pid;

	errno = folder ? 0 : ENOMEM;
	posix_spawn_file_actions_init(&actions);
	if (!errno)
		errno = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, path, O_RDONLY, 0);
	if (!errno)
		errno = posix_spawn_file_actions_adddup2(&actions, fileno(to->compiled), STDOUT_FILENO);
	if (!errno)
		errno = posix_spawn_file_actions_adddup2(&actions, fileno(to->messages), STDERR_FILENO);
	if (!errno)
		errno = posix_spawnp(&pid, "dtc", &actions, NULL, (char *const *)argv, environ);
	status = errno ? -1 : 0;
	posix_spawn_file_actions_destroy(&actions);
	free(folder);
	if (status < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/*
 * One line of dtc's: "Error: <stdin>:3.7-12 syntax error" points into the source, in which lines and columns
 * count from 1. Other lines only say that it gave up.
 */
static bool show_message(const struct diag_source *source, const char *line)
{
	struct diag_place place = {0, 0, 1};
	unsigned end = 0;
	int used = 0;

	if (sscanf(line, "Error: <stdin>:%u.%u-%u%n", &place.line, &place.column, &end, &used) != 3)
		return false;
	if (end > place.column)
		place.length = end - place.column;
	line += used;
	/* A range over lines is L.C-L.C; its end says nothing that the start does not. */
	line += strspn(line, ".0123456789: ");
	diag_error_at(source, place, NULL, "%s", line);
	return true;
}

static void show_messages(struct report *report, struct diag_place place, const char *path,
			  const struct compilation *from)
{
	struct bytes text = {NULL, 0}, source = {NULL, 0};
	struct diag_source at = {path, NULL, 0};
	const char *first = "it gave no reason";
	unsigned shown = 0;

	if (read_stream(from->messages, &text) && file_read(path, OVERLAY_MAX_LEN, &source) == 0) {
		at.text = (const char *)source.data;
		at.len = source.len;
		for (char *line = strtok((char *)text.data, "\n"); line; line = strtok(NULL, "\n")) {
			first = shown ? first : line;
			shown += !report->silent && show_message(&at, line);
		}
	}
	if (shown)
		report_error(report, place, NULL, "overlay '%s' does not compile", path);
	else
		report_error(report, place, NULL, "overlay '%s' does not compile: %s", path, first);
	free(text.data);
	free(source.data);
}

static bool compile(struct report *report, struct diag_place place, const char *path,
		    struct bytes *out)
{
	struct compilation files = {tmpfile(), tmpfile()};
	int status = files.compiled && files.messages ? run_dtc(path, &files) : -1;
	bool good = status == 0 && read_stream(files.compiled, out);

	if (status < 0)
		report_error(report, place, NULL,
			     errno == ENOENT ? "'%s' is source, which needs dtc (Debian: "
					       "device-tree-compiler), or give it compiled: x.dtbo"
					     : "cannot run dtc on '%s'",
			     path);
	else if (!good)
		show_messages(report, place, path, &files);
	if (files.compiled)
		fclose(files.compiled);
	if (files.messages)
		fclose(files.messages);
	return good;
}

static bool is_source(const char *path)
{
	size_t len = strlen(path);

	return (len > 4 && strcmp(path + len - 4, ".dts") == 0) ||
	       (len > 5 && strcmp(path + len - 5, ".dtso") == 0);
}

static bool read_overlay(struct report *report, struct diag_place place, const char *path,
			 struct bytes *out)
{
	int error;

	if (is_source(path))
		return compile(report, place, path, out);
	error = file_read(path, OVERLAY_MAX_LEN, out);
	if (error)
		report_error(report, place, NULL, "cannot read '%s': %s", path, strerror(error));
	return !error;
}

bool overlay_apply(struct report *report, struct diag_place place, const char *path,
		   struct bytes *tree, size_t room)
{
	struct bytes overlay = {NULL, 0};
	int result;

	if (!read_overlay(report, place, path, &overlay))
		return false;
	result = dtgen_apply_overlay(tree->data, room, overlay.data, overlay.len);
	free(overlay.data);
	if (result == -FDT_ERR_BADSTRUCTURE)
		report_error(report, place, NULL,
			     "'%s' is no compiled device tree; name its source x.dtso, or compile it: "
			     "dtc -@ -O dtb -o x.dtbo x.dtso",
			     path);
	else if (result < 0)
		report_error(report, place, NULL, "overlay '%s' does not apply: %s", path,
			     fdt_strerror(result));
	else
		tree->len = (size_t)result;
	return result >= 0;
}
