/* SPDX-License-Identifier: MIT */
#include "guest.h"

static uint64_t mask;

/* A legacy call says nothing in a1. */
static uint64_t a1_after(uint64_t extension, uint64_t argument)
{
	return sbi(extension, 0xbad, argument, 4711).value;
}

void check_legacy(void)
{
	volatile struct cpu *cpu = this_cpu();
	uint64_t taken = cpu->taken[IRQ_SOFT], outside = ram_base() + RAM_SIZE;

	topic("legacy");
	mask = 1;
	expect_error("no IPI to clear", 3, 0, 3, 0, 0);
	expect_error("an IPI", 4, 0, 4, 0, (uintptr_t)&mask);
	expect("an IPI to clear", 3, error_of(3, 0, 0) > 0, 1);
	expect_error("an IPI for all", 4, 0, 4, 0, 0);
	enable_only(BIT(IRQ_SOFT));
	take_interrupts();
	expect("it comes", 4, cpu->taken[IRQ_SOFT], taken + 1);
	enable_only(0);
	for (uint64_t extension = 5; extension <= 7; extension++) {
		expect_error("a fence", extension, 0, extension, 0, (uintptr_t)&mask, 0, 0, 0);
		expect_error("a fence of all", extension, 0, extension, 0, 0, 0x1000, 0x1000, 1);
		expect("a1", extension, a1_after(extension, 0), 4711);
	}
	mask = BIT(cpu_count);
	expect("an IPI beyond", 4, error_of(4, 0, (uintptr_t)&mask) < 0, 1);
	cpu->cause = 0;
	sbi(4, 0, outside);
	expect("the trap of a bad pointer", 4, cpu->cause, 5);
	expect("where it points", 4, cpu->tval, outside);
	expect("what is there", 4, *(volatile uint32_t *)cpu->pc, 0x73); /* an ecall */
	expect("a byte of input", 2, (uint64_t)error_of(2, 0, 0), ALL);
	expect_error("a timer", 0, 0, 0, 0, ALL);
	expect_error("a byte", 1, 0, 1, 0, '\n');
	verdict();
}
