/* SPDX-License-Identifier: MIT */
/* Instructions that no supervisor may execute, and words that are no instruction. */
#include "attack.h"

static uint32_t code[2] __attribute__((aligned(8)));

static const uint32_t privileged[] = {
	0x30200073, /* mret */
	0x7b200073, /* dret */
	0x70200073, /* mnret */
	0x62000073, /* hfence.gvma */
	0x22000073, /* hfence.vvma */
	0x600e4e73, /* hlv.b t3, (t3) */
	0x6c0e4e73, /* hlv.d t3, (t3) */
	0x643e4e73, /* hlvx.hu t3, (t3) */
	0x62ce4073, /* hsv.b t3, (t3) */
	0x6ece4073, /* hsv.d */
	0x66000073, /* hinval.gvma */
	0x26000073, /* hinval.vvma */
	0x00200073, /* uret, which is no more */
};

static const uint32_t reserved[] = {
	0x00000000, 0xffffffff, 0x0000007f, 0xfffff00f | 0x7000, 0x0000706f | 0x1b, 0xc0001073, /* csrw cycle */
	0x0000205b, 0x00007003, 0x0000502f | 0x08000000,
};

static uint64_t run(uint32_t insn)
{
	code[0] = insn;
	code[1] = 0x00008067;
	__asm__ volatile("fence.i" ::: "memory");
	trap.cause = NO_TRAP;
	__asm__ volatile("li t3, 0\njalr %0" ::"r"(code) : "ra", "t3", "memory");
	return trap.cause;
}

static void expect_illegal_from_user(const char *what, uint32_t insn)
{
	code[0] = insn;
	__asm__ volatile("fence.i" ::: "memory");
	trap.cause = NO_TRAP;
	run_as_user(code);
	expect(what, insn, trap.cause, ILLEGAL);
	expect("the mode that it came from", insn, trap.status & 0x100, 0);
}

void main(void)
{
	for (unsigned i = 0; i < sizeof(privileged) / sizeof(privileged[0]); i++) {
		expect("a privileged instruction", privileged[i], run(privileged[i]), ILLEGAL);
		expect_illegal_from_user("a privileged instruction from user mode", privileged[i]);
	}
	for (unsigned i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		expect("a reserved instruction", reserved[i], run(reserved[i]), ILLEGAL);
	expect_illegal_from_user("sret from user mode", 0x10200073);
	expect_illegal_from_user("sfence.vma from user mode", 0x12000073);
	/* Its own business: supervisor's fences, and a wait that an interrupt is pending for. */
	expect("sfence.vma", 0, run(0x12000073), NO_TRAP);
	__asm__ volatile("csrsi sie, 2\ncsrsi sip, 2");
	expect("wfi with an interrupt pending", 0, run(0x10500073), NO_TRAP);
	__asm__ volatile("csrci sip, 2\ncsrci sie, 2");
}
