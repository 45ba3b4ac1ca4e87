/* SPDX-License-Identifier: MIT */
/*
 * Overlays for generated device trees: compiled, or source that dtc compiles.
 */
#ifndef MKDMFS_OVERLAY_H
#define MKDMFS_OVERLAY_H

#include "common/file.h"
#include "report.h"

/*
 * Applies the overlay at `path`, which the manifest names at `place`, to the tree: *tree has room for
 * `room` bytes. False after a message, which for a mistake in source points into the source.
 */
bool overlay_apply(struct report *report, struct diag_place place, const char *path,
		   struct bytes *tree, size_t room);

#endif
