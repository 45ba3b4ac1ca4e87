/* SPDX-License-Identifier: MIT */
#include "board_devices.h"

#include <libfdt.h>
#include <string.h>

#include "board_tree.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- which wire goes to which hart ----------------------------------------------------------- */

/* Interrupt numbers of a hart's own controller (RISC-V privileged specification, mcause). */
enum { IRQ_M_SOFT = 3, IRQ_M_TIMER = 7, IRQ_S_EXTERNAL = 9, IRQ_M_EXTERNAL = 11 };
#define IRQ_ABSENT UINT32_C(0xffffffff)

/* Entry `index` of interrupts-extended; hart is NULL when it goes to none that is known. */
struct wire {
	struct board_hart *hart;
	uint32_t irq;
};

static bool wire_at(struct board *board, const struct tree_walk *walk, const uint32_t *intc,
		    uint32_t index, struct wire *wire)
{
	uint32_t phandle;

	if (!tree_cell(walk->fdt, walk->node, "interrupts-extended", 2 * index, &phandle) ||
	    !tree_cell(walk->fdt, walk->node, "interrupts-extended", 2 * index + 1, &wire->irq))
		return false;
	wire->hart = NULL;
	for (uint32_t i = 0; i < board->hart_count && phandle != 0; i++)
		if (intc[i] == phandle)
			wire->hart = &board->harts[i];
	return true;
}

/* --- timer and interprocessor interrupts ----------------------------------------------------- */

/*
 * SiFive's CLINT has all registers in one window; ACLINT has a device for each kind (RISC-V ACLINT
 * specification 1.0). T-Head's has no mtime register and takes 32-bit accesses only.
 */
enum clint_parts { CLINT, MSWI, MTIMER };

static const struct clint_kind {
	const char *compatible;
	enum clint_parts parts;
	bool thead;
} clint_kinds[] = {
	{ "thead,c900-clint", CLINT, true },
	{ "thead,c900-aclint-mswi", MSWI, true },
	{ "thead,c900-aclint-mtimer", MTIMER, true },
	{ "sifive,clint0", CLINT, false },
	{ "riscv,clint0", CLINT, false },
	{ "sifive,fu540-c000-clint", CLINT, false },
	{ "starfive,jh7100-clint", CLINT, false },
	{ "starfive,jh7110-clint", CLINT, false },
	{ "canaan,k210-clint", CLINT, false },
	{ "riscv,aclint-mswi", MSWI, false },
	{ "riscv,aclint-mtimer", MTIMER, false },
};

#define CLINT_MSIP 0x0u
#define CLINT_MTIMECMP 0x4000u
#define CLINT_MTIME 0xbff8u
#define MSIP_LEN 4u
#define MTIMECMP_LEN 8u

/* Where the registers of a device are; size 0 where it has none of a kind. */
struct clint_windows {
	struct board_range msip, mtimecmp, mtime;
};

static struct board_range part_of(struct board_range whole, uint64_t from, uint64_t to)
{
	if (to > whole.size)
		to = whole.size;
	return from < to ? (struct board_range){ whole.base + from, to - from } :
			   (struct board_range){ 0, 0 };
}

static bool clint_windows(const struct tree_walk *walk, const struct clint_kind *kind,
			  struct clint_windows *windows)
{
	struct board_range reg;

	memset(windows, 0, sizeof(*windows));
	if (!tree_reg(walk, 0, &reg))
		return false;
	switch (kind->parts) {
	case CLINT:
		windows->msip = part_of(reg, CLINT_MSIP, CLINT_MTIMECMP);
		windows->mtimecmp = part_of(reg, CLINT_MTIMECMP, CLINT_MTIME);
		windows->mtime = part_of(reg, CLINT_MTIME, CLINT_MTIME + sizeof(uint64_t));
		break;
	case MSWI:
		windows->msip = reg;
		break;
	case MTIMER:
		/* mtime first, then mtimecmp, unless they are named or mtime is missing. */
		if (tree_reg_named(walk, "mtimecmp", &windows->mtimecmp)) {
			tree_reg_named(walk, "mtime", &windows->mtime);
		} else if (tree_reg(walk, 1, &windows->mtimecmp)) {
			windows->mtime = reg;
		} else {
			windows->mtimecmp = reg;
		}
		break;
	}
	if (kind->thead || windows->mtime.size < sizeof(uint64_t))
		windows->mtime = (struct board_range){ 0, 0 };
	return true;
}

