/* SPDX-License-Identifier: MIT */
/*
 * Its own emulated devices by instructions and widths that drivers do not use. Loads and stores of every kind work
 * where the register has that width; what does not is an access fault, and never the hypervisor's.
 */
#include "attack.h"

#define SCRATCH	   (UART_BASE + 7)
#define PRIORITY_1 (PLIC_BASE + 4)

static uint64_t value_after(const char *what, uint64_t got, uint64_t want, uint64_t value, uint64_t want_value)
{
	expect(what, 0, got, want);
	return expect(what, 1, value, want_value);
}

static void compressed(void)
{
	uint64_t value = 0, cause;

	trap.cause = NO_TRAP;
	__asm__ volatile(".option push\n.option rvc\n"
			 "mv a5, %1\nli a4, 5\nc.sw a4, 0(a5)\nc.lw a4, 0(a5)\nmv %0, a4\n.option pop"
			 : "=r"(value)
			 : "r"(PRIORITY_1)
			 : "a4", "a5", "memory");
	cause = trap.cause;
	value_after("c.sw and c.lw", cause, NO_TRAP, value, 5);
	trap.cause = NO_TRAP;
	__asm__ volatile(".option push\n.option rvc\n"
			 "mv t4, sp\nmv sp, %1\nli a4, 3\nc.swsp a4, 0(sp)\nc.lwsp a4, 0(sp)\nmv sp, t4\nmv %0, a4\n.option pop"
			 : "=r"(value)
			 : "r"(PRIORITY_1)
			 : "a4", "t4", "memory");
	value_after("c.swsp and c.lwsp", trap.cause, NO_TRAP, value, 3);
	expect("c.ld of a register of 4 bytes", PLIC_BASE,
	       TRY(".option rvc\nmv a5, %0\nc.ld a4, 0(a5)", ::"r"(PLIC_BASE) : "a4", "a5", "memory"), LOAD_ACCESS);
}

static void signs(void)
{
	uint64_t value;

	*(volatile uint8_t *)SCRATCH = 0xa5;
	__asm__ volatile("lb %0, 0(%1)" : "=r"(value) : "r"(SCRATCH) : "memory");
	expect("lb extends the sign", SCRATCH, value, (uint64_t)-91);
	__asm__ volatile("lbu %0, 0(%1)" : "=r"(value) : "r"(SCRATCH) : "memory");
	expect("lbu does not", SCRATCH, value, 0xa5);
	expect("a load to x0", SCRATCH, TRY_READ_FROM("lb zero, 0(%0)", SCRATCH), NO_TRAP);
}

static void refused(void)
{
	expect("amoadd on the console", SCRATCH, TRY_READ_FROM("amoadd.w t3, zero, (%0)", UART_BASE + 4), STORE_ACCESS);
	expect("amoswap on a priority", PRIORITY_1, TRY_READ_FROM("amoswap.w t3, zero, (%0)", PRIORITY_1),
	       STORE_ACCESS);
	expect("lr on a priority", PRIORITY_1, TRY_READ_FROM("lr.w t3, (%0)", PRIORITY_1), LOAD_ACCESS);
	expect("a misaligned load", PLIC_BASE, TRY_READ_FROM("lw t3, 2(%0)", PLIC_BASE), LOAD_ACCESS);
	expect("a misaligned store", PLIC_BASE, TRY_READ_FROM("sw zero, 2(%0)", PLIC_BASE), STORE_ACCESS);
	expect("a byte of a priority", PLIC_BASE, TRY_READ_FROM("lb t3, 4(%0)", PLIC_BASE), LOAD_ACCESS);
	expect("half of a priority", PLIC_BASE, TRY_READ_FROM("sh zero, 4(%0)", PLIC_BASE), STORE_ACCESS);
	expect("two priorities", PLIC_BASE, TRY_READ_FROM("ld t3, 8(%0)", PLIC_BASE), LOAD_ACCESS);
	__asm__ volatile("csrs sstatus, %0" ::"r"(UINT64_C(1) << 13));
	expect("a floating-point load", PRIORITY_1,
	       TRY_READ_FROM(".option arch, +d\nflw ft0, 0(%0)", PRIORITY_1), LOAD_ACCESS);
	expect("a floating-point store", PRIORITY_1,
	       TRY_READ_FROM(".option arch, +d\nfsw ft0, 0(%0)", PRIORITY_1), STORE_ACCESS);
}

/* Every register of both, also those of contexts and sources that are not there. */
static void everything(void)
{
	for (uint64_t at = UART_BASE; at < UART_BASE + UART_SIZE; at++)
		expect("a register of the console", at, try_load(at), NO_TRAP);
	for (uint64_t at = PLIC_BASE; at < PLIC_BASE + PLIC_SIZE; at += at < PLIC_BASE + 0x4000 ? 4 : 0xffc) {
		expect("a register of the interrupt controller", at, TRY_READ_FROM("lw t3, 0(%0)", at), NO_TRAP);
		expect("a register of the interrupt controller", at,
		       TRY("sw %1, 0(%0)", ::"r"(at), "r"(UINT64_MAX) : "memory"), NO_TRAP);
	}
	for (uint64_t source = 0; source < 64; source++)
		expect("completing what was not claimed", source,
		       TRY("sw %1, 0(%0)", ::"r"(PLIC_BASE + 0x201004), "r"(source * 0x01000001) : "memory"),
		       NO_TRAP);
}

void main(void)
{
	compressed();
	signs();
	refused();
	everything();
}
