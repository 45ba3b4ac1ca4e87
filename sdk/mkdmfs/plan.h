/* SPDX-License-Identifier: MIT */
/*
 * From a manifest to what dmfs_write() takes: files read, kernels recognised, everything placed,
 * device trees made.
 */
#ifndef MKDMFS_PLAN_H
#define MKDMFS_PLAN_H

#include "common/file.h"
#include "dmfs_write.h"
#include "kernel.h"
#include "manifest.h"
#include "source.h"

struct plan {
	struct dmfs_write_plan write; /* what it is about; the rest is what it borrows from */
	bool encrypts; /* something is to be encrypted */
	struct manifest manifest;
	struct report report;
	struct arena arena;
	struct bytes source;
	struct plan_file *files; /* one for each object */
	struct dmfs_write_object *objects;
	struct dmfs_capsule *capsules;
	struct dmfs_write_property *properties;
	uint8_t *tree; /* room to make device trees in, one at a time */
	struct source_failure failure; /* of reading, while the image is written */
	FILE *spool;                   /* kernels that are not stored as their files are */
	uint64_t spooled;
};

/*
 * Makes the plan of the manifest at `path`, "-" being standard input. Returns a STATUS_..., after
 * messages about all that is wrong. Free it in either case.
 */
int plan_make(struct plan *plan, const char *path);

/*
 * When a file could not be read again, or changed, while the image was written: says so and returns
 * true. Also looks whether all files still are what they were.
 */
bool plan_has_changed(struct plan *plan);

void plan_free(struct plan *plan);

#endif
