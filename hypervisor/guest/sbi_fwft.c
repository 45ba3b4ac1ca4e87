/* SPDX-License-Identifier: MIT */
/* Firmware Features extension, section 18 of SBI 3.0. All features are a vCPU's own, and off after a reset. */
#include "arch/guest.h"
#include "sbi.h"

#define FLAG_LOCK 1u

/* The features that the specification names; the others are reserved, or a platform's that we are not. */
enum { MISALIGNED_EXC_DELEG = FWFT_MISALIGNED_EXC_DELEG, LANDING_PAD, SHADOW_STACK, DOUBLE_TRAP, PTE_AD_HW_UPDATING, POINTER_MASKING_PMLEN, NAMED };

/* What a feature switches, NOTHING where harts would need an extension that we do not hand on. */
#define NOTHING (-1)
static const int switches[NAMED] = {
	[MISALIGNED_EXC_DELEG] = ARCH_MISALIGNED_DELEGATED,
	[LANDING_PAD] = NOTHING,	   /* Zicfilp */
	[SHADOW_STACK] = NOTHING,	   /* Zicfiss */
	[DOUBLE_TRAP] = NOTHING,	   /* Ssdbltrp */
	[PTE_AD_HW_UPDATING] = ARCH_PTE_AD_UPDATED,
	[POINTER_MASKING_PMLEN] = NOTHING, /* Ssnpm */
};

static int64_t check_feature(uint32_t feature)
{
	if (feature >= NAMED)
		return SBI_ERR_DENIED;
	if (switches[feature] == NOTHING || !arch_has_switch((enum arch_switch)switches[feature]))
		return SBI_ERR_NOT_SUPPORTED;
	return SBI_SUCCESS;
}

/* Errors from what is asked of to what is asked: the feature, flags, the lock, the value. */
static struct sbi_result fwft_set(struct vcpu *vcpu, const uint64_t *a)
{
	struct fwft_state *state = &vcpu->sbi.fwft;
	uint32_t feature = (uint32_t)a[0];
	int64_t error = check_feature(feature);

	if (error != SBI_SUCCESS)
		return sbi_error(error);
	if (a[2] & ~(uint64_t)FLAG_LOCK)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	if (state->locked >> feature & 1)
		return sbi_error(SBI_ERR_DENIED_LOCKED);
	if (a[1] > 1)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	state->on = (state->on & ~(1u << feature)) | (uint32_t)a[1] << feature;
	if (a[2] & FLAG_LOCK)
		state->locked |= 1u << feature;
	arch_set_switch(vcpu, (enum arch_switch)switches[feature], a[1]);
	return sbi_value(0);
}

static struct sbi_result fwft_get(struct vcpu *vcpu, const uint64_t *a)
{
	uint32_t feature = (uint32_t)a[0];
	int64_t error = check_feature(feature);

	return error != SBI_SUCCESS ? sbi_error(error) : sbi_value(vcpu->sbi.fwft.on >> feature & 1);
}

static const sbi_function functions[] = {fwft_set, fwft_get};

const struct sbi_extension sbi_fwft = {.id = 0x46574654, .count = 2, .functions = functions};
