/* SPDX-License-Identifier: MIT */
/*
 * Two harts of this guest wake each other by IPIs and sleep in between, so that at any time one of
 * them has something to do and the other has not. On two harts of the board this measures IPIs, on
 * one the switch between the two.
 */
#include "bench.h"

#define ROUNDS UINT64_C(1000)
#define OTHER  1u

static volatile uint64_t taken; /* when the other's handler began */
static uint64_t other_stack[256] __attribute__((aligned(16)));

void other_main(uint64_t hart)
{
	(void)hart;
	for (;;) {
		sbi(SBI_IPI, 0, 1, 0, 0); /* the first one says that it is here */
		taken = await_soft();
	}
}

static uint64_t round_trip(void)
{
	uint64_t sent = ticks();

	sbi(SBI_IPI, 0, 1u << OTHER, 0, 0);
	await_soft();
	return taken - sent;
}

void bench_main(uint64_t hart, uint64_t tree, uint64_t first)
{
	uint64_t sum = 0, began;

	(void)hart, (void)tree, (void)first;
	sbi(SBI_HSM, 0, OTHER, (uintptr_t)other_start, (uintptr_t)&other_stack[256]);
	await_soft();
	for (unsigned i = 0; i < 10; i++) /* until both are where they will be */
		round_trip();
	began = ticks();
	for (uint64_t i = 0; i < ROUNDS; i++)
		sum += round_trip();
	report("round_trip", (ticks() - began) * CYCLES_PER_TICK, ROUNDS);
	report("ipi_other", sum * CYCLES_PER_TICK, ROUNDS);
	shut_down();
}
