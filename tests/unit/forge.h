/* SPDX-License-Identifier: MIT */
/*
 * A small valid image whose bytes can be changed at will and signed again: what an attacker who
 * holds a key, or does not, can make. Every image begins as the same plan (forge_plan), so that
 * tests can name its records: objects, capsules and properties have the indices below.
 */
#ifndef FORGE_H
#define FORGE_H

#include "dmfs_write.h"

enum {
	FORGE_KERNEL,
	FORGE_INITRD,
	FORGE_TREE,
	FORGE_BANNER,
	FORGE_PROGRAM,
	FORGE_FILE,
	FORGE_OBJECTS
};
enum { FORGE_GUEST, FORGE_SERVICE, FORGE_CAPSULES };
enum { FORGE_BOARD, FORGE_NOTE, FORGE_CAPSULE_NOTE, FORGE_PROPERTIES };

/* Offsets of fields, in the header and within records (docs/dmfs-format.md). */
enum {
	HEADER_DOMAIN = 0,
	HEADER_FORMAT = 32,
	HEADER_LEN = 36,
	HEADER_SIGNED_LEN = 40,
	HEADER_PAYLOAD_LEN = 48,
	HEADER_SIGNATURE_ALG = 56,
	HEADER_HASH_ALG = 60,
	HEADER_COMPRESSION_ALG = 64,
	HEADER_ENCRYPTION_ALG = 68,
	HEADER_ROLLBACK = 72,
	HEADER_XLEN = 88,
	HEADER_CHUNK_LEN = 92,
	HEADER_OBJECTS = 96,
	HEADER_CAPSULES = 100,
	HEADER_PROPERTIES = 104,
	HEADER_CHUNKS = 108,
	HEADER_STRINGS_LEN = 112,
	HEADER_RESERVED = 116,
	HEADER_NAME = 120,
	HEADER_VERSION = 128,
	HEADER_RESERVED_TAIL = 136,

	OBJECT_NAME = 0,
	OBJECT_TYPE = 8,
	OBJECT_FLAGS = 12,
	OBJECT_RAW_LEN = 16,
	OBJECT_FIRST_CHUNK = 24,
	OBJECT_CHUNK_COUNT = 28,
	OBJECT_MEM_LEN = 32,
	OBJECT_RESERVED = 40,

	CAPSULE_NAME = 0,
	CAPSULE_KIND = 8,
	CAPSULE_CPUS = 12,
	CAPSULE_MEMORY = 16,
	CAPSULE_ENTRY = 24,
	CAPSULE_KERNEL_LOAD = 32,
	CAPSULE_INITRD_LOAD = 40,
	CAPSULE_TREE_LOAD = 48,
	CAPSULE_KERNEL = 56,
	CAPSULE_INITRD = 60,
	CAPSULE_TREE = 64,
	CAPSULE_FLAGS = 68,
	CAPSULE_PRIORITY = 72,
	CAPSULE_RESTART = 76,
	CAPSULE_CPU_LIMIT = 80,
	CAPSULE_RESTART_LIMIT = 84,
	CAPSULE_PERMISSIONS = 96,
	CAPSULE_CMDLINE = 104,
	CAPSULE_RESERVED_TAIL = 112,

	PROPERTY_OWNER = 0,
	PROPERTY_RESERVED = 4,
	PROPERTY_KEY = 8,
	PROPERTY_VALUE = 16,
	PROPERTY_RESERVED_TAIL = 24,

	CHUNK_OFFSET = 0,
	CHUNK_STORED_LEN = 8,
	CHUNK_RAW_LEN = 12,
	CHUNK_HASH = 16,
};

enum forge_table { HEADER, OBJECT, CAPSULE, PROPERTY, CHUNK };

/* One field of one record set to a value, and what a reader says to that. */
struct forge_change {
	const char *what;
	enum forge_table table;
	uint32_t index;
	uint64_t field;
	unsigned bytes;
	uint64_t value;
	enum dmfs_status want;
};

#define FORGE_MAX_KEYS  17u
#define FORGE_CHUNK_LEN 4096u
#define FORGE_RAM       DMFS_GUEST_RAM_BASE
#define FORGE_ROLLBACK  7u

/* An image in memory, which forge_free() frees. Offsets count from `bytes`. */
struct forge {
	uint8_t *bytes;
	uint64_t len;
};

/* Secret key number i and its public half; always the same ones. */
const uint8_t *forge_key(unsigned i);
const uint8_t *forge_public_key(unsigned i);

/* Makes `key` key 0. */
void forge_use_key(const uint8_t key[DMFS_SECRET_KEY_LEN]);

/* Anchors 0 to count - 1 of forge_key(), of which `threshold` have to sign. */
struct dmfs_trust forge_trust(uint32_t count, uint32_t threshold);

/* The plan of the valid image: `plan` points to the arrays beside it, which a caller may change. */
struct forge_plan {
	struct dmfs_write_object objects[FORGE_OBJECTS];
	struct dmfs_capsule capsules[FORGE_CAPSULES];
	struct dmfs_write_property properties[FORGE_PROPERTIES];
	struct dmfs_write_plan plan;
};
void forge_plan(struct forge_plan *plan);

/* A plan's image, signed by keys 0 to keys - 1. Ends the program where the writer refuses. */
struct forge forge_write(const struct dmfs_write_plan *plan, unsigned keys);

/* The valid image, signed by key 0. */
struct forge forge_image(void);
struct forge forge_copy(const struct forge *f);
void forge_free(struct forge *f);

/* Where things are, by the header as it is now. */
uint64_t forge_object(const struct forge *f, uint32_t index);
uint64_t forge_capsule(const struct forge *f, uint32_t index);
uint64_t forge_property(const struct forge *f, uint32_t index);
uint64_t forge_chunk(const struct forge *f, uint32_t index);
uint64_t forge_strings(const struct forge *f);
uint64_t forge_signatures(const struct forge *f); /* the signature block */
uint64_t forge_payload(const struct forge *f);

uint32_t forge_get32(const struct forge *f, uint64_t at);
uint64_t forge_get64(const struct forge *f, uint64_t at);
void forge_set32(struct forge *f, uint64_t at, uint32_t value);
void forge_set64(struct forge *f, uint64_t at, uint64_t value);

/* Not signed again. */
void forge_apply(struct forge *f, const struct forge_change *change);

/* Makes room for, or takes away, bytes in the middle; new ones are zero. */
void forge_insert(struct forge *f, uint64_t at, uint64_t len);
void forge_remove(struct forge *f, uint64_t at, uint64_t len);

/*
 * Replaces the signature block by signatures of keys first to first + count - 1 over the region as
 * it is.
 */
void forge_sign(struct forge *f, unsigned first, unsigned count);

/*
 * Puts other stored bytes for a chunk: its hash, all offsets and payload_len follow. Not signed
 * again.
 */
void forge_store(struct forge *f, uint32_t chunk, const void *stored, uint32_t len);

/* Adds a string to the table and returns its offset. Not signed again. */
uint32_t forge_string(struct forge *f, const void *text, uint32_t len);

/* Step 6 for all chunks: DMFS_OK, or the first thing that is wrong. */
enum dmfs_status forge_unpack_all(const struct dmfs_image *image);

/* All that a reader does, trusting key 0: open, check the board, unpack. */
enum dmfs_status forge_read(const struct forge *f);

#endif
