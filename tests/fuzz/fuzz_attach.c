/* SPDX-License-Identifier: MIT */
/*
 * A detached signature, the first 64 bytes, and an image: what is attached is checked first. And a
 * good signature by a key that is new is attached to every image that can be opened, which is the
 * same image then, but for that.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "../unit/forge.h"
#include "images.h"
#include "internal.h"

#define NEW_KEY 2u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed)
{
	if (len <= DMFS_SIGNATURE_LEN || seed % 8 == 0)
		return LLVMFuzzerMutate(data, len, room);
	return DMFS_SIGNATURE_LEN + image_mutate(data + DMFS_SIGNATURE_LEN,
						 len - DMFS_SIGNATURE_LEN,
						 room - DMFS_SIGNATURE_LEN, seed / 8);
}

/* Attaches to a copy; the copy's bytes are *out, to be freed. */
static enum dmfs_status attach(const uint8_t *image, size_t len, unsigned key,
			       const uint8_t *signature, uint8_t **out, uint64_t *out_len)
{
	*out = malloc(len ? len : 1);
	*out_len = len;
	memcpy(*out, image, len);
	return dmfs_attach_signature(out, out_len, forge_public_key(key), signature);
}

static void check_attached(const struct dmfs_image *before, uint64_t len, const uint8_t *bytes,
			   uint64_t bytes_len)
{
	uint8_t anchors[1][DMFS_PUBLIC_KEY_LEN];
	struct dmfs_trust trust = {(const uint8_t(*)[DMFS_PUBLIC_KEY_LEN])anchors, 1, 1, NULL};
	struct dmfs_image after;
	enum dmfs_status status;

	memcpy(anchors[0], forge_public_key(NEW_KEY), DMFS_PUBLIC_KEY_LEN);
	if (bytes_len != len + DMFS_SIGNATURE_RECORD_LEN ||
	    dmfs_open_unverified(&after, bytes, bytes_len, true) != DMFS_OK)
		abort();
	status = dmfs_check_signatures(&after, &trust, NULL);
	/* Its other signatures may be anything, even one key's twice, which is refused then. */
	if ((status != DMFS_OK && status != DMFS_ERR_KEY_TWICE) ||
	    after.extent.signatures != before->extent.signatures + 1 ||
	    memcmp(after.base, before->base, before->extent.signed_len) != 0 ||
	    memcmp(after.base + after.extent.payload_offset,
		   before->base + before->extent.payload_offset, before->extent.payload_len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *bytes = data + DMFS_SIGNATURE_LEN;
	uint8_t signature[DMFS_SIGNATURE_LEN], *out;
	struct dmfs_image image;
	enum dmfs_status status;
	uint64_t out_len;

	if (len < DMFS_SIGNATURE_LEN)
		return 0;
	len -= DMFS_SIGNATURE_LEN;
	status = attach(bytes, len, 0, data, &out, &out_len);
	free(out);
	if (dmfs_open_unverified(&image, bytes, len, true) != DMFS_OK) {
		if (status == DMFS_OK)
			abort();
		return 0;
	}
	if (status == DMFS_OK && crypto_sign_verify_detached(data, bytes, image.extent.signed_len,
							     forge_public_key(0)) != 0)
		abort();
	crypto_sign_detached(signature, NULL, bytes, image.extent.signed_len, forge_key(NEW_KEY));
	if (attach(bytes, len, NEW_KEY, signature, &out, &out_len) == DMFS_OK)
		check_attached(&image, len, out, out_len);
	free(out);
	return 0;
}
