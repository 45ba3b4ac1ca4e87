/* SPDX-License-Identifier: MIT */
/*
 * The one validator: everything that sections 2 to 7 demand of a signed region, in the order of the
 * tables. After it, records can be read and used without a further look. dmfs_measure() came first,
 * so counts are within their limits and the tables within the region.
 */
#include <string.h>

#include "cursor.h"
#include "internal.h"

static enum dmfs_status check_header(const struct dmfs_image *image)
{
	struct dmfs_header h;

	dmfs_decode_header(&h, image->base);
	if (h.signature_alg != DMFS_SIGNATURE_ED25519 || h.hash_alg != DMFS_HASH_BLAKE2B_256 ||
	    h.compression_alg != DMFS_COMPRESSION_ZLIB || 
	    h.encryption_alg > DMFS_ENCRYPTION_XCHACHA20_POLY1305)
		return DMFS_ERR_ALGORITHM;
	if (h.xlen != DMFS_XLEN)
		return DMFS_ERR_BOARD;
	if (h.chunk_len < DMFS_MIN_CHUNK_LEN || h.chunk_len > DMFS_MAX_CHUNK_LEN ||
	    (h.chunk_len & (h.chunk_len - 1)) != 0)
		return DMFS_ERR_LIMIT;
	if (!h.reserved_zero)
		return DMFS_ERR_RESERVED;
	if (!image->name.data || !dmfs_str_is_name(image->name, DMFS_MAX_NAME_LEN) ||
	    !image->version.data || !dmfs_str_is_printable(image->version, DMFS_MAX_NAME_LEN))
		return DMFS_ERR_STRING;
	return DMFS_OK;
}

/* The zeros after the strings, up to the end of the region. */
static enum dmfs_status check_strings_padding(const struct dmfs_image *image)
{
	uint64_t end = image->strings_at + image->strings_len;
	struct cursor c = cursor_over(image->base + end, image->extent.signed_len - end);

	return cursor_zeros(&c, c.left) ? DMFS_OK : DMFS_ERR_RESERVED;
}

/* `next_chunk` is where the object has to begin, and becomes where the next one has to. */
static enum dmfs_status check_object(const struct dmfs_image *image, const struct dmfs_object *o,
				     uint32_t *next_chunk)
{
	if ((o->flags & ~(image->encrypted ? DMFS_OBJECT_ENCRYPTED : 0)) != 0)
		return DMFS_ERR_RESERVED;
	if (!o->name.data || !dmfs_str_is_name(o->name, DMFS_MAX_NAME_LEN))
		return DMFS_ERR_STRING;
	if (o->raw_len == 0 || o->raw_len > DMFS_MAX_RAW_LEN || o->mem_len > DMFS_MAX_RAW_LEN)
		return DMFS_ERR_LIMIT;
	if (!dmfs_object_type_name(o->type) || o->mem_len < o->raw_len ||
	    o->first_chunk != *next_chunk || o->chunk_count > image->chunks - *next_chunk ||
	    o->chunk_count != (o->raw_len + image->chunk_len - 1) / image->chunk_len)
		return DMFS_ERR_OBJECT;
	*next_chunk += o->chunk_count;
	return DMFS_OK;
}

static bool object_name_is_new(const struct dmfs_image *image, uint32_t index, struct dmfs_str name)
{
	for (uint32_t i = 0; i < index; i++)
		if (dmfs_str_equal(dmfs_object_name(image, i), name))
			return false;
	return true;
}

static enum dmfs_status check_objects(const struct dmfs_image *image)
{
	uint32_t next_chunk = 0, flags = 0;

	for (uint32_t i = 0; i < image->objects; i++) {
		struct dmfs_object object;
		enum dmfs_status status;

		if (!dmfs_decode_object(image, i, &object))
			return DMFS_ERR_RESERVED;
		status = check_object(image, &object, &next_chunk);
		if (status != DMFS_OK)
			return status;
		if (!object_name_is_new(image, i, object.name))
			return DMFS_ERR_NAME_TWICE;
		flags |= object.flags;
	}
	/* Encryption of nothing would be a second way to say the same. */
	if (!image->encrypted && image->extent.sealed_keys != 0)
		return DMFS_ERR_RESERVED;
	if (image->encrypted != ((flags & DMFS_OBJECT_ENCRYPTED) != 0))
		return DMFS_ERR_OBJECT;
	return next_chunk == image->chunks ? DMFS_OK : DMFS_ERR_OBJECT;
}

