/* SPDX-License-Identifier: MIT */
/*
 * Runs for ever on two vCPUs that work and sleep in turn. Before that it looks whether anything is left of its former life,
 * and afterwards whether its own memory stays its own.
 */
#include "attack.h"

#define MARKS UINT64_C(0x100000) /* in RAM, where nothing is loaded */
#define COUNT 512u

static void mark(uint64_t what)
{
	volatile uint64_t *marks = (volatile uint64_t *)(ram_base() + MARKS) + COUNT * my_id();

	for (unsigned i = 0; i < COUNT; i++) {
		expect("a mark in memory", i, marks[i], what);
		marks[i] = (uintptr_t)&marks[i] ^ (uintptr_t)self;
	}
	for (unsigned i = 0; i < COUNT; i++) {
		expect("a mark in memory that changed", i, marks[i], (uintptr_t)&marks[i] ^ (uintptr_t)self);
		marks[i] = 0;
	}
}

static void run_on(void)
{
	for (;;) {
		mark(0);
		sbi(SBI_RFENCE, 0, 0, UINT64_MAX, 0, 0);
		sbi(SBI_TIME, 0, ticks() + 5000, 0, 0, 0);
		__asm__ volatile("csrs sie, %0\nwfi\ncsrc sie, %0" ::"r"(0x20));
	}
}

void main(void)
{
	start_vcpu(1, run_on);
	run_on();
}
