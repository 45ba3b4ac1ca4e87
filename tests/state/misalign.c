/* SPDX-License-Identifier: MIT */
/*
 * Accesses that are not aligned. QEMU traps those of atomics alone. So each plain one here takes the place of an atomic
 * just before that is executed: without a fence.i in between a hart may still run the old instruction, as QEMU does, and
 * the hypervisor, when it looks, finds the new one. A hart that runs the new one has to come to the same.
 */
#include "units.h"

#define LOAD_MISALIGNED	 4u
#define STORE_MISALIGNED 6u
#define END		 (ram_base() + RAM_SIZE)

/* Executes `insn`, by way of a trap: of one that loads, then of one that stores. Base a0, register t0 or ft5. */
__attribute__((naked, aligned(64))) static uint64_t run_load(uint64_t at, uint32_t insn, uint64_t t0)
{
	__asm__ volatile(".option push\n.option norvc\n"
			 "lla a3, 1f\n mv t0, a2\n sw a1, 0(a3)\n"
			 "1: lr.w t0, (a0)\n"
			 "mv a0, t0\n ret\n.option pop");
}

__attribute__((naked, aligned(64))) static uint64_t run_store(uint64_t at, uint32_t insn, uint64_t t0)
{
	__asm__ volatile(".option push\n.option norvc\n"
			 "lla a3, 1f\n mv t0, a2\n sw a1, 0(a3)\n"
			 "1: amoswap.w zero, t0, (a0)\n"
			 "mv a0, t0\n ret\n.option pop");
}

/* Where in these functions the instruction is. */
#define REPLACED 16u
#define LR_W	 UINT32_C(0x100522af) /* lr.w t0, (a0) */
#define AMOSWAP	 UINT32_C(0x0855202f) /* amoswap.w zero, t0, (a0) */

static uint64_t run(bool store, uint64_t at, uint32_t insn, uint64_t t0)
{
	uint32_t *place = (uint32_t *)((uintptr_t)(store ? run_store : run_load) + REPLACED);
	uint64_t result;

	expect("the instruction to replace", (uintptr_t)place, *place, store ? AMOSWAP : LR_W);
	trap.cause = NO_TRAP;
	__asm__ volatile("fence.i" ::: "memory");
	result = (store ? run_store : run_load)(at, insn, t0);
	*(volatile uint32_t *)place = store ? AMOSWAP : LR_W;
	__asm__ volatile("fence.i" ::: "memory");
	return result;
}

#define LD  UINT32_C(0x00053283)
#define LW  UINT32_C(0x00052283)
#define LHU UINT32_C(0x00055283)
#define SD  UINT32_C(0x00553023)
#define SH  UINT32_C(0x00551023)
#define FLD UINT32_C(0x00053287)
#define FSD UINT32_C(0x00553027)

static uint64_t bytes[4] = {UINT64_C(0x8877665544332211), UINT64_C(0xffeeddccbbaa9988)};

static void memory(uint64_t at)
{
	expect("ld", at, run(false, at + 1, LD, 0), UINT64_C(0x8888776655443322));
	expect("a trap of that", at, trap.cause, NO_TRAP);
	expect("lw", at, run(false, at + 5, LW, 0), UINT64_C(0xffffffff88887766));
	expect("lhu", at, run(false, at + 7, LHU, 0), 0x8888);
	run(true, at + 17, SD, UINT64_C(0x0123456789abcdef));
	expect("sd", at, bytes[2], UINT64_C(0x23456789abcdef00));
	expect("the rest of sd", at, bytes[3], 1);
	run(true, at + 17, SH, UINT64_C(0x5a5a));
	expect("sh", at, bytes[2], UINT64_C(0x23456789ab5a5a00));
	expect("a trap of that", at, trap.cause, NO_TRAP);
}

static void floats(uint64_t at)
{
	uint64_t f[32];

	for (unsigned i = 0; i < 32; i++)
		f[i] = i;
	set_status(FS, CLEAN);
	floats_put(f);
	set_status(FS, CLEAN);
	run(false, at + 3, FLD, 0);
	expect("sstatus.FS", 0, CSR_READ(SSTATUS) & FS, FS);
	floats_get(f);
	for (unsigned i = 0; i < 32; i++)
		expect("a register after fld", i, f[i], i == 5 ? UINT64_C(0xaa99888877665544) : i);
	run(true, at + 18, FSD, 0);
	expect("fsd", at, bytes[2] >> 16, UINT64_C(0x888877665544));
	expect("the rest of fsd", at, bytes[3], UINT64_C(0xaa99));
	expect("a trap of that", at, trap.cause, NO_TRAP);
	set_status(FS, OFF);
	run(false, at + 3, FLD, 0);
	expect("fld with floating point off", at, trap.cause, ILLEGAL);
	expect("its stval", at, trap.tval, FLD);
}

static void expect_fault(const char *what, bool store, uint64_t at, uint32_t insn, uint64_t cause, uint64_t tval)
{
	run(store, at, insn, 0);
	expect(what, at, trap.cause, cause);
	expect("stval of that", at, trap.tval, tval);
}

void main(void)
{
	uint64_t before = *(volatile uint64_t *)(END - 8);

	memory((uintptr_t)bytes);
	floats((uintptr_t)bytes);
	expect_fault("a load past the end", false, END - 3, LD, LOAD_ACCESS, END);
	expect_fault("a store past the end", true, END - 3, SD, STORE_ACCESS, END);
	expect("what lies before it", END - 8, *(volatile uint64_t *)(END - 8), before);
	expect_fault("a load before the beginning", false, ram_base() - 3, LD, LOAD_ACCESS, ram_base() - 3);
	expect_fault("a device", false, UART_BASE + 1, LHU, LOAD_ACCESS, UART_BASE + 1);
	expect_fault("a device", true, PLIC_BASE + 5, SD, STORE_ACCESS, PLIC_BASE + 5);
	/* Devices know integers only, aligned or not. */
	set_status(FS, CLEAN);
	expect("fld from a device", UART_BASE, TRY("mv a0, %0\n.4byte 0x00053287", ::"r"(UART_BASE) : "a0"), LOAD_ACCESS);
	expect("fsd to a device", UART_BASE, TRY("mv a0, %0\n.4byte 0x00553027", ::"r"(UART_BASE) : "a0"), STORE_ACCESS);
	/* Atomics have to be aligned: theirs is a fault of the guest. */
	expect_fault("lr.w", false, (uintptr_t)bytes + 1, LR_W, LOAD_MISALIGNED, (uintptr_t)bytes + 1);
	expect_fault("amoswap.w", true, (uintptr_t)bytes + 2, AMOSWAP, STORE_MISALIGNED, (uintptr_t)bytes + 2);
}
