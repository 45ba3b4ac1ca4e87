/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diag.h"
#include "size.h"

/* The name to remove when a signal ends the program; written before the handler can see it. */
static char *volatile doomed;

static int read_all(int fd, uint64_t limit, struct bytes *out)
{
	size_t room = 65536;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > limit)
		return EFBIG;
	if (S_ISREG(st.st_mode))
		room = (size_t)st.st_size + 1;
	out->data = malloc(room + 1);
	while (out->data) {
		ssize_t n = read(fd, out->data + out->len, room - out->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			out->data[out->len] = 0;
			return n < 0 ? errno : 0;
		}
		out->len += (size_t)n;
		if (out->len > limit)
			return EFBIG;
		if (out->len == room) {
			uint8_t *more = realloc(out->data, room * 2 + 1);

			if (!more)
				return ENOMEM;
			room *= 2;
			out->data = more;
		}
	}
	return ENOMEM;
}

int file_read(const char *path, uint64_t limit, struct bytes *out)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int error;

	memset(out, 0, sizeof(*out));
	if (fd < 0)
		return errno;
	error = read_all(fd, limit, out);
	if (!standard)
		close(fd);
	if (error) {
		free(out->data);
		memset(out, 0, sizeof(*out));
	}
	return error;
}

int file_read_or_say(const char *path, uint64_t limit, struct bytes *out)
{
	char most[24];
	int error = file_read(path, limit, out);

	if (error == EFBIG) {
		diag_error("'%s' is larger than %s, the most that is read here", path,
			   size_text(most, limit));
		return STATUS_FAILED;
	}
	return error ? diag_file("read", path, error) : STATUS_DONE;
}

static void remove_doomed(int signal_number)
{
	if (doomed)
		unlink(doomed);
	/* The handler was reset on entry: this ends the program as if there had been none. */
	raise(signal_number);
}

static void watch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	struct sigaction action = {.sa_handler = remove_doomed, .sa_flags = SA_RESETHAND};
	struct sigaction old;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(signals[i], &action, NULL);
	}
}

/* A name beside the target that nobody else uses. */
static char *temporary_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	int dir_len = slash ? (int)(slash - path) + 1 : 0;
	uint64_t random = 0;
	char *name;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random) ||
	    asprintf(&name, "%.*s.dmfs-%016llx", dir_len, path, (unsigned long long)random) < 0)
		return NULL;
	return name;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

/* Without a name, or with one that is put into *temporary. */
static int open_temporary(const char *path, mode_t mode, char **temporary)
{
	char *folder = folder_of(path);
	int fd = folder ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, mode) : -1;

	free(folder);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	*temporary = temporary_name(path);
	if (!*temporary)
		return -1;
	doomed = *temporary;
	watch_signals();
	return open(*temporary, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, mode);
}

/* A file without a name gets one that nothing has. */
static int link_unnamed(int fd, const char *name)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

static int write_to(int fd, const void *data, size_t len)
{
	const char *at = data;

	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, at + done, len - done);

		if (n < 0 && errno != EINTR)
			return -1;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Decides where the bytes go: to a name, or straight to what is no regular file. */
static int choose_target(struct output *output, const char *path)
{
	struct stat st;

	if (strcmp(path, "-") == 0) {
		output->direct = STDOUT_FILENO;
		return 0;
	}
	if (stat(path, &st) < 0)
		/* A link that leads nowhere is replaced, as a missing file is created. */
		return (output->path = strdup(path)) ? 0 : errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	if (!S_ISREG(st.st_mode)) {
		output->direct = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return output->direct < 0 ? errno : 0;
	}
	return (output->path = realpath(path, NULL)) ? 0 : errno;
}

int output_open(struct output *output, const char *path)
{
	int error, fd;

	memset(output, 0, sizeof(*output));
	output->direct = -1;
	output->name = strcmp(path, "-") == 0 ? "standard output" : path;
	error = choose_target(output, path);
	if (error)
		goto fail;
	if (!output->path) {
		output->stream = tmpfile();
	} else {
		fd = open_temporary(output->path, 0666, &output->temporary);
		output->stream = fd < 0 ? NULL : fdopen(fd, "w+b");
	}
	if (output->stream)
		return STATUS_DONE;
	error = errno;
fail:
	output_discard(output);
	return diag_file("write", output->name, error);
}

static int copy_to(FILE *from, int to)
{
	char buf[65536];
	size_t len;

	rewind(from);
	while ((len = fread(buf, 1, sizeof(buf), from)) > 0) {
		if (write_to(to, buf, len) < 0)
			return -1;
	}
	return ferror(from) ? -1 : 0;
}

/* A file without a name gets one; it cannot take the place of another, so that is a rename. */
static int name_it(struct output *output)
{
	char *name;

	if (output->temporary)
		return 0;
	name = temporary_name(output->path);
	if (!name)
		return -1;
	output->temporary = name;
	doomed = name;
	watch_signals();
	return link_unnamed(fileno(output->stream), name);
}

static int publish(struct output *output)
{
	if (fflush(output->stream) != 0)
		return -1;
	if (!output->path)
		return fflush(stdout) || copy_to(output->stream, output->direct) ? -1 : 0;
	if (fsync(fileno(output->stream)) < 0 || name_it(output) < 0 ||
	    rename(output->temporary, output->path) < 0)
		return -1;
	doomed = NULL;
	free(output->temporary);
	output->temporary = NULL;
	return 0;
}

int output_commit(struct output *output)
{
	int status = STATUS_DONE;

	if (publish(output) < 0)
		status = diag_file("write", output->name, errno);
	output_discard(output);
	return status;
}

void output_discard(struct output *output)
{
	if (output->stream)
		fclose(output->stream);
	if (output->temporary)
		unlink(output->temporary);
	doomed = NULL;
	if (output->direct > STDERR_FILENO)
		close(output->direct);
	free(output->temporary);
	free(output->path);
	output->stream = NULL;
	output->temporary = NULL;
	output->path = NULL;
	output->direct = -1;
}

int file_write(const char *path, const void *data, size_t len)
{
	struct output output;
	int status = output_open(&output, path);

	if (status)
		return status;
	if (fwrite(data, 1, len, output.stream) != len) {
		status = diag_file("write", output.name, errno);
		output_discard(&output);
		return status;
	}
	return output_commit(&output);
}

/* Some file systems have no rename that leaves alone what is there, some no second name for a file; none lacks both. */
static int take_name(int fd, const char *temporary, const char *path)
{
	if (!temporary)
		return link_unnamed(fd, path);
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	return errno == EINVAL || errno == ENOSYS ? link(temporary, path) : -1;
}

int file_create(const char *path, mode_t mode, const void *data, size_t len)
{
	char *temporary = NULL;
	int fd = open_temporary(path, mode, &temporary), error = 0;

	if (fd < 0 || write_to(fd, data, len) < 0 || fsync(fd) < 0 || take_name(fd, temporary, path) < 0)
		error = errno;
	if (fd >= 0)
		close(fd);
	if (temporary)
		unlink(temporary);
	doomed = NULL;
	free(temporary);
	return error;
}

bool binary_on_terminal(const char *path)
{
	if (strcmp(path, "-") != 0 || !isatty(STDOUT_FILENO))
		return false;
	diag_error(
		"standard output is a terminal and this is binary; give a file with -o, or a pipe");
	return true;
}
