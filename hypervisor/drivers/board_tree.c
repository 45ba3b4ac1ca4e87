/* SPDX-License-Identifier: MIT */
#include "board_tree.h"

#include <libfdt.h>
#include <string.h>

#define CELL 4u

struct tree_walk tree_root(const void *fdt)
{
	return (struct tree_walk){ .fdt = fdt };
}

void tree_next(struct tree_walk *walk)
{
	do {
		walk->node = fdt_next_node(walk->fdt, walk->node, &walk->depth);
		if (walk->node < 0 || walk->depth < 0) {
			walk->node = -1;
			return;
		}
	} while (walk->depth >= TREE_MAX_DEPTH);
	walk->at[walk->depth] = walk->node;
}

static struct tree_walk ended(const void *fdt)
{
	return (struct tree_walk){ .fdt = fdt, .node = -1 };
}

struct tree_walk tree_find(const void *fdt, int node)
{
	struct tree_walk walk = tree_root(fdt);

	while (walk.node >= 0 && walk.node != node)
		tree_next(&walk);
	return walk;
}

struct tree_walk tree_find_phandle(const void *fdt, uint32_t phandle)
{
	int node = fdt_node_offset_by_phandle(fdt, phandle);

	return node < 0 ? ended(fdt) : tree_find(fdt, node);
}

struct tree_walk tree_find_path(const void *fdt, const char *path, size_t len)
{
	int node;

	if (len > 0 && path[0] != '/') {
		/* Not left to libfdt: it follows an alias that names itself for ever. */
		int aliases = fdt_path_offset(fdt, "/aliases");
		int size;
		const char *target;

		if (aliases < 0)
			return ended(fdt);
		target = fdt_getprop_namelen(fdt, aliases, path, (int)len, &size);
		if (!target || size < 2 || target[size - 1] != '\0' || target[0] != '/')
			return ended(fdt);
		path = target;
		len = strlen(target);
	}
	if (len == 0)
		return ended(fdt);
	node = fdt_path_offset_namelen(fdt, path, (int)len);
	return node < 0 ? ended(fdt) : tree_find(fdt, node);
}

bool tree_enabled(const struct tree_walk *walk)
{
	for (int depth = 0; depth <= walk->depth; depth++) {
		int size;
		const char *status = fdt_getprop(walk->fdt, walk->at[depth], "status", &size);

		if (status && !tree_string_is(walk->fdt, walk->at[depth], "status", "okay") &&
		    !tree_string_is(walk->fdt, walk->at[depth], "status", "ok"))
			return false;
	}
	return true;
}

bool tree_is_child_of(const struct tree_walk *walk, const char *parent)
{
	const char *name;

	if (walk->depth != 2)
		return false;
	name = fdt_get_name(walk->fdt, walk->at[1], NULL);
	return name && strcmp(name, parent) == 0;
}

const char *tree_string(const void *fdt, int node, const char *name)
{
	int size;
	const char *text = fdt_getprop(fdt, node, name, &size);

	return text && size > 0 && text[size - 1] == '\0' ? text : NULL;
}

bool tree_string_is(const void *fdt, int node, const char *name, const char *text)
{
	const char *value = tree_string(fdt, node, name);

	return value && strcmp(value, text) == 0;
}

bool tree_cell(const void *fdt, int node, const char *name, uint32_t index, uint32_t *value)
{
	int size;
	const fdt32_t *cells = fdt_getprop(fdt, node, name, &size);

	if (!cells || size < 0 || index >= (uint32_t)size / CELL)
		return false;
	*value = fdt32_ld(cells + index);
	return true;
}

uint32_t tree_u32(const void *fdt, int node, const char *name, uint32_t otherwise)
{
	uint32_t value;

	return tree_cell(fdt, node, name, 0, &value) ? value : otherwise;
}

static uint64_t number(const fdt32_t *cells, uint32_t count)
{
	uint64_t value = 0;

	while (count-- > 0)
		value = value << 32 | fdt32_ld(cells++);
	return value;
}

bool tree_u64(const void *fdt, int node, const char *name, uint64_t *value)
{
	int size;
	const fdt32_t *cells = fdt_getprop(fdt, node, name, &size);

	if (!cells || (size != CELL && size != 2 * CELL))
		return false;
	*value = number(cells, (uint32_t)size / CELL);
	return true;
}

