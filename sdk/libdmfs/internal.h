/* SPDX-License-Identifier: MIT */
/* What the files of libdmfs share and nobody else includes. Sections are of docs/dmfs-format.md. */
#ifndef DMFS_INTERNAL_H
#define DMFS_INTERNAL_H

#include "dmfs.h"

#define DMFS_DOMAIN_LEN           32u
#define DMFS_OBJECT_LEN           64u
#define DMFS_CAPSULE_LEN          160u
#define DMFS_PROPERTY_LEN         32u
#define DMFS_CHUNK_LEN            48u
#define DMFS_STRINGS_ALIGN        8u
#define DMFS_SIGNATURE_BLOCK_LEN  16u
#define DMFS_SIGNATURE_RECORD_LEN (DMFS_PUBLIC_KEY_LEN + DMFS_SIGNATURE_LEN)

#define DMFS_SIGNATURE_ED25519 1u
#define DMFS_HASH_BLAKE2B_256  1u
#define DMFS_COMPRESSION_ZLIB  1u
#define DMFS_ENCRYPTION_NONE   0u
#define DMFS_ENCRYPTION_XCHACHA20_POLY1305 1u
#define DMFS_NONCE_LEN         24u
#define DMFS_XLEN              64u

/* Section 2's domain: magic and domain separation, zeros included. */
extern const uint8_t dmfs_domain[DMFS_DOMAIN_LEN];

/* The header as it is stored (section 2). */
struct dmfs_header {
	uint32_t format;
	uint32_t header_len;
	uint64_t signed_len;
	uint64_t payload_len;
	uint32_t signature_alg;
	uint32_t hash_alg;
	uint32_t compression_alg;
	uint32_t encryption_alg;
	uint64_t rollback;
	uint64_t created;
	uint32_t xlen;
	uint32_t chunk_len;
	uint32_t objects;
	uint32_t capsules;
	uint32_t properties;
	uint32_t chunks;
	uint32_t strings_len;
	uint32_t name_at, name_len;
	uint32_t version_at, version_len;
	bool reserved_zero;
};

/* Reads the DMFS_HEADER_LEN bytes at `bytes`. Judges nothing. */
void dmfs_decode_header(struct dmfs_header *header, const uint8_t *bytes);

/*
 * Section 9, step 1, over an image of which the first `at_hand` bytes can be read and which is
 * `len` bytes long as a whole, or at most that without `exact`.
 */
enum dmfs_status dmfs_measure(const void *image, uint64_t at_hand, uint64_t len, bool exact,
			      struct dmfs_extent *extent);

/*
 * Fills *out over an image whose extent has been measured: positions of the tables, counts. All of
 * it is to be believed only after dmfs_validate().
 */
void dmfs_locate(struct dmfs_image *out, const void *image, const struct dmfs_extent *extent);

/* Section 9, step 4: everything that sections 2 to 7 demand. */
enum dmfs_status dmfs_validate(const struct dmfs_image *image);

/* `len` bytes at `offset` of the strings; data is NULL where section 2 forbids that. */
struct dmfs_str dmfs_string(const struct dmfs_image *image, uint32_t offset, uint32_t len);

/*
 * Read the record of that index, which has to be below the image's count. False when a reserved
 * byte is not zero. A string that is not allowed has NULL as data. Nothing else is judged.
 */
bool dmfs_decode_object(const struct dmfs_image *image, uint32_t index, struct dmfs_object *object);
bool dmfs_decode_capsule(const struct dmfs_image *image, uint32_t index,
			 struct dmfs_capsule *capsule);
bool dmfs_decode_property(const struct dmfs_image *image, uint32_t index,
			  struct dmfs_property *property);

/* The name alone, where comparing many costs. */
struct dmfs_str dmfs_object_name(const struct dmfs_image *image, uint32_t index);
struct dmfs_str dmfs_capsule_name(const struct dmfs_image *image, uint32_t index);

bool dmfs_str_equal(struct dmfs_str a, struct dmfs_str b);

/* 1 to `max` bytes of the name alphabet (section 2)? */
bool dmfs_str_is_name(struct dmfs_str s, uint32_t max);

/* At most `max` bytes, all of printable ASCII? */
bool dmfs_str_is_printable(struct dmfs_str s, uint32_t max);

#endif