static uint64_t least_hart(struct board *board, const struct tree_walk *walk, const uint32_t *intc)
{
	uint64_t least = UINT64_MAX;
	struct wire wire;

	for (uint32_t i = 0; wire_at(board, walk, intc, i, &wire); i++)
		if (wire.hart && wire.hart->id < least)
			least = wire.hart->id;
	return least;
}

/* The register of number `index` in a window, 0 past its end. */
static uint64_t register_at(struct board_range window, uint64_t index, uint32_t len)
{
	return index < window.size / len ? window.base + index * len : 0;
}

/* A hart's register is as far from the first as its number is from the least number wired here. */
static const char *read_clint(struct board *board, const struct tree_walk *walk,
			      const struct clint_kind *kind, const uint32_t *intc)
{
	uint64_t least = least_hart(board, walk, intc);
	struct clint_windows windows;
	struct wire wire;

	if (!clint_windows(walk, kind, &windows))
		return "the machine timer in the device tree has a reg that cannot be used";
	for (uint32_t i = 0; wire_at(board, walk, intc, i, &wire); i++) {
		if (wire.hart && wire.irq == IRQ_M_SOFT && windows.msip.size)
			wire.hart->msip = register_at(windows.msip, wire.hart->id - least, MSIP_LEN);
		if (wire.hart && wire.irq == IRQ_M_TIMER && windows.mtimecmp.size)
			wire.hart->mtimecmp =
				register_at(windows.mtimecmp, wire.hart->id - least, MTIMECMP_LEN);
	}
	if (board->mtime == 0)
		board->mtime = windows.mtime.base;
	if (kind->thead && windows.mtimecmp.size)
		board->mtimecmp_32bit = true;
	return NULL;
}

static const char *read_clints(struct board *board, const void *fdt, const uint32_t *intc)
{
	for (struct tree_walk walk = tree_root(fdt); walk.node >= 0; tree_next(&walk)) {
		const struct clint_kind *kind = NULL;
		const char *error;

		for (size_t i = 0; i < COUNT(clint_kinds) && !kind; i++)
			if (tree_lists(fdt, walk.node, "compatible", clint_kinds[i].compatible))
				kind = &clint_kinds[i];
		if (!kind || !tree_enabled(&walk))
			continue;
		error = read_clint(board, &walk, kind, intc);
		if (error)
			return error;
	}
	return NULL;
}

/* --- serial ports ----------------------------------------------------------------------------- */

#define VIRTIO_MMIO_LEN 0x200u /* registers that a driver uses */

static const struct uart_kind {
	const char *compatible;
	enum board_uart_type type;
} uart_kinds[] = {
	{ "ns16550a", BOARD_UART_NS16550 },	    { "ns16550", BOARD_UART_NS16550 },
	{ "ns16450", BOARD_UART_NS16550 },	    { "ns8250", BOARD_UART_NS16550 },
	{ "snps,dw-apb-uart", BOARD_UART_NS16550 }, { "sifive,uart0", BOARD_UART_SIFIVE },
};

static enum board_uart_type uart_type(const struct tree_walk *walk)
{
	for (size_t i = 0; i < COUNT(uart_kinds); i++)
		if (tree_lists(walk->fdt, walk->node, "compatible", uart_kinds[i].compatible))
			return uart_kinds[i].type;
	return BOARD_UART_NONE;
}

/* stdout-path is a path or an alias, then perhaps a colon and "115200n8" (section 3.6). */
static struct tree_walk chosen_console(const void *fdt, uint32_t *baud)
{
	int chosen = fdt_path_offset(fdt, "/chosen");
	const char *path = NULL;
	size_t len;

