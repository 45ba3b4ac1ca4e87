/* SPDX-License-Identifier: MIT */
/* From the first hart in C to capsules that run, and the end of it all. */
#ifndef BOOT_H
#define BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "hart.h"

/* What the architecture's boot code knows. */
struct boot_info {
	uint64_t hartid; /* of the hart that boots */
	const void *fdt;
	hpa_t image_start, image_end; /* the hypervisor itself */
};

/* Reads the board's tree, sets up memory and a struct hart for each hart that is to run guests. */
void boot_board(const struct boot_info *info);

/* Then, on the boot hart: loads the image and starts the capsules. A refused image ends the run. */
void boot_capsules(void);

/* The page below a hart's stack that is never to be touched. */
uintptr_t hart_stack_guard(const struct hart *hart);

/* Says how the run ended, and ends it. */
_Noreturn void board_end(bool success);

/* The image has been copied: gives back the memory that it came in. */
void boot_release_image(void);

#endif
