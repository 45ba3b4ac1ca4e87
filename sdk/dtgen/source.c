/* SPDX-License-Identifier: MIT */
/* A flattened tree as source (Devicetree Specification 0.4, chapter 6). */
#include <libfdt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtgen.h"

#define CELL 4

/* Printable strings, none empty, each with its NUL? */
static bool is_text(const char *value, int len)
{
	if (len == 0 || value[0] == '\0' || value[len - 1] != '\0')
		return false;
	for (int i = 0; i < len; i++)
		if (value[i] == '\0' ? value[i - 1] == '\0' : value[i] < ' ' || value[i] > '~')
			return false;
	return true;
}

static void print_text(FILE *out, const char *value, int len)
{
	fputs(" = \"", out);
	for (int i = 0; i < len - 1; i++) {
		if (value[i] == '\0') {
			fputs("\", \"", out);
			continue;
		}
		if (value[i] == '"' || value[i] == '\\')
			fputc('\\', out);
		fputc(value[i], out);
	}
	fputc('"', out);
}

/* Properties whose first cell is a phandle, followed by as many cells as the node there says. */
static const struct reference {
	const char *property;
	const char *arguments; /* the property that says how many; NULL for none */
} references[] = {
	{ "interrupt-parent", NULL },	{ "interrupts-extended", "#interrupt-cells" },
	{ "clocks", "#clock-cells" },	{ "resets", "#reset-cells" },
	{ "gpios", "#gpio-cells" },	{ "regmap", NULL },
	{ "memory-region", NULL },	{ "cpu", NULL },
};

static const struct reference *reference_in(const char *property)
{
	for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++)
		if (strcmp(references[i].property, property) == 0)
			return &references[i];
	return NULL;
}

static uint32_t argument_count(const void *fdt, int node, const struct reference *reference)
{
	int len = 0;
	const fdt32_t *count = NULL;

	if (reference->arguments)
		count = fdt_getprop(fdt, node, reference->arguments, &len);
	return count && len == CELL ? fdt32_ld(count) : 0;
}

static void print_cells(FILE *out, const void *fdt, const char *property, const fdt32_t *cells,
			int count)
{
	const struct reference *reference = reference_in(property);
	uint32_t arguments = 0; /* cells until the next phandle */

	for (int i = 0; i < count; i++) {
		uint32_t value = fdt32_ld(cells + i);
		int target = -1;

		fputs(i ? " " : " = <", out);
		if (reference && arguments == 0)
			target = fdt_node_offset_by_phandle(fdt, value);
		else if (reference)
			arguments--;
		if (target >= 0) {
			arguments = argument_count(fdt, target, reference);
			fprintf(out, "&node%u", (unsigned)value);
		} else {
			fprintf(out, "0x%x", (unsigned)value);
		}
	}
	fputc('>', out);
}

static void print_value(FILE *out, const void *fdt, const char *property, const void *value,
			int len)
{
	const uint8_t *byte = value;

	if (len == 0)
		return;
	if (is_text(value, len)) {
		print_text(out, value, len);
	} else if (len % CELL == 0) {
		print_cells(out, fdt, property, value, len / CELL);
	} else {
		for (int i = 0; i < len; i++)
			fprintf(out, "%s%02x", i ? " " : " = [", byte[i]);
		fputc(']', out);
	}
}

static void indent(FILE *out, int depth)
{
	while (depth-- > 0)
		fputc('\t', out);
}

static void print_properties(FILE *out, const void *fdt, int node, int depth)
{
	int property;

	fdt_for_each_property_offset(property, fdt, node) {
		const char *name;
		int len;
		const void *value = fdt_getprop_by_offset(fdt, property, &name, &len);

		if (!value)
			continue;
		indent(out, depth);
		fputs(name, out);
		print_value(out, fdt, name, value, len);
		fputs(";\n", out);
	}
}

/* Ends the nodes from the one at depth `from` up to the one at depth `to`. */
static void close_nodes(FILE *out, int from, int to)
{
	for (; from >= to; from--) {
		indent(out, from);
		fputs("};\n", out);
	}
}

static void print_tree(FILE *out, const void *fdt)
{
	int depth = 0, previous = -1;

	for (int node = 0; node >= 0 && depth >= 0; node = fdt_next_node(fdt, node, &depth)) {
		const char *name = fdt_get_name(fdt, node, NULL);

		close_nodes(out, previous, depth);
		fputc('\n', out);
		indent(out, depth);
		if (fdt_get_phandle(fdt, node) != 0)
			fprintf(out, "node%u: ", (unsigned)fdt_get_phandle(fdt, node));
		fprintf(out, "%s {\n", depth == 0 ? "/" : name ? name : "");
		print_properties(out, fdt, node, depth + 1);
		previous = depth;
	}
	close_nodes(out, previous, 0);
}

char *dtgen_to_source(const void *fdt)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	fputs("/dts-v1/;\n", out);
	for (int i = 0; i < fdt_num_mem_rsv(fdt); i++) {
		uint64_t base, size;

		if (fdt_get_mem_rsv(fdt, i, &base, &size) == 0)
			fprintf(out, "/memreserve/ 0x%llx 0x%llx;\n", (unsigned long long)base,
				(unsigned long long)size);
	}
	print_tree(out, fdt);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
