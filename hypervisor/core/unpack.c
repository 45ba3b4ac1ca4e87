/* SPDX-License-Identifier: MIT */
#include "unpack.h"

#include <string.h>

#include "hart.h"
#include "pages.h"

/* Clearing is handed out in pieces of this many bytes. */
#define CLEAR_PIECE (UINT64_C(1) << 20)

static const struct dmfs_image *image;
static const uint8_t *payload;
static uint8_t content_key[DMFS_CONTENT_KEY_LEN];

static enum { NOTHING_YET, WORK, DONE } _Atomic phase;
static struct unpack_plan *_Atomic shared; /* the plan that all work on */
static _Atomic uint32_t helpers;

void unpack_init(const struct dmfs_image *of, const uint8_t *at)
{
	image = of;
	payload = at;
}

bool unpack_init_key(const uint8_t key[DMFS_CONTENT_KEY_LEN])
{
	/* The most that a stored chunk may have (docs/dmfs-format.md, section 6). */
	uint64_t pages = align_up(2 * (uint64_t)image->chunk_len + 64, PAGE_SIZE) / PAGE_SIZE;
	hpa_t at;

	memcpy(content_key, key, sizeof(content_key));
	for (uint32_t i = 0; i < hart_count; i++) {
		if (!pages_alloc(pages, PAGE_SIZE, &at))
			return false;
		harts[i]->opened = hpa_ptr(at);
	}
	return true;
}

static void add(struct unpack_plan *plan, struct unpack_stretch stretch)
{
	if (stretch.pieces == 0 || plan->count == plan->room)
		return;
	stretch.first_piece = plan->pieces;
	plan->pieces += stretch.pieces;
	plan->stretches[plan->count++] = stretch;
}

void unpack_add_object(struct unpack_plan *plan, uint32_t object, uint64_t at)
{
	uint32_t chunks = dmfs_object(image, object).chunk_count;

	plan->checks |= at == 0;
	add(plan, (struct unpack_stretch){.pieces = chunks, .object = object, .at = at});
}

void unpack_add_clear(struct unpack_plan *plan, uint64_t at, uint64_t len)
{
	uint32_t pieces = (uint32_t)((len + CLEAR_PIECE - 1) / CLEAR_PIECE);

	add(plan, (struct unpack_stretch){.pieces = pieces, .object = DMFS_NONE, .at = at, .len = len});
}

static enum dmfs_status clear(const struct unpack_stretch *stretch, uint32_t piece)
{
	uint64_t offset = piece * CLEAR_PIECE, left = stretch->len - offset;

	memset(hpa_ptr(hpa(stretch->at + offset)), 0, left < CLEAR_PIECE ? left : CLEAR_PIECE);
	return DMFS_OK;
}

enum dmfs_status unpack_chunk(uint32_t index, bool encrypted, void *to)
{
	struct dmfs_chunk chunk = dmfs_chunk(image, index);
	const uint8_t *stored = payload + chunk.offset;
	struct hart *hart = this_hart();

	if (encrypted)
		return dmfs_unpack_encrypted(&chunk, stored, content_key, hart->opened, to, &hart->workspace);
	return dmfs_unpack_chunk(&chunk, stored, to, &hart->workspace);
}

static enum dmfs_status do_piece(const struct unpack_stretch *stretch, uint32_t piece, void *scratch)
{
	struct dmfs_object object;
	void *to = scratch;

	if (stretch->object == DMFS_NONE)
		return clear(stretch, piece);
	object = dmfs_object(image, stretch->object);
	if (stretch->at != 0)
		to = hpa_ptr(hpa(stretch->at + (uint64_t)piece * image->chunk_len));
	return unpack_chunk(object.first_chunk + piece, object.flags & DMFS_OBJECT_ENCRYPTED, to);
}

bool unpack_next(struct unpack_plan *plan, void *scratch)
{
	const struct unpack_stretch *stretch = plan->stretches;
	enum dmfs_status status;
	uint32_t piece;

	if (atomic_load(&plan->status) != DMFS_OK)
		return false;
	piece = atomic_fetch_add(&plan->next, 1);
	if (piece >= plan->pieces)
		return false;
	while (piece - stretch->first_piece >= stretch->pieces)
		stretch++;
	status = do_piece(stretch, piece - stretch->first_piece, scratch);
	if (status != DMFS_OK)
		atomic_store(&plan->status, status);
	return status == DMFS_OK;
}

enum dmfs_status unpack_alone(struct unpack_plan *plan)
{
	uint64_t pages = plan->checks ? align_up(image->chunk_len, PAGE_SIZE) / PAGE_SIZE : 0;
	hpa_t scratch = hpa(0);

	if (pages != 0 && !pages_alloc(pages, PAGE_SIZE, &scratch))
		return DMFS_ERR_SPACE;
	while (unpack_next(plan, hpa_ptr(scratch)))
		;
	if (pages != 0)
		pages_free(scratch, pages);
	return atomic_load(&plan->status);
}

enum dmfs_status unpack_together(struct unpack_plan *plan)
{
	enum dmfs_status status;

	atomic_store(&shared, plan);
	atomic_store(&phase, WORK);
	hart_kick_others();
	status = unpack_alone(plan);
	atomic_store(&phase, DONE);
	hart_kick_others();
	while (atomic_load(&helpers) != 0)
		hart_nap();
	return status != DMFS_OK ? status : atomic_load(&plan->status);
}

void unpack_help(void)
{
	while (atomic_load(&phase) == NOTHING_YET)
		hart_nap();
	atomic_fetch_add(&helpers, 1);
	/* The boot hart may have ended the work between the two. One that finds no pages is no loss. */
	if (atomic_load(&phase) == WORK)
		unpack_alone(atomic_load(&shared));
	atomic_fetch_sub(&helpers, 1);
	hart_kick(harts[0]);
	while (atomic_load(&phase) != DONE)
		hart_nap();
}
