/* SPDX-License-Identifier: MIT */
/*
 * Walking a device tree with the way from the root at hand, so that an address can be translated
 * through the buses above a node (Devicetree Specification 0.4, sections 2.3.5 to 2.3.8).
 *
 * The tree has passed fdt_check_full(); everything else about it is unknown. What is
 * missing or malformed is NULL, false or a default, never a crash.
 */
#ifndef BOARD_TREE_H
#define BOARD_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"

#define TREE_MAX_DEPTH 16

/* A node and what is above it: at[0] is the root, at[depth] the node itself. */
struct tree_walk {
	const void *fdt;
	int node; /* negative when the walk has ended */
	int depth;
	int at[TREE_MAX_DEPTH];
};

/* The root; then each node in the tree's order. Nodes that are nested too deeply are left out. */
struct tree_walk tree_root(const void *fdt);
void tree_next(struct tree_walk *walk);

/* The walk at the node with this offset, phandle, or path or alias of `len` bytes; ended if none. */
struct tree_walk tree_find(const void *fdt, int node);
struct tree_walk tree_find_phandle(const void *fdt, uint32_t phandle);
struct tree_walk tree_find_path(const void *fdt, const char *path, size_t len);

/* Is the node, and every bus above it, not disabled (section 2.3.4)? */
bool tree_enabled(const struct tree_walk *walk);

/* Is the name of the node's parent, of depth 1, this one, and the node of depth 2? */
bool tree_is_child_of(const struct tree_walk *walk, const char *parent);

/* A property: a C string, its first cell, or one or two cells as one number. */
const char *tree_string(const void *fdt, int node, const char *name);
uint32_t tree_u32(const void *fdt, int node, const char *name, uint32_t otherwise);
bool tree_u64(const void *fdt, int node, const char *name, uint64_t *value);

/* Is the string property exactly this text? */
bool tree_string_is(const void *fdt, int node, const char *name, const char *text);

/* Cell `index` of a property of cells; false past its end. */
bool tree_cell(const void *fdt, int node, const char *name, uint32_t index, uint32_t *value);

/* Is `text` one of the property's strings? */
bool tree_lists(const void *fdt, int node, const char *name, const char *text);

/*
 * How many entries the node's reg has; 0 without one, negative when its length or the parent's
 * #address-cells and #size-cells make no sense.
 */
int tree_reg_count(const struct tree_walk *walk);

/* Entry `index` of reg as the node's own bus has it. */
bool tree_reg_on_bus(const struct tree_walk *walk, uint32_t index, struct board_range *range);

/* Entry `index` of reg, host-physical. False when it cannot be reached or wraps. */
bool tree_reg(const struct tree_walk *walk, uint32_t index, struct board_range *range);

/* The entry of reg that reg-names calls `name`. */
bool tree_reg_named(const struct tree_walk *walk, const char *name, struct board_range *range);

/* The phandle of the node's interrupt parent (section 2.4.1), 0 without. */
uint32_t tree_interrupt_parent(const struct tree_walk *walk);

#endif
