/* SPDX-License-Identifier: MIT */
/*
 * Images of unknown origin: whatever the bytes are, reading stays within them. Nobody can be
 * expected to guess a signature or a hash, so the signature is not asked for and each chunk is
 * given the hash that it has.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "internal.h"

#define MAX_UNPACKED (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static volatile uint8_t sink;

static void touch(struct dmfs_str s)
{
	for (uint32_t i = 0; i < s.len; i++)
		sink = (uint8_t)s.data[i];
}

static void walk_records(const struct dmfs_image *image)
{
	touch(image->name);
	touch(image->version);
	for (uint32_t i = 0; i < image->objects; i++) {
		struct dmfs_object object = dmfs_object(image, i);

		touch(object.name);
		/* Names are unique: the search finds this one. */
		if (dmfs_find_object(image, object.name) != i ||
		    object.first_chunk + object.chunk_count > image->chunks)
			abort();
	}
	for (uint32_t i = 0; i < image->capsules; i++) {
		struct dmfs_capsule capsule = dmfs_capsule(image, i);

		touch(capsule.name);
		touch(capsule.cmdline);
		if (capsule.kernel >= image->objects || capsule.devicetree >= image->objects ||
		    capsule.entry - DMFS_GUEST_RAM_BASE >= capsule.memory)
			abort();
	}
	for (uint32_t i = 0; i < image->properties; i++) {
		struct dmfs_property property = dmfs_property(image, i);

		touch(property.key);
		touch(property.value);
		if (property.owner > image->capsules)
			abort();
	}
}

/* In buffers of exactly the right size, for the sanitizer to watch. */
static void unpack(struct dmfs_chunk chunk, const uint8_t *stored)
{
	struct dmfs_workspace workspace;
	uint8_t hash[DMFS_HASH_LEN];
	uint8_t *raw = malloc(chunk.raw_len);

	if (dmfs_unpack_chunk(&chunk, stored, raw, &workspace) == DMFS_OK)
		sink = raw[chunk.raw_len - 1];
	crypto_generichash(hash, sizeof(hash), stored, chunk.stored_len, NULL, 0);
	chunk.hash = hash;
	if (dmfs_unpack_chunk(&chunk, stored, raw, &workspace) == DMFS_OK)
		sink = raw[chunk.raw_len - 1];
	free(raw);
}

static void unpack_chunks(const struct dmfs_image *image)
{
	uint64_t unpacked = 0;

	for (uint32_t i = 0; i < image->chunks && unpacked < MAX_UNPACKED; i++) {
		struct dmfs_chunk chunk = dmfs_chunk(image, i);

		if (chunk.offset + chunk.stored_len > image->extent.payload_len)
			abort();
		unpack(chunk, image->base + image->extent.payload_offset + chunk.offset);
		unpacked += chunk.raw_len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t keys[1][DMFS_PUBLIC_KEY_LEN] = {{1}};
	static const struct dmfs_trust trust = {keys, 1, 1, NULL};
	static const char *const boards[] = {"riscv-virtio"};
	struct dmfs_image image;

	if (dmfs_open_verified(&image, data, len, false, &trust, NULL) == DMFS_OK)
		abort();
	if (dmfs_open_unverified(&image, data, len, false) != DMFS_OK)
		return 0;
	walk_records(&image);
	unpack_chunks(&image);
	dmfs_check_board(&image, boards, 1, 1);
	return 0;
}
