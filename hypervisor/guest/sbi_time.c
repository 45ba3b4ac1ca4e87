/* SPDX-License-Identifier: MIT */
/* Timer extension, section 6. */
#include "arch/guest.h"
#include "sbi.h"
#include "scheduler.h"

void sbi_set_timer(struct vcpu *vcpu, uint64_t when)
{
	sbi_pmu_count(vcpu, PMU_SET_TIMER, 1);
	arch_set_deadline(vcpu, when);
	sched_program_timer();
}

static struct sbi_result set_timer(struct vcpu *vcpu, const uint64_t *a)
{
	sbi_set_timer(vcpu, a[0]);
	return sbi_value(0);
}

static const sbi_function functions[] = {set_timer};

const struct sbi_extension sbi_time = {.id = 0x54494d45, .count = 1, .functions = functions};