bool tree_lists(const void *fdt, int node, const char *name, const char *text)
{
	return fdt_stringlist_search(fdt, node, name, text) >= 0;
}

/* How a bus writes its children's addresses. */
struct layout {
	uint32_t address; /* cells of an address, 1 or 2 */
	uint32_t size;	  /* cells of a size, 0 to 2 */
};

/* False for a bus whose addresses are no plain numbers, such as PCI. Defaults: section 2.3.5. */
static bool bus_layout(const void *fdt, int bus, struct layout *layout)
{
	layout->address = tree_u32(fdt, bus, "#address-cells", 2);
	layout->size = tree_u32(fdt, bus, "#size-cells", 1);
	return layout->address >= 1 && layout->address <= 2 && layout->size <= 2;
}

int tree_reg_count(const struct tree_walk *walk)
{
	struct layout layout;
	int size;
	uint32_t entry;

	if (!fdt_getprop(walk->fdt, walk->node, "reg", &size))
		return 0;
	if (walk->depth == 0 || !bus_layout(walk->fdt, walk->at[walk->depth - 1], &layout))
		return -1;
	entry = (layout.address + layout.size) * CELL;
	return (uint32_t)size % entry == 0 ? (int)((uint32_t)size / entry) : -1;
}

bool tree_reg_on_bus(const struct tree_walk *walk, uint32_t index, struct board_range *range)
{
	int count = tree_reg_count(walk);
	const fdt32_t *reg = fdt_getprop(walk->fdt, walk->node, "reg", NULL);
	struct layout layout;

	if (count <= 0 || index >= (uint32_t)count || !reg ||
	    !bus_layout(walk->fdt, walk->at[walk->depth - 1], &layout))
		return false;
	reg += index * (layout.address + layout.size);
	range->base = number(reg, layout.address);
	range->size = number(reg + layout.address, layout.size);
	return range->base + range->size >= range->base;
}

/* From the addresses of the bus at[depth] to those of the bus above it (section 2.3.8). */
static bool translate_once(const struct tree_walk *walk, int depth, struct board_range *range)
{
	struct layout child, parent;
	int size;
	const fdt32_t *ranges = fdt_getprop(walk->fdt, walk->at[depth], "ranges", &size);
	uint32_t entry;

	if (!ranges || !bus_layout(walk->fdt, walk->at[depth], &child) ||
	    !bus_layout(walk->fdt, walk->at[depth - 1], &parent))
		return false;
	if (size == 0)
		return true;
	entry = child.address + parent.address + child.size;
	for (uint32_t left = (uint32_t)size / CELL; left >= entry; left -= entry, ranges += entry) {
		uint64_t from = number(ranges, child.address);
		uint64_t to = number(ranges + child.address, parent.address);
		uint64_t length = number(ranges + child.address + parent.address, child.size);
		uint64_t offset = range->base - from;

		if (range->base < from || offset >= length || range->size > length - offset)
			continue;
		range->base = to + offset;
		return range->base >= to && range->base + range->size >= range->base;
	}
	return false;
}

bool tree_reg(const struct tree_walk *walk, uint32_t index, struct board_range *range)
{
	if (!tree_reg_on_bus(walk, index, range))
		return false;
	for (int depth = walk->depth - 1; depth > 0; depth--)
		if (!translate_once(walk, depth, range))
			return false;
	return true;
}

bool tree_reg_named(const struct tree_walk *walk, const char *name, struct board_range *range)
{
	int index = fdt_stringlist_search(walk->fdt, walk->node, "reg-names", name);

	return index >= 0 && tree_reg(walk, (uint32_t)index, range);
}

uint32_t tree_interrupt_parent(const struct tree_walk *walk)
{
	uint32_t phandle;

	if (tree_cell(walk->fdt, walk->node, "interrupts-extended", 0, &phandle))
		return phandle;
	for (int depth = walk->depth; depth >= 0; depth--)
		if (tree_cell(walk->fdt, walk->at[depth], "interrupt-parent", 0, &phandle))
			return phandle;
	return 0;
}
