/* SPDX-License-Identifier: MIT */
/*
 * Reads, writes, sets and clears every control register that belongs to machine mode or to a hypervisor:
 * each is an illegal instruction, whether the hart has the register or not. Also from user mode.
 */
#include "attack.h"

/* csrrX t3, CSR, t3 or csrr t3, CSR, written where it is run. */
static uint32_t code[2] __attribute__((aligned(8)));

#define T3	    28u
#define OPCODE	    0x73u
#define CSRRW	    1u
#define CSRRS	    2u
#define CSRRC	    3u
#define RETURN	    0x00008067u /* ret */
#define CSR_LEVEL(n) ((n) >> 8 & 3)

static void write_code(uint32_t csr, uint32_t operation, uint32_t source)
{
	code[0] = csr << 20 | source << 15 | operation << 12 | T3 << 7 | OPCODE;
	code[1] = RETURN;
	__asm__ volatile("fence.i" ::: "memory");
}

static uint64_t run_code(void)
{
	trap.cause = NO_TRAP;
	__asm__ volatile("li t3, 0\njalr %0" ::"r"(code) : "ra", "t3", "memory");
	return trap.cause;
}

static void expect_illegal(const char *what, uint32_t csr, uint32_t operation, uint32_t source)
{
	write_code(csr, operation, source);
	if (expect(what, csr, run_code(), ILLEGAL))
		/* stval holds the instruction, or nothing (section 4.1.9). */
		expect("stval of it", csr, trap.tval == 0 || trap.tval == code[0], true);
}

static void expect_illegal_from_user(uint32_t csr)
{
	write_code(csr, CSRRS, 0);
	trap.cause = NO_TRAP;
	run_as_user(code);
	expect("reading a register from user mode", csr, trap.cause, ILLEGAL);
	expect("the mode that it came from", csr, trap.status & 0x100, 0);
}

void main(void)
{
	for (uint32_t csr = 0; csr < 4096; csr++) {
		if (CSR_LEVEL(csr) < 2)
			continue;
		expect_illegal("reading a register", csr, CSRRS, 0);
		expect_illegal("writing a register", csr, CSRRW, T3);
		expect_illegal("setting bits of a register", csr, CSRRS, T3);
		expect_illegal("clearing bits of a register", csr, CSRRC, T3);
	}
	for (uint32_t csr = 0x300; csr < 0x3c0; csr++)
		expect_illegal_from_user(csr);
	expect_illegal_from_user(0x180); /* satp: its own supervisor's */
}
