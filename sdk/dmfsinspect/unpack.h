/* SPDX-License-Identifier: MIT */
/*
 * Unpacks chunks on all processors.
 */
#ifndef DMFSINSPECT_UNPACK_H
#define DMFSINSPECT_UNPACK_H

#include "sign/image.h"

/*
 * Unpacks `count` chunks from `first` on, and writes them to `fd` at the places that they have in
 * their object, the first being at 0; with fd -1 they are only checked. Shows progress as `doing`.
 * Returns a STATUS_...; messages call the file `target`.
 */
int unpack_chunks(const struct image_file *file, uint32_t first, uint32_t count, int fd,
		  const char *target, const char *doing);

#endif
