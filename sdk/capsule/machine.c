/* SPDX-License-Identifier: MIT */
/* What the program needs to know about its machine, from the device tree (specification 0.4, chapter 3). */
#include <libfdt.h>
#include <string.h>

#include "runtime.h"

/* QEMU's `virt`. */
struct machine machine = {.timebase = 10000000, .ram = 0x80000000, .ram_end = 0x80000000 + 4 * MEGAPAGE};

#define ARGUMENTS_LEN 4096
#define NAME_LEN      64

static char arguments[ARGUMENTS_LEN], name[NAME_LEN];

/* A number of one or two cells; `otherwise` when there is none. */
static uint64_t number(const void *tree, const char *path, const char *property, uint64_t otherwise)
{
	int len;
	const void *value = fdt_getprop(tree, fdt_path_offset(tree, path), property, &len);

	if (value && len == 4)
		return fdt32_ld(value);
	return value && len == 8 ? fdt64_ld(value) : otherwise;
}

/* As much of it as there is room for; nothing when there is none. */
static void string(const void *tree, const char *path, const char *property, char *to, size_t size)
{
	int len;
	const char *value = fdt_getprop(tree, fdt_path_offset(tree, path), property, &len);

	memset(to, 0, size);
	if (value && len > 0)
		memcpy(to, value, (size_t)len < size ? (size_t)len : size - 1);
}

/* The memory that the program is in: its first range. */
static void read_memory(const void *tree)
{
	int len, node = fdt_node_offset_by_prop_value(tree, -1, "device_type", "memory", sizeof("memory"));
	const char *reg = fdt_getprop(tree, node, "reg", &len);

	if (!reg || len < 16 || fdt_address_cells(tree, 0) != 2 || fdt_size_cells(tree, 0) != 2)
		return;
	machine.ram = fdt64_ld((const fdt64_t *)reg);
	machine.ram_end = machine.ram + fdt64_ld((const fdt64_t *)(reg + 8));
}

void machine_read(uint64_t hart, const void *tree)
{
	static const char model[] = "Diosix capsule ";

	machine.boot_hart = hart;
	machine.name = name;
	machine.arguments = arguments;
	if (tree && fdt_check_header(tree) == 0) {
		read_memory(tree);
		machine.timebase = number(tree, "/cpus", "timebase-frequency", machine.timebase);
		string(tree, "/chosen", "bootargs", arguments, sizeof(arguments));
		string(tree, "/", "model", name, sizeof(name));
		if (strncmp(name, model, sizeof(model) - 1) == 0)
			machine.name = name + sizeof(model) - 1;
	}
	/* At the end of RAM are the device tree and, below it, the initial RAM disk. */
	machine.heap_end = machine.ram_end;
	if ((uint64_t)tree >= (uint64_t)__image_end && (uint64_t)tree < machine.heap_end)
		machine.heap_end = (uint64_t)tree;
	if (tree)
		machine.heap_end = number(tree, "/chosen", "linux,initrd-start", machine.heap_end);
	machine.heap_end &= ~(uint64_t)4095;
}