	if (chosen >= 0)
		path = tree_string(fdt, chosen, "stdout-path");
	if (!path)
		return tree_find_path(fdt, "serial0", strlen("serial0"));
	len = strcspn(path, ":");
	if (path[len] == ':')
		for (const char *digit = path + len + 1; *digit >= '0' && *digit <= '9'; digit++)
			*baud = *baud < 100000000 ? *baud * 10 + (uint32_t)(*digit - '0') : 0;
	return tree_find_path(fdt, path, len);
}

static bool is_known_uart(const struct tree_walk *walk)
{
	return uart_type(walk) != BOARD_UART_NONE && tree_enabled(walk);
}

static struct tree_walk first_known_uart(const void *fdt, int other_than)
{
	struct tree_walk walk = tree_root(fdt);

	while (walk.node >= 0 && (walk.node == other_than || !is_known_uart(&walk)))
		tree_next(&walk);
	return walk;
}

/* The rate of a clock that never changes (binding: clock/fixed-clock.yaml); 0 for others. */
static uint32_t clock_rate(const struct tree_walk *walk)
{
	uint32_t rate = tree_u32(walk->fdt, walk->node, "clock-frequency", 0);
	int clock;

	if (rate != 0)
		return rate;
	clock = fdt_node_offset_by_phandle(walk->fdt, tree_u32(walk->fdt, walk->node, "clocks", 0));
	if (clock < 0 || !tree_lists(walk->fdt, clock, "compatible", "fixed-clock"))
		return 0;
	return tree_u32(walk->fdt, clock, "clock-frequency", 0);
}

static uint32_t first_interrupt(const struct tree_walk *walk)
{
	uint32_t irq;

	if (tree_cell(walk->fdt, walk->node, "interrupts-extended", 1, &irq))
		return irq;
	return tree_u32(walk->fdt, walk->node, "interrupts", 0);
}

/* The registers of the node's UART; or what is wrong with it. */
static const char *read_uart(struct board_uart *uart, const struct tree_walk *walk)
{
	struct board_range reg;
	uint32_t offset;

	uart->compatible = tree_string(walk->fdt, walk->node, "compatible");
	uart->type = uart_type(walk);
	if (uart->type == BOARD_UART_NONE)
		return NULL;

	offset = tree_u32(walk->fdt, walk->node, "reg-offset", 0);
	uart->reg_shift = tree_u32(walk->fdt, walk->node, "reg-shift", 0);
	uart->io_width = tree_u32(walk->fdt, walk->node, "reg-io-width",
				  uart->type == BOARD_UART_SIFIVE ? 4 : 1);
	if (!tree_reg(walk, 0, &reg) || offset >= reg.size)
		return "the console in the device tree has a reg that cannot be used";
	if (uart->reg_shift > 4 || (uart->io_width != 1 && uart->io_width != 4))
		return "the console in the device tree has an unusable reg-shift or reg-io-width";
	uart->base = reg.base + offset;
	uart->irq = first_interrupt(walk);
	uart->clock_hz = clock_rate(walk);
	if (uart->baud == 0)
		uart->baud = tree_u32(walk->fdt, walk->node, "current-speed", 0);
	return NULL;
}

/* Leaves the console's node in *walk. */
static const char *read_console(struct board *board, const void *fdt, struct tree_walk *walk)
{
	*walk = chosen_console(fdt, &board->uart.baud);
	if (walk->node < 0 || !tree_enabled(walk))
		*walk = first_known_uart(fdt, -1);
	return walk->node < 0 ? NULL : read_uart(&board->uart, walk);
}

/* The second port, other than the console's node. One that cannot be used is none. */
static void read_control(struct board *board, const void *fdt, int console)
{
	struct tree_walk walk = tree_find_path(fdt, "serial1", strlen("serial1"));

	if (walk.node < 0 || walk.node == console || !is_known_uart(&walk))
		walk = first_known_uart(fdt, console);
	if (walk.node >= 0 && read_uart(&board->control, &walk) != NULL)
		board->control = (struct board_uart){ 0 };
}

