/* SPDX-License-Identifier: MIT */
/*
 * Writing DMFS images, on a host. Uses malloc and threads; never prints, never exits.
 */
#ifndef DMFS_WRITE_H
#define DMFS_WRITE_H

#include <stdio.h>

#include "dmfs.h"

/* libdeflate's level when a plan names none; chosen by measurement, docs/dmfs-format.md section 10. */
#define DMFS_DEFAULT_LEVEL 10

/*
 * What an object's bytes are: in memory, borrowed until dmfs_write() returns, or what the plan's
 * read() gives.
 */
struct dmfs_write_object {
	const char *name;
	uint32_t type;
	const void *data; /* NULL: read() gives them */
	uint64_t raw_len;
	uint64_t mem_len; /* at least raw_len */
	bool encrypted;
};

/*
 * Chunks that were compressed before. A key says everything that decides a chunk's stored bytes:
 * its raw bytes, the level, and how the encoder at hand behaves. Both are called by several threads
 * at once. What load() gives is checked: an entry that is damaged, or belongs to other bytes, is
 * not used but stored anew.
 */
struct dmfs_write_cache {
	/*
	 * Fills `entry` with the entry of that key; its length, or 0 when there is none of at most
	 * `room` bytes.
	 */
	size_t (*load)(void *context, const uint8_t key[DMFS_HASH_LEN], void *entry, size_t room);
	/* Keeps an entry, or not: nobody relies on it. */
	void (*store)(void *context, const uint8_t key[DMFS_HASH_LEN], const void *entry, size_t len);
	/* Told once for each chunk that is neither encrypted nor all zeros: did an entry do? */
	void (*used)(void *context, bool hit);
	void *context;
};

/* A property; owner as in dmfs_property. */
struct dmfs_write_property {
	uint32_t owner;
	const char *key;
	const char *value;
};

/* All that an image is made from. Capsule records are dmfs_capsule, indices into `objects`. */
struct dmfs_write_plan {
	const char *name;
	const char *version;
	uint64_t rollback;
	uint64_t created;
	uint32_t chunk_len; /* 0: DMFS_DEFAULT_CHUNK_LEN */
	const struct dmfs_write_object *objects;
	uint32_t object_count;
	const struct dmfs_capsule *capsules;
	uint32_t capsule_count;
	const struct dmfs_write_property *properties;
	uint32_t property_count;
	/*
	 * Fills `to` with exactly `len` bytes of that object, from `offset` on; false with errno
	 * set. Called by several threads at once, once for each chunk.
	 */
	bool (*read)(void *context, uint32_t object, uint64_t offset, void *to, size_t len);
	void *read_context;
	unsigned threads; /* 0: as many as there are processors */
	int level;	  /* 1 to 12; 0: DMFS_DEFAULT_LEVEL */
	/* Called from one thread at a time, as raw bytes are done; may be NULL. */
	void (*progress)(void *context, uint64_t done, uint64_t total);
	void *progress_context;
	const struct dmfs_write_cache *cache; /* NULL: none. Encrypted chunks never go there */
	/* Section 8a; with encrypted objects a content key, and to whom it is sealed. */
	const uint8_t *content_key;
	const uint8_t (*recipients)[DMFS_PUBLIC_KEY_LEN];
	uint32_t recipient_count;
	/*
	 * Signatures that are made elsewhere, over the region of `len` bytes: `signer_count` of
	 * them, after those by keys. The function fills key and signature, which are checked, or
	 * fails with a status that dmfs_write() returns.
	 */
	uint32_t signer_count;
	enum dmfs_status (*signer)(void *context, uint32_t index, const void *region, uint64_t len,
				   uint8_t key[DMFS_PUBLIC_KEY_LEN],
				   uint8_t signature[DMFS_SIGNATURE_LEN]);
	void *signer_context;
};

/* An Ed25519 secret key as libsodium has it: seed, then public key. */
#define DMFS_SECRET_KEY_LEN 64u

/*
 * Writes the image to `out`, signed by each of `key_count` distinct secret keys (0 leaves it
 * unsigned). The same plan and keys give the same bytes, whatever `threads` is. `out` has to be
 * seekable and empty.
 *
 * Returns DMFS_OK; DMFS_ERR_SPACE with errno set when memory, `out` or read() failed; or what a reader would
 * say of the plan (the result is validated before it is signed).
 */
enum dmfs_status dmfs_write(FILE *out, const struct dmfs_write_plan *plan,
			    const uint8_t (*keys)[DMFS_SECRET_KEY_LEN], uint32_t key_count);

/*
 * Adds a signature to the signature block of an image in memory. `*image` is malloc'ed, of `*len`
 * bytes, and may be reallocated. The signature is checked first: DMFS_ERR_SIGNATURE,
 * DMFS_ERR_KEY_TWICE, DMFS_ERR_TOO_MANY_SIGNATURES.
 */
enum dmfs_status dmfs_attach_signature(uint8_t **image, uint64_t *len,
				       const uint8_t key[DMFS_PUBLIC_KEY_LEN],
				       const uint8_t signature[DMFS_SIGNATURE_LEN]);

/*
 * Seals the content key to `count` recipients, at most DMFS_MAX_SEALED_KEYS, in place of those to
 * whom it is sealed in the image in memory, as in dmfs_attach_signature(). Signatures stay.
 */
enum dmfs_status dmfs_reseal(uint8_t **image, uint64_t *len, const uint8_t *content_key,
			     const uint8_t (*recipients)[DMFS_PUBLIC_KEY_LEN], uint32_t count);

#endif
