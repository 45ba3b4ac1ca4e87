/* SPDX-License-Identifier: MIT */
#include "images.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "../unit/forge.h"
#include "internal.h"

#define MAX_UNPACKED (1u << 20)
#define MAX_HASHED   64u /* chunks */

/* --- using an image ------------------------------------------------------------------------------
 */

static volatile uint8_t sink;

static void touch(struct dmfs_str s)
{
	for (uint32_t i = 0; i < s.len; i++)
		sink = (uint8_t)s.data[i];
}

void image_walk(const struct dmfs_image *image)
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

static void unpack(struct dmfs_chunk chunk, const uint8_t *stored, bool as_signed)
{
	struct dmfs_workspace workspace;
	uint8_t hash[DMFS_HASH_LEN];
	uint8_t *raw = malloc(chunk.raw_len);

	if (dmfs_unpack_chunk(&chunk, stored, raw, &workspace) == DMFS_OK)
		sink = raw[chunk.raw_len - 1];
	crypto_generichash(hash, sizeof(hash), stored, chunk.stored_len, NULL, 0);
	chunk.hash = hash;
	if (!as_signed && dmfs_unpack_chunk(&chunk, stored, raw, &workspace) == DMFS_OK)
		sink = raw[chunk.raw_len - 1];
	free(raw);
}

void image_unpack(const struct dmfs_image *image, bool as_signed)
{
	uint64_t unpacked = 0;

	for (uint32_t i = 0; i < image->chunks && unpacked < MAX_UNPACKED; i++) {
		struct dmfs_chunk chunk = dmfs_chunk(image, i);

		if (chunk.offset + chunk.stored_len > image->extent.payload_len)
			abort();
		unpack(chunk, image->base + image->extent.payload_offset + chunk.offset, as_signed);
		unpacked += chunk.raw_len;
	}
}

/* --- changing one --------------------------------------------------------------------------------
 */

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint64_t value(uint64_t *state)
{
	static const uint64_t edges[] = {
		0,
		1,
		2,
		3,
		8,
		63,
		64,
		4095,
		4096,
		0xffff,
		0x10000,
		0x7fffffff,
		0x80000000,
		0x80200000,
		0xffffffff,
		0x100000000,
		0xffffffff00000000,
		INT64_MAX,
		UINT64_MAX,
		UINT64_MAX - 4095,
	};
	uint64_t choice = next(state);

	return choice & 1 ? edges[next(state) % (sizeof(edges) / sizeof(edges[0]))]
			  : next(state) >> next(state) % 64;
}

/* A field of a record, or four bytes of the header: 4 or 8 bytes, to an edge or by a little. */
static void change_field(struct forge *f, uint64_t *state)
{
	static const struct {
		uint64_t (*at)(const struct forge *f, uint32_t index);
		uint64_t count;
		uint32_t len;
	} tables[] = {
		{forge_object, HEADER_OBJECTS, DMFS_OBJECT_LEN},
		{forge_capsule, HEADER_CAPSULES, DMFS_CAPSULE_LEN},
		{forge_property, HEADER_PROPERTIES, DMFS_PROPERTY_LEN},
		{forge_chunk, HEADER_CHUNKS, DMFS_CHUNK_LEN},
	};
	uint64_t table = next(state) % 5, at = next(state) % (DMFS_HEADER_LEN / 4) * 4;
	bool wide = next(state) & 1, near = next(state) & 1;

	if (table < 4) {
		uint32_t count = forge_get32(f, tables[table].count);

		at = tables[table].at(f, count ? (uint32_t)(next(state) % count) : 0);
		at += next(state) % (tables[table].len / 4) * 4;
	}
	if (at > f->len - 8)
		return;
	if (near)
		forge_set32(f, at, forge_get32(f, at) + (uint32_t)(next(state) % 17) - 8);
	else if (wide)
		forge_set64(f, at, value(state));
	else
		forge_set32(f, at, (uint32_t)value(state));
}

static bool stored_bytes(const struct forge *f, uint32_t chunk, uint64_t *at, uint64_t *len)
{
	uint64_t record = forge_chunk(f, chunk), payload;

	if (chunk >= forge_get32(f, HEADER_CHUNKS) ||
	    forge_signatures(f) > f->len - DMFS_SIGNATURE_BLOCK_LEN)
		return false;
	payload = forge_payload(f);
	*at = payload + forge_get64(f, record + CHUNK_OFFSET);
	*len = forge_get32(f, record + CHUNK_STORED_LEN);
	return payload <= *at && *at < f->len && 0 < *len && *len <= f->len - *at;
}

static void change_chunk(struct forge *f, uint64_t *state)
{
	uint32_t count = forge_get32(f, HEADER_CHUNKS);
	uint64_t at, len;

	if (count && stored_bytes(f, (uint32_t)(next(state) % count), &at, &len))
		LLVMFuzzerMutate(f->bytes + at, len, len);
}

/* --- and signing it again ------------------------------------------------------------------------
 */

static void set_lengths(struct forge *f)
{
	if (forge_signatures(f) > f->len - DMFS_SIGNATURE_BLOCK_LEN)
		return;
	forge_set64(f, HEADER_SIGNED_LEN, forge_signatures(f));
	if (forge_payload(f) <= f->len)
		forge_set64(f, HEADER_PAYLOAD_LEN, f->len - forge_payload(f));
}

static void set_hashes(struct forge *f)
{
	uint64_t at, len;

	for (uint32_t i = 0; i < MAX_HASHED && stored_bytes(f, i, &at, &len); i++)
		crypto_generichash(f->bytes + forge_chunk(f, i) + CHUNK_HASH, DMFS_HASH_LEN,
				   f->bytes + at, len, NULL, 0);
}

/* Over as much as the header says, which need not be what the counts say. */
static void sign(struct forge *f)
{
	uint64_t signed_len = forge_get64(f, HEADER_SIGNED_LEN);
	uint64_t at = signed_len + DMFS_SIGNATURE_BLOCK_LEN;

	if (signed_len > f->len || at > f->len || f->len - at < DMFS_SIGNATURE_RECORD_LEN)
		return;
	memcpy(f->bytes + at, forge_public_key(0), DMFS_PUBLIC_KEY_LEN);
	crypto_sign_detached(f->bytes + at + DMFS_PUBLIC_KEY_LEN, NULL, f->bytes, signed_len,
			     forge_key(0));
}

size_t image_mutate(uint8_t *data, size_t len, size_t room, unsigned seed)
{
	struct forge f = {data, len};
	uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1, how = next(&state) >> 32;

	if (len <= DMFS_HEADER_LEN + DMFS_SIGNATURE_BLOCK_LEN || how % 4 == 0)
		f.len = LLVMFuzzerMutate(data, len, room);
	else if (how % 4 == 1)
		change_chunk(&f, &state);
	else
		change_field(&f, &state);
	if (f.len <= DMFS_HEADER_LEN + DMFS_SIGNATURE_BLOCK_LEN)
		return f.len;
	if (next(&state) % 8)
		set_lengths(&f);
	if (next(&state) % 8)
		set_hashes(&f);
	if (next(&state) % 16)
		sign(&f);
	return f.len;
}
