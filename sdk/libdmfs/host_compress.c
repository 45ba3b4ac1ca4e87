/* SPDX-License-Identifier: MIT */
/*
 * The payload: chunks are compressed by several threads and written in order by the caller's. Only
 * a window of chunks is in memory: a thread takes the next chunk when the one whose place it needs
 * has been written. What a chunk becomes depends on its bytes and the level alone, so the number of
 * threads leaves no trace.
 */
#include <errno.h>
#include <libdeflate.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium/crypto_aead_xchacha20poly1305.h>
#include <sodium/crypto_generichash_blake2b.h>

#include "host_internal.h"

#define MAX_THREADS 256u

struct slot {
	uint8_t *stored; /* room for the bound */
	struct host_chunk chunk;
	uint32_t index;
	bool encrypted;
	bool done;
};

struct pipeline {
	const struct dmfs_write_plan *plan;
	const struct host_head *head;
	size_t bound; /* of a stored chunk */
	int level;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock: */
	uint32_t taken, written; /* chunks */
	uint32_t object;         /* where the next chunk to take is */
	uint64_t object_offset;
	bool failed; /* no thread goes on */

	uint32_t slots_count;
	struct slot *slots; /* chunk i is in slot i % slots_count */
};

/*
 * Takes the next chunk's raw bytes, waiting for a free slot; NULL when there is nothing more to do.
 */
static const uint8_t *take_chunk(struct pipeline *p, struct slot **slot)
{
	const struct dmfs_write_object *o;
	const uint8_t *raw;
	uint64_t left;

	while (!p->failed && p->taken < p->head->chunks && p->taken - p->written >= p->slots_count)
		pthread_cond_wait(&p->changed, &p->lock);
	if (p->failed || p->taken == p->head->chunks)
		return NULL;
	/* Every object has a chunk at least: the plan has been validated. */
	o = &p->plan->objects[p->object];
	left = o->raw_len - p->object_offset;
	*slot = &p->slots[p->taken % p->slots_count];
	(*slot)->index = p->taken++;
	(*slot)->encrypted = o->encrypted;
	(*slot)->chunk.raw_len = left < p->head->chunk_len ? (uint32_t)left : p->head->chunk_len;
	raw = (const uint8_t *)o->data + p->object_offset;
	p->object_offset += (*slot)->chunk.raw_len;
	if (p->object_offset == o->raw_len) {
		p->object++;
		p->object_offset = 0;
	}
	return raw;
}

/* Section 8a, in place: the stream is behind where the nonce goes. */
static void encrypt(const uint8_t *key, struct slot *slot, uint32_t stream_len)
{
	uint8_t *stream = slot->stored + DMFS_NONCE_LEN, index[4];
	crypto_generichash_blake2b_state state;

	host_put_u32(index, slot->index);
	crypto_generichash_blake2b_init(&state, key, DMFS_CONTENT_KEY_LEN, DMFS_NONCE_LEN);
	crypto_generichash_blake2b_update(&state, index, sizeof(index));
	crypto_generichash_blake2b_update(&state, stream, stream_len);
	crypto_generichash_blake2b_final(&state, slot->stored, DMFS_NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(stream, NULL, stream, stream_len, NULL, 0, NULL, slot->stored,
						   key);
}

/* True when the slot is filled. */
static bool compress_chunk(struct pipeline *p, struct libdeflate_compressor *compressor,
			   const uint8_t *raw, struct slot *slot)
{
	struct host_chunk *chunk = &slot->chunk;

	uint8_t *to = slot->stored + (slot->encrypted ? DMFS_NONCE_LEN : 0);

	chunk->stored_len = (uint32_t)libdeflate_zlib_compress(compressor, raw, chunk->raw_len, to,
							       p->bound);
	if (chunk->stored_len == 0)
		return false;
	if (slot->encrypted) {
		encrypt(p->plan->content_key, slot, chunk->stored_len);
		chunk->stored_len += DMFS_COVER_LEN;
	}
	crypto_generichash_blake2b(chunk->hash, sizeof(chunk->hash), slot->stored,
				   chunk->stored_len, NULL, 0);
	return true;
}

static void *work(void *context)
{
	struct pipeline *p = context;
	struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(p->level);
	const uint8_t *raw;
	struct slot *slot;

	pthread_mutex_lock(&p->lock);
	if (!compressor)
		p->failed = true;
	while ((raw = take_chunk(p, &slot))) {
		bool good;

		pthread_mutex_unlock(&p->lock);
		good = compress_chunk(p, compressor, raw, slot);
		pthread_mutex_lock(&p->lock);
		slot->done = good;
		p->failed |= !good;
		pthread_cond_broadcast(&p->changed);
	}
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	libdeflate_free_compressor(compressor);
	return NULL;
}

static uint64_t total_raw_len(const struct dmfs_write_plan *plan)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < plan->object_count; i++)
		total += plan->objects[i].raw_len;
	return total;
}

