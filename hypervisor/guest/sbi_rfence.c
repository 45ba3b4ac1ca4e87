/* SPDX-License-Identifier: MIT */
/* RFENCE extension, section 8. */
#include <stddef.h>

#include "addr.h"
#include "bits.h"
#include "sbi.h"

/* A vCPU that is not in a guest serves its requests before it enters; only the others are waited for. */
static void post_and_wait(struct vcpu *self, uint64_t selected, uint32_t request)
{
	sbi_post(self->capsule, selected, request);
	for (; selected != 0; selected &= selected - 1)
		vcpu_await_exit(&self->capsule->vcpus[lowest_bit(selected)]);
}

void sbi_remote_fence_i(struct vcpu *self, uint64_t selected)
{
	sbi_pmu_count(self, PMU_FENCE_I_SENT, (uint64_t)__builtin_popcountll(selected));
	post_and_wait(self, selected, REQUEST_FENCE_I);
}

void sbi_remote_sfence(struct vcpu *self, uint64_t selected, const struct fence_range *range)
{
	sbi_pmu_count(self, range->asid == UINT64_MAX ? PMU_SFENCE_VMA_SENT : PMU_SFENCE_VMA_ASID_SENT,
		      (uint64_t)__builtin_popcountll(selected));
	for (uint64_t left = selected; left != 0; left &= left - 1)
		vcpu_add_fence(&self->capsule->vcpus[lowest_bit(left)], range);
	post_and_wait(self, selected, REQUEST_SFENCE);
}

static struct sbi_result fence_i(struct vcpu *vcpu, const uint64_t *a)
{
	uint64_t selected;

	if (!sbi_select(vcpu->capsule, a[0], a[1], &selected))
		return sbi_error(SBI_ERR_INVALID_PARAM);
	sbi_remote_fence_i(vcpu, selected);
	return sbi_value(0);
}

/* Start and size 0, or size all ones: the whole address space (section 8.2). Whole pages otherwise. */
static bool make_range(uint64_t start, uint64_t size, uint64_t asid, struct fence_range *range)
{
	uint64_t first = align_down(start, PAGE_SIZE);

	if ((start == 0 && size == 0) || size == UINT64_MAX) {
		*range = (struct fence_range){0, UINT64_MAX, asid};
		return true;
	}
	if (size != 0 && start + size - 1 < start) /* the last page of all may be meant */
		return false;
	*range = (struct fence_range){first, start + size - first, asid};
	if (range->size > UINT64_MAX - PAGE_SIZE)
		range->size = UINT64_MAX;
	else
		range->size = align_up(range->size != 0 ? range->size : 1, PAGE_SIZE);
	return true;
}

static struct sbi_result sfence(struct vcpu *vcpu, const uint64_t *a, uint64_t asid)
{
	struct fence_range range;
	uint64_t selected;

	if (!sbi_select(vcpu->capsule, a[0], a[1], &selected))
		return sbi_error(SBI_ERR_INVALID_PARAM);
	if (!make_range(a[2], a[3], asid, &range))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	sbi_remote_sfence(vcpu, selected, &range);
	return sbi_value(0);
}

static struct sbi_result sfence_vma(struct vcpu *vcpu, const uint64_t *a)
{
	return sfence(vcpu, a, UINT64_MAX);
}

static struct sbi_result sfence_vma_asid(struct vcpu *vcpu, const uint64_t *a)
{
	return sfence(vcpu, a, a[4]);
}

/* Guests have no hypervisor extension: of those that the mask names none can do it. */
static struct sbi_result hfence(struct vcpu *vcpu, const uint64_t *a)
{
	uint64_t selected;

	return sbi_error(sbi_select(vcpu->capsule, a[0], a[1], &selected) ? SBI_ERR_NOT_SUPPORTED :
									    SBI_ERR_INVALID_PARAM);
}

static const sbi_function functions[] = {fence_i, sfence_vma, sfence_vma_asid, hfence, hfence, hfence, hfence};

const struct sbi_extension sbi_rfence = {.id = 0x52464e43, .count = 7, .functions = functions};
