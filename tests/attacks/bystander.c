/* SPDX-License-Identifier: MIT */
/*
 * Does no harm: fills its memory and registers with a pattern and looks whether it stays, until it is told to end,
 * when all others are done. On the way it says that it goes on.
 */
#include "attack.h"

#define PATTERN_AT   (ram_base() + 0x40000)
#define PATTERN_LEN  UINT64_C(0x180000)
#define PATTERN(at)  ((at) * UINT64_C(0x9e3779b97f4a7c15))

static void look_at_memory(void)
{
	for (uint64_t at = PATTERN_AT; at < PATTERN_AT + PATTERN_LEN; at += 8)
		expect("its own memory", at, *(volatile uint64_t *)at, PATTERN(at));
}

#define FLOATS(op)                                                                                 \
	op(f0) op(f1) op(f2) op(f3) op(f4) op(f5) op(f6) op(f7) op(f8) op(f9) op(f10) op(f11)     \
	op(f12) op(f13) op(f14) op(f15) op(f16) op(f17) op(f18) op(f19) op(f20) op(f21) op(f22)    \
	op(f23) op(f24) op(f25) op(f26) op(f27) op(f28) op(f29) op(f30) op(f31)
#define FLOAT_ASM(code) __asm__ volatile(".option push\n.option arch, +d\n" code "\n.option pop")

static void set_floats(uint64_t value)
{
#define SET(reg) FLOAT_ASM_IN("fmv.d.x " #reg ", %0", value);
#define FLOAT_ASM_IN(code, in) __asm__ volatile(".option push\n.option arch, +d\n" code "\n.option pop" ::"r"(in))
	FLOATS(SET)
}

static void look_at_floats(uint64_t value)
{
	uint64_t got;

#define LOOK(reg)                                                                                  \
	__asm__ volatile(".option push\n.option arch, +d\nfmv.x.d %0, " #reg "\n.option pop" : "=r"(got)); \
	expect("its floating-point register " #reg, 0, got, value);
	FLOATS(LOOK)
}

void main(void)
{
	char byte;

	__asm__ volatile("csrs sstatus, %0" ::"r"(UINT64_C(1) << 13));
	look_at_floats(0); /* as after a reset, whoever ran here before */
	for (uint64_t at = PATTERN_AT; at < PATTERN_AT + PATTERN_LEN; at += 8)
		*(volatile uint64_t *)at = PATTERN(at);
	set_floats(PATTERN(1));
	print("bystander: goes on\n");
	while (!has_byte(&byte)) {
		look_at_memory();
		look_at_floats(PATTERN(1));
	}
	look_at_memory();
	print("bystander: undisturbed until the end\n");
}
