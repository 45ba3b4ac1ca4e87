/* SPDX-License-Identifier: MIT */
/* Completes a guest's device tree with what only the board knows (sdk/dtgen/dtgen.h lists it). */
#ifndef GUEST_TREE_H
#define GUEST_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/hart.h"
#include "capsule.h"

/*
 * The tree of `len` bytes has been loaded where the capsule's config says; DMFS_DEVICETREE_ROOM follows it. False
 * when it is not a tree, or the room does not suffice.
 */
bool guest_tree_complete(struct capsule *capsule, uint64_t len);

/* What a guest is told: of the board's ISA string that which it can use. `out` gets a C string. */
void guest_isa(const char *board_isa, const struct arch_features *features, char *out, size_t len);

/* The board's entropy for guests, mixed anew for each; without it none is given. */
void guest_seed_init(const uint8_t *seed, uint32_t len);

#endif
