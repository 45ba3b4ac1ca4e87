/* SPDX-License-Identifier: MIT */
/*
 * One vCPU accesses devices through page tables and by instructions across a page border, another one changes those tables
 * all the time: to other devices, foreign memory, nothing. The first gets what one of these tables says.
 */
#include "attack.h"

#define ROUNDS	 4000
#define GIB	 (UINT64_C(1) << 30)
#define SV39	 (UINT64_C(8) << 60)
#define WINDOW	 (4 * GIB)
#define DATA	 WINDOW
#define CODE	 (WINDOW + 4 * PAGE) /* and the page behind it */
#define BORDER	 (CODE + PAGE)
#define TABLE	 0x01u
#define LEAF	 0xcfu
#define PTE(at, bits) ((uint64_t)(at) >> 12 << 10 | (bits))

typedef volatile uint64_t table[512] __attribute__((aligned(4096)));
static table root, middle, leaves, scratch;
static uint16_t code[4096] __attribute__((aligned(4096)));
static _Atomic bool ends, runs;

static uint64_t foreign(void)
{
	return is_gstage() ? RAM_DEFAULT + RAM_SIZE : RAM_DEFAULT;
}

static uint64_t second_page(void)
{
	return PTE((uintptr_t)code + PAGE, LEAF);
}

static void change_tables(void)
{
	const uint64_t data[] = {PTE(UART_BASE, LEAF), PTE(PLIC_BASE, LEAF), PTE(foreign(), LEAF), PTE(scratch, LEAF), 0};
	const uint64_t tables[] = {PTE(leaves, TABLE), PTE(leaves, TABLE), PTE(foreign(), TABLE), PTE(PLIC_BASE, TABLE), 0};
	const uint64_t seconds[] = {second_page(), second_page(), second_page(), PTE(foreign(), LEAF), 0};
	uint64_t state = 7;

	runs = true;
	while (!ends) {
		uint64_t random = next_random(&state) >> 16;

		leaves[DATA / PAGE % 512] = data[random % 5];
		leaves[BORDER / PAGE % 512] = seconds[(random >> 8) % 5];
		if (random >> 20 & 1)
			middle[0] = tables[(random >> 16) % 5];
		else
			middle[0] = tables[0];
		if (random >> 21 & 1)
			sbi(SBI_RFENCE, 1, 3, 0, 0, UINT64_MAX);
	}
}

/* A register of four bytes in each of the devices, and none that does anything. */
static void access_data(void)
{
	uint64_t cause;

	__asm__ volatile("sfence.vma");
	cause = TRY_READ_FROM("lw t3, 4(%0)", DATA);
	expect("a load", DATA, cause == NO_TRAP || cause == LOAD_ACCESS || cause == LOAD_PAGE, true);
	cause = TRY_READ_FROM("sw zero, 4(%0)", DATA);
	expect("a store", DATA, cause == NO_TRAP || cause == STORE_ACCESS || cause == STORE_PAGE || cause == LOAD_ACCESS, true);
}

/* lw a5, 4(a0) across the border, then ret. */
static uint64_t load_across(uint64_t at)
{
	trap.cause = NO_TRAP;
	__asm__ volatile("sfence.vma\nmv a0, %0\nli a5, 0\njalr %1" ::"r"(at), "r"(BORDER - 2) : "ra", "a0", "a5", "memory");
	return trap.cause;
}

/* First without anybody's doing: what the second half's page says is what is met. */
static void border(void)
{
	leaves[DATA / PAGE % 512] = PTE(PLIC_BASE, LEAF);
	leaves[BORDER / PAGE % 512] = second_page();
	expect("a device's register across a border", BORDER, load_across(DATA), NO_TRAP);
	leaves[BORDER / PAGE % 512] = 0;
	expect("no second page", BORDER, load_across(DATA), FETCH_PAGE);
	leaves[BORDER / PAGE % 512] = PTE(foreign(), LEAF);
	expect("a foreign second page", BORDER, load_across(DATA), FETCH_ACCESS);
	leaves[BORDER / PAGE % 512] = PTE((uintptr_t)code + PAGE, 0x49); /* to be executed, and not read */
	expect("a device's register from code that is execute-only", BORDER, load_across(DATA), NO_TRAP);
	leaves[DATA / PAGE % 512] = PTE(foreign(), LEAF);
	leaves[BORDER / PAGE % 512] = second_page();
	expect("foreign memory across a border", BORDER, load_across(DATA), LOAD_ACCESS);
}

void main(void)
{
	uint32_t load = 0x00452783; /* lw a5, 4(a0) */
	uint64_t cause;

	code[2047] = (uint16_t)load;
	code[2048] = (uint16_t)(load >> 16);
	code[2049] = 0x8082; /* ret */
	/* At the end of all its memory as well. */
	*(volatile uint16_t *)(ram_base() + RAM_SIZE - 2) = (uint16_t)load;
	__asm__ volatile("fence.i");
	expect("half an instruction at the end of memory", ram_base() + RAM_SIZE, try_execute(ram_base() + RAM_SIZE - 2),
	       FETCH_ACCESS);

	root[ram_base() / GIB] = PTE(ram_base() / GIB * GIB, LEAF);
	root[WINDOW / GIB] = PTE(middle, TABLE);
	middle[0] = PTE(leaves, TABLE);
	leaves[CODE / PAGE % 512] = PTE(code, LEAF);
	__asm__ volatile("sfence.vma\ncsrw satp, %0\nsfence.vma" ::"r"(SV39 | (uintptr_t)root >> 12) : "memory");
	border();
	expect("starting the other", 1, (uint64_t)start_vcpu(1, change_tables), 0);
	while (!runs)
		;
	for (unsigned i = 0; i < ROUNDS; i++) {
		access_data();
		cause = load_across(DATA);
		expect("a load across a border", BORDER, cause == NO_TRAP || cause == LOAD_ACCESS || cause == LOAD_PAGE ||
		       cause == FETCH_ACCESS || cause == FETCH_PAGE, true);
	}
	ends = true;
	__asm__ volatile("csrw satp, zero\nsfence.vma");
}
