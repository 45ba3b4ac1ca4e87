/* SPDX-License-Identifier: MIT */
/*
 * Crashes by what it is told: its trap handler is where nothing is. Before that it leaves marks in its memory and
 * registers, which the next start must not find.
 */
#include "attack.h"

#define MARK UINT64_C(0xdeadbeefcafef00d)

static uint64_t in_image = 1;

static volatile uint64_t *free_memory(void)
{
	return (volatile uint64_t *)(ram_base() + 0x100000);
}

static void find_marks(void)
{
	expect("a mark in the image", 0, in_image, 1);
	for (unsigned i = 0; i < 512; i++)
		expect("a mark in memory", i, free_memory()[i], 0);
}

static void leave_marks(void)
{
	in_image = MARK;
	for (unsigned i = 0; i < 512; i++)
		free_memory()[i] = MARK;
}

void main(void)
{
	find_marks();
	print("ready: c crashes, f reports a failure, r restarts, q ends\n");
	leave_marks();
	switch (read_byte()) {
	case 'c':
		__asm__ volatile("csrw stvec, %0\nli s11, 0x5eed\n.word 0" ::"r"(8));
		break;
	case 'f':
		sbi(SBI_SRST, 0, 0, 1, 0, 0);
		break;
	case 'r':
		sbi(SBI_SRST, 0, 1, 0, 0, 0);
		break;
	}
}
