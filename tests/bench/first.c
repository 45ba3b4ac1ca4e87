/* SPDX-License-Identifier: MIT */
/* Says when its first instruction ran, then asks for a reboot at a moment that it has named before.
 */
#include "bench.h"

#define SOON UINT64_C(1000000) /* cycles that saying so will not take */

void bench_main(uint64_t hart, uint64_t tree, uint64_t first_cycle, uint64_t first_time)
{
	uint64_t leave;

	(void)hart, (void)tree;
	report("first_cycle", first_cycle, 1);
	report("first_time", first_time, 1);
	leave = cycles() + SOON;
	report("leave", leave, 1);
	while (cycles() < leave)
		;
	sbi(SBI_SRST, 0, 1, 0, 0);
	shut_down();
}
