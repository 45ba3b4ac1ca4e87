/* SPDX-License-Identifier: MIT */
/*
 * Whole files in, whole files out. "-" is standard input or output.
 */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* More than any image or kernel, and so little that a device without an end is noticed. */
#define FILE_LIMIT (UINT64_C(16) << 30)

struct bytes {
	uint8_t *data; /* malloc'ed; with a zero byte after the last that `len` does not count */
	size_t len;
};

/* Reads all of `path`. Returns 0, or an errno: EFBIG above `limit` bytes. Then *out is empty. */
int file_read(const char *path, uint64_t limit, struct bytes *out);

/* Like file_read() with a message when it fails: STATUS_DONE or STATUS_FAILED. */
int file_read_or_say(const char *path, uint64_t limit, struct bytes *out);

/*
 * A file that appears under its name only when it is complete: written under no name (or, where the
 * file system cannot do that, a name of its own in the same folder, removed on the usual signals),
 * synced, then renamed. Devices, pipes and standard output get the bytes when it is complete.
 */
struct output {
	FILE *stream;     /* seekable */
	const char *name; /* as the user gave it */
	char *path;       /* where it will be; NULL: copied to `direct` */
	char *temporary;  /* its name until then; NULL while it has none */
	int direct;
};

/* Each says what failed. STATUS_DONE or STATUS_FAILED; after a failure nothing is left. */
int output_open(struct output *output, const char *path);
int output_commit(struct output *output);
/* Leaves the target as it was. Also right after output_commit(). */
void output_discard(struct output *output);

/* All of the above for bytes in memory. */
int file_write(const char *path, const void *data, size_t len);

/*
 * Makes a file that must not exist yet, which appears under its name only when it is complete and synced, whatever becomes of this
 * program. Says nothing. 0, or an errno: EEXIST when there is something of that name.
 */
int file_create(const char *path, mode_t mode, const void *data, size_t len);

/* True when `path` is "-" and standard output a terminal, which binary data would upset: says so.
 */
bool binary_on_terminal(const char *path);

#endif
