/* SPDX-License-Identifier: MIT */
#include "loader.h"

#include <stdio.h>
#include <string.h>

#include "arch/hart.h"
#include "board_io.h"
#include "boot.h"
#include "console.h"
#include "dmfs.h"
#include "guest_tree.h"
#include "pages.h"
#include "trust.h"

/* Clearing is handed out in pieces of this many bytes. */
#define CLEAR_PIECE (UINT64_C(1) << 20)

/*
 * A stretch of work that any hart can take a piece of: an object's chunks, to be unpacked to `at`
 * (or, with at 0, only checked), or memory to be cleared.
 */
struct stretch {
	uint32_t first_piece;
	uint32_t pieces;
	uint32_t object; /* DMFS_NONE: clear */
	uint64_t at;
	uint64_t len;
};

struct plan {
	struct stretch *stretches;
	uint32_t count, room;
	uint32_t pieces;
	_Atomic uint32_t next;	 /* piece to be taken */
	_Atomic uint32_t status; /* enum dmfs_status, the first failure */
};

static struct dmfs_image image;
static const uint8_t *payload;
static struct plan boot_plan;
static _Atomic uint32_t phase; /* 0 nothing to do yet, 1 work, 2 done */
static _Atomic uint32_t helpers;
static void *banner_at[DMFS_MAX_OBJECTS];

/* --- the plan ------------------------------------------------------------------------------- */

static void add(struct plan *plan, uint32_t object, uint64_t at, uint64_t len)
{
	struct stretch *stretch = &plan->stretches[plan->count];
	uint32_t pieces = object == DMFS_NONE ? (uint32_t)((len + CLEAR_PIECE - 1) / CLEAR_PIECE)
					      : dmfs_object(&image, object).chunk_count;

	if (pieces == 0 || plan->count == plan->room)
		return;
	*stretch = (struct stretch){plan->pieces, pieces, object, at, len};
	plan->pieces += pieces;
	plan->count++;
}

#define STRETCHES_PER_CAPSULE 7u /* three objects, four gaps between them */

static uint32_t stretch_room(void)
{
	return capsule_count * STRETCHES_PER_CAPSULE + image.objects;
}

struct load {
	uint32_t object;
	uint64_t at; /* guest-physical, before RAM was moved */
};

static void sort_by_address(struct load *loads, unsigned count)
{
	for (unsigned i = 1; i < count; i++)
		for (unsigned j = i; j > 0 && loads[j - 1].at > loads[j].at; j--) {
			struct load swap = loads[j];

			loads[j] = loads[j - 1];
			loads[j - 1] = swap;
		}
}

/* The capsule's objects to where they belong, and zeros everywhere else. */
static void add_capsule(struct plan *plan, const struct capsule *capsule)
{
	const struct dmfs_capsule *config = &capsule->config;
	struct load loads[3] = {{config->kernel, config->kernel_load},
				{config->devicetree, config->devicetree_load},
				{config->initrd, config->initrd_load}};
	unsigned count = config->initrd == DMFS_NONE ? 2 : 3;
	uint64_t done = 0;

	sort_by_address(loads, count);
	for (unsigned i = 0; i < count; i++) {
		uint64_t offset = loads[i].at - DMFS_GUEST_RAM_BASE;

		add(plan, DMFS_NONE, capsule->memory.host.v + done, offset - done);
		add(plan, loads[i].object, capsule->memory.host.v + offset, 0);
		done = offset + dmfs_object(&image, loads[i].object).raw_len;
	}
	add(plan, DMFS_NONE, capsule->memory.host.v + done, capsule->memory.size - done);
}

static bool is_loaded(uint32_t object)
{
	for (uint32_t i = 0; i < capsule_count; i++) {
		const struct dmfs_capsule *config = &capsules[i].config;

		if (object == config->kernel || object == config->initrd || object == config->devicetree)
			return true;
	}
	return false;
}

/* Banners are kept; what nobody loads is at least checked, as every other verifier does. */
static bool add_other(struct plan *plan, uint32_t index)
{
	struct dmfs_object object = dmfs_object(&image, index);
	hpa_t at = hpa(0);

	if (object.type == DMFS_OBJECT_BANNER) {
		if (!pages_alloc(align_up(object.raw_len, PAGE_SIZE) / PAGE_SIZE, PAGE_SIZE, &at))
			return false;
		banner_at[index] = hpa_ptr(at);
	}
	add(plan, index, at.v, 0);
	return true;
}

/* --- the work ------------------------------------------------------------------------------- */

/* What one hart needs to unpack: zlib's state, and room for a chunk that is only checked. */
struct bench {
	struct dmfs_workspace workspace;
	uint8_t scratch[];
};

