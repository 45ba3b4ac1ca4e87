/* SPDX-License-Identifier: MIT */
/* Adding a signature that was made elsewhere (section 8). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium/crypto_sign_ed25519.h>

#include "host_internal.h"

static bool has_signed(const struct dmfs_image *image, const uint8_t *key)
{
	for (uint32_t i = 0; i < image->extent.signatures; i++)
		if (memcmp(dmfs_signature_key(image, i), key, DMFS_PUBLIC_KEY_LEN) == 0)
			return true;
	return false;
}

enum dmfs_status dmfs_attach_signature(uint8_t **image, uint64_t *len,
				       const uint8_t key[DMFS_PUBLIC_KEY_LEN],
				       const uint8_t signature[DMFS_SIGNATURE_LEN])
{
	struct dmfs_image opened;
	struct dmfs_extent *extent = &opened.extent;
	enum dmfs_status status = dmfs_open_unverified(&opened, *image, *len, true);
	uint8_t *bytes, *record;
	uint64_t sealed;

	if (status != DMFS_OK)
		return status;
	if (crypto_sign_ed25519_verify_detached(signature, *image, extent->signed_len, key) != 0)
		return DMFS_ERR_SIGNATURE;
	if (has_signed(&opened, key))
		return DMFS_ERR_KEY_TWICE;
	if (extent->signatures == DMFS_MAX_SIGNATURES)
		return DMFS_ERR_TOO_MANY_SIGNATURES;
	bytes = realloc(*image, *len + DMFS_SIGNATURE_RECORD_LEN);
	if (!bytes) {
		errno = ENOMEM;
		return DMFS_ERR_SPACE;
	}
	/* Signatures, then sealed keys. */
	sealed = (uint64_t)extent->sealed_keys * DMFS_SEALED_KEY_LEN;
	record = bytes + extent->payload_offset - sealed;
	memmove(record + DMFS_SIGNATURE_RECORD_LEN, record, sealed + extent->payload_len);
	memcpy(record, key, DMFS_PUBLIC_KEY_LEN);
	memcpy(record + DMFS_PUBLIC_KEY_LEN, signature, DMFS_SIGNATURE_LEN);
	host_put_u32(bytes + extent->signed_len, extent->signatures + 1);
	*image = bytes;
	*len += DMFS_SIGNATURE_RECORD_LEN;
	return DMFS_OK;
}
