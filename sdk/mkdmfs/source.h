/* SPDX-License-Identifier: MIT */
/*
 * Where an object's bytes come from: files, one after the other. They are read a piece at a time
 * while the image is written, by several threads, so that an object may be larger than memory. Files
 * are opened for each piece: no number of them is too large, and one that has changed since it was
 * first looked at, or is gone, is noticed with the next piece.
 */
#ifndef MKDMFS_SOURCE_H
#define MKDMFS_SOURCE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/arena.h"
#include "common/diag.h"

/* A file that was not what it had been; shared by all sources of one plan. */
struct source_failure {
	pthread_mutex_t lock;
	const char *path; /* NULL: nothing failed. The first that did */
	int error;        /* errno; ESTALE: the file has changed */
	struct diag_place place;
};

struct source_part {
	const char *path;
	struct diag_place place; /* of its name in the manifest */
	int fd;                  /* -1: `path` is opened; otherwise an open file, without a name */
	struct stat seen;        /* when it was added; not of an open file */
	uint64_t from;           /* the file's first byte that counts */
	uint64_t at, len;        /* where in the object it belongs */
};

struct source {
	struct source_part *parts;
	unsigned count;
	uint64_t len;
	struct source_failure *failure;
};

/* What precedes each part is filled with zeros up to a multiple of this. */
#define SOURCE_ALIGN UINT64_C(4)

/* Makes room for `count` parts. */
void source_init(struct source *source, struct arena *arena, unsigned count,
		 struct source_failure *failure);

/*
 * Adds all of a file. Returns 0 or an errno; EISDIR for what is no regular file, EFBIG above
 * the largest object.
 */
int source_add(struct source *source, const char *path, struct diag_place place);

/* Adds `len` bytes of an open file, from `from` on. */
void source_add_open(struct source *source, int fd, uint64_t from, uint64_t len);

/* The same files in the same order, as they were then? */
bool source_same(const struct source *a, const struct source *b);

/*
 * Reads `len` bytes of the object from `offset` on. False with errno set, after it was noted in the
 * failure.
 */
bool source_read(const struct source *source, uint64_t offset, void *to, size_t len);

/* Are all files still what they were? Otherwise as source_read(). */
bool source_check(const struct source *source);

#endif
