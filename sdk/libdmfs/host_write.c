/* SPDX-License-Identifier: MIT */
/* Writing an image: the plan's tables, the payload, validation, signatures, in this order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium/crypto_sign_ed25519.h>

#include "host_internal.h"

/* libsodium's secret key is the seed and, after it, the public key. */
static const uint8_t *public_key(const uint8_t key[DMFS_SECRET_KEY_LEN])
{
	return key + DMFS_SECRET_KEY_LEN - DMFS_PUBLIC_KEY_LEN;
}

static enum dmfs_status check_keys(const uint8_t (*keys)[DMFS_SECRET_KEY_LEN], uint32_t key_count)
{
	if (key_count > DMFS_MAX_SIGNATURES)
		return DMFS_ERR_TOO_MANY_SIGNATURES;
	for (uint32_t i = 1; i < key_count; i++)
		for (uint32_t j = 0; j < i; j++)
			if (!memcmp(public_key(keys[i]), public_key(keys[j]), DMFS_PUBLIC_KEY_LEN))
				return DMFS_ERR_KEY_TWICE;
	return DMFS_OK;
}

static enum dmfs_status validate(struct dmfs_image *image, struct host_head *head,
				 uint64_t payload_len)
{
	host_put_payload_len(head, payload_len);
	return dmfs_open_region(image, head->bytes, head->len, head->len + payload_len);
}

/* The plan's own mistakes, before the work: validates with chunks as short as they can be. */
static enum dmfs_status validate_plan(const struct dmfs_write_plan *plan, struct host_head *head)
{
	struct dmfs_image image;
	uint32_t index = 0;
	uint64_t at = 0;

	for (uint32_t i = 0; i < plan->object_count; i++) {
		uint64_t left = plan->objects[i].raw_len;

		while (left > 0) {
			uint64_t raw = left < head->chunk_len ? left : head->chunk_len;
			uint32_t len = plan->objects[i].encrypted ? DMFS_COVER_LEN + 1 : 1;
			struct host_chunk chunk = {at, len, (uint32_t)raw, {0}};

			at += len;
			host_put_chunk(head, index++, &chunk);
			left -= raw;
		}
	}
	return validate(&image, head, at);
}

/* Signature number `index` into the record at `at`. */
static enum dmfs_status sign_one(const struct dmfs_write_plan *plan, const struct host_head *head,
				 const uint8_t (*keys)[DMFS_SECRET_KEY_LEN], uint32_t key_count,
				 uint32_t index, uint8_t *at)
{
	uint8_t *signature = at + DMFS_PUBLIC_KEY_LEN;

	if (index >= key_count)
		return plan->signer(plan->signer_context, index - key_count, head->bytes,
				    head->signed_len, at, signature);
	memcpy(at, public_key(keys[index]), DMFS_PUBLIC_KEY_LEN);
	crypto_sign_ed25519_detached(signature, NULL, head->bytes, head->signed_len, keys[index]);
	return DMFS_OK;
}

/* Each signature is checked as a reader would: a damaged secret key must not go unnoticed. */
static enum dmfs_status sign(const struct dmfs_write_plan *plan, struct host_head *head,
			     const struct dmfs_image *image,
			     const uint8_t (*keys)[DMFS_SECRET_KEY_LEN], uint32_t key_count)
{
	uint8_t anchors[DMFS_MAX_SIGNATURES][DMFS_PUBLIC_KEY_LEN];
	uint32_t count = key_count + plan->signer_count;
	struct dmfs_trust trust = {(const uint8_t(*)[DMFS_PUBLIC_KEY_LEN])anchors, count, count, NULL};
	uint8_t *at = head->bytes + head->signed_len + DMFS_SIGNATURE_BLOCK_LEN;

	for (uint32_t i = 0; i < count; i++, at += DMFS_SIGNATURE_RECORD_LEN) {
		enum dmfs_status status = sign_one(plan, head, keys, key_count, i, at);

		if (status != DMFS_OK)
			return status;
		memcpy(anchors[i], at, DMFS_PUBLIC_KEY_LEN);
	}
	return count ? dmfs_check_signatures(image, &trust, NULL) : DMFS_OK;
}

static enum dmfs_status write_head(FILE *out, const struct host_head *head)
{
	if (fseeko(out, 0, SEEK_SET) != 0 || fwrite(head->bytes, head->len, 1, out) != 1 ||
	    fflush(out) != 0)
		return DMFS_ERR_SPACE;
	return DMFS_OK;
}

static enum dmfs_status write_image(FILE *out, const struct dmfs_write_plan *plan,
				    struct host_head *head,
				    const uint8_t (*keys)[DMFS_SECRET_KEY_LEN], uint32_t key_count)
{
	enum dmfs_status status = validate_plan(plan, head);
	struct dmfs_image image;
	uint64_t payload_len;

	if (status != DMFS_OK)
		return status;
	if (fseeko(out, (off_t)head->len, SEEK_SET) != 0)
		return DMFS_ERR_SPACE;
	status = host_write_payload(out, plan, head, &payload_len);
	if (status == DMFS_OK)
		status = validate(&image, head, payload_len);
	if (status == DMFS_OK)
		status = sign(plan, head, &image, keys, key_count);
	return status == DMFS_OK ? write_head(out, head) : status;
}

enum dmfs_status dmfs_write(FILE *out, const struct dmfs_write_plan *plan,
			    const uint8_t (*keys)[DMFS_SECRET_KEY_LEN], uint32_t key_count)
{
	struct host_head head = {0};
	enum dmfs_status status = check_keys(keys, key_count);
	int saved;

	if (status == DMFS_OK && plan->signer_count > DMFS_MAX_SIGNATURES - key_count)
		status = DMFS_ERR_TOO_MANY_SIGNATURES;
	if (status == DMFS_OK)
		status = host_encode(&head, plan, key_count + plan->signer_count);
	if (status == DMFS_OK)
		status = write_image(out, plan, &head, keys, key_count);
	saved = errno;
	free(head.bytes);
	errno = saved;
	return status;
}
