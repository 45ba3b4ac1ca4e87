/* SPDX-License-Identifier: MIT */
/*
 * Reads, writes, sets and clears every control register that there is a number for, from supervisor and from user
 * mode. What is the supervisor's own works; what belongs to machine mode, to a hypervisor or to nobody is an illegal
 * instruction, whether the hart has the register or not.
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
#define EBREAK	    0x00100073u
#define CSR_LEVEL(n) ((n) >> 8 & 3)
#define IS_READ_ONLY(n) ((n) >> 10 == 3)
#define SSTATUS_FS  (UINT64_C(3) << 13)

enum outcome { TRAPS, WORKS, DEPENDS };

/* Registers of levels 0 and 1 (privileged specification 1.13, tables 4 to 6); DEPENDS: on the hart's extensions. */
static const struct {
	uint16_t first, last;
	uint8_t outcome;
} registers[] = {
	{0x001, 0x003, WORKS},	 /* fflags, frm, fcsr */
	{0x008, 0x00f, DEPENDS}, /* vectors */
	{0x011, 0x011, DEPENDS}, /* ssp */
	{0x015, 0x015, DEPENDS}, /* seed */
	{0x017, 0x017, DEPENDS}, /* jvt */
	{0x100, 0x100, WORKS},	 /* sstatus */
	{0x104, 0x106, WORKS},	 /* sie, stvec, scounteren */
	{0x10a, 0x10a, DEPENDS}, /* senvcfg */
	{0x10c, 0x10f, DEPENDS}, /* sstateen */
	{0x120, 0x120, DEPENDS}, /* scountinhibit */
	{0x140, 0x144, WORKS},	 /* sscratch, sepc, scause, stval, sip */
	{0x14d, 0x14d, DEPENDS}, /* stimecmp */
	{0x150, 0x15c, DEPENDS}, /* indirect access, interrupts of messages */
	{0x180, 0x180, WORKS},	 /* satp */
	{0x181, 0x181, DEPENDS}, /* srmcfg */
	{0x5a8, 0x5a8, DEPENDS}, /* scontext */
	{0xc00, 0xc02, WORKS},	 /* cycle, time, instret */
	{0xc03, 0xc22, DEPENDS}, /* other counters, vectors' */
	{0xda0, 0xda0, DEPENDS}, /* scountovf */
	{0xdb0, 0xdb0, DEPENDS}, /* stopi */
};

static enum outcome outcome_of(uint32_t csr)
{
	for (unsigned i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		if (csr >= registers[i].first && csr <= registers[i].last)
			return registers[i].outcome;
	return TRAPS;
}

static void write_code(uint32_t csr, uint32_t operation, uint32_t source, uint32_t behind)
{
	code[0] = csr << 20 | source << 15 | operation << 12 | T3 << 7 | OPCODE;
	code[1] = behind;
	__asm__ volatile("fence.i" ::: "memory");
}

/* With *value in t3, which is what it finds there afterwards. */
static uint64_t run_code(uint64_t *value)
{
	trap.cause = NO_TRAP;
	__asm__ volatile("mv t3, %0\njalr %1\nmv %0, t3" : "+&r"(*value) : "r"(code) : "ra", "t3", "memory");
	return trap.cause;
}

static void expect_from_supervisor(const char *what, uint32_t csr, uint32_t operation, uint32_t source,
				   uint64_t *value, bool works)
{
	write_code(csr, operation, source, RETURN);
	if (expect(what, csr, run_code(value), works ? NO_TRAP : ILLEGAL) && !works)
		/* stval holds the instruction, or nothing (section 4.1.9). */
		expect("stval of it", csr, trap.tval == 0 || trap.tval == code[0], true);
}

/* Its own registers are written with what they hold: the attack goes on. */
static void touch(uint32_t csr)
{
	enum outcome outcome = outcome_of(csr);
	/* QEMU 7.2 takes no bits at all for no write; what is its own is not changed. */
	uint64_t bits = IS_READ_ONLY(csr) ? UINT64_MAX : 0, none = bits, value = 0;

	if (outcome == DEPENDS) {
		write_code(csr, CSRRS, 0, RETURN);
		outcome = run_code(&value) == NO_TRAP ? WORKS : TRAPS;
		if (outcome == TRAPS)
			expect("the trap of a register that is not there", csr, trap.cause, ILLEGAL);
	} else {
		expect_from_supervisor("reading a register", csr, CSRRS, 0, &value, outcome == WORKS);
	}
	if (IS_READ_ONLY(csr))
		outcome = TRAPS;
	expect_from_supervisor("setting bits of a register", csr, CSRRS, T3, &none, outcome == WORKS);
	none = bits;
	expect_from_supervisor("clearing bits of a register", csr, CSRRC, T3, &none, outcome == WORKS);
	expect_from_supervisor("writing a register", csr, CSRRW, T3, &value, outcome == WORKS);
}

static void touch_from_user(uint32_t csr)
{
	write_code(csr, CSRRS, 0, EBREAK);
	trap.cause = NO_TRAP;
	run_as_user(code);
	if (CSR_LEVEL(csr) == 0 && outcome_of(csr) != TRAPS)
		expect("a user's register", csr, trap.cause == ILLEGAL || trap.cause == BREAKPOINT, true);
	else
		expect("reading a register from user mode", csr, trap.cause, ILLEGAL);
	expect("the mode that it came from", csr, trap.status & 0x100, 0);
}

void main(void)
{
	__asm__ volatile("csrs sstatus, %0" ::"r"(SSTATUS_FS));
	for (uint32_t csr = 0; csr < 4096; csr++) {
		touch(csr);
		touch_from_user(csr);
	}
}
