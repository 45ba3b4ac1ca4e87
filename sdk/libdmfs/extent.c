/* SPDX-License-Identifier: MIT */
/* Lengths: what may be known of an image before its signature is checked (section 9, step 1). */
#include <string.h>

#include "cursor.h"
#include "internal.h"

const uint8_t dmfs_domain[DMFS_DOMAIN_LEN] = "DIOSIX DMFS SIGNED REGION V1";

void dmfs_decode_header(struct dmfs_header *h, const uint8_t *bytes)
{
	struct cursor c = cursor_over(bytes, DMFS_HEADER_LEN);

	cursor_take(&c, DMFS_DOMAIN_LEN);
	h->format = cursor_u32(&c);
	h->header_len = cursor_u32(&c);
	h->signed_len = cursor_u64(&c);
	h->payload_len = cursor_u64(&c);
	h->signature_alg = cursor_u32(&c);
	h->hash_alg = cursor_u32(&c);
	h->compression_alg = cursor_u32(&c);
	h->encryption_alg = cursor_u32(&c);
	h->rollback = cursor_u64(&c);
	h->created = cursor_u64(&c);
	h->xlen = cursor_u32(&c);
	h->chunk_len = cursor_u32(&c);
	h->objects = cursor_u32(&c);
	h->capsules = cursor_u32(&c);
	h->properties = cursor_u32(&c);
	h->chunks = cursor_u32(&c);
	h->strings_len = cursor_u32(&c);
	h->reserved_zero = cursor_zeros(&c, 4);
	h->name_at = cursor_u32(&c);
	h->name_len = cursor_u32(&c);
	h->version_at = cursor_u32(&c);
	h->version_len = cursor_u32(&c);
	h->reserved_zero &= cursor_zeros(&c, c.left);
}

/* Counts within their limits make a signed region of at most 50 MiB: no sum here can overflow. */
static enum dmfs_status check_header_lengths(const struct dmfs_header *h)
{
	uint64_t strings = ((uint64_t)h->strings_len + DMFS_STRINGS_ALIGN - 1) &
			   ~(uint64_t)(DMFS_STRINGS_ALIGN - 1);
	uint64_t sum;

	if (h->format != DMFS_FORMAT_VERSION)
		return DMFS_ERR_VERSION;
	if (h->header_len != DMFS_HEADER_LEN)
		return DMFS_ERR_LENGTH;
	if (h->objects > DMFS_MAX_OBJECTS || h->capsules > DMFS_MAX_CAPSULES ||
	    h->properties > DMFS_MAX_PROPERTIES || h->chunks > DMFS_MAX_CHUNKS ||
	    h->strings_len > DMFS_MAX_STRINGS_LEN || h->payload_len > DMFS_MAX_PAYLOAD_LEN)
		return DMFS_ERR_LIMIT;
	sum = DMFS_HEADER_LEN + (uint64_t)h->objects * DMFS_OBJECT_LEN +
	      (uint64_t)h->capsules * DMFS_CAPSULE_LEN +
	      (uint64_t)h->properties * DMFS_PROPERTY_LEN + (uint64_t)h->chunks * DMFS_CHUNK_LEN +
	      strings;
	return h->signed_len == sum ? DMFS_OK : DMFS_ERR_LENGTH;
}

static enum dmfs_status read_signature_block(struct cursor *c, uint32_t *signatures,
					     uint32_t *sealed_keys)
{
	if (c->left < DMFS_SIGNATURE_BLOCK_LEN)
		return DMFS_ERR_TRUNCATED;
	*signatures = cursor_u32(c);
	*sealed_keys = cursor_u32(c);
	if (*signatures > DMFS_MAX_SIGNATURES)
		return DMFS_ERR_TOO_MANY_SIGNATURES;
	if (*sealed_keys > DMFS_MAX_SEALED_KEYS)
		return DMFS_ERR_LIMIT;
	if (!cursor_zeros(c, 8))
		return DMFS_ERR_RESERVED;
	if (!cursor_take(c, (uint64_t)*signatures * DMFS_SIGNATURE_RECORD_LEN +
				    (uint64_t)*sealed_keys * DMFS_SEALED_KEY_LEN))
		return DMFS_ERR_TRUNCATED;
	return DMFS_OK;
}

enum dmfs_status dmfs_measure(const void *image, uint64_t at_hand, uint64_t len, bool exact,
			      struct dmfs_extent *extent)
{
	struct cursor c = cursor_over(image, at_hand < len ? at_hand : len);
	struct dmfs_header header;
	enum dmfs_status status;

	/* A file that is no image is called so even when it is shorter than a header. */
	if (memcmp(c.at, dmfs_domain, c.left < DMFS_DOMAIN_LEN ? c.left : DMFS_DOMAIN_LEN) != 0)
		return DMFS_ERR_MAGIC;
	if (c.left < DMFS_HEADER_LEN)
		return DMFS_ERR_TRUNCATED;
	dmfs_decode_header(&header, c.at);
	status = check_header_lengths(&header);
	if (status != DMFS_OK)
		return status;
	if (!cursor_take(&c, header.signed_len))
		return DMFS_ERR_TRUNCATED;
	status = read_signature_block(&c, &extent->signatures, &extent->sealed_keys);
	if (status != DMFS_OK)
		return status;

	extent->signed_len = header.signed_len;
	extent->payload_offset = header.signed_len + DMFS_SIGNATURE_BLOCK_LEN +
				 (uint64_t)extent->signatures * DMFS_SIGNATURE_RECORD_LEN +
				 (uint64_t)extent->sealed_keys * DMFS_SEALED_KEY_LEN;
	extent->payload_len = header.payload_len;
	extent->image_len = extent->payload_offset + extent->payload_len;
	if (extent->image_len > len)
		return DMFS_ERR_TRUNCATED;
	return exact && extent->image_len != len ? DMFS_ERR_TRAILING : DMFS_OK;
}

enum dmfs_status dmfs_read_extent(const void *image, uint64_t len, bool exact,
				  struct dmfs_extent *extent)
{
	return dmfs_measure(image, len, len, exact, extent);
}
