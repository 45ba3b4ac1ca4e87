/* SPDX-License-Identifier: MIT */
/*
 * A folder that keeps compressed chunks, so that packing again costs what has changed. Each entry
 * is a file, DIR/xx/yy..., named after its key in hexadecimal; it appears there only when it is
 * complete. Several runs may use one folder at once. dmfs_write() checks what it gets: nothing here
 * is trusted.
 */
#ifndef MKDMFS_CACHE_H
#define MKDMFS_CACHE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "dmfs_write.h"

#define CACHE_DEFAULT_LIMIT (UINT64_C(4) << 30)

struct cache {
	struct dmfs_write_cache calls; /* for dmfs_write() */
	const char *path;
	int folder;
	uint64_t limit; /* bytes of all entries */
	pthread_mutex_t lock;
	/* Under the lock: */
	unsigned hits, misses;
	unsigned written; /* entries begun, for names of their own */
	int error;        /* errno of the first entry that could not be written; 0 */
};

/* Opens the folder, which is made if need be. STATUS_DONE, or STATUS_FAILED after a message. */
int cache_open(struct cache *cache, const char *path, uint64_t limit);

/*
 * Removes what was used least recently until the rest is within the limit, and closes it. Says how
 * much was there already.
 */
void cache_close(struct cache *cache);

#endif
