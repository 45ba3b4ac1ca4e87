/* SPDX-License-Identifier: MIT */
#include "unpack.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/progress.h"

#define MAX_THREADS 256

struct work {
	const struct image_file *file;
	uint32_t first, count;
	int fd;
	pthread_mutex_t lock; /* of all that follows */
	uint32_t next;        /* distance from first */
	uint64_t done, total; /* raw bytes */
	struct progress progress;
	/* The first failure: of the image, at chunk `failed`, or of the system. */
	enum dmfs_status status;
	uint32_t failed;
	int error;
};

static int write_at(int fd, const uint8_t *data, size_t len, off_t offset)
{
	while (fd >= 0 && len > 0) {
		ssize_t n = pwrite(fd, data, len, offset);

		if (n < 0 && errno != EINTR)
			return errno;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
		offset += n > 0 ? n : 0;
	}
	return 0;
}

/* Takes the next chunk's number; false when there is none, or something failed. */
static bool take(struct work *work, uint32_t *index)
{
	bool good;

	pthread_mutex_lock(&work->lock);
	good = work->status == DMFS_OK && !work->error && work->next < work->count;
	*index = work->first + work->next;
	work->next += good;
	pthread_mutex_unlock(&work->lock);
	return good;
}

static void finish(struct work *work, uint32_t index, uint32_t raw_len, enum dmfs_status status,
		   int error)
{
	pthread_mutex_lock(&work->lock);
	if (work->status == DMFS_OK && !work->error) {
		work->status = status;
		work->error = error;
		work->failed = index;
	}
	work->done += raw_len;
	progress_update(&work->progress, work->done, work->total);
	pthread_mutex_unlock(&work->lock);
}

/* Which object a chunk is of, for people. */
static struct dmfs_object object_of(const struct dmfs_image *image, uint32_t chunk)
{
	uint32_t i = 0;

	while (i + 1 < image->objects && dmfs_object(image, i + 1).first_chunk <= chunk)
		i++;
	return dmfs_object(image, i);
}

/* One chunk; `opened` is NULL unless it can be needed. Without a place to write to, hashes are enough for want of a key. */
static enum dmfs_status unpack_one(const struct work *work, uint32_t index, uint8_t *opened,
				   uint8_t *raw, struct dmfs_workspace *workspace)
{
	const struct image_file *file = work->file;
	struct dmfs_chunk chunk = dmfs_chunk(&file->image, index);
	const uint8_t *stored =
		file->bytes.data + file->image.extent.payload_offset + chunk.offset;

	if (!(object_of(&file->image, index).flags & DMFS_OBJECT_ENCRYPTED))
		return dmfs_unpack_chunk(&chunk, stored, raw, workspace);
	if (file->content_key)
		return dmfs_unpack_encrypted(&chunk, stored, file->content_key, opened, raw,
					     workspace);
	return work->fd < 0 ? dmfs_check_chunk(&chunk, stored) : DMFS_ERR_SEALED;
}

static void *run(void *context)
{
	struct work *work = context;
	const struct image_file *file = work->file;
	struct dmfs_workspace *workspace = aligned_alloc(16, sizeof(*workspace));
	uint8_t *raw = malloc(file->image.chunk_len);
	/* The most that a stored chunk may have. */
	uint8_t *opened = malloc(2 * (size_t)file->image.chunk_len + 64);
	uint32_t index;

	while (take(work, &index)) {
		struct dmfs_chunk chunk = dmfs_chunk(&file->image, index);
		enum dmfs_status status = DMFS_OK;
		int error = raw && opened && workspace ? 0 : ENOMEM;

		if (!error)
			status = unpack_one(work, index, opened, raw, workspace);
		if (!error && status == DMFS_OK)
			error = write_at(work->fd, raw, chunk.raw_len,
					 (off_t)(index - work->first) * file->image.chunk_len);
		finish(work, index, chunk.raw_len, status, error);
	}
	free(opened);
	free(raw);
	free(workspace);
	return NULL;
}

static int say(const struct work *work, const char *target)
{
	struct dmfs_object object;

	if (work->error)
		return diag_file("write", target, work->error);
	if (work->status == DMFS_OK)
		return STATUS_DONE;
	object = object_of(&work->file->image, work->failed);
	diag_error("'%s' is refused: object '%.*s', chunk %u of %u: %s", work->file->path,
		   (int)object.name.len, object.name.data, work->failed - object.first_chunk + 1,
		   object.chunk_count, dmfs_strerror(work->status));
	return STATUS_REFUSED;
}

int unpack_chunks(const struct image_file *file, uint32_t first, uint32_t count, int fd,
		  const char *target, const char *doing)
{
	struct work work = {.file = file,
			    .first = first,
			    .count = count,
			    .fd = fd,
			    .progress = {.doing = doing}};
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[MAX_THREADS];
	int started = 0;

	pthread_mutex_init(&work.lock, NULL);
	for (uint32_t i = 0; i < count; i++)
		work.total += dmfs_chunk(&file->image, first + i).raw_len;
	/* This thread is one of them, so that it works where no other can be had. */
	while (started < MAX_THREADS && started + 1 < processors && (uint32_t)started + 1 < count &&
	       pthread_create(&threads[started], NULL, run, &work) == 0)
		started++;
	run(&work);
	while (started > 0)
		pthread_join(threads[--started], NULL);
	pthread_mutex_destroy(&work.lock);
	progress_end(&work.progress);
	return say(&work, target);
}
