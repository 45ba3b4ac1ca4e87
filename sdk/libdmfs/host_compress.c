/* SPDX-License-Identifier: MIT */
/*
 * The payload: chunks are read and compressed by several threads and written in order by the
 * caller's. Only a window of chunks is in memory: a thread takes the next chunk when the one whose
 * place it needs has been written. What a chunk becomes depends on its bytes and the level alone, so
 * the number of threads leaves no trace, and neither does the cache.
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
	uint8_t *entry; /* room for hash, then stored bytes of the bound, covered when encrypted */
	uint32_t object;
	uint64_t offset; /* of the raw bytes in the object */
	struct host_chunk chunk;
	uint32_t index; /* among all chunks */
	bool done;
};

/* An entry of the cache is what a chunk is stored as, after the hash of that. */
static uint8_t *stored_of(const struct slot *slot)
{
	return slot->entry + DMFS_HASH_LEN;
}

/* What a thread works with. */
struct worker {
	struct libdeflate_compressor *compressor;
	struct libdeflate_decompressor *decompressor; /* with a cache */
	uint8_t *raw;      /* room for a chunk that is read */
	uint8_t *unpacked; /* and for what a cached one unpacks to */
};

struct pipeline {
	const struct dmfs_write_plan *plan;
	const struct host_head *head;
	size_t bound; /* of a stored chunk */
	int level;
	const struct dmfs_write_cache *cache;
	uint8_t encoder[DMFS_HASH_LEN]; /* what the encoder makes of a sample */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock: */
	uint32_t taken, written; /* chunks */
	uint32_t object;         /* where the next chunk to take is */
	uint64_t object_offset;
	struct slot zeros; /* a whole chunk of zeros, once there was one */
	bool failed; /* no thread goes on */
	int error;   /* errno of what failed first */

	uint32_t slots_count;
	struct slot *slots; /* chunk i is in slot i % slots_count */
};

/* Takes the next chunk, waiting for a free slot; NULL when there is nothing more to do. */
static struct slot *take_chunk(struct pipeline *p)
{
	const struct dmfs_write_object *o;
	struct slot *slot;
	uint64_t left;

	while (!p->failed && p->taken < p->head->chunks && p->taken - p->written >= p->slots_count)
		pthread_cond_wait(&p->changed, &p->lock);
	if (p->failed || p->taken == p->head->chunks)
		return NULL;
	/* Every object has a chunk at least: the plan has been validated. */
	o = &p->plan->objects[p->object];
	left = o->raw_len - p->object_offset;
	slot = &p->slots[p->taken % p->slots_count];
	slot->index = p->taken++;
	slot->object = p->object;
	slot->offset = p->object_offset;
	slot->chunk.raw_len = left < p->head->chunk_len ? (uint32_t)left : p->head->chunk_len;
	p->object_offset += slot->chunk.raw_len;
	if (p->object_offset == o->raw_len) {
		p->object++;
		p->object_offset = 0;
	}
	return slot;
}

/* The first failure is the one that is told of. Under the lock. */
static void fail(struct pipeline *p, int error)
{
	if (!p->failed)
		p->error = error;
	p->failed = true;
	pthread_cond_broadcast(&p->changed);
}

/* The length of the stream at `to`; 0 with errno set when the encoder failed. */
static uint32_t compress(struct libdeflate_compressor *compressor, const uint8_t *raw,
			 uint32_t raw_len, uint8_t *to, size_t bound)
{
	size_t len = libdeflate_zlib_compress(compressor, raw, raw_len, to, bound);

	if (len == 0)
		errno = ENOMEM;
	return (uint32_t)len;
}

/* Fills in length and hash of stored bytes. False when the encoder failed. */
static bool compress_chunk(struct libdeflate_compressor *compressor, const uint8_t *raw,
			   struct slot *slot, size_t bound)
{
	struct host_chunk *chunk = &slot->chunk;

	chunk->stored_len = compress(compressor, raw, chunk->raw_len, stored_of(slot), bound);
	if (chunk->stored_len == 0)
		return false;
	crypto_generichash_blake2b(chunk->hash, sizeof(chunk->hash), stored_of(slot),
				   chunk->stored_len, NULL, 0);
	return true;
}

/* --- the cache ------------------------------------------------------------------------------- */

static void cache_key(const struct pipeline *p, const uint8_t *raw, uint32_t len,
		      uint8_t key[DMFS_HASH_LEN])
{
	static const char domain[] = "DIOSIX DMFS CHUNK V1";
	crypto_generichash_blake2b_state state;
	uint8_t level = (uint8_t)p->level;

	crypto_generichash_blake2b_init(&state, NULL, 0, DMFS_HASH_LEN);
	crypto_generichash_blake2b_update(&state, (const uint8_t *)domain, sizeof(domain));
	crypto_generichash_blake2b_update(&state, &level, sizeof(level));
	crypto_generichash_blake2b_update(&state, p->encoder, sizeof(p->encoder));
	crypto_generichash_blake2b_update(&state, raw, len);
	crypto_generichash_blake2b_final(&state, key, DMFS_HASH_LEN);
}