static enum dmfs_status check_capsule_fields(const struct dmfs_capsule *p)
{
	if ((p->flags & ~DMFS_CAPSULE_RELOCATABLE) != 0 || p->permissions >> DMFS_PERM_COUNT != 0)
		return DMFS_ERR_RESERVED;
	if (!p->name.data || !dmfs_str_is_name(p->name, DMFS_MAX_CAPSULE_NAME_LEN) ||
	    !p->cmdline.data || p->cmdline.len > DMFS_MAX_VALUE_LEN)
		return DMFS_ERR_STRING;
	for (uint32_t i = 0; i < p->cmdline.len; i++)
		if (p->cmdline.data[i] == '\0')
			return DMFS_ERR_STRING;
	if (p->cpus < 1 || p->cpus > DMFS_MAX_VCPUS || p->memory == 0 ||
	    p->memory > DMFS_MAX_MEMORY || p->memory % DMFS_MEMORY_UNIT != 0 || p->cpu_limit > 100)
		return DMFS_ERR_LIMIT;
	if ((p->kind != DMFS_GUEST && p->kind != DMFS_SERVICE) ||
	    !dmfs_priority_name(p->priority) || !dmfs_restart_name(p->restart))
		return DMFS_ERR_CAPSULE;
	return DMFS_OK;
}

/* Guest-physical bytes that a capsule's object takes. */
struct span {
	uint64_t base;
	uint64_t len;
};

/*
 * Fills *span when `index` is an object of that type that lies inside RAM with `room` bytes after
 * it.
 */
static bool place(const struct dmfs_image *image, uint32_t index, uint32_t type, uint64_t base,
		  uint64_t room, uint64_t memory, struct span *span)
{
	struct dmfs_object object;

	if (index >= image->objects)
		return false;
	object = dmfs_object(image, index);
	/* The sum cannot overflow: mem_len is at most 2^40. A base below RAM wraps to above it. */
	*span = (struct span){base, object.mem_len + room};
	return object.type == type && span->len <= memory &&
	       base - DMFS_GUEST_RAM_BASE <= memory - span->len;
}

/*
 * Both lie in RAM, so their ends do not overflow; or one is the empty span at 0, below all others.
 */
static bool overlap(struct span a, struct span b)
{
	return a.base < b.base + b.len && b.base < a.base + a.len;
}

static enum dmfs_status check_capsule_layout(const struct dmfs_image *image,
					     const struct dmfs_capsule *p)
{
	uint32_t kernel_type = p->kind == DMFS_GUEST ? DMFS_OBJECT_KERNEL : DMFS_OBJECT_PROGRAM;
	struct span kernel, initrd = {0, 0}, tree;

	if (!place(image, p->kernel, kernel_type, p->kernel_load, 0, p->memory, &kernel) ||
	    !place(image, p->devicetree, DMFS_OBJECT_DEVICETREE, p->devicetree_load,
		   DMFS_DEVICETREE_ROOM, p->memory, &tree))
		return DMFS_ERR_CAPSULE;
	if (p->initrd == DMFS_NONE) {
		if (p->initrd_load != 0)
			return DMFS_ERR_CAPSULE;
	} else if (!place(image, p->initrd, DMFS_OBJECT_INITRD, p->initrd_load, 0, p->memory,
			  &initrd)) {
		return DMFS_ERR_CAPSULE;
	}
	if (overlap(kernel, initrd) || overlap(kernel, tree) || overlap(initrd, tree))
		return DMFS_ERR_CAPSULE;
	/* An entry before the kernel wraps to after it. */
	if (p->entry - kernel.base >= kernel.len)
		return DMFS_ERR_CAPSULE;
	return p->devicetree_load % 8 == 0 ? DMFS_OK : DMFS_ERR_CAPSULE;
}