static void read_virtio(struct board *board, const void *fdt)
{
	for (struct tree_walk walk = tree_root(fdt); walk.node >= 0; tree_next(&walk)) {
		struct board_virtio *slot = &board->virtio[board->virtio_count];
		struct board_range reg;

		if (board->virtio_count == BOARD_MAX_VIRTIO)
			return;
		if (!tree_lists(fdt, walk.node, "compatible", "virtio,mmio") || !tree_enabled(&walk) ||
		    !tree_reg(&walk, 0, &reg) || reg.size < VIRTIO_MMIO_LEN)
			continue;
		slot->base = reg.base;
		slot->irq = first_interrupt(&walk);
		board->virtio_count++;
	}
}

/* --- the interrupt controller ---------------------------------------------------------------- */

static const char *const plic_kinds[] = { "sifive,plic-1.0.0", "riscv,plic0", "thead,c900-plic" };

/* RISC-V PLIC specification 1.0.0, "Memory Map". */
#define PLIC_MAX_SOURCES 1023u
#define PLIC_CONTEXT 0x200000u
#define PLIC_CONTEXT_LEN 0x1000u

static bool is_plic(const struct tree_walk *walk)
{
	for (size_t i = 0; i < COUNT(plic_kinds); i++)
		if (tree_lists(walk->fdt, walk->node, "compatible", plic_kinds[i]))
			return true;
	return false;
}

/*
 * Contexts are numbered by their place in interrupts-extended. Trees for kernels hide the machine
 * mode's from S-mode as an absent interrupt just before the hart's supervisor one.
 */
static void read_contexts(struct board *board, const struct tree_walk *walk, const uint32_t *intc)
{
	uint64_t room = board->plic.size / PLIC_CONTEXT_LEN;
	struct wire wire, next;

	for (uint32_t i = 0; wire_at(board, walk, intc, i, &wire); i++) {
		bool hidden = wire.irq == IRQ_ABSENT && wire_at(board, walk, intc, i + 1, &next) &&
			      next.hart == wire.hart && next.irq == IRQ_S_EXTERNAL;

		if (wire.hart && (wire.irq == IRQ_M_EXTERNAL || hidden) &&
		    PLIC_CONTEXT / PLIC_CONTEXT_LEN + i < room)
			wire.hart->plic_context = i;
	}
}

static void limit_irq(const struct board *board, uint32_t *irq)
{
	if (*irq > board->plic.sources)
		*irq = 0;
}

/* A PLIC that the console's interrupt reaches, otherwise the first one. It is taken for that of the second port as well. */
static const char *read_plic(struct board *board, const void *fdt, const uint32_t *intc,
			     const struct tree_walk *console)
{
	uint32_t parent = console->node >= 0 ? tree_interrupt_parent(console) : 0;
	struct tree_walk walk = tree_find_phandle(fdt, parent);
	struct board_range reg;

	if (walk.node < 0 || !is_plic(&walk) || !tree_enabled(&walk)) {
		if (walk.node >= 0)
			board->plic.compatible = tree_string(fdt, walk.node, "compatible");
		board->uart.irq = 0;
		walk = tree_root(fdt);
		while (walk.node >= 0 && (!is_plic(&walk) || !tree_enabled(&walk)))
			tree_next(&walk);
	}
	if (walk.node < 0)
		return NULL;
	if (!tree_reg(&walk, 0, &reg))
		return "the interrupt controller in the device tree has a reg that cannot be used";
	board->plic.base = reg.base;
	board->plic.size = reg.size;
	board->plic.sources = tree_u32(fdt, walk.node, "riscv,ndev", 0);
	if (board->plic.sources > PLIC_MAX_SOURCES)
		board->plic.sources = PLIC_MAX_SOURCES;
	limit_irq(board, &board->uart.irq);
	limit_irq(board, &board->control.irq);
	for (uint32_t i = 0; i < board->virtio_count; i++)
		limit_irq(board, &board->virtio[i].irq);
	board->plic.compatible = tree_string(fdt, walk.node, "compatible");
	read_contexts(board, &walk, intc);
	return NULL;
}

/* --- power off and reboot -------------------------------------------------------------------- */

