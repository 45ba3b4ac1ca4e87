/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "dmfs.h"

void source_init(struct source *source, struct arena *arena, unsigned count,
		 struct source_failure *failure)
{
	*source = (struct source){
		.parts = arena_alloc(arena, count * sizeof(*source->parts) + 1),
		.failure = failure,
	};
}

static struct source_part *next_part(struct source *source, uint64_t len)
{
	struct source_part *part = &source->parts[source->count++];

	part->at = (source->len + SOURCE_ALIGN - 1) / SOURCE_ALIGN * SOURCE_ALIGN;
	part->len = len;
	part->fd = -1;
	source->len = part->at + len;
	return part;
}

int source_add(struct source *source, const char *path, struct diag_place place)
{
	struct source_part *part;
	struct stat seen;

	if (stat(path, &seen) < 0)
		return errno;
	if (!S_ISREG(seen.st_mode))
		return EISDIR;
	if (access(path, R_OK) < 0)
		return errno;
	if ((uint64_t)seen.st_size > DMFS_MAX_RAW_LEN - source->len - SOURCE_ALIGN)
		return EFBIG;
	part = next_part(source, (uint64_t)seen.st_size);
	part->path = path;
	part->place = place;
	part->seen = seen;
	return 0;
}

void source_add_open(struct source *source, int fd, uint64_t from, uint64_t len)
{
	struct source_part *part = next_part(source, len);

	part->path = "the temporary file of kernels";
	part->fd = fd;
	part->from = from;
}

/* The change time is the system's own: nobody sets it back. */
static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

bool source_same(const struct source *a, const struct source *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++) {
		if (a->parts[i].fd != -1 || b->parts[i].fd != -1 ||
		    !same_file(&a->parts[i].seen, &b->parts[i].seen))
			return false;
	}
	return true;
}

static bool fail(const struct source *source, const struct source_part *part, int error)
{
	struct source_failure *failure = source->failure;

	pthread_mutex_lock(&failure->lock);
	if (!failure->path) {
		failure->path = part->path;
		failure->error = error;
		failure->place = part->place;
	}
	pthread_mutex_unlock(&failure->lock);
	errno = error;
	return false;
}

/* 0 or an errno. */
static int read_open(const struct source_part *part, int fd, uint64_t offset, char *to, size_t len)
{
	while (len > 0) {
		ssize_t n = pread(fd, to, len, (off_t)(part->from + offset));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : ESTALE;
		to += n;
		offset += (size_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int read_part(const struct source_part *part, uint64_t offset, char *to, size_t len)
{
	struct stat now;
	int fd, error;

	if (part->fd >= 0)
		return read_open(part, part->fd, offset, to, len);
	fd = open(part->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return errno;
	error = read_open(part, fd, offset, to, len);
	/* After reading, so that what was read is from before any change. */
	if (!error && fstat(fd, &now) < 0)
		error = errno;
	else if (!error && !same_file(&now, &part->seen))
		error = ESTALE;
	close(fd);
	return error;
}

bool source_read(const struct source *source, uint64_t offset, void *to, size_t len)
{
	memset(to, 0, len);
	for (unsigned i = 0; i < source->count; i++) {
		const struct source_part *part = &source->parts[i];
		uint64_t start = part->at > offset ? part->at : offset;
		uint64_t end = part->at + part->len < offset + len ? part->at + part->len : offset + len;
		int error;

		if (start >= end)
			continue;
		error = read_part(part, start - part->at, (char *)to + (start - offset), end - start);
		if (error)
			return fail(source, part, error);
	}
	return true;
}

bool source_check(const struct source *source)
{
	for (unsigned i = 0; i < source->count; i++) {
		const struct source_part *part = &source->parts[i];
		struct stat now;

		if (part->fd >= 0)
			continue;
		if (stat(part->path, &now) < 0)
			return fail(source, part, errno);
		if (!same_file(&now, &part->seen))
			return fail(source, part, ESTALE);
	}
	return true;
}
