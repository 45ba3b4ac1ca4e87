/* SPDX-License-Identifier: MIT */
/* Sealing the content key to recipients (section 8a). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "host_internal.h"

/* crypto_box_seal() with an ephemeral key that depends on nothing but what is sealed, and to whom. */
bool host_seal(uint8_t *at, const uint8_t *content_key, const uint8_t recipient[DMFS_PUBLIC_KEY_LEN])
{
	static const uint8_t domain[] = "DIOSIX DMFS SEAL V1";
	uint8_t secret[crypto_box_SECRETKEYBYTES], nonce[crypto_box_NONCEBYTES];
	crypto_generichash_state state;
	bool good;

	crypto_generichash_init(&state, content_key, DMFS_CONTENT_KEY_LEN, sizeof(secret));
	crypto_generichash_update(&state, domain, sizeof(domain) - 1);
	crypto_generichash_update(&state, recipient, DMFS_PUBLIC_KEY_LEN);
	crypto_generichash_final(&state, secret, sizeof(secret));
	crypto_scalarmult_curve25519_base(at, secret);
	crypto_generichash_init(&state, NULL, 0, sizeof(nonce));
	crypto_generichash_update(&state, at, DMFS_PUBLIC_KEY_LEN);
	crypto_generichash_update(&state, recipient, DMFS_PUBLIC_KEY_LEN);
	crypto_generichash_final(&state, nonce, sizeof(nonce));
	good = crypto_box_easy(at + DMFS_PUBLIC_KEY_LEN, content_key, DMFS_CONTENT_KEY_LEN, nonce, recipient,
			       secret) == 0;
	sodium_memzero(secret, sizeof(secret));
	return good;
}

enum dmfs_status dmfs_reseal(uint8_t **image, uint64_t *len, const uint8_t *content_key,
			     const uint8_t (*recipients)[DMFS_PUBLIC_KEY_LEN], uint32_t count)
{
	struct dmfs_image opened;
	enum dmfs_status status = dmfs_open_unverified(&opened, *image, *len, true);
	uint64_t old_len = opened.extent.sealed_keys * DMFS_SEALED_KEY_LEN;
	uint64_t new_len = (uint64_t)count * DMFS_SEALED_KEY_LEN, at;
	uint8_t *bytes;

	if (status != DMFS_OK)
		return status;
	if (count > DMFS_MAX_SEALED_KEYS)
		return DMFS_ERR_LIMIT;
	bytes = malloc(*len - old_len + new_len);
	if (!bytes) {
		errno = ENOMEM;
		return DMFS_ERR_SPACE;
	}
	at = opened.extent.payload_offset - old_len;
	memcpy(bytes, *image, at);
	memcpy(bytes + at + new_len, *image + opened.extent.payload_offset, opened.extent.payload_len);
	host_put_u32(bytes + opened.extent.signed_len + 4, count);
	for (uint32_t i = 0; i < count && status == DMFS_OK; i++)
		if (!host_seal(bytes + at + i * DMFS_SEALED_KEY_LEN, content_key, recipients[i]))
			status = DMFS_ERR_SEALED;
	if (status != DMFS_OK) {
		free(bytes);
		return status;
	}
	free(*image);
	*image = bytes;
	*len += new_len - old_len;
	return DMFS_OK;
}
