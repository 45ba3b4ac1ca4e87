/* SPDX-License-Identifier: MIT */
/* IPI extension, section 7. */
#include <stddef.h>

#include "sbi.h"

void sbi_send_ipi(struct vcpu *self, uint64_t selected)
{
	sbi_pmu_count(self, PMU_IPI_SENT, (uint64_t)__builtin_popcountll(selected));
	sbi_post(self->capsule, selected, REQUEST_SOFT_IRQ);
}

static struct sbi_result send_ipi(struct vcpu *vcpu, const uint64_t *a)
{
	uint64_t selected;

	if (!sbi_select(vcpu->capsule, a[0], a[1], &selected))
		return sbi_error(SBI_ERR_INVALID_PARAM);
	sbi_send_ipi(vcpu, selected);
	return sbi_value(0);
}

static const sbi_function functions[] = {send_ipi};

const struct sbi_extension sbi_ipi = {.id = 0x735049, .count = 1, .functions = functions};
