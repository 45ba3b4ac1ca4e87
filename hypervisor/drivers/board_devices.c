/* SPDX-License-Identifier: MIT */
#include "board_devices.h"

#include <libfdt.h>
#include <string.h>

#include "board_tree.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * The tree is walked once. Each device that is known is read at its node; of serial ports and interrupt
 * controllers the walk only finds which, for that depends on more nodes than one.
 */
struct reader {
	struct board *board;
	const uint32_t *intc; /* phandles of the harts' own interrupt controllers */
	struct tree_walk console, control, plic; /* ended until found */
};

/* What the compatible string of a node says; NULL or what of the node cannot be used. */
struct device_kind {
	const char *compatible;
	const char *(*read)(struct reader *reader, const struct tree_walk *walk, unsigned variant);
	unsigned variant; /* for `read` */
};

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
enum clint_variant { CLINT, MSWI, MTIMER, CLINT_PARTS = 3, THEAD = 4 };

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

static bool clint_windows(const struct tree_walk *walk, unsigned variant, struct clint_windows *windows)
{
	struct board_range reg;

	memset(windows, 0, sizeof(*windows));
	if (!tree_reg(walk, 0, &reg))
		return false;
	switch (variant & CLINT_PARTS) {
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
	if ((variant & THEAD) || windows->mtime.size < sizeof(uint64_t))
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
static const char *read_clint(struct reader *reader, const struct tree_walk *walk, unsigned variant)
{
	struct board *board = reader->board;
	uint64_t least = least_hart(board, walk, reader->intc);
	struct clint_windows windows;
	struct wire wire;

	if (!clint_windows(walk, variant, &windows))
		return "the machine timer in the device tree has a reg that cannot be used";
	for (uint32_t i = 0; wire_at(board, walk, reader->intc, i, &wire); i++) {
		if (wire.hart && wire.irq == IRQ_M_SOFT && windows.msip.size)
			wire.hart->msip = register_at(windows.msip, wire.hart->id - least, MSIP_LEN);
		if (wire.hart && wire.irq == IRQ_M_TIMER && windows.mtimecmp.size)
			wire.hart->mtimecmp =
				register_at(windows.mtimecmp, wire.hart->id - least, MTIMECMP_LEN);
	}
	if (board->mtime == 0)
		board->mtime = windows.mtime.base;
	if ((variant & THEAD) && windows.mtimecmp.size)
		board->mtimecmp_32bit = true;
	return NULL;
}

/* --- serial ports ----------------------------------------------------------------------------- */

#define VIRTIO_MMIO_LEN 0x200u /* registers that a driver uses */

static const struct device_kind *kind_of(const struct tree_walk *walk);
static const char *find_uart(struct reader *reader, const struct tree_walk *walk, unsigned variant);

static enum board_uart_type uart_type(const struct tree_walk *walk)
{
	const struct device_kind *kind = kind_of(walk);

	return kind && kind->read == find_uart ? (enum board_uart_type)kind->variant : BOARD_UART_NONE;
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

/* The console is what /chosen or alias serial0 says, otherwise the first known port. */
static void choose_ports(struct reader *reader, const void *fdt)
{
	reader->console = chosen_console(fdt, &reader->board->uart.baud);
	if (reader->console.node >= 0 && !tree_enabled(&reader->console))
		reader->console.node = -1;
	reader->control = tree_find_path(fdt, "serial1", strlen("serial1"));
	if (reader->control.node >= 0 && (reader->control.node == reader->console.node ||
					  uart_type(&reader->control) == BOARD_UART_NONE ||
					  !tree_enabled(&reader->control)))
		reader->control.node = -1;
}

/* A port that is known, for what was not chosen. */
static const char *find_uart(struct reader *reader, const struct tree_walk *walk, unsigned variant)
{
	if (reader->console.node < 0) {
		reader->console = *walk;
		if (reader->control.node == walk->node)
			reader->control.node = -1;
	} else if (reader->control.node < 0 && walk->node != reader->console.node) {
		reader->control = *walk;
	}
	return NULL;
}

/* A second port that cannot be used is none. */
static const char *read_ports(struct reader *reader)
{
	struct board *board = reader->board;

	if (reader->control.node >= 0 && read_uart(&board->control, &reader->control) != NULL)
		board->control = (struct board_uart){ 0 };
	return reader->console.node < 0 ? NULL : read_uart(&board->uart, &reader->console);
}

static const char *read_virtio(struct reader *reader, const struct tree_walk *walk, unsigned variant)
{
	struct board *board = reader->board;
	struct board_range reg;

	if (board->virtio_count == BOARD_MAX_VIRTIO || !tree_reg(walk, 0, &reg) ||
	    reg.size < VIRTIO_MMIO_LEN)
		return NULL;
	board->virtio[board->virtio_count++] =
		(struct board_virtio){ .base = reg.base, .irq = first_interrupt(walk) };
	return NULL;
}

/* --- the interrupt controller ---------------------------------------------------------------- */

/* RISC-V PLIC specification 1.0.0, "Memory Map". */
#define PLIC_MAX_SOURCES 1023u
#define PLIC_CONTEXT 0x200000u
#define PLIC_CONTEXT_LEN 0x1000u

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

static const char *find_plic(struct reader *reader, const struct tree_walk *walk, unsigned variant)
{
	if (reader->plic.node < 0)
		reader->plic = *walk;
	return NULL;
}

/*
 * A PLIC that the console's interrupt reaches, otherwise the first one. It is taken for that of the second port
 * as well.
 */
static void choose_plic(struct reader *reader)
{
	const struct tree_walk *console = &reader->console;
	struct board *board = reader->board;
	struct tree_walk parent = tree_find_phandle(
		console->fdt, console->node >= 0 ? tree_interrupt_parent(console) : 0);
	const struct device_kind *kind = parent.node >= 0 ? kind_of(&parent) : NULL;

	if (kind && kind->read == find_plic && tree_enabled(&parent)) {
		reader->plic = parent;
		return;
	}
	if (parent.node >= 0)
		board->plic.compatible = tree_string(parent.fdt, parent.node, "compatible");
	board->uart.irq = 0;
}

static const char *read_plic(struct reader *reader)
{
	const struct tree_walk *walk = &reader->plic;
	struct board *board = reader->board;
	struct board_range reg;

	if (walk->node < 0)
		return NULL;
	if (!tree_reg(walk, 0, &reg))
		return "the interrupt controller in the device tree has a reg that cannot be used";
	board->plic.base = reg.base;
	board->plic.size = reg.size;
	board->plic.sources = tree_u32(walk->fdt, walk->node, "riscv,ndev", 0);
	if (board->plic.sources > PLIC_MAX_SOURCES)
		board->plic.sources = PLIC_MAX_SOURCES;
	limit_irq(board, &board->uart.irq);
	limit_irq(board, &board->control.irq);
	for (uint32_t i = 0; i < board->virtio_count; i++)
		limit_irq(board, &board->virtio[i].irq);
	board->plic.compatible = tree_string(walk->fdt, walk->node, "compatible");
	read_contexts(board, walk, reader->intc);
	return NULL;
}

/* --- power off and reboot -------------------------------------------------------------------- */

enum reset_variant { POWEROFF, REBOOT };

/* The first that can be used counts: NULL once there is one. */
static struct board_reset *missing_reset(struct reader *reader, unsigned variant)
{
	struct board_reset *reset =
		variant == POWEROFF ? &reader->board->poweroff : &reader->board->reboot;

	return reset->type == BOARD_RESET_NONE ? reset : NULL;
}

/* The register is at an offset into another device; a mask would need what is in it now. */
static const char *read_syscon(struct reader *reader, const struct tree_walk *walk, unsigned variant)
{
	struct board_reset *reset = missing_reset(reader, variant);
	uint32_t phandle = tree_u32(walk->fdt, walk->node, "regmap", 0);
	struct tree_walk device = tree_find_phandle(walk->fdt, phandle);
	struct board_range reg;
	uint32_t offset;

	if (!reset || !tree_cell(walk->fdt, walk->node, "offset", 0, &offset) ||
	    !tree_cell(walk->fdt, walk->node, "value", 0, &reset->value) ||
	    tree_u32(walk->fdt, walk->node, "mask", UINT32_MAX) != UINT32_MAX ||
	    device.node < 0 || !tree_reg(&device, 0, &reg) || reg.size < sizeof(uint32_t) ||
	    offset > reg.size - sizeof(uint32_t))
		return NULL;
	reset->type = BOARD_RESET_SYSCON;
	reset->address = reg.base + offset;
	reset->test_finisher = tree_lists(walk->fdt, device.node, "compatible", "sifive,test0") ||
			       tree_lists(walk->fdt, device.node, "compatible", "sifive,test1");
	return NULL;
}

static const char *read_gpio(struct reader *reader, const struct tree_walk *walk, unsigned variant)
{
	struct board_reset *reset = missing_reset(reader, variant);
	struct tree_walk device =
		tree_find_phandle(walk->fdt, tree_u32(walk->fdt, walk->node, "gpios", 0));
	struct board_range reg;
	uint32_t flags;

	if (!reset || !tree_cell(walk->fdt, walk->node, "gpios", 1, &reset->value) ||
	    !tree_cell(walk->fdt, walk->node, "gpios", 2, &flags) || reset->value >= 32 ||
	    device.node < 0 || !tree_lists(walk->fdt, device.node, "compatible", "sifive,gpio0") ||
	    !tree_reg(&device, 0, &reg))
		return NULL;
	reset->type = BOARD_RESET_GPIO;
	reset->address = reg.base;
	reset->active_low = (flags & 1) != 0;
	return NULL;
}

/* --- the store ------------------------------------------------------------------------------- */

/* Flash memory for the board's own data (binding: mtd/mtd-physmap.yaml): the first bank is for firmware. */
static const char *read_store(struct reader *reader, const struct tree_walk *walk, unsigned variant)
{
	struct board_range bank;

	if (reader->board->store.size == 0 && tree_u32(walk->fdt, walk->node, "bank-width", 0) == 4 &&
	    tree_reg(walk, 1, &bank))
		reader->board->store = bank;
	return NULL;
}

/* --- all of them ----------------------------------------------------------------------------- */

static const struct device_kind kinds[] = {
	{ "thead,c900-clint", read_clint, CLINT | THEAD },
	{ "thead,c900-aclint-mswi", read_clint, MSWI | THEAD },
	{ "thead,c900-aclint-mtimer", read_clint, MTIMER | THEAD },
	{ "sifive,clint0", read_clint, CLINT },
	{ "riscv,clint0", read_clint, CLINT },
	{ "sifive,fu540-c000-clint", read_clint, CLINT },
	{ "starfive,jh7100-clint", read_clint, CLINT },
	{ "starfive,jh7110-clint", read_clint, CLINT },
	{ "canaan,k210-clint", read_clint, CLINT },
	{ "riscv,aclint-mswi", read_clint, MSWI },
	{ "riscv,aclint-mtimer", read_clint, MTIMER },
	{ "ns16550a", find_uart, BOARD_UART_NS16550 },
	{ "ns16550", find_uart, BOARD_UART_NS16550 },
	{ "ns16450", find_uart, BOARD_UART_NS16550 },
	{ "ns8250", find_uart, BOARD_UART_NS16550 },
	{ "snps,dw-apb-uart", find_uart, BOARD_UART_NS16550 },
	{ "sifive,uart0", find_uart, BOARD_UART_SIFIVE },
	{ "virtio,mmio", read_virtio, 0 },
	{ "sifive,plic-1.0.0", find_plic, 0 },
	{ "riscv,plic0", find_plic, 0 },
	{ "thead,c900-plic", find_plic, 0 },
	{ "syscon-poweroff", read_syscon, POWEROFF },
	{ "syscon-reboot", read_syscon, REBOOT },
	{ "gpio-poweroff", read_gpio, POWEROFF },
	{ "gpio-restart", read_gpio, REBOOT },
	{ "cfi-flash", read_store, 0 },
};

static const struct device_kind *kind_named(const char *name)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].compatible, name) == 0)
			return &kinds[i];
	return NULL;
}

/* By the first string of its compatible that is known: they go from the special to the general (section 2.3.1). */
static const struct device_kind *kind_of(const struct tree_walk *walk)
{
	const struct device_kind *kind = NULL;
	int left = 0;
	const char *name = fdt_getprop(walk->fdt, walk->node, "compatible", &left);

	while (name && left > 0 && !kind) {
		const char *nul = memchr(name, '\0', (size_t)left);

		if (!nul)
			return NULL;
		kind = kind_named(name);
		left -= (int)(nul + 1 - name);
		name = nul + 1;
	}
	return kind;
}

const char *board_read_devices(struct board *board, const void *fdt, const uint32_t *intc)
{
	struct reader reader = { .board = board, .intc = intc, .plic.node = -1 };
	const char *error = NULL;

	choose_ports(&reader, fdt);
	for (struct tree_walk walk = tree_root(fdt); walk.node >= 0 && !error; tree_next(&walk)) {
		const struct device_kind *kind = kind_of(&walk);

		if (kind && tree_enabled(&walk))
			error = kind->read(&reader, &walk, kind->variant);
	}
	if (!error)
		error = read_ports(&reader);
	if (error)
		return error;
	choose_plic(&reader);
	return read_plic(&reader);
}
