/* SPDX-License-Identifier: MIT */
/*
 * A progress bar with rate and time left, drawn on standard error when that is a terminal and nowhere
 * else.
 */
#ifndef COMMON_PROGRESS_H
#define COMMON_PROGRESS_H

#include <stdint.h>
#include <time.h>

struct progress {
	const char *doing; /* "packing" */
	struct timespec started, drawn;
	int active; /* a bar stands on the terminal */
};

/* Shows done of total bytes, at most ten times a second; `progress` is a struct progress. */
void progress_update(void *progress, uint64_t done, uint64_t total);

/* Takes the bar away. */
void progress_end(struct progress *progress);

#endif
