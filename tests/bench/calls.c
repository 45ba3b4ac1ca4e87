/* SPDX-License-Identifier: MIT */
/* Short calls, accesses to an emulated device, and how late a timer interrupt is. */
#include "bench.h"

#define CALLS   UINT64_C(100000)
#define STORES  UINT64_C(1000)
#define AHEAD   UINT64_C(50) /* ticks from now to a deadline */
#define THR     UINT64_C(0x10000000)
#define LSR     UINT64_C(0x10000005)
#define FAR_OFF UINT64_MAX

static void calls(void)
{
	report("base", loop_call(SBI_BASE, 0, 0, 0, CALLS), CALLS);
	report("set_timer", loop_call(SBI_TIME, 0, FAR_OFF, 0, CALLS), CALLS);
	report("ipi_self", loop_call(SBI_IPI, 0, 1, 0, CALLS), CALLS);
	report("ipi_self_taken", soft_taken, CALLS);
	report("fence_self", loop_call(SBI_RFENCE, 0, 1, 0, CALLS), CALLS);
}

static void uart(void)
{
	report("lsr", loop_load(LSR, CALLS), CALLS);
	report("thr", loop_store(THR, STORES, '.'), STORES);
}

static bool set_by_call(uint64_t deadline)
{
	sbi(SBI_TIME, 0, deadline, 0, 0);
	return true;
}

/*
 * From a deadline to the first instruction of the handler. QEMU's timer is late by as much of a
 * tick as had passed when the comparator was written; so it is written at all moments of a tick,
 * and the best counts.
 */
static void timer(const char *name, bool (*set)(uint64_t deadline))
{
	uint64_t best = UINT64_MAX;

	for (uint64_t i = 0; i < CYCLES_PER_TICK; i++) {
		uint64_t tick, edge = tick_edge(&tick), deadline = tick + AHEAD, late;

		for (volatile uint64_t wait = 0; wait < i; wait++)
			;
		if (!set(deadline))
			return;
		late = await_timer() - (edge + AHEAD * CYCLES_PER_TICK);
		set(FAR_OFF);
		if (late < best)
			best = late;
	}
	report(name, best, 1);
}

void bench_main(uint64_t hart, uint64_t tree, uint64_t first)
{
	(void)hart, (void)tree, (void)first;
	calls();
	uart();
	timer("timer_call", set_by_call);
	timer("timer_sstc", set_stimecmp);
	shut_down();
}
