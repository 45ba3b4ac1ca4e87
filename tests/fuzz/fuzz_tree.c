/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a device tree for a guest: as an overlay that dmfs merges and prints, and as the
 * tree of a signed image that the hypervisor completes in the capsule's RAM. (Trees of boards:
 * fuzz_board.c.)
 */
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

#include "dtgen.h"
#include "fake.h"
#include "guest_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define TREE_ROOM (16u << 10)
#define TREE_AT   0x1000u
#define MEMORY    (512u << 10)
#define UNTOUCHED 0x5a
#define GUARD_LEN 64u

static struct capsule *the_capsule;
static _Alignas(8) uint8_t base[TREE_ROOM];

static void prepare(void)
{
	static const struct dtgen_guest guest = {
		.name = "fuzz",
		.memory = 16u << 20,
		.cpus = 2,
		.cmdline = "quiet",
		.initrd_start = 0x80800000,
		.initrd_end = 0x80900000,
		.doorbell = true,
	};
	static struct board_hart hart = {.isa = "rv64imafdch_zicsr_zba_sstc"};

	if (the_capsule)
		return;
	fake_reset(1);
	the_capsule = fake_capsule(1, MEMORY);
	the_capsule->config.devicetree_load = DMFS_GUEST_RAM_BASE + TREE_AT;
	fake_harts[0].board = &hart;
	guest_seed_init((const uint8_t *)"seed", 4);
	if (dtgen_build(&guest, base, sizeof(base)) < 0)
		abort();
}

/* In a buffer of its own, for the sanitizer to watch. */
static void print(const void *tree, size_t len)
{
	void *copy = malloc(len);

	memcpy(copy, tree, len);
	free(dtgen_to_source(copy));
	free(copy);
}

/* With RAM so far from its usual place, as `pmp` does. What lies around the tree stays. */
static void complete(const uint8_t *tree, size_t len, uint64_t distance)
{
	uint8_t *at = (uint8_t *)hpa_ptr(the_capsule->memory.host) + TREE_AT;
	uint8_t *before = at - GUARD_LEN, *end = at + len + DMFS_DEVICETREE_ROOM;

	if (TREE_AT + len + DMFS_DEVICETREE_ROOM + GUARD_LEN > the_capsule->memory.size)
		return;
	memset(before, UNTOUCHED, GUARD_LEN);
	memcpy(at, tree, len);
	memset(end, UNTOUCHED, GUARD_LEN);
	the_capsule->memory.base = gpa(DMFS_GUEST_RAM_BASE + distance);
	if (guest_tree_complete(the_capsule, len) && fdt_totalsize(at) > len + DMFS_DEVICETREE_ROOM)
		abort();
	for (unsigned i = 0; i < GUARD_LEN; i++)
		if (before[i] != UNTOUCHED || end[i] != UNTOUCHED)
			abort();
}

static void merge(const uint8_t *data, size_t len)
{
	uint8_t *tree = malloc(TREE_ROOM), *overlay = malloc(len);
	int merged;

	memcpy(overlay, data, len);
	memcpy(tree, base, TREE_ROOM);
	merged = dtgen_apply_overlay(tree, TREE_ROOM, overlay, len);
	if (merged >= 0) {
		if (fdt_check_full(tree, (size_t)merged) != 0)
			abort();
		print(tree, (size_t)merged);
		complete(tree, (size_t)merged, 0);
	}
	free(overlay);
	free(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	prepare();
	if (len < sizeof(struct fdt_header))
		return 0;
	merge(data, len);
	if (fdt_check_full(data, len) == 0)
		print(data, len);
	complete(data, len, data[len - 1] % 2 * UINT64_C(0x10000000));
	return 0;
}
