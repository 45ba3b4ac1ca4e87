/* SPDX-License-Identifier: MIT */
/* Timer extension, section 6. */
#include "arch/guest.h"
#include "sbi.h"
#include "scheduler.h"

static struct sbi_result set_timer(struct vcpu *vcpu, const uint64_t *a)
{
	arch_set_deadline(vcpu, a[0]);
	sched_program_timer();
	return sbi_value(0);
}

static const sbi_function functions[] = {set_timer};

const struct sbi_extension sbi_time = {0x54494d45, 1, functions, false};
