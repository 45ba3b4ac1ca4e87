/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <inttypes.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "common/size.h"

/* What the hypervisor keeps of the RAM, at least: itself and its tables, in the unit of guests' memory. */
#define HYPERVISOR_ROOM (2 * DMFS_MEMORY_UNIT)

/* The manifest's guests and services are the plan's capsules, in this order. */
static const struct manifest_capsule *manifest_of(const struct plan *plan, uint32_t index)
{
	const struct manifest *m = &plan->manifest;

	return index < m->guest_count ? &m->guests[index] : &m->services[index - m->guest_count];
}

/* --- consoles -------------------------------------------------------------------------------- */

/* Linux' names for serial devices, by what drives them. */
static const struct {
	const char *compatible, *prefix;
} consoles[] = {
	{"ns16550a", "ttyS"},        {"ns16550", "ttyS"},      {"ns8250", "ttyS"},
	{"snps,dw-apb-uart", "ttyS"}, {"sifive,uart0", "ttySIF"},
};

/* The node that stdout-path names, without options such as :115200n8. Negative when there is none. */
static int stdout_node(const void *tree)
{
	int chosen = fdt_path_offset(tree, "/chosen"), len = 0;
	const char *path = fdt_getprop(tree, chosen, "stdout-path", &len);

	if (!path || len <= 1)
		return -FDT_ERR_NOTFOUND;
	return fdt_path_offset_namelen(tree, path, (int)strcspn(path, ":"));
}

/* The serialN alias of a node; 0 without, as the first one is. */
static unsigned alias_of(const void *tree, int node)
{
	int aliases = fdt_path_offset(tree, "/aliases"), property;

	fdt_for_each_property_offset(property, tree, aliases) {
		const char *name, *path = fdt_getprop_by_offset(tree, property, &name, NULL);

		if (path && strncmp(name, "serial", 6) == 0 && fdt_path_offset(tree, path) == node)
			return (unsigned)strtoul(name + 6, NULL, 10);
	}
	return 0;
}

/* What Linux calls the console that the tree names; NULL when that cannot be told. */
static const char *console_of(struct plan *plan, const void *tree)
{
	int node = stdout_node(tree);

	for (size_t i = 0; node >= 0 && i < sizeof(consoles) / sizeof(consoles[0]); i++) {
		if (fdt_node_check_compatible(tree, node, consoles[i].compatible) == 0)
			return arena_printf(&plan->arena, "%s%u", consoles[i].prefix,
					    alias_of(tree, node));
	}
	return NULL;
}

/* The next word of a command line that begins with `key`, after it; its length in *len. */
static const char *next_option(const char *cmdline, const char *key, size_t *len)
{
	while (*cmdline) {
		size_t word = strcspn(cmdline, " \t\n");

		if (word > strlen(key) && strncmp(cmdline, key, strlen(key)) == 0) {
			*len = word - strlen(key);
			return cmdline + strlen(key);
		}
		cmdline += word;
		cmdline += strspn(cmdline, " \t\n");
	}
	return NULL;
}

/* Any console= will do that is the tree's, or the SBI's (hvc0): Linux takes several. */
static void check_console(struct plan *plan, const struct manifest_capsule *from, const void *tree)
{
	static const char key[] = "console=";
	const char *console = console_of(plan, tree), *first = NULL;
	const char *at = from->cmdline.text;
	size_t len, first_len = 0;

	for (; (at = next_option(at, key, &len)) != NULL; at += len) {
		size_t name = strcspn(at, ", \t\n");

		if (!console || (strlen(console) == name && strncmp(at, console, name) == 0) ||
		    (name == 4 && strncmp(at, "hvc0", 4) == 0))
			return;
		if (!first) {
			first = at;
			first_len = name;
		}
	}
	if (first)
		report_warning(&plan->report, from->cmdline.place,
			       arena_printf(&plan->arena, "console=%s?", console),
			       "the command line of '%s' names the console '%.*s', but the console in "
			       "its device tree is '%s'",
			       from->name.text, (int)first_len, first, console);
}

void check_consoles(struct plan *plan)
{
	for (uint32_t i = 0; i < plan->write.capsule_count; i++) {
		const struct manifest_capsule *from = manifest_of(plan, i);
		const void *tree = plan->objects[plan->capsules[i].devicetree].data;

		if (from->kind != DMFS_GUEST)
			continue;
		if (stdout_node(tree) < 0)
			report_warning(&plan->report, from->place, NULL,
				       "stdout-path in the device tree of '%s' names no device",
				       from->name.text);
		else
			check_console(plan, from, tree);
	}
}