/* Waits for chunk after chunk and writes it. False with errno set when something failed. */
static bool write_chunks(FILE *out, struct pipeline *p, struct host_head *head,
			 uint64_t *payload_len)
{
	uint64_t done = 0, total = total_raw_len(p->plan);
	bool good = true;

	*payload_len = 0;
	for (uint32_t i = 0; i < head->chunks && good; i++) {
		struct slot *slot = &p->slots[i % p->slots_count];

		pthread_mutex_lock(&p->lock);
		while (!slot->done && !p->failed)
			pthread_cond_wait(&p->changed, &p->lock);
		good = slot->done;
		pthread_mutex_unlock(&p->lock);
		if (!good)
			errno = ENOMEM;
		else
			good = fwrite(slot->stored, slot->chunk.stored_len, 1, out) == 1;
		slot->chunk.offset = *payload_len;
		host_put_chunk(head, i, &slot->chunk);
		*payload_len += slot->chunk.stored_len;
		done += slot->chunk.raw_len;
		if (good && p->plan->progress)
			p->plan->progress(p->plan->progress_context, done, total);
		pthread_mutex_lock(&p->lock);
		slot->done = false;
		p->written++;
		p->failed |= !good;
		pthread_cond_broadcast(&p->changed);
		pthread_mutex_unlock(&p->lock);
	}
	return good;
}

static bool run(FILE *out, struct pipeline *p, struct host_head *head, unsigned threads,
		uint64_t *payload_len)
{
	pthread_t ids[MAX_THREADS];
	unsigned started = 0;
	int error = 0, saved;
	bool good;

	/* Fewer threads than were asked for do as well. */
	while (started < threads && (error = pthread_create(&ids[started], NULL, work, p)) == 0)
		started++;
	if (started == 0) {
		errno = error;
		return false;
	}
	good = write_chunks(out, p, head, payload_len);
	saved = errno;
	while (started > 0)
		pthread_join(ids[--started], NULL);
	errno = saved;
	return good;
}

static unsigned thread_count(const struct dmfs_write_plan *plan, uint32_t chunks)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned threads = plan->threads;

	if (threads == 0)
		threads = processors > 0 ? (unsigned)processors : 1;
	if (threads > MAX_THREADS)
		threads = MAX_THREADS;
	return threads < chunks ? threads : chunks;
}

static bool alloc_slots(struct pipeline *p)
{
	struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(p->level);

	p->slots = calloc(p->slots_count, sizeof(*p->slots));
	if (!compressor || !p->slots) {
		libdeflate_free_compressor(compressor);
		return false;
	}
	p->bound = libdeflate_zlib_compress_bound(compressor, p->head->chunk_len);
	libdeflate_free_compressor(compressor);
	for (uint32_t i = 0; i < p->slots_count; i++) {
		p->slots[i].stored = malloc(p->bound + DMFS_COVER_LEN);
		if (!p->slots[i].stored)
			return false;
	}
	return true;
}

enum dmfs_status host_write_payload(FILE *out, const struct dmfs_write_plan *plan,
				    struct host_head *head, uint64_t *payload_len)
{
	unsigned threads = thread_count(plan, head->chunks);
	struct pipeline p = {
		.plan = plan,
		.head = head,
		.level = plan->level ? plan->level : DMFS_DEFAULT_LEVEL,
		.slots_count = 2 * threads,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	bool good = true;

	*payload_len = 0;
	if (head->chunks == 0)
		return DMFS_OK;
	if (alloc_slots(&p)) {
		good = run(out, &p, head, threads, payload_len);
	} else {
		good = false;
		errno = ENOMEM;
	}
	for (uint32_t i = 0; p.slots && i < p.slots_count; i++)
		free(p.slots[i].stored);
	free(p.slots);
	return good ? DMFS_OK : DMFS_ERR_SPACE;
}
