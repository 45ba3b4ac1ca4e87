/* SPDX-License-Identifier: MIT */
/*
 * Unpacks chunks on all processors.
 */
#ifndef DMFSINSPECT_UNPACK_H
#define DMFSINSPECT_UNPACK_H

#include "sign/image.h"

struct unpack_failure {
	enum dmfs_status status; /* DMFS_OK: the system's failure, or none */
	uint32_t chunk;          /* which is wrong */
	int error;               /* errno, or 0 */
};

/*
 * Unpacks `count` chunks from `first` on, and writes them to `fd` at the places that they have in
 * their object, the first being at 0; with fd -1 they are only checked, encrypted ones for want
 * of a content key by their hashes alone. Shows progress as `doing`.
 * Returns a STATUS_...; messages call the file `target`.
 */
int unpack_chunks(const struct image_file *file, uint32_t first, uint32_t count, int fd,
		  const char *target, const char *doing);

/* The same without a word; false when something failed. */
bool unpack_quietly(const struct image_file *file, uint32_t first, uint32_t count, int fd,
		    const char *doing, struct unpack_failure *failure);

/* Says what failed; a STATUS_.... */
int unpack_say(const struct image_file *file, const struct unpack_failure *failure,
	       const char *target);

/* Which object a chunk is of. */
struct dmfs_object unpack_object_of(const struct dmfs_image *image, uint32_t chunk);

/* Can the object be unpacked: is it not encrypted, or is there a content key? */
bool unpack_has_key(const struct image_file *file, const struct dmfs_object *object);

/* What it takes to unpack a chunk. */
struct unpack_rooms {
	uint8_t *raw;    /* what the chunk unpacks to */
	uint8_t *opened; /* what it decrypts to */
	struct dmfs_workspace *workspace;
};
/* False when there is no memory. Free them in either case. */
bool unpack_rooms_init(struct unpack_rooms *rooms, const struct image_file *file);
void unpack_rooms_free(struct unpack_rooms *rooms);

/* Checks a chunk of the object and unpacks it to rooms->raw; DMFS_ERR_SEALED without its key. */
enum dmfs_status unpack_one(const struct image_file *file, const struct dmfs_object *object,
			    const struct dmfs_chunk *chunk, struct unpack_rooms *rooms);

#endif
