/* SPDX-License-Identifier: MIT */
/*
 * Lives for eleven seconds, asleep, and reboots; unless a byte of input has come: then it shuts down. Before that it
 * looks whether anything is left of its former life.
 */
#include "attack.h"

#define LIFE UINT64_C(110000000) /* ticks of virt's timebase */
#define MARK UINT64_C(0xdeadbeefcafef00d)

static void sleep_until(uint64_t when)
{
	uint64_t now;

	sbi(SBI_TIME, 0, when, 0, 0, 0);
	__asm__ volatile("csrw sie, %0" ::"r"(UINT64_C(1) << 5));
	do
		__asm__ volatile("wfi\nrdtime %0" : "=r"(now));
	while (now < when);
	__asm__ volatile("csrw sie, zero");
}

void main(void)
{
	volatile uint64_t *marks = (volatile uint64_t *)(ram_base() + 0x100000);
	uint64_t now;
	char byte;

	for (unsigned i = 0; i < 512; i++) {
		expect("a mark in memory", i, marks[i], 0);
		marks[i] = MARK;
	}
	__asm__ volatile("rdtime %0" : "=r"(now));
	sleep_until(now + LIFE);
	if (!has_byte(&byte))
		sbi(SBI_SRST, 0, 1, 0, 0, 0);
}
