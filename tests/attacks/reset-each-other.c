/* SPDX-License-Identifier: MIT */
/*
 * Two vCPUs reset their capsule at the same time, each while the other fences, signals and starts it, over and over: each
 * life begins as the first one did. A byte of input ends that.
 */
#include "attack.h"

static uint64_t life = 1;
static _Atomic unsigned ready;

static void both(void)
{
	unsigned me = my_id();

	expect("a mark of a life before", me, life, 1);
	ready++;
	while (ready != 2)
		;
	life = 2;
	for (uint64_t end = ticks() + 1000; ticks() < end;) {
		sbi(SBI_RFENCE, 1, 3, 0, 0, UINT64_MAX);
		sbi(SBI_IPI, 0, 3, 0, 0, 0);
		sbi(SBI_HSM, 0, 1 - me, (uintptr_t)vcpu_begin, (uintptr_t)self, 0);
	}
	for (;;) {
		sbi(SBI_SRST, 0, 1 + me, 0, 0, 0); /* cold, warm */
		expect("the way back from a reset", me, 1, 0);
	}
}

void main(void)
{
	char byte;

	if (has_byte(&byte))
		return;
	expect("starting the other", 1, (uint64_t)start_vcpu(1, both), 0);
	both();
}
