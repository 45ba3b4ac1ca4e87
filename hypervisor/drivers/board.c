/* SPDX-License-Identifier: MIT */
/* Harts, memory and what the boot loader chose; devices are board_devices.c's. */
#include "board.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "board_devices.h"
#include "board_tree.h"

/* --- harts ----------------------------------------------------------------------------------- */

/* The extensions that matter here. */
enum extension { EXT_I = 1, EXT_M = 2, EXT_A = 4, EXT_C = 8, EXT_H = 16, EXT_SSTC = 32 };

static const struct {
	const char *name;
	unsigned means;
} extensions[] = {
	{ "i", EXT_I },	{ "m", EXT_M }, { "a", EXT_A },	      { "g", EXT_I | EXT_M | EXT_A },
	{ "c", EXT_C }, { "h", EXT_H }, { "sstc", EXT_SSTC },
};

#define NEEDED (EXT_I | EXT_M | EXT_A | EXT_C)

static char lower(char letter)
{
	return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static bool is_digit(char letter)
{
	return letter >= '0' && letter <= '9';
}

static unsigned extension_called(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		size_t same = 0;

		while (same < len && lower(name[same]) == extensions[i].name[same])
			same++;
		if (same == len && extensions[i].name[same] == '\0')
			return extensions[i].means;
	}
	return 0;
}

static uint32_t xlen_of(const char *isa)
{
	if (!isa || lower(isa[0]) != 'r' || lower(isa[1]) != 'v')
		return 0;
	return strncmp(isa + 2, "64", 2) == 0 ? 64 : strncmp(isa + 2, "32", 2) == 0 ? 32 : 0;
}

/* The length of a long name without a version such as 2p1 at its end. */
static size_t name_len(const char *name, size_t len)
{
	while (len > 1 && (is_digit(name[len - 1]) ||
			   (lower(name[len - 1]) == 'p' && is_digit(name[len - 2]))))
		len--;
	return len;
}

/* The same after a single letter. */
static const char *skip_version(const char *isa)
{
	while (is_digit(*isa) || (lower(*isa) == 'p' && is_digit(isa[-1]) && is_digit(isa[1])))
		isa++;
	return isa;
}

/* Single letters, then names after underscores: RISC-V unprivileged ISA, "ISA extension naming". */
static unsigned extensions_of_isa(const char *isa)
{
	unsigned found = 0;

	isa += 4;
	while (*isa) {
		size_t len = strchr("sSzZxX", *isa) ? strcspn(isa, "_") : 1;

		found |= extension_called(isa, name_len(isa, len));
		isa = skip_version(isa + len);
		isa += strspn(isa, "_");
	}
	return found;
}

static unsigned extensions_listed(const void *fdt, int node)
{
	int size = 0;
	const char *name = fdt_getprop(fdt, node, "riscv,isa-extensions", &size);
	unsigned found = 0;

	while (name && size > 0) {
		const char *nul = memchr(name, '\0', (size_t)size);
		size_t len = nul ? (size_t)(nul - name) : (size_t)size;

		found |= extension_called(name, len);
		name += len + 1;
		size -= (int)len + 1;
	}
	return found;
}

static void read_isa(struct board_hart *hart, const struct tree_walk *walk)
{
	const void *fdt = walk->fdt;
	const char *base = tree_string(fdt, walk->node, "riscv,isa-base");
	const char *mmu = tree_string(fdt, walk->node, "mmu-type");
	unsigned found = extensions_listed(fdt, walk->node);

	hart->isa = tree_string(fdt, walk->node, "riscv,isa");
	hart->xlen = xlen_of(base ? base : hart->isa);
	if (xlen_of(hart->isa) != 0)
		found |= extensions_of_isa(hart->isa);
	hart->usable = tree_enabled(walk) && hart->xlen == 64 && (found & NEEDED) == NEEDED;
	hart->has_s = mmu && strcmp(mmu, "riscv,none") != 0;
	hart->has_h = (found & EXT_H) != 0;
	hart->has_sstc = (found & EXT_SSTC) != 0;
}

static const char *read_hart(struct board *board, const struct tree_walk *walk)
{
	struct board_hart *hart = &board->harts[board->hart_count];
	struct board_range reg;

	if (board->hart_count == BOARD_MAX_HARTS)
		return "the device tree lists more than 128 harts";
	if (!tree_reg_on_bus(walk, 0, &reg))
		return "a hart in the device tree has no number in its reg";
	for (uint32_t i = 0; i < board->hart_count; i++)
		if (board->harts[i].id == reg.base)
			return "two harts in the device tree have the same number";
	hart->id = reg.base;
	hart->plic_context = BOARD_NONE;
	read_isa(hart, walk);
	board->hart_count++;
	if (board->timebase_hz == 0)
		board->timebase_hz = tree_u32(walk->fdt, walk->node, "timebase-frequency", 0);
	return NULL;
}

