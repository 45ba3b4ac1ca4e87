/* SPDX-License-Identifier: MIT */
#include "passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/diag.h"
#include "keyfile.h"

#define TEXT_MAX 16384u

void passphrases_init(struct passphrases *p, const struct args *args)
{
	*p = (struct passphrases){.args = args};
}

void passphrases_free(struct passphrases *p)
{
	sodium_free(p->current);
	sodium_free(p->text);
	*p = (struct passphrases){.args = NULL};
}

/* --- from a file ----------------------------------------------------------------------------- */

static int read_text(struct passphrases *p, int fd, const char *name)
{
	ssize_t n = 1;

	p->text = p->next = sodium_malloc(TEXT_MAX);
	if (!p->text)
		return keyfile_no_memory();
	while (n != 0 && p->text_len < TEXT_MAX) {
		n = read(fd, p->text + p->text_len, TEXT_MAX - p->text_len);
		if (n < 0 && errno != EINTR)
			return diag_file("read", name, errno);
		p->text_len += n > 0 ? (size_t)n : 0;
	}
	return STATUS_DONE;
}

static int open_text(struct passphrases *p, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), status;

	if (fd < 0)
		return diag_file("read", path, errno);
	status = read_text(p, fd, path);
	close(fd);
	return status;
}

/* Opens what was given, unless it has been: then p->text is set. Without any it stays NULL. */
static int open_source(struct passphrases *p)
{
	const char *path = args_value(p->args, "passphrase-file", 0);
	uint64_t fd = 0;

	if (p->text)
		return STATUS_DONE;
	if (args_has(p->args, "passphrase-fd")) {
		if (path)
			return args_wrong(
				p->args->command,
				"--passphrase-fd and --passphrase-file contradict each other");
		if (!args_number(p->args, "passphrase-fd", 0, 1u << 20, &fd))
			return STATUS_USAGE;
		return read_text(p, (int)fd, "the descriptor of --passphrase-fd");
	}
	path = path ? path : getenv("DMFS_PASSPHRASE_FILE");
	return path && *path ? open_text(p, path) : STATUS_DONE;
}

static int take_line(struct passphrases *p, const char *path)
{
	size_t left = p->text_len - (size_t)(p->next - p->text);
	char *end = memchr(p->next, '\n', left);
	size_t len = end ? (size_t)(end - p->next) : left;

	if (len == 0 || len > PASSPHRASE_MAX) {
		diag_error(len ? "the passphrase of '%s' has more than %u bytes"
			       : "the given passphrases end before that of '%s'",
			   path, PASSPHRASE_MAX);
		return STATUS_REFUSED;
	}
	memcpy(p->current->text, p->next, len);
	p->current->len = len;
	p->next += len + (end ? 1 : 0);
	return STATUS_DONE;
}

/* --- from the terminal ----------------------------------------------------------------------- */

/*
 * A line without its end; false when it was cancelled. Ctrl-C is a character here, so that echo is
 * always restored.
 */
static bool read_unseen(int terminal, struct passphrase *into)
{
	char c;

	into->len = 0;
	while (read(terminal, &c, 1) == 1 && c != '\n' && c != '\r' && c != 3 && c != 4) {
		if (c == 127 || c == 8)
			into->len -= into->len > 0;
		else if (into->len < PASSPHRASE_MAX)
			into->text[into->len++] = c;
	}
	return (c == '\n' || c == '\r') && into->len > 0;
}

static int ask(const char *what, const char *path, struct passphrase *into)
{
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios before, quiet;
	bool good;

	if (terminal < 0 || tcgetattr(terminal, &before) < 0) {
		if (terminal >= 0)
			close(terminal);
		diag_error("'%s' needs a passphrase, and there is no terminal to ask on; give "
			   "--passphrase-file or --passphrase-fd",
			   path);
		return STATUS_FAILED;
	}
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG | ICANON);
	quiet.c_cc[VMIN] = 1;
	tcsetattr(terminal, TCSAFLUSH, &quiet);
	dprintf(terminal, "%s of %s: ", what, path);
	good = read_unseen(terminal, into);
	dprintf(terminal, "\n");
	tcsetattr(terminal, TCSAFLUSH, &before);
	close(terminal);
	if (!good)
		diag_error("no passphrase was given for '%s'", path);
	return good ? STATUS_DONE : STATUS_REFUSED;
}

static int next(struct passphrases *p, const char *path)
{
	int status = open_source(p);

	if (status != STATUS_DONE)
		return status;
	if (!p->current)
		p->current = sodium_malloc(sizeof(*p->current));
	if (!p->current)
		return keyfile_no_memory();
	return p->text ? take_line(p, path) : ask("passphrase", path, p->current);
}

int passphrases_next(struct passphrases *p, const char *path, const struct passphrase **out)
{
	int status = next(p, path);

	*out = p->current;
	return status;
}

int passphrases_choose(struct passphrases *p, const char *path, const struct passphrase **out)
{
	struct passphrase *again;
	int status = passphrases_next(p, path, out);

	if (status != STATUS_DONE || p->text)
		return status;
	again = sodium_malloc(sizeof(*again));
	if (!again)
		return keyfile_no_memory();
	status = ask("once more the passphrase", path, again);
	if (status == STATUS_DONE && (again->len != p->current->len ||
				      sodium_memcmp(again->text, p->current->text, again->len))) {
		diag_error("the passphrases are not the same");
		status = STATUS_REFUSED;
	}
	sodium_free(again);
	return status;
}
