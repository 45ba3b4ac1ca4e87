/* SPDX-License-Identifier: MIT */
#include "guest.h"

void check_time(void)
{
	volatile struct cpu *cpu = this_cpu();
	uint64_t when, taken = cpu->taken[IRQ_TIMER];

	topic("time");
	enable_only(0);
	expect_error("a timer in the past", 0, SUCCESS, TIME, 0, 0);
	enable_only(BIT(IRQ_TIMER));
	take_interrupts();
	expect("its interrupt", 0, cpu->taken[IRQ_TIMER], taken + 1);

	expect_error("a timer far off", 0, SUCCESS, TIME, 0, ALL);
	enable_only(BIT(IRQ_TIMER));
	take_interrupts();
	expect("no interrupt, the pending one is gone", 0, cpu->taken[IRQ_TIMER], taken + 1);

	when = now() + 10000;
	expect_error("a timer soon", 0, SUCCESS, TIME, 0, when);
	while (cpu->taken[IRQ_TIMER] == taken + 1)
		take_interrupts();
	expect("not before its time", when, now() >= when, 1);
	take_interrupts();
	expect("and once", 0, cpu->taken[IRQ_TIMER], taken + 2);
	expect_error("off again", 0, SUCCESS, TIME, 0, ALL);
	verdict();
}
