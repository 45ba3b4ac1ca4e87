/* SPDX-License-Identifier: MIT */
/*
 * From an image in RAM to capsules that are ready to start: copied, verified, unpacked by all harts at
 * once (docs/dmfs-format.md, section 9).
 */
#ifndef LOADER_H
#define LOADER_H

#include <stdbool.h>
#include <stddef.h>

#include "capsule.h"

/*
 * On the boot hart. Takes the image that the board's device tree names, and fills `capsules`. False,
 * with a sentence in `why`, when it is refused: nothing may be started then. The other harts are in unpack_help().
 */
bool loader_run(char *why, size_t why_len);

/* Puts a stopped capsule's memory back to what the image says, all else zeros. */
bool loader_reload(struct capsule *capsule);

/* Prints the image's banners. */
void loader_banners(void);

#endif