static uint64_t bench_pages(void)
{
	return align_up(sizeof(struct bench) + image.chunk_len, PAGE_SIZE) / PAGE_SIZE;
}

static enum dmfs_status do_piece(const struct stretch *stretch, uint32_t piece, struct bench *bench)
{
	struct dmfs_chunk chunk;
	uint64_t offset;

	if (stretch->object == DMFS_NONE) {
		offset = piece * CLEAR_PIECE;
		memset(hpa_ptr(hpa(stretch->at + offset)), 0,
		       stretch->len - offset < CLEAR_PIECE ? stretch->len - offset : CLEAR_PIECE);
		return DMFS_OK;
	}
	chunk = dmfs_chunk(&image, dmfs_object(&image, stretch->object).first_chunk + piece);
	offset = (uint64_t)piece * image.chunk_len;
	return dmfs_unpack_chunk(&chunk, payload + chunk.offset,
				 stretch->at != 0 ? hpa_ptr(hpa(stretch->at + offset)) : bench->scratch,
				 &bench->workspace);
}

static void work(struct plan *plan, struct bench *bench)
{
	const struct stretch *stretch = plan->stretches;
	uint32_t piece;

	while ((piece = atomic_fetch_add(&plan->next, 1)) < plan->pieces &&
	       atomic_load(&plan->status) == DMFS_OK) {
		enum dmfs_status status;

		while (piece - stretch->first_piece >= stretch->pieces)
			stretch++; /* pieces are taken in ascending order */
		status = do_piece(stretch, piece - stretch->first_piece, bench);
		if (status != DMFS_OK)
			atomic_store(&plan->status, status);
	}
}

void loader_help(void)
{
	hpa_t bench;

	while (atomic_load(&phase) == 0)
		;
	if (atomic_load(&phase) == 1 && pages_alloc(bench_pages(), PAGE_SIZE, &bench)) {
		atomic_fetch_add(&helpers, 1);
		/* The boot hart may have ended the work between the two. */
		if (atomic_load(&phase) == 1)
			work(&boot_plan, hpa_ptr(bench));
		pages_free(bench, bench_pages());
		atomic_fetch_sub(&helpers, 1);
	}
	while (atomic_load(&phase) != 2)
		;
}

/* With the other harts' help; returns when none of them is at it any more. */
static enum dmfs_status work_together(void)
{
	hpa_t bench;

	if (!pages_alloc(bench_pages(), PAGE_SIZE, &bench))
		return DMFS_ERR_SPACE;
	atomic_store(&phase, 1);
	work(&boot_plan, hpa_ptr(bench));
	atomic_store(&phase, 2);
	while (atomic_load(&helpers) != 0)
		;
	pages_free(bench, bench_pages());
	return atomic_load(&boot_plan.status);
}

/* --- the image ------------------------------------------------------------------------------ */

/* To memory that is nobody else's; what it came in is given back. */
static bool copy_image(uint64_t *len, char *why, size_t why_len)
{
	uint64_t room = board.initrd_end - board.initrd_start;
	struct dmfs_extent extent;
	enum dmfs_status status;
	hpa_t copy;

	if (board.initrd_start == 0 || board.initrd_end <= board.initrd_start) {
		snprintf(why, why_len, "there is none: the board's device tree has no linux,initrd-start");
		return false;
	}
	status = dmfs_read_extent(hpa_ptr(hpa(board.initrd_start)), room, true, &extent);
	if (status != DMFS_OK) {
		snprintf(why, why_len, "%s", dmfs_strerror(status));
		return false;
	}
	*len = extent.image_len;
	if (!pages_alloc(align_up(*len, PAGE_SIZE) / PAGE_SIZE, PAGE_SIZE, &copy)) {
		snprintf(why, why_len, "it has %lu MiB, the board has %lu MiB of memory left",
			 (unsigned long)(*len >> 20), (unsigned long)(pages_longest_run() * PAGE_SIZE >> 20));
		return false;
	}
	memcpy(hpa_ptr(copy), hpa_ptr(hpa(board.initrd_start)), *len);
	payload = hpa_ptr(copy);
	boot_release_image();
	return true;
}

static enum dmfs_status verify(uint64_t len, uint32_t *signers)
{
	const struct dmfs_trust_section *section = trust_section();
	struct dmfs_trust trust = {section->keys, section->count, section->threshold};
	const uint8_t *copy = payload;
	enum dmfs_status status = DMFS_ERR_NO_TRUST;

