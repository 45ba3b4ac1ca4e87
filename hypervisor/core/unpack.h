/* SPDX-License-Identifier: MIT */
/*
 * Unpacking a verified image, and clearing memory around it: a plan is a list of stretches, cut into pieces
 * (a chunk, or a MiB to clear) that any hart can take.
 */
#ifndef UNPACK_H
#define UNPACK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "dmfs.h"

struct unpack_stretch {
	uint32_t first_piece;
	uint32_t pieces;
	uint32_t object; /* DMFS_NONE: clear */
	uint64_t at;	 /* host-physical; 0 with an object: only check it */
	uint64_t len;	 /* to clear */
};

struct unpack_plan {
	struct unpack_stretch *stretches; /* the caller's, `room` of them */
	uint32_t room;
	uint32_t count;
	uint32_t pieces;
	bool checks; /* something is only checked */
	_Atomic uint32_t next;	 /* piece to be taken */
	_Atomic uint32_t status; /* enum dmfs_status, the first failure */
};

/* Which image all of the following is about: validated, its payload at `payload`. Both stay for ever. */
void unpack_init(const struct dmfs_image *image, const uint8_t *payload);

/*
 * For an encrypted image, before anything of it is unpacked: its key, and memory for each hart to decrypt into. False when
 * there is no such memory.
 */
bool unpack_init_key(const uint8_t content_key[DMFS_CONTENT_KEY_LEN]);

/* On this hart: the chunk of that index, of an encrypted object or not, to where there is room for all of it. */
enum dmfs_status unpack_chunk(uint32_t index, bool encrypted, void *to);

/* Stretches that do not fit into the plan's room are a bug of the caller. */
void unpack_add_object(struct unpack_plan *plan, uint32_t object, uint64_t at);
void unpack_add_clear(struct unpack_plan *plan, uint64_t at, uint64_t len);

/*
 * Does the next piece on this hart: a millisecond's work or a few. False when none is left to be begun, or one has
 * failed. `scratch` has room for a chunk; NULL when the plan has nothing that is only checked.
 */
bool unpack_next(struct unpack_plan *plan, void *scratch);

/* Carries the plan out on this hart alone. DMFS_ERR_SPACE when there are no pages to work with. */
enum dmfs_status unpack_alone(struct unpack_plan *plan);

/* The same with the help of every hart that is in unpack_help(); once, at boot. */
enum dmfs_status unpack_together(struct unpack_plan *plan);

/* On the other harts: waits for unpack_together() on the boot hart, and returns when its work is done. */
void unpack_help(void);

#endif