/*
 * The chunk from the cache. Its hash finds damage; that it unpacks to the very bytes makes sure that
 * whoever writes to the cache cannot put other contents into an image.
 */
static bool load_chunk(const struct pipeline *p, const struct worker *w, const uint8_t *raw,
		       const uint8_t key[DMFS_HASH_LEN], struct slot *slot)
{
	struct host_chunk *chunk = &slot->chunk;
	size_t len = p->cache->load(p->cache->context, key, slot->entry, DMFS_HASH_LEN + p->bound);
	size_t used;

	if (len <= DMFS_HASH_LEN || len > DMFS_HASH_LEN + p->bound)
		return false;
	chunk->stored_len = (uint32_t)(len - DMFS_HASH_LEN);
	crypto_generichash_blake2b(chunk->hash, sizeof(chunk->hash), stored_of(slot),
				   chunk->stored_len, NULL, 0);
	return memcmp(chunk->hash, slot->entry, DMFS_HASH_LEN) == 0 &&
	       libdeflate_zlib_decompress_ex(w->decompressor, stored_of(slot), chunk->stored_len,
					     w->unpacked, chunk->raw_len, &used,
					     NULL) == LIBDEFLATE_SUCCESS &&
	       used == chunk->stored_len && memcmp(w->unpacked, raw, chunk->raw_len) == 0;
}

static bool make_cached(const struct pipeline *p, const struct worker *w, const uint8_t *raw,
			struct slot *slot)
{
	uint8_t key[DMFS_HASH_LEN];
	bool hit;

	cache_key(p, raw, slot->chunk.raw_len, key);
	hit = load_chunk(p, w, raw, key, slot);
	p->cache->used(p->cache->context, hit);
	if (hit)
		return true;
	if (!compress_chunk(w->compressor, raw, slot, p->bound))
		return false;
	memcpy(slot->entry, slot->chunk.hash, DMFS_HASH_LEN);
	p->cache->store(p->cache->context, key, slot->entry, DMFS_HASH_LEN + slot->chunk.stored_len);
	return true;
}

/* --- chunks of zeros ------------------------------------------------------------------------- */

/* Disks are full of them, and good encoders slow on them: one is compressed, the others are copies. */
static bool is_zeros(const struct pipeline *p, const uint8_t *raw, uint32_t len)
{
	return len == p->head->chunk_len && raw[0] == 0 && memcmp(raw, raw + 1, len - 1) == 0;
}

static bool make_zeros(struct pipeline *p, const struct worker *w, const uint8_t *raw,
		       struct slot *slot)
{
	struct slot *zeros = &p->zeros;
	bool good = true;

	pthread_mutex_lock(&p->lock);
	if (!zeros->done) {
		zeros->chunk.raw_len = slot->chunk.raw_len;
		good = compress_chunk(w->compressor, raw, zeros, p->bound);
		zeros->done = good;
	}
	pthread_mutex_unlock(&p->lock);
	if (good) {
		slot->chunk = zeros->chunk;
		memcpy(stored_of(slot), stored_of(zeros), zeros->chunk.stored_len);
	}
	return good;
}

/* --- encrypted chunks ------------------------------------------------------------------------ */

