/* SPDX-License-Identifier: MIT */
/* Opening an image, its signatures, and whether a board takes it (section 9, steps 1 to 5). */
#include <string.h>

#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/crypto_sign_ed25519.h>

#include "internal.h"

static const uint8_t *signature_record(const struct dmfs_image *image, uint32_t index)
{
	return image->base + image->extent.signed_len + DMFS_SIGNATURE_BLOCK_LEN +
	       (uint64_t)index * DMFS_SIGNATURE_RECORD_LEN;
}

const uint8_t *dmfs_signature_key(const struct dmfs_image *image, uint32_t index)
{
	return signature_record(image, index);
}

void dmfs_key_id(uint8_t id[DMFS_KEY_ID_LEN], const uint8_t key[DMFS_PUBLIC_KEY_LEN])
{
	uint8_t hash[DMFS_HASH_LEN];

	crypto_generichash_blake2b(hash, sizeof(hash), key, DMFS_PUBLIC_KEY_LEN, NULL, 0);
	memcpy(id, hash, DMFS_KEY_ID_LEN);
}

static bool same_key(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, DMFS_PUBLIC_KEY_LEN) == 0;
}

static enum dmfs_status check_trust(const struct dmfs_trust *trust)
{
	if (trust->count == 0)
		return DMFS_ERR_NO_TRUST;
	if (trust->count > DMFS_MAX_ANCHORS)
		return DMFS_ERR_LIMIT;
	if (trust->threshold == 0 || trust->threshold > trust->count)
		return DMFS_ERR_THRESHOLD;
	for (uint32_t i = 1; i < trust->count; i++)
		for (uint32_t j = 0; j < i; j++)
			if (same_key(trust->keys[i], trust->keys[j]))
				return DMFS_ERR_KEY_TWICE;
	return DMFS_OK;
}

static enum dmfs_status check_signers(const struct dmfs_image *image)
{
	if (image->extent.signatures == 0)
		return DMFS_ERR_UNSIGNED;
	for (uint32_t i = 1; i < image->extent.signatures; i++)
		for (uint32_t j = 0; j < i; j++)
			if (same_key(signature_record(image, i), signature_record(image, j)))
				return DMFS_ERR_KEY_TWICE;
	return DMFS_OK;
}

/* The trust anchor that has this key, or DMFS_NONE. */
static uint32_t find_anchor(const struct dmfs_trust *trust, const uint8_t *key)
{
	for (uint32_t i = 0; i < trust->count; i++)
		if (same_key(trust->keys[i], key))
			return i;
	return DMFS_NONE;
}

static enum dmfs_status check_set(const struct dmfs_image *image, const struct dmfs_trust *trust,
				  uint32_t *signers)
{
	enum dmfs_status status = check_trust(trust);
	uint32_t signed_by = 0, good = 0;

	if (status == DMFS_OK)
		status = check_signers(image);
	if (status != DMFS_OK)
		return status;
	for (uint32_t i = 0; i < image->extent.signatures; i++) {
		const uint8_t *record = signature_record(image, i);
		uint32_t anchor = find_anchor(trust, record);

		if (anchor == DMFS_NONE)
			continue;
		if (crypto_sign_ed25519_verify_detached(record + DMFS_PUBLIC_KEY_LEN, image->base,
							image->extent.signed_len,
							trust->keys[anchor]) != 0)
			return DMFS_ERR_SIGNATURE;
		/* Anchors are distinct and so are signers: each anchor is counted once. */
		signed_by |= UINT32_C(1) << anchor;
		good++;
	}
	if (good < trust->threshold)
		return DMFS_ERR_UNTRUSTED;
	*signers = signed_by;
	return DMFS_OK;
}

/* Either set is enough. Only too few signatures are a reason to ask the next one. */
enum dmfs_status dmfs_check_signatures(const struct dmfs_image *image,
				       const struct dmfs_trust *trust, uint32_t *signers)
{
	uint32_t signed_by = 0;
	enum dmfs_status status = check_set(image, trust, &signed_by);

	if (status == DMFS_ERR_UNTRUSTED && trust->next) {
		status = check_set(image, trust->next, &signed_by);
		signed_by <<= DMFS_NEXT_SIGNERS;
	}
	if (status == DMFS_OK && signers)
		*signers = signed_by;
	return status;
}

/* Steps 1, 3 (only with `trust`) and 4 of section 9. */
static enum dmfs_status open_image(struct dmfs_image *out, const void *image, uint64_t at_hand,
				   uint64_t len, bool exact, const struct dmfs_trust *trust,
				   uint32_t *signers)
{
	struct dmfs_extent extent;
	enum dmfs_status status = dmfs_measure(image, at_hand, len, exact, &extent);

	if (status != DMFS_OK)
		return status;
	dmfs_locate(out, image, &extent);
	if (trust)
		status = dmfs_check_signatures(out, trust, signers);
	return status == DMFS_OK ? dmfs_validate(out) : status;
}

enum dmfs_status dmfs_open_verified(struct dmfs_image *out, const void *image, uint64_t len,
				    bool exact, const struct dmfs_trust *trust, uint32_t *signers)
{
	static const struct dmfs_trust nobody;

	return open_image(out, image, len, len, exact, trust ? trust : &nobody, signers);
}

enum dmfs_status dmfs_open_unverified(struct dmfs_image *out, const void *image, uint64_t len,
				      bool exact)
{
	return open_image(out, image, len, len, exact, NULL, NULL);
}

enum dmfs_status dmfs_open_region(struct dmfs_image *out, const void *region, uint64_t region_len,
				  uint64_t image_len)
{
	return open_image(out, region, region_len, image_len, true, NULL, NULL);
}

static bool is_one_of(struct dmfs_str s, const char *const *boards, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (dmfs_str_is(s, boards[i]))
			return true;
	return false;
}

enum dmfs_status dmfs_check_rollback(const struct dmfs_image *image, uint64_t least)
{
	return image->rollback < least ? DMFS_ERR_ROLLBACK : DMFS_OK;
}

enum dmfs_status dmfs_check_board(const struct dmfs_image *image, const char *const *boards,
				  uint32_t count, uint64_t rollback)
{
	enum dmfs_status status = dmfs_check_rollback(image, rollback);
	bool any = true;

	if (status != DMFS_OK)
		return status;
	for (uint32_t i = 0; i < image->properties; i++) {
		struct dmfs_property p = dmfs_property(image, i);

		if (!dmfs_str_is(p.key, "board"))
			continue;
		if (is_one_of(p.value, boards, count))
			return DMFS_OK;
		any = false;
	}
	return any ? DMFS_OK : DMFS_ERR_BOARD;
}
