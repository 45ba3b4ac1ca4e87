/* SPDX-License-Identifier: MIT */
/*
 * Overlays (dtc's Documentation/dt-object-internal.txt). libfdt applies them, and believes what
 * they say of where their own references are: so that is checked here first.
 */
#include <libfdt.h>
#include <stdbool.h>
#include <string.h>

#include "dtgen.h"

#define MAX_DEPTH 64 /* nodes; libfdt goes down by calling itself */

/*
 * Where the overlay lists its references to its own phandles, and the list itself: no target for
 * any.
 */
struct local {
	const void *overlay;
	int list;
};

static int check_depth(const void *overlay)
{
	int depth = 0;

	for (int node = 0; node >= 0 && depth >= 0; node = fdt_next_node(overlay, node, &depth))
		if (depth > MAX_DEPTH)
			return -FDT_ERR_BADOVERLAY;
	return 0;
}

/* Are these offsets all of cells within the property of the same name? */
static bool good_offsets(const struct local *local, int node, int property)
{
	int len, target_len;
	const char *name;
	const fdt32_t *offsets = fdt_getprop_by_offset(local->overlay, property, &name, &len);
	bool found = offsets && fdt_getprop(local->overlay, node, name, &target_len);

	/* Phandles are moved first, and offsets of that name would be as well. */
	if (!found || len % 4 || target_len < 4 || !strcmp(name, "phandle") ||
	    !strcmp(name, "linux,phandle"))
		return false;
	for (int i = 0; i < len / 4; i++)
		if (fdt32_ld(offsets + i) > (uint32_t)target_len - 4)
			return false;
	return true;
}

static int check_local(const struct local *local, int node, int list)
{
	int property, child, error = 0;

	fdt_for_each_property_offset(
		property, local->overlay,
		list) if (!good_offsets(local, node, property)) return -FDT_ERR_BADOVERLAY;
	fdt_for_each_subnode(child, local->overlay, list)
	{
		int target = fdt_subnode_offset(local->overlay, node,
						fdt_get_name(local->overlay, child, NULL));

		if (!error)
			error = target < 0 || target == local->list
					? -FDT_ERR_BADOVERLAY
					: check_local(local, target, child);
	}
	return error;
}

/* A path that libfdt reads to its NUL. */
static int check_targets(const void *overlay)
{
	int fragment, len;

	fdt_for_each_subnode(fragment, overlay, 0)
	{
		const char *path = fdt_getprop(overlay, fragment, "target-path", &len);

		if (path && (len == 0 || path[len - 1] != '\0'))
			return -FDT_ERR_BADOVERLAY;
	}
	return 0;
}

static int check(const void *overlay)
{
	struct local local = {overlay, fdt_path_offset(overlay, "/__local_fixups__")};
	int fixups = fdt_path_offset(overlay, "/__fixups__"), error = check_depth(overlay);

	if (!error && local.list >= 0)
		error = check_local(&local, 0, local.list);
	if (!error)
		error = check_targets(overlay);
	/* References to labels of the tree: a generated one has none. */
	if (!error && fixups >= 0 && fdt_first_property_offset(overlay, fixups) >= 0)
		error = -FDT_ERR_NOTFOUND;
	return error;
}

int dtgen_apply_overlay(void *tree, size_t room, void *overlay, size_t len)
{
	int error = fdt_check_full(overlay, len) ? -FDT_ERR_BADSTRUCTURE : check(overlay);

	/* Room first: a failed attempt leaves both trees damaged. */
	if (!error)
		error = fdt_open_into(tree, tree, (int)room);
	if (!error)
		error = fdt_overlay_apply(tree, overlay);
	if (!error)
		error = fdt_pack(tree);
	return error ? error : (int)fdt_totalsize(tree);
}
