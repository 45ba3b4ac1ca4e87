/* SPDX-License-Identifier: MIT */
/*
 * Page tables that point outside its memory: leaves on what it may not touch, tables that lie there, and roots.
 * The trap is an access fault of the kind of the access (section 4.3.2), with the virtual address.
 */
#include "attack.h"

#define SV39	     (UINT64_C(8) << 60)
#define PTE_TABLE    1u
#define PTE_LEAF     0xcfu /* valid, read, write, execute, accessed, dirty; not user */
#define GIB	     (UINT64_C(1) << 30)
#define PTE(at, bits) ((at) >> 12 << 10 | (bits))

static uint64_t root[512] __attribute__((aligned(4096)));
static uint64_t middle[512] __attribute__((aligned(4096)));
static uint64_t leaves[512] __attribute__((aligned(4096)));

static void set_satp(uint64_t value)
{
	__asm__ volatile("sfence.vma\ncsrw satp, %0\nsfence.vma" ::"r"(value) : "memory");
}

/* Its own gigabyte as it is, everything else in GiB 300 on through `middle` and `leaves`. */
#define WINDOW (300 * GIB)

static void map_window(uint64_t target)
{
	uint64_t own = ram_base() / GIB;

	root[own] = PTE(own * GIB, PTE_LEAF);
	root[WINDOW / GIB % 512] = PTE((uintptr_t)middle, PTE_TABLE);
	middle[0] = PTE((uintptr_t)leaves, PTE_TABLE);
	leaves[0] = PTE(target, PTE_LEAF);
	set_satp(SV39 | (uintptr_t)root >> 12);
}

/* Virtual addresses of Sv39 are sign-extended. */
static uint64_t window(void)
{
	return (uint64_t)((int64_t)(WINDOW << 25) >> 25);
}

/*
 * A store through a table that two-stage translation does not find is reported as a load by QEMU before 8.0; the
 * specification wants the kind of the access (section 8.5.1), and either is held.
 */
static void expect_kind(const char *what, uint64_t target, bool of_table, uint64_t got, uint64_t want)
{
	if (!(of_table && is_gstage() && got == LOAD_ACCESS))
		expect(what, target, got, want);
}

static void expect_all(const char *what, uint64_t target, bool of_table)
{
	uint64_t at = window(), load, store, fetch, tval;

	load = try_load(at);
	tval = trap.tval;
	store = try_store(at);
	fetch = try_execute(at);
	set_satp(0);
	expect(what, target, load, LOAD_ACCESS);
	expect("stval of that load", target, tval, at);
	expect_kind(what, target, of_table, store, STORE_ACCESS);
	expect(what, target, fetch, FETCH_ACCESS);
}

/* A root that cannot be read takes the code away as well: the handler is unreachable, so only data goes through it. */
static uint64_t load_with_user_root(uint64_t table)
{
	uint64_t cause;

	root[ram_base() / GIB] = PTE(ram_base() / GIB * GIB, PTE_LEAF);
	root[WINDOW / GIB % 512] = PTE(table, PTE_TABLE);
	set_satp(SV39 | (uintptr_t)root >> 12);
	cause = try_load(window());
	set_satp(0);
	return cause;
}

static void last_table_at(uint64_t target)
{
	root[ram_base() / GIB] = PTE(ram_base() / GIB * GIB, PTE_LEAF);
	root[WINDOW / GIB % 512] = PTE((uintptr_t)middle, PTE_TABLE);
	middle[0] = PTE(target, PTE_TABLE);
	set_satp(SV39 | (uintptr_t)root >> 12);
}

/* By the width of the device's registers, at the offset where the walk reads: the device must not answer. */
static void words_through_device(uint64_t target)
{
	uint64_t load, store;

	load = TRY("li t3, 1\nlw t3, 0(%0)", ::"r"(window()) : "t3", "memory");
	store = TRY_READ_FROM("sw zero, 0(%0)", window());
	set_satp(0);
	expect("a word through a table in a device", target, load, LOAD_ACCESS);
	expect_kind("a word through a table in a device", target, true, store, STORE_ACCESS);
}

void main(void)
{
	const uint64_t targets[] = {
		RAM_DEFAULT + (is_gstage() ? RAM_SIZE : 0), /* in `pmp` mode the hypervisor's first page */
		RAM_DEFAULT + 0x7fff000, /* the last page of a board with 128 MiB */
		ram_base() - PAGE,
		ram_base() + RAM_SIZE,
		0x2000000, /* CLINT */
		0x100000,  /* test finisher */
		0x10010000,
		0,
		(UINT64_C(1) << 56) - PAGE,
	};
	/* Its own devices are no memory for tables either: a walk that reads one must not become an access to it. */
	const uint64_t devices[] = {UART_BASE, PLIC_BASE, PLIC_BASE + 0x1000, PLIC_BASE + 0x200000};

	for (unsigned i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		map_window(targets[i]);
		expect_all("a leaf outside", targets[i], false);
		expect("a table outside", targets[i], load_with_user_root(targets[i]), LOAD_ACCESS);
		last_table_at(targets[i]);
		expect_all("the last table outside", targets[i], true);
	}
	for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		expect("a table in a device", devices[i], load_with_user_root(devices[i]), LOAD_ACCESS);
		last_table_at(devices[i]);
		expect_all("the last table in a device", devices[i], true);
		last_table_at(devices[i]);
		words_through_device(devices[i]);
	}
	/* The emulated console through a page table is the console; a scratch register shows it. */
	map_window(UART_BASE);
	leaves[1] = PTE((uintptr_t)leaves, PTE_LEAF);
	*(volatile uint8_t *)(window() + 7) = 0x5a;
	uint8_t read_back = *(volatile uint8_t *)(window() + 7);
	set_satp(0);
	expect("the console through a page table", UART_BASE, read_back, 0x5a);
}
