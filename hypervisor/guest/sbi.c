/* SPDX-License-Identifier: MIT */
/* Which extension a call is for. */
#include "sbi.h"

#include <stddef.h>

#include "arch/guest.h"
#include "bits.h"

const struct sbi_extension *const sbi_extensions[] = {
	&sbi_time, &sbi_ipi, &sbi_rfence, &sbi_base, &sbi_hsm, &sbi_pmu, &sbi_dbcn, &sbi_fwft, &sbi_sse,
	&sbi_srst, &sbi_susp, &sbi_service,
};
const uint32_t sbi_extension_count = sizeof(sbi_extensions) / sizeof(sbi_extensions[0]);

const struct sbi_extension *sbi_find(uint64_t id)
{
	for (uint32_t i = 0; i < sbi_extension_count; i++)
		if (sbi_extensions[i]->id == id)
			return sbi_extensions[i];
	for (uint32_t i = 0; i < sbi_legacy_count; i++)
		if (sbi_legacy[i].id == id)
			return &sbi_legacy[i];
	return NULL;
}

#define A0 10
#define A1 11
#define A6 16
#define A7 17

void guest_call(struct vcpu *vcpu)
{
	uint64_t *x = vcpu->arch.x;
	const struct sbi_extension *extension = sbi_find(x[A7]);
	uint64_t function = extension != NULL && extension->legacy ? 0 : x[A6];
	struct sbi_result result = sbi_error(SBI_ERR_NOT_SUPPORTED);

	if (extension != NULL && function < extension->count && extension->functions[function] != NULL) {
		if (extension->permits == NULL || extension->permits(vcpu, function, &x[A0]))
			result = extension->functions[function](vcpu, &x[A0]);
		else
			result = sbi_error(SBI_ERR_DENIED);
	}
	x[A0] = (uint64_t)result.error;
	if (extension == NULL || !extension->legacy)
		x[A1] = result.value;
}

bool sbi_select(const struct capsule *capsule, uint64_t mask, uint64_t base, uint64_t *selected)
{
	uint64_t all = capsule->config.cpus == 64 ? UINT64_MAX : (UINT64_C(1) << capsule->config.cpus) - 1;

	*selected = all;
	if (base == UINT64_MAX) /* then the mask does not count */
		return true;
	*selected = 0;
	if (mask == 0)
		return true;
	if (base >= 64 || (mask << base) >> base != mask || (mask << base & ~all) != 0)
		return false;
	*selected = mask << base;
	return true;
}

void sbi_post(const struct capsule *capsule, uint64_t selected, uint32_t request)
{
	for (; selected != 0; selected &= selected - 1)
		vcpu_post(&capsule->vcpus[lowest_bit(selected)], request);
}