/* Section 8a, in place: the stream is behind where the nonce goes. */
static void encrypt(const uint8_t *key, struct slot *slot, uint32_t stream_len)
{
	uint8_t *nonce = stored_of(slot), *stream = nonce + DMFS_NONCE_LEN, index[4];
	crypto_generichash_blake2b_state state;

	host_put_u32(index, slot->index);
	crypto_generichash_blake2b_init(&state, key, DMFS_CONTENT_KEY_LEN, DMFS_NONCE_LEN);
	crypto_generichash_blake2b_update(&state, index, sizeof(index));
	crypto_generichash_blake2b_update(&state, stream, stream_len);
	crypto_generichash_blake2b_final(&state, nonce, DMFS_NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(stream, NULL, stream, stream_len, NULL, 0, NULL, nonce,
						   key);
}

/*
 * Never from the cache, which would keep in the clear what is secret, and no copy of another: each
 * has its nonce.
 */
static bool make_encrypted(const struct pipeline *p, const struct worker *w, const uint8_t *raw,
			   struct slot *slot)
{
	struct host_chunk *chunk = &slot->chunk;
	uint32_t len = compress(w->compressor, raw, chunk->raw_len, stored_of(slot) + DMFS_NONCE_LEN,
				p->bound);

	if (len == 0)
		return false;
	encrypt(p->plan->content_key, slot, len);
	chunk->stored_len = len + DMFS_COVER_LEN;
	crypto_generichash_blake2b(chunk->hash, sizeof(chunk->hash), stored_of(slot),
				   chunk->stored_len, NULL, 0);
	return true;
}

/* --- the threads ----------------------------------------------------------------------------- */

/* True when the slot is filled; otherwise errno is set. */
static bool make_chunk(struct pipeline *p, const struct worker *w, struct slot *slot)
{
	const struct dmfs_write_plan *plan = p->plan;
	const struct dmfs_write_object *object = &plan->objects[slot->object];
	const uint8_t *data = object->data, *raw = w->raw;

	if (data)
		raw = data + slot->offset;
	else if (!plan->read(plan->read_context, slot->object, slot->offset, w->raw,
			     slot->chunk.raw_len))
		return false;
	if (object->encrypted)
		return make_encrypted(p, w, raw, slot);
	if (is_zeros(p, raw, slot->chunk.raw_len))
		return make_zeros(p, w, raw, slot);
	return p->cache ? make_cached(p, w, raw, slot)
			: compress_chunk(w->compressor, raw, slot, p->bound);
}

static bool worker_init(struct worker *w, const struct pipeline *p)
{
	w->compressor = libdeflate_alloc_compressor(p->level);
	w->raw = malloc(p->head->chunk_len);
	w->decompressor = p->cache ? libdeflate_alloc_decompressor() : NULL;
	w->unpacked = p->cache ? malloc(p->head->chunk_len) : NULL;
	return w->compressor && w->raw && (!p->cache || (w->decompressor && w->unpacked));
}

static void worker_free(struct worker *w)
{
	libdeflate_free_compressor(w->compressor);
	libdeflate_free_decompressor(w->decompressor);
	free(w->raw);
	free(w->unpacked);
}

static void *work(void *context)
{
	struct pipeline *p = context;
	struct worker w;
	struct slot *slot;
	bool ready = worker_init(&w, p);

	pthread_mutex_lock(&p->lock);
	if (!ready)
		fail(p, ENOMEM);
	while ((slot = take_chunk(p))) {
		bool good;

		pthread_mutex_unlock(&p->lock);
		good = make_chunk(p, &w, slot);
		pthread_mutex_lock(&p->lock);
		slot->done = good;
		if (!good)
			fail(p, errno);
		pthread_cond_broadcast(&p->changed);
	}
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	worker_free(&w);
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
		errno = p->error;
		pthread_mutex_unlock(&p->lock);
		if (!good)
			break;
		good = fwrite(stored_of(slot), slot->chunk.stored_len, 1, out) == 1;
		slot->chunk.offset = *payload_len;
		host_put_chunk(head, i, &slot->chunk);
		*payload_len += slot->chunk.stored_len;
		done += slot->chunk.raw_len;
		if (good && p->plan->progress)
			p->plan->progress(p->plan->progress_context, done, total);
		pthread_mutex_lock(&p->lock);
		slot->done = false;
		p->written++;
		if (!good)
			fail(p, errno);
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

/*
 * Another version of the library may make other bytes of the same ones. What is linked is not always
 * what was compiled against, so a sample is compressed: with repetitions near and far, text and noise.
 */
static bool probe_encoder(struct pipeline *p)
{
	struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(p->level);
	uint8_t sample[4 * DMFS_MIN_CHUNK_LEN];
	struct slot slot = {.chunk.raw_len = sizeof(sample)};
	uint32_t state = 1;
	size_t bound;
	bool good = false;

	for (size_t i = 0; i < sizeof(sample); i++) {
		state = state * 1664525 + 1013904223;
		sample[i] = i > 512 && state >> 30 ? sample[i - 1 - (state >> 8) % 512]
						   : (uint8_t)(state >> (24 + i / 1024 % 6));
	}
	if (compressor) {
		bound = libdeflate_zlib_compress_bound(compressor, sizeof(sample));
		slot.entry = malloc(DMFS_HASH_LEN + bound);
		good = slot.entry && compress_chunk(compressor, sample, &slot, bound);
	}
	memcpy(p->encoder, slot.chunk.hash, sizeof(p->encoder));
	free(slot.entry);
	libdeflate_free_compressor(compressor);
	return good;
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
		p->slots[i].entry = malloc(DMFS_HASH_LEN + DMFS_COVER_LEN + p->bound);
		if (!p->slots[i].entry)
			return false;
	}
	p->zeros.entry = malloc(DMFS_HASH_LEN + p->bound);
	if (!p->zeros.entry)
		return false;
	return !p->cache || probe_encoder(p);
}

enum dmfs_status host_write_payload(FILE *out, const struct dmfs_write_plan *plan,
				    struct host_head *head, uint64_t *payload_len)
{
	unsigned threads = thread_count(plan, head->chunks);
	struct pipeline p = {
		.plan = plan,
		.head = head,
		.level = plan->level ? plan->level : DMFS_DEFAULT_LEVEL,
		.cache = plan->cache,
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
		free(p.slots[i].entry);
	free(p.slots);
	free(p.zeros.entry);
	return good ? DMFS_OK : DMFS_ERR_SPACE;
}
