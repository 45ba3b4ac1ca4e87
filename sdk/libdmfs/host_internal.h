/* SPDX-License-Identifier: MIT */
/* What the files of the writer share. */
#ifndef DMFS_HOST_INTERNAL_H
#define DMFS_HOST_INTERNAL_H

#include "dmfs_write.h"
#include "internal.h"

/* Where chunk records go in the signed region, and what one says. */
struct host_chunk {
	uint64_t offset;
	uint32_t stored_len;
	uint32_t raw_len;
	uint8_t hash[DMFS_HASH_LEN];
};

/* The part of an image before its payload: signed region and signature block. */
struct host_head {
	uint8_t *bytes; /* malloc'ed, zeros at first */
	uint64_t signed_len;
	uint64_t len;
	uint64_t chunks_at;
	uint32_t chunks;
	uint32_t chunk_len;
};

/*
 * Lays out and fills the head, but for payload_len, the chunk table and the signatures. The caller
 * frees head->bytes, whatever is returned.
 */
enum dmfs_status host_encode(struct host_head *head, const struct dmfs_write_plan *plan,
			     uint32_t signatures);

void host_put_chunk(struct host_head *head, uint32_t index, const struct host_chunk *chunk);
void host_put_payload_len(struct host_head *head, uint64_t payload_len);
/* Section 8a: writes DMFS_SEALED_KEY_LEN bytes. False when the recipient is no public key. */
bool host_seal(uint8_t *at, const uint8_t *content_key, const uint8_t recipient[DMFS_PUBLIC_KEY_LEN]);

void host_put_u32(uint8_t *at, uint32_t value);

/*
 * Compresses all objects, writes the payload to `out` from its position on and fills the chunk
 * table. Gives the payload's length. DMFS_ERR_SPACE with errno set when memory, threads or `out`
 * failed.
 */
enum dmfs_status host_write_payload(FILE *out, const struct dmfs_write_plan *plan,
				    struct host_head *head, uint64_t *payload_len);

#endif
