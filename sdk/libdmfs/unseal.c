/* SPDX-License-Identifier: MIT */
/* The content key of an encrypted image (section 8a). */
#include <sodium/crypto_box.h>
#include <sodium/crypto_scalarmult_curve25519.h>

#include "internal.h"

enum dmfs_status dmfs_unseal(const struct dmfs_image *image, const uint8_t secret[DMFS_PUBLIC_KEY_LEN],
			     uint8_t content_key[DMFS_CONTENT_KEY_LEN])
{
	const struct dmfs_extent *extent = &image->extent;
	const uint8_t *sealed = image->base + extent->signed_len + DMFS_SIGNATURE_BLOCK_LEN +
				(uint64_t)extent->signatures * DMFS_SIGNATURE_RECORD_LEN;
	static const uint8_t base[DMFS_PUBLIC_KEY_LEN] = {9}; /* RFC 7748, section 4.1 */
	uint8_t public_key[DMFS_PUBLIC_KEY_LEN];

	_Static_assert(DMFS_SEALED_KEY_LEN == DMFS_CONTENT_KEY_LEN + crypto_box_SEALBYTES, "section 8a");
	/* Not ..._base(), which is faster by a table of 30 KiB. */
	if (crypto_scalarmult_curve25519(public_key, secret, base) != 0)
		return DMFS_ERR_SEALED;
	for (uint32_t i = 0; i < extent->sealed_keys; i++, sealed += DMFS_SEALED_KEY_LEN)
		if (crypto_box_seal_open(content_key, sealed, DMFS_SEALED_KEY_LEN, public_key, secret) == 0)
			return DMFS_OK;
	return DMFS_ERR_SEALED;
}
