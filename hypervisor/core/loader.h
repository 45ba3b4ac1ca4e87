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

/*
 * What is to be done with a stopped capsule's memory, into capsule->chore: back to what the image says and all else
 * zeros, or zeros all over. When the former is done loader_complete() is what is left; false if that fails.
 */
void loader_plan_reload(struct capsule *capsule);
void loader_plan_scrub(struct capsule *capsule);
bool loader_complete(struct capsule *capsule);

/* What the image says of itself, and who has signed it. */
struct diosix_board_info;
void loader_describe(struct diosix_board_info *info);

/* Prints the image's banners. */
void loader_banners(void);

#endif
