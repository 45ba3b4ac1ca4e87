/* SPDX-License-Identifier: MIT */
/* Hart State Management extension, section 9. */
#include <stddef.h>

#include "arch/guest.h"
#include "sbi.h"
#include "scheduler.h"

static struct vcpu *find(struct vcpu *self, uint64_t id)
{
	return id < self->capsule->config.cpus ? &self->capsule->vcpus[id] : NULL;
}

bool sbi_is_code(const struct vcpu *vcpu, uint64_t at)
{
	hpa_t where;

	return at % 2 == 0 && capsule_memory(vcpu->capsule, gpa(at), 2, &where);
}

static struct sbi_result hart_start(struct vcpu *vcpu, const uint64_t *a)
{
	struct vcpu *target = find(vcpu, a[0]);

	if (target == NULL)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	if (!sbi_is_code(vcpu, a[1]))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	if (!vcpu_start(target, a[1], a[2]))
		return sbi_error(SBI_ERR_ALREADY_AVAILABLE);
	return sbi_value(0);
}

static struct sbi_result hart_stop(struct vcpu *vcpu, const uint64_t *a)
{
	(void)a;
	atomic_store(&vcpu->hsm, HSM_STOP_PENDING);
	sbi_sse_leave(vcpu);
	vcpu_post(vcpu, REQUEST_HALT);
	return sbi_error(SBI_ERR_FAILED); /* never seen */
}

static struct sbi_result hart_get_status(struct vcpu *vcpu, const uint64_t *a)
{
	const struct vcpu *target = find(vcpu, a[0]);

	if (target == NULL)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	return sbi_value(atomic_load(&target->hsm));
}

/* Section 9.4: default suspend of either kind, without and with the bit for "non-retentive". */
#define RETENTIVE     0x00000000u
#define NON_RETENTIVE 0x80000000u

struct sbi_result sbi_suspend_to(struct vcpu *vcpu, uint64_t at, uint64_t opaque)
{
	arch_vcpu_restart(vcpu, at);
	sched_suspend();
	return (struct sbi_result){vcpu->id, opaque};
}

static struct sbi_result hart_suspend(struct vcpu *vcpu, const uint64_t *a)
{
	uint32_t type = (uint32_t)a[0];

	if (type != RETENTIVE && type != NON_RETENTIVE)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	if (type == NON_RETENTIVE)
		return sbi_is_code(vcpu, a[1]) ? sbi_suspend_to(vcpu, a[1], a[2]) : sbi_error(SBI_ERR_INVALID_ADDRESS);
	sched_suspend();
	return sbi_value(0);
}

static const sbi_function functions[] = {hart_start, hart_stop, hart_get_status, hart_suspend};

const struct sbi_extension sbi_hsm = {.id = 0x48534d, .count = 4, .functions = functions};
