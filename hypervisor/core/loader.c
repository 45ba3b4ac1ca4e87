/* SPDX-License-Identifier: MIT */
#include "loader.h"

#include <stdio.h>
#include <string.h>

#include "arch/hart.h"
#include "board_io.h"
#include "boot.h"
#include "console.h"
#include "dmfs.h"
#include "files.h"
#include "guest_tree.h"
#include "log.h"
#include "pages.h"
#include "service_abi.h"
#include "trust.h"
#include "unpack.h"

static struct dmfs_image image;
static const uint8_t *copy; /* of the whole image */
static uint32_t signers;    /* anchors that have signed it, as dmfs_open_verified() tells */
static void *banner_at[DMFS_MAX_OBJECTS];

/* --- the plan ------------------------------------------------------------------------------- */

static uint32_t stretch_room(void)
{
	return capsule_count * CAPSULE_STRETCHES + image.objects;
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
static void add_capsule(struct unpack_plan *plan, const struct capsule *capsule)
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

		unpack_add_clear(plan, capsule->memory.host.v + done, offset - done);
		unpack_add_object(plan, loads[i].object, capsule->memory.host.v + offset);
		done = offset + dmfs_object(&image, loads[i].object).raw_len;
	}
	unpack_add_clear(plan, capsule->memory.host.v + done, capsule->memory.size - done);
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
static bool add_other(struct unpack_plan *plan, uint32_t index)
{
	struct dmfs_object object = dmfs_object(&image, index);
	hpa_t at = hpa(0);

	if (object.type == DMFS_OBJECT_BANNER) {
		if (!pages_alloc(align_up(object.raw_len, PAGE_SIZE) / PAGE_SIZE, PAGE_SIZE, &at))
			return false;
		banner_at[index] = hpa_ptr(at);
	}
	unpack_add_object(plan, index, at.v);
	return true;
}

/* --- the image ------------------------------------------------------------------------------ */

/* To memory that is nobody else's; what it came in is given back. */
static bool copy_image(uint64_t *len, char *why, size_t why_len)
{
	uint64_t room = board.initrd_end - board.initrd_start;
	struct dmfs_extent extent;
	enum dmfs_status status;
	hpa_t at;

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
	if (!pages_alloc(align_up(*len, PAGE_SIZE) / PAGE_SIZE, PAGE_SIZE, &at)) {
		snprintf(why, why_len, "it has %lu MiB, the board has %lu MiB of memory left",
			 (unsigned long)(*len >> 20), (unsigned long)(pages_longest_run() * PAGE_SIZE >> 20));
		return false;
	}
	memcpy(hpa_ptr(at), hpa_ptr(hpa(board.initrd_start)), *len);
	copy = hpa_ptr(at);
	boot_release_image();
	return true;
}

/* What this board takes at least: as it was bundled, or as it has booted before. */
static uint64_t least_rollback(void)
{
	uint64_t bundled = trust_section()->rollback, stored = 0;

	board_stored_index(&stored);
	return bundled > stored ? bundled : stored;
}

/* Only once all of the image has been shown to be good: a broken one must not lock out the one before. */
static void raise_rollback(void)
{
	uint64_t stored;

	if (board_stored_index(&stored) && stored < image.rollback && !board_store_index(image.rollback))
		log_line(DIOSIX_LOG_WARNING, "diosix: the rollback index could not be stored; it stays %lu",
			 (unsigned long)stored);
}

/* A board without a key refuses; one with another key as well. */
static enum dmfs_status unseal(void)
{
	static const uint8_t none[DMFS_PUBLIC_KEY_LEN];
	const uint8_t *secret = trust_section()->unseal;
	uint8_t content_key[DMFS_CONTENT_KEY_LEN];
	enum dmfs_status status = DMFS_ERR_SEALED;

	if (!image.encrypted)
		return DMFS_OK;
	if (memcmp(secret, none, sizeof(none)) != 0)
		status = dmfs_unseal(&image, secret, content_key);
	if (status == DMFS_OK && !unpack_init_key(content_key))
		status = DMFS_ERR_SPACE;
	return status;
}

static enum dmfs_status verify(uint64_t len)
{
	const struct dmfs_trust_section *section = trust_section();
	struct dmfs_trust next = {section->next_keys, section->next_count, section->next_threshold, NULL};
	struct dmfs_trust trust = {section->keys, section->count, section->threshold,
				   section->next_count != 0 ? &next : NULL};
	enum dmfs_status status = DMFS_ERR_NO_TRUST;

	if (section->count <= DMFS_MAX_ANCHORS && section->next_count <= DMFS_MAX_ANCHORS)
		status = dmfs_open_verified(&image, copy, len, true, &trust, &signers);
	if (status == DMFS_OK)
		status = dmfs_check_board(&image, board.compatible, board.compatible_count, least_rollback());
	if (status == DMFS_OK)
		unpack_init(&image, copy + image.extent.payload_offset);
	return status == DMFS_OK ? unseal() : status;
}

