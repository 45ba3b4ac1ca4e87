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

struct dmfs_object unpack_object_of(const struct dmfs_image *image, uint32_t chunk)
{
	uint32_t i = 0;

	while (i + 1 < image->objects && dmfs_object(image, i + 1).first_chunk <= chunk)
		i++;
	return dmfs_object(image, i);
}

bool unpack_has_key(const struct image_file *file, const struct dmfs_object *object)
{
	return file->content_key || !(object->flags & DMFS_OBJECT_ENCRYPTED);
}

bool unpack_rooms_init(struct unpack_rooms *rooms, const struct image_file *file)
{
	rooms->raw = malloc(file->image.chunk_len);
	/* The most that a stored chunk may have. */
	rooms->opened = malloc(2 * (size_t)file->image.chunk_len + 64);
	rooms->workspace = aligned_alloc(16, sizeof(*rooms->workspace));
	return rooms->raw && rooms->opened && rooms->workspace;
}

void unpack_rooms_free(struct unpack_rooms *rooms)
{
	free(rooms->raw);
	free(rooms->opened);
	free(rooms->workspace);
}

static const uint8_t *stored_of(const struct image_file *file, const struct dmfs_chunk *chunk)
{
	return file->bytes.data + file->image.extent.payload_offset + chunk->offset;
}

enum dmfs_status unpack_one(const struct image_file *file, const struct dmfs_object *object,
			    const struct dmfs_chunk *chunk, struct unpack_rooms *rooms)
{
	const uint8_t *stored = stored_of(file, chunk);

	if (!(object->flags & DMFS_OBJECT_ENCRYPTED))
		return dmfs_unpack_chunk(chunk, stored, rooms->raw, rooms->workspace);
	if (!file->content_key)
		return DMFS_ERR_SEALED;
	return dmfs_unpack_encrypted(chunk, stored, file->content_key, rooms->opened, rooms->raw,
				     rooms->workspace);
}

/* Without a place to write to, hashes are enough for want of a key. */
static enum dmfs_status do_one(const struct work *work, uint32_t index,
			       const struct dmfs_chunk *chunk, struct unpack_rooms *rooms)
{
	const struct image_file *file = work->file;
	struct dmfs_object object = unpack_object_of(&file->image, index);

	if (work->fd < 0 && !unpack_has_key(file, &object))
		return dmfs_check_chunk(chunk, stored_of(file, chunk));
	return unpack_one(file, &object, chunk, rooms);
}

static void *run(void *context)
{
	struct work *work = context;
	const struct image_file *file = work->file;
	struct unpack_rooms rooms;
	bool ready = unpack_rooms_init(&rooms, file);
	uint32_t index;

	while (take(work, &index)) {
		struct dmfs_chunk chunk = dmfs_chunk(&file->image, index);
		enum dmfs_status status = DMFS_OK;
		int error = ready ? 0 : ENOMEM;

		if (!error)
			status = do_one(work, index, &chunk, &rooms);
		if (!error && status == DMFS_OK)
			error = write_at(work->fd, rooms.raw, chunk.raw_len,
					 (off_t)(index - work->first) * file->image.chunk_len);
		finish(work, index, chunk.raw_len, status, error);
	}
	unpack_rooms_free(&rooms);
	return NULL;
}

bool unpack_quietly(const struct image_file *file, uint32_t first, uint32_t count, int fd,
		    const char *doing, struct unpack_failure *failure)
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
	*failure = (struct unpack_failure){work.status, work.failed, work.error};
	return work.status == DMFS_OK && !work.error;
}

int unpack_say(const struct image_file *file, const struct unpack_failure *failure,
	       const char *target)
{
	struct dmfs_object object;

	if (failure->error)
		return diag_file("write", target, failure->error);
	object = unpack_object_of(&file->image, failure->chunk);
	diag_error("'%s' is refused: object '%.*s', chunk %u of %u: %s", file->path,
		   (int)object.name.len, object.name.data, failure->chunk - object.first_chunk + 1,
		   object.chunk_count, dmfs_strerror(failure->status));
	return STATUS_REFUSED;
}

int unpack_chunks(const struct image_file *file, uint32_t first, uint32_t count, int fd,
		  const char *target, const char *doing)
{
	struct unpack_failure failure;

	return unpack_quietly(file, first, count, fd, doing, &failure)
		       ? STATUS_DONE
		       : unpack_say(file, &failure, target);
}