/* Finds also each hart's own interrupt controller, which the devices' wires name. */
static const char *read_harts(struct board *board, const void *fdt, uint32_t *intc)
{
	int cpus = fdt_path_offset(fdt, "/cpus");

	if (cpus < 0)
		return "the device tree has no /cpus node";
	board->timebase_hz = tree_u32(fdt, cpus, "timebase-frequency", 0);
	for (struct tree_walk walk = tree_find(fdt, cpus); walk.node >= 0; tree_next(&walk)) {
		const char *error;
		int child;

		if (!tree_is_child_of(&walk, "cpus") ||
		    !tree_string_is(fdt, walk.node, "device_type", "cpu"))
			continue;
		error = read_hart(board, &walk);
		if (error)
			return error;
		fdt_for_each_subnode(child, fdt, walk.node)
			if (fdt_getprop(fdt, child, "interrupt-controller", NULL))
				intc[board->hart_count - 1] = fdt_get_phandle(fdt, child);
	}
	return board->hart_count == 0 ? "the device tree lists no hart" : NULL;
}

/* --- memory ---------------------------------------------------------------------------------- */

static void remove_bank(struct board *board, uint32_t index)
{
	board->ram_count--;
	memmove(&board->ram[index], &board->ram[index + 1],
		(board->ram_count - index) * sizeof(board->ram[0]));
}

/* Banks that touch or overlap become one; of too many the smallest is left out. */
static void add_ram(struct board *board, struct board_range bank)
{
	uint32_t at = 0;

	for (uint32_t i = board->ram_count; i-- > 0;) {
		struct board_range *other = &board->ram[i];
		uint64_t end = bank.base + bank.size;

		if (bank.base > other->base + other->size || other->base > end)
			continue;
		if (other->base + other->size > end)
			end = other->base + other->size;
		if (other->base < bank.base)
			bank.base = other->base;
		bank.size = end - bank.base;
		remove_bank(board, i);
	}
	if (board->ram_count == BOARD_MAX_BANKS) {
		uint32_t smallest = 0;

		for (uint32_t i = 1; i < board->ram_count; i++)
			if (board->ram[i].size < board->ram[smallest].size)
				smallest = i;
		if (bank.size <= board->ram[smallest].size)
			return;
		remove_bank(board, smallest);
	}
	while (at < board->ram_count && board->ram[at].base < bank.base)
		at++;
	memmove(&board->ram[at + 1], &board->ram[at],
		(board->ram_count - at) * sizeof(board->ram[0]));
	board->ram[at] = bank;
	board->ram_count++;
}

static const char *read_ram(struct board *board, const struct tree_walk *walk)
{
	int count = tree_reg_count(walk);
	struct board_range bank;

	if (count < 0)
		return "a memory node of the device tree has a malformed reg";
	for (uint32_t i = 0; i < (uint32_t)count; i++) {
		if (!tree_reg(walk, i, &bank))
			return "a memory node of the device tree has a reg that wraps around";
		if (bank.size > 0)
			add_ram(board, bank);
	}
	return NULL;
}

static const char *add_reserved(struct board *board, struct board_range range)
{
	if (range.size == 0)
		return NULL;
	if (board->reserved_count == BOARD_MAX_RESERVED)
		return "the device tree reserves more than 64 ranges of memory";
	board->reserved[board->reserved_count++] = range;
	return NULL;
}

/* Without a reg it is a wish of the operating system's, to be placed anywhere. */
static const char *read_reserved(struct board *board, const struct tree_walk *walk)
{
	int count = tree_reg_count(walk);
	const char *error = NULL;
	struct board_range range;

	if (count < 0)
		return "a reserved-memory node of the device tree has a malformed reg";
	for (uint32_t i = 0; i < (uint32_t)count && !error; i++) {
		if (!tree_reg(walk, i, &range))
			return "a reserved-memory node of the device tree has a reg that leads nowhere";
		error = add_reserved(board, range);
	}
	return error;
}

static const char *read_memory(struct board *board, const void *fdt)
{
	const char *error = NULL;
	int count = fdt_num_mem_rsv(fdt);

	for (int i = 0; i < count && !error; i++) {
		struct board_range range;

		if (fdt_get_mem_rsv(fdt, i, &range.base, &range.size) != 0 ||
		    range.base + range.size < range.base)
			return "the device tree's memory reservation block is malformed";
		error = add_reserved(board, range);
	}
	for (struct tree_walk walk = tree_root(fdt); walk.node >= 0 && !error; tree_next(&walk)) {
		bool ram = walk.depth == 1 && tree_string_is(fdt, walk.node, "device_type", "memory");

		if ((!ram && !tree_is_child_of(&walk, "reserved-memory")) || !tree_enabled(&walk))
			continue;
		error = ram ? read_ram(board, &walk) : read_reserved(board, &walk);
	}
	return error;
}

/* --- root and /chosen ------------------------------------------------------------------------ */

