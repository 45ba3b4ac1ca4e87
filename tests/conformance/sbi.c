/* SPDX-License-Identifier: MIT */
/* All extensions, from inside, on as many vCPUs as there are. */
#include "guest.h"

void main(void)
{
	while (cpu_count < MOST_CPUS && sbi(HSM, 2, cpu_count).error == SUCCESS)
		cpu_count++;
	check_base();
	check_time();
	check_ipi();
	check_rfence();
	check_hsm();
	check_dbcn();
	check_pmu();
	check_susp();
	check_fwft();
	check_sse();
	check_legacy();
	print("sbi: end\n");
}
