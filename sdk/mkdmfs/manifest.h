/* SPDX-License-Identifier: MIT */
/*
 * The manifest: what an image is made from, as docs/manifest.md describes it. Every value keeps its
 * place, so that what is found wrong later (a kernel that is none, too little memory) can
 * be shown there.
 */
#ifndef MKDMFS_MANIFEST_H
#define MKDMFS_MANIFEST_H

#include <stdio.h>

#include "common/arena.h"
#include "dmfs.h"
#include "report.h"

#define MANIFEST_VERSION 1u

/* A string; text is NULL when it was not given. `place` is that of the value, or of what lacks it.
 */
struct manifest_text {
	const char *text;
	struct diag_place place;
};

/* A number, size, word, truth or set of bits. */
struct manifest_number {
	uint64_t value;
	bool given;
	struct diag_place place;
};

struct manifest_list {
	struct manifest_text *items;
	unsigned count;
};

/* A file and the name that it goes by. */
struct manifest_named_file {
	struct manifest_text name;
	struct manifest_text file;
};

struct manifest_named_files {
	struct manifest_named_file *items;
	unsigned count;
};

struct manifest_kernel {
	struct manifest_text file;
	struct manifest_number load;        /* given: the file is raw bytes for this address */
	struct manifest_number relocatable; /* given: overrides what the file says of itself */
};

struct manifest_capsule {
	struct diag_place place;
	enum dmfs_capsule_kind kind;
	struct manifest_text name;
	struct manifest_kernel kernel; /* of a service: its program */
	struct manifest_list initrd; /* one after the other */
	struct manifest_list disks;
	struct manifest_named_files files;
	struct manifest_text cmdline;
	struct manifest_text overlay;
	struct manifest_number memory;
	struct manifest_number cpus;
	struct manifest_number priority;
	struct manifest_number affinity;
	struct manifest_number restart;
	struct manifest_number cpu_limit;
	struct manifest_number restart_limit;
	struct manifest_number permissions;
	struct manifest_number encrypt;
};

struct manifest_image {
	struct manifest_text name;
	struct manifest_text version;
	struct manifest_number rollback;
	struct manifest_list boards; /* as given; board_compatible() knows each */
};

struct manifest {
	struct manifest_number schema;
	struct manifest_image image;
	struct manifest_list banners;
	struct manifest_capsule *guests;
	unsigned guest_count;
	struct manifest_capsule *services;
	unsigned service_count;
	const char *folder; /* paths are relative to it: "" or with a slash at the end */
};

/*
 * Reads the manifest in report->source. What is wrong is reported, all of it; with report->errors
 * at 0 afterwards *manifest is complete, with defaults filled in. Its memory is the arena's.
 * `folder` NULL: files are not looked for.
 */
void manifest_read(struct manifest *manifest, struct report *report, struct arena *arena,
		   const char *folder);

/* The path of a file that the manifest names. */
const char *manifest_path(const struct manifest *manifest, struct arena *arena, const char *file);

/* Prints the JSON Schema of manifests, made from the tables that manifest_read() goes by. */
void manifest_print_schema(FILE *out);

#endif
