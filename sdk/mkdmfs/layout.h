/* SPDX-License-Identifier: MIT */
/*
 * Where in a guest's RAM its kernel, initial RAM disk and device tree go (docs/dmfs-format.md,
 * section 4). Kernel low, at its own address or 2 MiB into RAM; then, from the top down, the device
 * tree with its room and the RAM disk.
 */
#ifndef MKDMFS_LAYOUT_H
#define MKDMFS_LAYOUT_H

#include "kernel.h"

/* Everything that is placed begins on a page of its own. */
#define LAYOUT_ALIGN UINT64_C(4096)

struct layout {
	uint64_t kernel_load;
	uint64_t entry;
	uint64_t initrd_load; /* 0 without one */
	uint64_t devicetree_load;
	uint64_t needed; /* bytes of RAM that would do, a multiple of 2 MiB */
};

enum layout_result {
	LAYOUT_GOOD,
	LAYOUT_OUTSIDE,   /* the kernel's own address is not in RAM, however large */
	LAYOUT_TOO_SMALL, /* `needed` says what would do */
};

/* `initrd_len` is 0 without one; the lengths are what each takes in memory. */
enum layout_result layout_place(struct layout *layout, uint64_t memory, const struct kernel *kernel,
				uint64_t initrd_len, uint64_t devicetree_len);

#endif