static void read_root(struct board *board, const void *fdt)
{
	int count = fdt_stringlist_count(fdt, 0, "compatible");

	for (int i = 0; i < count && board->compatible_count < BOARD_MAX_COMPATIBLE; i++) {
		const char *name = fdt_stringlist_get(fdt, 0, "compatible", i, NULL);

		if (name && name[0])
			board->compatible[board->compatible_count++] = name;
	}
	board->model = tree_string(fdt, 0, "model");
	if (!board->model || !board->model[0])
		board->model = board->compatible_count > 0 ? board->compatible[0] : "unnamed board";
}

static const char *read_chosen(struct board *board, const void *fdt)
{
	int chosen = fdt_path_offset(fdt, "/chosen");
	bool start, end;
	int size;

	board->bootargs = "";
	if (chosen < 0)
		return NULL;
	if (tree_string(fdt, chosen, "bootargs"))
		board->bootargs = tree_string(fdt, chosen, "bootargs");
	board->rng_seed = fdt_getprop(fdt, chosen, "rng-seed", &size);
	board->has_rng_seed = board->rng_seed && size > 0;
	board->rng_seed_len = board->has_rng_seed ? (uint32_t)size : 0;

	start = tree_u64(fdt, chosen, "linux,initrd-start", &board->initrd_start);
	end = tree_u64(fdt, chosen, "linux,initrd-end", &board->initrd_end);
	if (start != end || board->initrd_end < board->initrd_start)
		return "/chosen in the device tree has a malformed linux,initrd-start or -end";
	return NULL;
}

/*
 * Before libfdt's own check: it stumbles over the formats before version 17, which nobody writes
 * any more, and loads words from wherever the blocks begin (their alignment: section 5.1).
 */
static const char *check_format(const void *fdt, size_t len)
{
	if (len < FDT_V17_SIZE || fdt_magic(fdt) != FDT_MAGIC)
		return "what was passed is no device tree";
	if (fdt_version(fdt) < 17)
		return "the device tree is of a format version before 17";
	if ((uintptr_t)fdt % 8 != 0 || fdt_off_mem_rsvmap(fdt) % 8 != 0 ||
	    fdt_off_dt_struct(fdt) % 4 != 0)
		return "the device tree, or a block of it, is not aligned";
	if (fdt_check_full(fdt, len) != 0)
		return "the device tree is damaged, or longer than the memory that it is in";
	return NULL;
}

const char *board_read(struct board *board, const void *fdt, size_t len)
{
	uint32_t intc[BOARD_MAX_HARTS] = { 0 };
	const char *error;

	memset(board, 0, sizeof(*board));
	error = check_format(fdt, len);
	if (error)
		return error;
	read_root(board, fdt);
	error = read_chosen(board, fdt);
	if (!error)
		error = read_harts(board, fdt, intc);
	if (!error)
		error = read_memory(board, fdt);
	if (!error)
		error = board_read_devices(board, fdt, intc);
	return error;
}

/* --- what is missing ------------------------------------------------------------------------- */

/* The first step at which no hart is left. */
static const char *harts_obstacle(const struct board *board)
{
	enum { RV64, USABLE, S_MODE, TIMER, IPI, STEPS };
	static const char *const sentences[STEPS] = {
		[RV64] = "none of its harts has an XLEN of 64",
		[USABLE] = "none of its harts is enabled and has the extensions I, M, A and C",
		[S_MODE] = "none of its usable harts has an S-mode with translation",
		[TIMER] = "its device tree describes no machine timer that this version knows",
		[IPI] = "its device tree describes no interprocessor interrupt that this version knows",
	};
	int best = RV64;

	for (uint32_t i = 0; i < board->hart_count; i++) {
		const struct board_hart *hart = &board->harts[i];
		bool has[STEPS] = { hart->xlen == 64, hart->usable, hart->has_s, hart->mtimecmp != 0,
				    hart->msip != 0 };
		int step = RV64;

		while (step < STEPS && has[step])
			step++;
		if (step > best)
			best = step;
	}
	return best == STEPS ? NULL : sentences[best];
}

const char *board_obstacle(const struct board *board, char *buf, size_t len)
{
	const char *harts = harts_obstacle(board);

	if (harts)
		snprintf(buf, len, "%s", harts);
	else if (board->timebase_hz == 0)
		snprintf(buf, len, "its device tree gives no timebase-frequency");
	else if (board->ram_count == 0)
		snprintf(buf, len, "its device tree gives no RAM");
	else if (board->uart.type == BOARD_UART_NONE && board->uart.compatible)
		snprintf(buf, len, "its console is a %s, which this version cannot drive",
			 board->uart.compatible);
	else if (board->uart.type == BOARD_UART_NONE)
		snprintf(buf, len, "its device tree names no console that this version can drive");
	else if (board->plic.base == 0 && board->plic.compatible)
		snprintf(buf, len, "its interrupt controller is a %s, which this version cannot drive",
			 board->plic.compatible);
	else if (board->plic.base == 0)
		snprintf(buf, len, "its device tree names no PLIC");
	else
		return NULL;
	return buf;
}