/* The ids of those that have signed it and that this board trusts. */
static uint32_t find_key_ids(uint8_t ids[DMFS_MAX_SIGNATURES][DMFS_KEY_ID_LEN])
{
	const struct dmfs_trust_section *section = trust_section();
	uint32_t count = 0;

	for (uint32_t i = 0; i < 2 * DMFS_MAX_ANCHORS && count < DMFS_MAX_SIGNATURES; i++)
		if (signers >> i & 1)
			dmfs_key_id(ids[count++], i < DMFS_NEXT_SIGNERS ? section->keys[i]
									: section->next_keys[i - DMFS_NEXT_SIGNERS]);
	return count;
}

static void log_verified(void)
{
	char keys[DMFS_MAX_SIGNATURES * (2 * DMFS_KEY_ID_LEN + 1) + 1] = "";
	uint8_t ids[DMFS_MAX_SIGNATURES][DMFS_KEY_ID_LEN];
	uint32_t count = find_key_ids(ids);
	char *end = keys;

	for (uint32_t i = 0; i < count; i++) {
		if (end != keys)
			*end++ = ',';
		for (unsigned b = 0; b < DMFS_KEY_ID_LEN; b++)
			end += snprintf(end, 3, "%02x", ids[i][b]);
	}
	log_line(DIOSIX_LOG_INFO, "diosix: image %.*s %.*s verified, rollback %lu, key %s", (int)image.name.len,
		 image.name.data, (int)image.version.len, image.version.data, (unsigned long)image.rollback, keys);
}

void loader_describe(struct diosix_board_info *info)
{
	_Static_assert(sizeof(info->keys[0]) == DMFS_KEY_ID_LEN && DIOSIX_KEYS == DMFS_MAX_SIGNATURES, "as they are");

	snprintf(info->image, sizeof(info->image), "%.*s", (int)image.name.len, image.name.data);
	snprintf(info->image_version, sizeof(info->image_version), "%.*s", (int)image.version.len, image.version.data);
	info->rollback = image.rollback;
	info->key_count = find_key_ids(info->keys);
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

/* Everything that the image has, unpacked or at least checked, and the capsules' memory cleared around it. */
static bool unpack(char *why, size_t why_len)
{
	static struct unpack_plan plan;
	uint64_t len = align_up(stretch_room() * sizeof(struct unpack_stretch) + 1, PAGE_SIZE);
	enum dmfs_status status;
	hpa_t at;

	if (!files_init(&image) || !pages_alloc(len / PAGE_SIZE, PAGE_SIZE, &at)) {
		snprintf(why, why_len, "no memory is left to unpack it");
		return false;
	}
	plan.room = stretch_room();
	plan.stretches = hpa_ptr(at);
	for (uint32_t i = 0; i < capsule_count; i++)
		add_capsule(&plan, &capsules[i]);
	for (uint32_t i = 0; i < image.objects; i++)
		if (!is_loaded(i) && !add_other(&plan, i)) {
			snprintf(why, why_len, "no memory is left for its banners");
			return false;
		}
	status = unpack_together(&plan);
	pages_free(at, len / PAGE_SIZE);
	if (status != DMFS_OK)
		snprintf(why, why_len, "%s", dmfs_strerror(status));
	return status == DMFS_OK;
}

bool loader_complete(struct capsule *capsule)
{
	return guest_tree_complete(capsule, dmfs_object(&image, capsule->config.devicetree).raw_len);
}

static bool complete_trees(char *why, size_t why_len)
{
	for (uint32_t i = 0; i < capsule_count; i++) {
		if (loader_complete(&capsules[i]))
			continue;
		snprintf(why, why_len, "capsule %s: its device tree cannot be completed", capsules[i].name);
		return false;
	}
	return true;
}

bool loader_run(char *why, size_t why_len)
{
	enum dmfs_status status;
	uint64_t len;

	if (!copy_image(&len, why, why_len))
		return false;
	status = verify(len);
	if (status != DMFS_OK) {
		snprintf(why, why_len, "%s", dmfs_strerror(status));
		return false;
	}
	if (!create_capsules(why, why_len) || !unpack(why, why_len) || !complete_trees(why, why_len))
		return false;
	raise_rollback();
	log_verified();
	return true;
}

static struct unpack_plan *new_chore(struct capsule *capsule)
{
	capsule->chore = (struct unpack_plan){.stretches = capsule->stretches, .room = CAPSULE_STRETCHES};
	return &capsule->chore;
}

void loader_plan_reload(struct capsule *capsule)
{
	add_capsule(new_chore(capsule), capsule);
}

void loader_plan_scrub(struct capsule *capsule)
{
	unpack_add_clear(new_chore(capsule), capsule->memory.host.v, capsule->memory.size);
}

void loader_banners(void)
{
	for (uint32_t i = 0; i < image.objects; i++)
		if (banner_at[i] != NULL)
			console_banner(banner_at[i], dmfs_object(&image, i).raw_len);
}
