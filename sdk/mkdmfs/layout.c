/* SPDX-License-Identifier: MIT */
#include "layout.h"

#include "dmfs.h"

static uint64_t align_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) / unit * unit;
}

/*
 * Finds room for len bytes below *top, distances from the start of RAM, without touching the
 * kernel. False when there is none.
 */
static bool place_below(uint64_t *top, uint64_t len, uint64_t kernel_start, uint64_t kernel_end)
{
	uint64_t at;

	for (;;) {
		if (len > *top)
			return false;
		at = (*top - len) / LAYOUT_ALIGN * LAYOUT_ALIGN;
		if (at >= kernel_end || at + len <= kernel_start)
			break;
		*top = kernel_start;
	}
	*top = at;
	return true;
}

enum layout_result layout_place(struct layout *layout, uint64_t memory, const struct kernel *kernel,
				uint64_t initrd_len, uint64_t devicetree_len)
{
	uint64_t base = DMFS_GUEST_RAM_BASE, top = memory;
	uint64_t devicetree_room = devicetree_len + DMFS_DEVICETREE_ROOM;
	uint64_t start = kernel->placed ? kernel->load - base : kernel->load;
	uint64_t end = start + kernel->mem_len;
	bool fits;

	/* Sums of numbers below 2^41 cannot wrap. */
	if ((kernel->placed && kernel->load < base) || start > DMFS_MAX_RAW_LEN ||
	    kernel->mem_len > DMFS_MAX_RAW_LEN || initrd_len > DMFS_MAX_RAW_LEN)
		return LAYOUT_OUTSIDE;
	*layout = (struct layout){.kernel_load = base + start};
	layout->entry = layout->kernel_load + kernel->entry_offset;
	layout->needed = align_up(align_up(end, LAYOUT_ALIGN) + align_up(initrd_len, LAYOUT_ALIGN) +
					  align_up(devicetree_room, LAYOUT_ALIGN),
				  DMFS_MEMORY_UNIT);
	fits = end <= memory && place_below(&top, devicetree_room, start, end);
	layout->devicetree_load = base + top;
	if (fits && initrd_len) {
		fits = place_below(&top, initrd_len, start, end);
		layout->initrd_load = base + top;
	}
	return fits ? LAYOUT_GOOD : LAYOUT_TOO_SMALL;
}
