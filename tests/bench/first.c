/* SPDX-License-Identifier: MIT */
/* Says when its first instruction ran, then asks for a reboot at a moment that it has named before.
 */
#include "bench.h"

#define SOON UINT64_C(10000) /* ticks that saying so will not take */

void bench_main(uint64_t hart, uint64_t tree, uint64_t first)
{
	uint64_t leave;

	(void)hart, (void)tree;
	report("first", first * CYCLES_PER_TICK, 1);
	leave = ticks() + SOON;
	report("leave", leave * CYCLES_PER_TICK, 1);
	while (ticks() < leave)
		;
	sbi(SBI_SRST, 0, 1, 0, 0);
	shut_down();
}
