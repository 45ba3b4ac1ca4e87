/* SPDX-License-Identifier: MIT */
/* System Suspend extension, section 13. The system is the capsule. */
#include "sbi.h"

#define SUSPEND_TO_RAM 0

/* Suspending to RAM is for the last vCPU that has not stopped. */
static bool others_have_stopped(const struct vcpu *self)
{
	const struct capsule *capsule = self->capsule;

	for (uint32_t i = 0; i < capsule->config.cpus; i++)
		if (&capsule->vcpus[i] != self && atomic_load(&capsule->vcpus[i].hsm) != HSM_STOPPED)
			return false;
	return true;
}

static struct sbi_result system_suspend(struct vcpu *vcpu, const uint64_t *a)
{
	uint32_t type = (uint32_t)a[0];

	if (type != SUSPEND_TO_RAM)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	if (!sbi_is_code(vcpu, a[1]))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	if (!others_have_stopped(vcpu))
		return sbi_error(SBI_ERR_DENIED);
	return sbi_suspend_to(vcpu, a[1], a[2]);
}

static const sbi_function functions[] = {system_suspend};

const struct sbi_extension sbi_susp = {.id = 0x53555350, .count = 1, .functions = functions};