static bool capsule_name_is_new(const struct dmfs_image *image, uint32_t index,
				struct dmfs_str name)
{
	for (uint32_t i = 0; i < index; i++)
		if (dmfs_str_equal(dmfs_capsule_name(image, i), name))
			return false;
	return true;
}

static enum dmfs_status check_capsules(const struct dmfs_image *image)
{
	for (uint32_t i = 0; i < image->capsules; i++) {
		struct dmfs_capsule capsule;
		enum dmfs_status status;

		if (!dmfs_decode_capsule(image, i, &capsule))
			return DMFS_ERR_RESERVED;
		status = check_capsule_fields(&capsule);
		if (status == DMFS_OK)
			status = check_capsule_layout(image, &capsule);
		if (status != DMFS_OK)
			return status;
		if (!capsule_name_is_new(image, i, capsule.name))
			return DMFS_ERR_NAME_TWICE;
	}
	return DMFS_OK;
}

/* Section 5: a reader cannot respect what it does not know. */
/* An object of that type that a capsule has beyond what it boots with. */
static bool names_object(const struct dmfs_image *image, const struct dmfs_property *p, uint32_t type)
{
	uint32_t index = dmfs_find_object(image, p->value);

	return p->owner != 0 && index != DMFS_NONE && dmfs_object(image, index).type == type;
}

static bool is_known(const struct dmfs_image *image, const struct dmfs_property *p)
{
	if (dmfs_str_is(p->key, "board"))
		return p->owner == 0 && p->value.len > 0;
	if (dmfs_str_is(p->key, "disk"))
		return names_object(image, p, DMFS_OBJECT_DISK);
	if (dmfs_str_is(p->key, "file"))
		return names_object(image, p, DMFS_OBJECT_FILE);
	return p->key.len > 2 && memcmp(p->key.data, "x-", 2) == 0;
}

static enum dmfs_status check_properties(const struct dmfs_image *image)
{
	for (uint32_t i = 0; i < image->properties; i++) {
		struct dmfs_property p;

		if (!dmfs_decode_property(image, i, &p))
			return DMFS_ERR_RESERVED;
		if (!p.key.data || !dmfs_str_is_name(p.key, DMFS_MAX_NAME_LEN) || !p.value.data ||
		    !dmfs_str_is_printable(p.value, DMFS_MAX_VALUE_LEN))
			return DMFS_ERR_STRING;
		if (p.owner > image->capsules || !is_known(image, &p))
			return DMFS_ERR_PROPERTY;
	}
	return DMFS_OK;
}

/* Section 6, object by object: check_objects() has shown that these own all chunks in order. */
static enum dmfs_status check_chunks(const struct dmfs_image *image)
{
	uint64_t offset = 0;

	for (uint32_t i = 0; i < image->objects; i++) {
		struct dmfs_object object = dmfs_object(image, i);
		uint32_t least = object.flags & DMFS_OBJECT_ENCRYPTED ? DMFS_COVER_LEN + 1 : 1;
		uint64_t left = object.raw_len;

		for (uint32_t j = 0; j < object.chunk_count; j++) {
			struct dmfs_chunk chunk = dmfs_chunk(image, object.first_chunk + j);
			uint64_t raw = left < image->chunk_len ? left : image->chunk_len;

			if (chunk.offset != offset || chunk.raw_len != raw ||
			    chunk.stored_len < least || chunk.stored_len > 2 * image->chunk_len + 64)
				return DMFS_ERR_CHUNK;
			offset += chunk.stored_len;
			left -= raw;
		}
	}
	return offset == image->extent.payload_len ? DMFS_OK : DMFS_ERR_CHUNK;
}

enum dmfs_status dmfs_validate(const struct dmfs_image *image)
{
	static enum dmfs_status (*const checks[])(const struct dmfs_image *) = {
		check_header,   check_strings_padding, check_objects,
		check_capsules, check_properties,      check_chunks,
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		enum dmfs_status status = checks[i](image);

		if (status != DMFS_OK)
			return status;
	}
	return DMFS_OK;
}
