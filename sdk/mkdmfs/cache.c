/* SPDX-License-Identifier: MIT */
#include "cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/diag.h"

#define HEX_LEN      (2 * DMFS_HASH_LEN)
#define NAME_ROOM    (HEX_LEN + 2) /* "xx/", the rest, and the end */
#define TEMPORARY    "new-"
#define STALE_AFTER_S 3600

static void entry_name(const uint8_t key[DMFS_HASH_LEN], char name[NAME_ROOM])
{
	char *at = name;

	for (unsigned i = 0; i < DMFS_HASH_LEN; i++)
		at += sprintf(at, i == 0 ? "%02x/" : "%02x", key[i]);
}

/* All of it or nothing. */
static bool read_whole(int fd, char *to, size_t len)
{
	while (len > 0) {
		ssize_t n = read(fd, to, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		to += n;
		len -= (size_t)n;
	}
	return true;
}

static bool write_whole(int fd, const char *from, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		from += n;
		len -= (size_t)n;
	}
	return true;
}

static size_t load(void *context, const uint8_t key[DMFS_HASH_LEN], void *entry, size_t room)
{
	const struct cache *cache = context;
	char name[NAME_ROOM];
	struct stat st;
	size_t len = 0;
	int fd;

	entry_name(key, name);
	fd = openat(cache->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size <= room &&
	    read_whole(fd, entry, (size_t)st.st_size)) {
		len = (size_t)st.st_size;
		/* Its age counts from its last use. */
		futimens(fd, NULL);
	}
	close(fd);
	return len;
}

/* 0 or an errno. */
static int put(const struct cache *cache, const char *temporary, const char *name, const void *entry,
	       size_t len)
{
	int fd = openat(cache->folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	char part[3] = {name[0], name[1], '\0'};
	int error = 0;

	if (fd < 0)
		return errno;
	if (!write_whole(fd, entry, len))
		error = errno;
	close(fd);
	if (!error && mkdirat(cache->folder, part, 0777) < 0 && errno != EEXIST)
		error = errno;
	if (!error && renameat(cache->folder, temporary, cache->folder, name) < 0)
		error = errno;
	if (error)
		unlinkat(cache->folder, temporary, 0);
	return error;
}

static void store(void *context, const uint8_t key[DMFS_HASH_LEN], const void *entry, size_t len)
{
	struct cache *cache = context;
	char name[NAME_ROOM], temporary[64];
	unsigned number;
	int error;

	pthread_mutex_lock(&cache->lock);
	number = cache->written++;
	error = cache->error;
	pthread_mutex_unlock(&cache->lock);
	/* What failed once is not tried a thousand times. */
	if (error)
		return;
	entry_name(key, name);
	snprintf(temporary, sizeof(temporary), TEMPORARY "%ld-%u", (long)getpid(), number);
	error = put(cache, temporary, name, entry, len);
	pthread_mutex_lock(&cache->lock);
	if (!cache->error)
		cache->error = error;
	pthread_mutex_unlock(&cache->lock);
}

static void used(void *context, bool hit)
{
	struct cache *cache = context;

	pthread_mutex_lock(&cache->lock);
	cache->hits += hit;
	cache->misses += !hit;
	pthread_mutex_unlock(&cache->lock);
}

int cache_open(struct cache *cache, const char *path, uint64_t limit)
{
	*cache = (struct cache){
		.calls = {load, store, used, cache},
		.path = path,
		.limit = limit,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	if (mkdir(path, 0777) < 0 && errno != EEXIST)
		return diag_file("create", path, errno);
	cache->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return cache->folder < 0 ? diag_file("open", path, errno) : STATUS_DONE;
}

/* --- keeping it within its limit ------------------------------------------------------------- */

struct entry {
	char name[NAME_ROOM];
	uint64_t size;
	struct timespec last_used;
};

struct entries {
	struct entry *items;
	size_t count, room;
	uint64_t size;
};

static bool is_hex(const char *name, size_t len)
{
	return strlen(name) == len && strspn(name, "0123456789abcdef") == len;
}

static bool add_entry(struct entries *entries, const char *part, const char *name,
		      const struct stat *st)
{
	struct entry *entry;

	if (entries->count == entries->room) {
		size_t room = entries->room ? 2 * entries->room : 1024;
		struct entry *more = realloc(entries->items, room * sizeof(*more));

		if (!more)
			return false;
		entries->items = more;
		entries->room = room;
	}
	entry = &entries->items[entries->count++];
	snprintf(entry->name, sizeof(entry->name), "%.2s/%.*s", part, (int)(HEX_LEN - 2), name);
	entry->size = (uint64_t)st->st_size;
	entry->last_used = st->st_mtim;
	entries->size += entry->size;
	return true;
}

/* Calls visit() for each name in a folder of the cache. */
static void each_name(const struct cache *cache, const char *part,
		      void (*visit)(const struct cache *, int, const char *, const char *, void *),
		      void *context)
{
	int fd = openat(cache->folder, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	if (!folder && fd >= 0)
		close(fd);
	while (folder && (d = readdir(folder)) != NULL)
		visit(cache, fd, part, d->d_name, context);
	if (folder)
		closedir(folder);
}

static void visit_entry(const struct cache *cache, int fd, const char *part, const char *name,
			void *entries)
{
	struct stat st;

	if (is_hex(name, HEX_LEN - 2) && fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode))
		add_entry(entries, part, name, &st);
}

/* A folder of entries, or what a killed run left. Anything else is somebody's. */
static void visit_top(const struct cache *cache, int fd, const char *part, const char *name,
		      void *entries)
{
	struct stat st;

	if (is_hex(name, 2))
		each_name(cache, name, visit_entry, entries);
	else if (strncmp(name, TEMPORARY, strlen(TEMPORARY)) == 0 &&
		 fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		 st.st_mtim.tv_sec + STALE_AFTER_S < time(NULL))
		unlinkat(fd, name, 0);
}

static int by_last_use(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->last_used.tv_sec != y->last_used.tv_sec)
		return x->last_used.tv_sec < y->last_used.tv_sec ? -1 : 1;
	if (x->last_used.tv_nsec != y->last_used.tv_nsec)
		return x->last_used.tv_nsec < y->last_used.tv_nsec ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void trim(const struct cache *cache)
{
	struct entries entries = {NULL, 0, 0, 0};

	each_name(cache, ".", visit_top, &entries);
	if (entries.size > cache->limit)
		qsort(entries.items, entries.count, sizeof(*entries.items), by_last_use);
	for (size_t i = 0; entries.size > cache->limit && i < entries.count; i++) {
		unlinkat(cache->folder, entries.items[i].name, 0);
		entries.size -= entries.items[i].size;
	}
	free(entries.items);
}

void cache_close(struct cache *cache)
{
	trim(cache);
	close(cache->folder);
	if (cache->error)
		diag_warning("'%s' does not take what was compressed: %s", cache->path,
			     strerror(cache->error));
	diag_info("%s: %u of %u chunks were there", cache->path, cache->hits,
		  cache->hits + cache->misses);
}
