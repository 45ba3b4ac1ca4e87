/* SPDX-License-Identifier: MIT */
#include <libfdt.h>

#include "dtgen.h"

int dtgen_apply_overlay(void *tree, size_t room, void *overlay, size_t len)
{
	int error = fdt_check_full(overlay, len);

	if (error)
		return -FDT_ERR_BADSTRUCTURE;
	/* Room first: a failed attempt leaves both trees damaged. */
	error = fdt_open_into(tree, tree, (int)room);
	if (!error)
		error = fdt_overlay_apply(tree, overlay);
	if (!error)
		error = fdt_pack(tree);
	return error ? error : (int)fdt_totalsize(tree);
}
