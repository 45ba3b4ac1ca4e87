/* SPDX-License-Identifier: MIT */
/*
 * Image files in memory, and what to say when one is refused.
 */
#ifndef SIGN_IMAGE_H
#define SIGN_IMAGE_H

#include "common/file.h"
#include "keys.h"

struct image_file {
	const char *path;
	struct bytes bytes;
	struct dmfs_image image;
	bool verified;    /* enough trusted keys signed it */
	uint32_t signers; /* a bit for each trusted key that did */
	enum dmfs_status refused; /* why it was not read or unsealed, when that is the image's fault */
	uint8_t *content_key; /* of sodium_malloc(); NULL: not unsealed */
};

/*
 * Reads the image at `path`, verified when `trust` is not NULL. Returns a STATUS_..., after a
 * message when it is not STATUS_DONE; then there is nothing to free.
 */
int image_file_read(struct image_file *file, const char *path, const struct dmfs_trust *trust);
void image_file_free(struct image_file *file);

/*
 * For commands that write an image: can --json, where it is given, have standard output? And what was
 * written to `path`, as the file itself says it, printed where --json is given; a STATUS_....
 */
bool image_json_possible(const struct args *args, const char *path);
int image_tell_json(const struct args *args, const char *path);

/* Says why the image at `path` is refused; STATUS_REFUSED, or STATUS_FAILED when memory ended. */
int image_refused(const char *path, enum dmfs_status status);

#endif