/* --- boards ---------------------------------------------------------------------------------- */

/* The first capsule that no longer fits is where the error points. */
static void check_memory(struct plan *plan, const struct board_facts *board)
{
	uint64_t room = board->ram_len > HYPERVISOR_ROOM ? board->ram_len - HYPERVISOR_ROOM : 0;
	uint64_t sum = 0, before = 0;
	const struct manifest_capsule *over = NULL;
	char takes[24], has[24];

	/* At most 128 times 2^40. */
	for (uint32_t i = 0; i < plan->write.capsule_count; i++) {
		before = sum;
		sum += plan->capsules[i].memory;
		if (!over && before <= room && sum > room)
			over = manifest_of(plan, i);
	}
	if (board->ram_len && over)
		report_error(&plan->report, over->memory.place, NULL,
			     "'%s' does not fit board '%s': guests and services take %s of the %s that "
			     "it has, and the hypervisor at least 4M",
			     over->name.text, board->name, size_text(takes, sum),
			     size_text(has, board->ram_len));
}

static const char *hart_list(struct plan *plan, uint64_t harts)
{
	const char *list = "";

	for (unsigned i = 0; i < 64; i++) {
		if (harts >> i & 1)
			list = arena_printf(&plan->arena, "%s%s%u", list, *list ? ", " : "", i);
	}
	return list;
}

static void check_affinity(struct plan *plan, const struct manifest_capsule *from,
			   const struct board_facts *board)
{
	uint64_t wanted = from->affinity.value, lacking = wanted & ~board->guest_harts;
	const char *harts = hart_list(plan, board->guest_harts);

	if (!lacking || !board->guest_harts)
		return;
	if (lacking == wanted)
		report_error(&plan->report, from->affinity.place, NULL,
			     "'%s' may run on harts that board '%s' does not have: there guests run on %s",
			     from->name.text, board->name, harts);
	else
		report_warning(&plan->report, from->affinity.place, NULL,
			       "board '%s' has no hart %s for '%s': there guests run on %s", board->name,
			       hart_list(plan, lacking), from->name.text, harts);
}

/* Without the H extension a guest sees RAM where it is. */
static void check_address(struct plan *plan, uint32_t index, const struct board_facts *board)
{
	const struct manifest_capsule *from = manifest_of(plan, index);
	const struct dmfs_capsule *capsule = &plan->capsules[index];
	uint64_t end = capsule->kernel_load + plan->objects[capsule->kernel].mem_len;

	if (board->has_h || !board->ram_len || capsule->flags & DMFS_CAPSULE_RELOCATABLE)
		return;
	if (capsule->kernel_load < board->ram_base || end > board->ram_base + board->ram_len)
		report_error(&plan->report, from->kernel.file.place, NULL,
			     "'%s' runs at 0x%" PRIx64 " alone, where board '%s' has no RAM: that begins at "
			     "0x%" PRIx64 ", and its harts lack the H extension, which could show it elsewhere",
			     from->kernel.file.text, capsule->kernel_load, board->name, board->ram_base);
}

static void check_pmp(struct plan *plan, const struct board_facts *board, struct diag_place named)
{
	unsigned needed = board_pmp_needed(board);

	if (board->pmp_entries && board->pmp_entries < needed)
		report_error(&plan->report, named, NULL,
			     "the harts of board '%s' have %u PMP entries; %u are needed to fence guests",
			     board->name, board->pmp_entries, needed);
}

void check_board(struct plan *plan, const struct board_facts *board, struct diag_place named)
{
	if (!board->guest_harts)
		report_error(&plan->report, named, NULL,
			     "no hart of board '%s' (%s) can run guests: they need 64 bits and an S-mode "
			     "with translation",
			     board->name, board->title);
	check_pmp(plan, board, named);
	check_memory(plan, board);
	for (uint32_t i = 0; i < plan->write.capsule_count; i++) {
		check_affinity(plan, manifest_of(plan, i), board);
		check_address(plan, i, board);
	}
}

unsigned check_named_boards(struct plan *plan, bool warn)
{
	const struct manifest_list *boards = &plan->manifest.image.boards;
	unsigned checked = 0;

	for (unsigned i = 0; i < boards->count; i++) {
		const struct board_facts *board = board_named(boards->items[i].text);

		checked += board != NULL;
		if (board)
			check_board(plan, board, boards->items[i].place);
		else if (warn)
			report_warning(&plan->report, boards->items[i].place, NULL,
				       "nothing is known of board '%s': give its device tree, --board "
				       "FILE.dtb",
				       boards->items[i].text);
	}
	return checked;
}
