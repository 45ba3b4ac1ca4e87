/* SPDX-License-Identifier: MIT */
#include "files.h"

#include <stdio.h>
#include <string.h>

#include "arch/hart.h"
#include "hart.h"
#include "pages.h"
#include "unpack.h"

static const struct dmfs_image nothing;
static const struct dmfs_image *image = &nothing;

/* Whether property `index` says that a capsule has a file. */
static bool is_file(uint32_t index, struct dmfs_property *property)
{
	*property = dmfs_property(image, index);
	return dmfs_str_is(property->key, dmfs_object_type_name(DMFS_OBJECT_FILE));
}

bool files_init(const struct dmfs_image *of)
{
	uint64_t pages = align_up(of->chunk_len, PAGE_SIZE) / PAGE_SIZE;
	struct dmfs_property property;
	bool any = false;
	hpa_t at;

	image = of;
	for (uint32_t i = 0; i < image->properties && !any; i++)
		any = is_file(i, &property);
	for (uint32_t i = 0; i < hart_count && any; i++) {
		if (!pages_alloc(pages, PAGE_SIZE, &at))
			return false;
		harts[i]->file_bytes = hpa_ptr(at);
		harts[i]->file_chunk = DMFS_NONE;
	}
	return true;
}

/* By the property, not by the object's name: "a" with the file "b.file.c" has another than "a.file.b" with "c". */
static bool has(const struct capsule *capsule, struct dmfs_str name)
{
	struct dmfs_property property;

	for (uint32_t i = 0; i < image->properties; i++)
		if (is_file(i, &property) && property.owner == capsule->index + 1 && property.value.len == name.len &&
		    memcmp(property.value.data, name.data, name.len) == 0)
			return true;
	return false;
}

uint32_t files_find(const struct capsule *capsule, struct dmfs_str name)
{
	char object[DMFS_MAX_NAME_LEN + 1];
	uint32_t len = (uint32_t)snprintf(object, sizeof(object), "%s.file.", capsule->name);
	struct dmfs_str whole = {object, len + name.len};

	if (name.len > DMFS_MAX_FILE_NAME_LEN)
		return DMFS_NONE;
	memcpy(object + len, name.data, name.len);
	return has(capsule, whole) ? dmfs_find_object(image, whole) : DMFS_NONE;
}

uint64_t files_len(const struct capsule *capsule, uint64_t file)
{
	struct dmfs_object object;

	if (file >= image->objects)
		return 0;
	object = dmfs_object(image, (uint32_t)file);
	return has(capsule, object.name) ? object.raw_len : 0;
}

struct file_piece files_piece(uint64_t file, uint64_t offset, uint64_t room)
{
	struct dmfs_object object = dmfs_object(image, (uint32_t)file);
	struct file_piece piece = {0};
	struct dmfs_chunk chunk;

	if (offset >= object.raw_len)
		return piece;
	piece.encrypted = object.flags & DMFS_OBJECT_ENCRYPTED;
	piece.chunk = object.first_chunk + (uint32_t)(offset / image->chunk_len);
	piece.offset = (uint32_t)(offset % image->chunk_len);
	chunk = dmfs_chunk(image, piece.chunk);
	piece.len = chunk.raw_len - piece.offset;
	if (piece.len > room)
		piece.len = room;
	return piece;
}

bool files_copy(const struct file_piece *piece, void *to)
{
	struct hart *hart = this_hart();

	if (piece->len == 0)
		return true;
	if (hart->file_chunk != piece->chunk) {
		hart->file_chunk = DMFS_NONE;
		if (unpack_chunk(piece->chunk, piece->encrypted, hart->file_bytes) != DMFS_OK)
			return false;
		hart->file_chunk = piece->chunk;
	}
	memcpy(to, hart->file_bytes + piece->offset, piece->len);
	return true;
}