/* The register is at an offset into another device; a mask would need what is in it now. */
static void read_syscon(struct board_reset *reset, const struct tree_walk *walk)
{
	uint32_t phandle = tree_u32(walk->fdt, walk->node, "regmap", 0);
	struct tree_walk device = tree_find_phandle(walk->fdt, phandle);
	struct board_range reg;
	uint32_t offset;

	if (!tree_cell(walk->fdt, walk->node, "offset", 0, &offset) ||
	    !tree_cell(walk->fdt, walk->node, "value", 0, &reset->value) ||
	    tree_u32(walk->fdt, walk->node, "mask", UINT32_MAX) != UINT32_MAX ||
	    device.node < 0 || !tree_reg(&device, 0, &reg) || reg.size < sizeof(uint32_t) ||
	    offset > reg.size - sizeof(uint32_t))
		return;
	reset->type = BOARD_RESET_SYSCON;
	reset->address = reg.base + offset;
	reset->test_finisher = tree_lists(walk->fdt, device.node, "compatible", "sifive,test0") ||
			       tree_lists(walk->fdt, device.node, "compatible", "sifive,test1");
}

static void read_gpio(struct board_reset *reset, const struct tree_walk *walk)
{
	struct tree_walk device =
		tree_find_phandle(walk->fdt, tree_u32(walk->fdt, walk->node, "gpios", 0));
	struct board_range reg;
	uint32_t flags;

	if (!tree_cell(walk->fdt, walk->node, "gpios", 1, &reset->value) ||
	    !tree_cell(walk->fdt, walk->node, "gpios", 2, &flags) || reset->value >= 32 ||
	    device.node < 0 || !tree_lists(walk->fdt, device.node, "compatible", "sifive,gpio0") ||
	    !tree_reg(&device, 0, &reg))
		return;
	reset->type = BOARD_RESET_GPIO;
	reset->address = reg.base;
	reset->active_low = (flags & 1) != 0;
}

static void read_resets(struct board *board, const void *fdt)
{
	const struct {
		const char *compatible;
		struct board_reset *reset;
		void (*read)(struct board_reset *reset, const struct tree_walk *walk);
	} kinds[] = {
		{ "syscon-poweroff", &board->poweroff, read_syscon },
		{ "syscon-reboot", &board->reboot, read_syscon },
		{ "gpio-poweroff", &board->poweroff, read_gpio },
		{ "gpio-restart", &board->reboot, read_gpio },
	};

	for (struct tree_walk walk = tree_root(fdt); walk.node >= 0; tree_next(&walk))
		for (size_t i = 0; i < COUNT(kinds); i++)
			if (kinds[i].reset->type == BOARD_RESET_NONE &&
			    tree_lists(fdt, walk.node, "compatible", kinds[i].compatible) &&
			    tree_enabled(&walk))
				kinds[i].read(kinds[i].reset, &walk);
}

/* --- the store ------------------------------------------------------------------------------- */

/* Flash memory for the board's own data (binding: mtd/mtd-physmap.yaml): the first bank is for firmware. */
static void read_store(struct board *board, const void *fdt)
{
	struct tree_walk walk = tree_root(fdt);
	struct board_range bank;

	while (walk.node >= 0 &&
	       (!tree_lists(fdt, walk.node, "compatible", "cfi-flash") || !tree_enabled(&walk)))
		tree_next(&walk);
	if (walk.node >= 0 && tree_u32(fdt, walk.node, "bank-width", 0) == 4 && tree_reg(&walk, 1, &bank))
		board->store = bank;
}

const char *board_read_devices(struct board *board, const void *fdt, const uint32_t *intc)
{
	struct tree_walk console;
	const char *error = read_clints(board, fdt, intc);

	if (!error)
		error = read_console(board, fdt, &console);
	if (!error && console.node >= 0)
		read_control(board, fdt, console.node);
	if (!error)
		read_virtio(board, fdt);
	if (!error)
		error = read_plic(board, fdt, intc, &console);
	if (!error)
		read_resets(board, fdt);
	if (!error)
		read_store(board, fdt);
	return error;
}
