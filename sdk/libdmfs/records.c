/* SPDX-License-Identifier: MIT */
/* Records of the signed region by index (sections 2 to 6), and the search for an object. */
#include "cursor.h"
#include "internal.h"

/* dmfs_measure() has shown that all tables lie within the signed region. */
static struct cursor record(const struct dmfs_image *image, uint64_t table, uint32_t index,
			    uint32_t len)
{
	return cursor_over(image->base + table + (uint64_t)index * len, len);
}

struct dmfs_str dmfs_string(const struct dmfs_image *image, uint32_t offset, uint32_t len)
{
	struct dmfs_str s = {NULL, len};

	if (offset > image->strings_len || len > image->strings_len - offset)
		return s;
	if (len == 0 && offset != 0)
		return s;
	s.data = (const char *)image->base + image->strings_at + offset;
	return s;
}

static struct dmfs_str string(const struct dmfs_image *image, struct cursor *c)
{
	uint32_t offset = cursor_u32(c);

	return dmfs_string(image, offset, cursor_u32(c));
}

struct dmfs_str dmfs_object_name(const struct dmfs_image *image, uint32_t index)
{
	struct cursor c = record(image, image->objects_at, index, DMFS_OBJECT_LEN);

	return string(image, &c);
}

struct dmfs_str dmfs_capsule_name(const struct dmfs_image *image, uint32_t index)
{
	struct cursor c = record(image, image->capsules_at, index, DMFS_CAPSULE_LEN);

	return string(image, &c);
}

void dmfs_locate(struct dmfs_image *out, const void *image, const struct dmfs_extent *extent)
{
	struct dmfs_header h;

	dmfs_decode_header(&h, image);
	*out = (struct dmfs_image){
		.base = image,
		.extent = *extent,
		.rollback = h.rollback,
		.created = h.created,
		.chunk_len = h.chunk_len,
		.encrypted = h.encryption_alg != DMFS_ENCRYPTION_NONE,
		.objects = h.objects,
		.capsules = h.capsules,
		.properties = h.properties,
		.chunks = h.chunks,
		.strings_len = h.strings_len,
		.objects_at = DMFS_HEADER_LEN,
	};
	out->capsules_at = out->objects_at + (uint64_t)h.objects * DMFS_OBJECT_LEN;
	out->properties_at = out->capsules_at + (uint64_t)h.capsules * DMFS_CAPSULE_LEN;
	out->chunks_at = out->properties_at + (uint64_t)h.properties * DMFS_PROPERTY_LEN;
	out->strings_at = out->chunks_at + (uint64_t)h.chunks * DMFS_CHUNK_LEN;
	out->name = dmfs_string(out, h.name_at, h.name_len);
	out->version = dmfs_string(out, h.version_at, h.version_len);
}

bool dmfs_decode_object(const struct dmfs_image *image, uint32_t index, struct dmfs_object *o)
{
	struct cursor c = record(image, image->objects_at, index, DMFS_OBJECT_LEN);

	o->name = string(image, &c);
	o->type = cursor_u32(&c);
	o->flags = cursor_u32(&c);
	o->raw_len = cursor_u64(&c);
	o->first_chunk = cursor_u32(&c);
	o->chunk_count = cursor_u32(&c);
	o->mem_len = cursor_u64(&c);
	return cursor_zeros(&c, c.left);
}

bool dmfs_decode_capsule(const struct dmfs_image *image, uint32_t index, struct dmfs_capsule *p)
{
	struct cursor c = record(image, image->capsules_at, index, DMFS_CAPSULE_LEN);

	p->name = string(image, &c);
	p->kind = cursor_u32(&c);
	p->cpus = cursor_u32(&c);
	p->memory = cursor_u64(&c);
	p->entry = cursor_u64(&c);
	p->kernel_load = cursor_u64(&c);
	p->initrd_load = cursor_u64(&c);
	p->devicetree_load = cursor_u64(&c);
	p->kernel = cursor_u32(&c);
	p->initrd = cursor_u32(&c);
	p->devicetree = cursor_u32(&c);
	p->flags = cursor_u32(&c);
	p->priority = cursor_u32(&c);
	p->restart = cursor_u32(&c);
	p->cpu_limit = cursor_u32(&c);
	p->restart_limit = cursor_u32(&c);
	p->affinity = cursor_u64(&c);
	p->permissions = cursor_u64(&c);
	p->cmdline = string(image, &c);
	return cursor_zeros(&c, c.left);
}

bool dmfs_decode_property(const struct dmfs_image *image, uint32_t index, struct dmfs_property *p)
{
	struct cursor c = record(image, image->properties_at, index, DMFS_PROPERTY_LEN);
	bool zero;

	p->owner = cursor_u32(&c);
	zero = cursor_zeros(&c, 4);
	p->key = string(image, &c);
	p->value = string(image, &c);
	return cursor_zeros(&c, c.left) && zero;
}

struct dmfs_object dmfs_object(const struct dmfs_image *image, uint32_t index)
{
	struct dmfs_object object;

	dmfs_decode_object(image, index, &object);
	return object;
}

struct dmfs_capsule dmfs_capsule(const struct dmfs_image *image, uint32_t index)
{
	struct dmfs_capsule capsule;

	dmfs_decode_capsule(image, index, &capsule);
	return capsule;
}

struct dmfs_property dmfs_property(const struct dmfs_image *image, uint32_t index)
{
	struct dmfs_property property;

	dmfs_decode_property(image, index, &property);
	return property;
}

struct dmfs_chunk dmfs_chunk(const struct dmfs_image *image, uint32_t index)
{
	struct cursor c = record(image, image->chunks_at, index, DMFS_CHUNK_LEN);
	struct dmfs_chunk chunk;

	chunk.offset = cursor_u64(&c);
	chunk.stored_len = cursor_u32(&c);
	chunk.raw_len = cursor_u32(&c);
	chunk.hash = cursor_take(&c, DMFS_HASH_LEN);
	return chunk;
}

uint32_t dmfs_find_object(const struct dmfs_image *image, struct dmfs_str name)
{
	for (uint32_t i = 0; i < image->objects; i++)
		if (dmfs_str_equal(dmfs_object_name(image, i), name))
			return i;
	return DMFS_NONE;
}