	if (section->count <= DMFS_MAX_ANCHORS)
		status = dmfs_open_verified(&image, copy, len, true, &trust, signers);
	if (status == DMFS_OK)
		status = dmfs_check_board(&image, board.compatible, board.compatible_count, section->rollback);
	if (status == DMFS_OK)
		payload = copy + image.extent.payload_offset;
	return status;
}

static void log_verified(uint32_t signers)
{
	const struct dmfs_trust_section *section = trust_section();
	char keys[DMFS_MAX_SIGNATURES * (2 * DMFS_KEY_ID_LEN + 1) + 1] = "";
	char *end = keys;

	for (uint32_t i = 0; i < section->count; i++) {
		uint8_t id[DMFS_KEY_ID_LEN];

		if (!(signers >> i & 1))
			continue;
		if (end != keys)
			*end++ = ',';
		dmfs_key_id(id, section->keys[i]);
		for (unsigned b = 0; b < sizeof(id); b++)
			end += snprintf(end, 3, "%02x", id[b]);
	}
	console_log("diosix: image %.*s %.*s verified, rollback %lu, key %s", (int)image.name.len,
		    image.name.data, (int)image.version.len, image.version.data,
		    (unsigned long)image.rollback, keys);
}

static bool create_capsules(char *why, size_t why_len)
{
	uint64_t pages = align_up(sizeof(struct capsule) * image.capsules + 1, PAGE_SIZE) / PAGE_SIZE;
	hpa_t at;

	if (!pages_alloc(pages, PAGE_SIZE, &at)) {
		snprintf(why, why_len, "no memory is left for %u capsules", image.capsules);
		return false;
	}
	memset(hpa_ptr(at), 0, pages * PAGE_SIZE);
	capsules = hpa_ptr(at);
	for (uint32_t i = 0; i < image.capsules; i++) {
		capsules[i].config = dmfs_capsule(&image, i);
		if (!capsule_create(i, why, why_len))
			return false;
	}
	capsule_count = image.capsules;
	return true;
}

static bool make_plan(char *why, size_t why_len)
{
	hpa_t at;
	uint64_t len;

	boot_plan.room = stretch_room();
	len = align_up(boot_plan.room * sizeof(struct stretch) + 1, PAGE_SIZE);
	if (!pages_alloc(len / PAGE_SIZE, PAGE_SIZE, &at)) {
		snprintf(why, why_len, "no memory is left to unpack it");
		return false;
	}
	boot_plan.stretches = hpa_ptr(at);
	for (uint32_t i = 0; i < capsule_count; i++)
		add_capsule(&boot_plan, &capsules[i]);
	for (uint32_t i = 0; i < image.objects; i++)
		if (!is_loaded(i) && !add_other(&boot_plan, i)) {
			snprintf(why, why_len, "no memory is left for its banners");
			return false;
		}
	return true;
}

static bool complete_trees(char *why, size_t why_len)
{
	for (uint32_t i = 0; i < capsule_count; i++) {
		if (guest_tree_complete(&capsules[i], dmfs_object(&image, capsules[i].config.devicetree).raw_len))
			continue;
		snprintf(why, why_len, "capsule %s: its device tree cannot be completed", capsules[i].name);
		return false;
	}
	return true;
}

bool loader_run(char *why, size_t why_len)
{
	uint32_t signers = 0;
	enum dmfs_status status;
	uint64_t len;

	if (!copy_image(&len, why, why_len))
		return false;
	status = verify(len, &signers);
	if (status != DMFS_OK) {
		snprintf(why, why_len, "%s", dmfs_strerror(status));
		return false;
	}
	if (!create_capsules(why, why_len) || !make_plan(why, why_len))
		return false;
	status = work_together();
	if (status != DMFS_OK) {
		snprintf(why, why_len, "%s", dmfs_strerror(status));
		return false;
	}
	if (!complete_trees(why, why_len))
		return false;
	log_verified(signers);
	return true;
}

bool loader_reload(struct capsule *capsule)
{
	struct stretch stretches[STRETCHES_PER_CAPSULE];
	struct plan plan = {.stretches = stretches, .room = STRETCHES_PER_CAPSULE};
	hpa_t bench;

	if (!pages_alloc(bench_pages(), PAGE_SIZE, &bench))
		return false;
	add_capsule(&plan, capsule);
	work(&plan, hpa_ptr(bench));
	pages_free(bench, bench_pages());
	return atomic_load(&plan.status) == DMFS_OK &&
	       guest_tree_complete(capsule, dmfs_object(&image, capsule->config.devicetree).raw_len);
}

void loader_banners(void)
{
	for (uint32_t i = 0; i < image.objects; i++)
		if (banner_at[i] != NULL)
			console_banner(banner_at[i], dmfs_object(&image, i).raw_len);
}
