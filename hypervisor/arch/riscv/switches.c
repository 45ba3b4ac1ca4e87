/* SPDX-License-Identifier: MIT */
/* What a guest may switch on for itself: delegation of misaligned accesses, and Svadu. */
#include "arch/guest.h"
#include "asm.h"
#include "capsule.h"
#include "csr.h"
#include "isolation.h"
#include "probe.h"

#define BIT_OF(which) (UINT64_C(1) << (which))

#define sticks(csr, bits)                                                                          \
	({                                                                                         \
		csr_set(csr, bits);                                                                \
		bool sticks_ = (csr_read(csr) & (bits)) == (bits);                                 \
		csr_clear(csr, bits);                                                              \
		sticks_;                                                                           \
	})

void switches_probe(void)
{
	bool hypervisor = csr_read(CSR_MISA) & BIT('H' - 'A'), menvcfg = riscv_features.menvcfg;
	uint64_t mine = 0;

	if (sticks(CSR_MEDELEG, CAUSES_MISALIGNED) && (!hypervisor || sticks(CSR_HEDELEG, CAUSES_MISALIGNED)))
		mine |= BIT_OF(ARCH_MISALIGNED_DELEGATED);
	if (menvcfg && sticks(CSR_MENVCFG, ENVCFG_ADUE)) {
		/* henvcfg's bit reads zero while menvcfg's is. */
		csr_set(CSR_MENVCFG, ENVCFG_ADUE);
		if (!hypervisor || sticks(CSR_HENVCFG, ENVCFG_ADUE))
			mine |= BIT_OF(ARCH_PTE_AD_UPDATED);
		csr_clear(CSR_MENVCFG, ENVCFG_ADUE);
	}
	riscv_features.switches &= mine;
}

bool arch_has_switch(enum arch_switch which)
{
	return riscv_features.switches & BIT_OF(which);
}

void arch_set_switch(struct vcpu *vcpu, enum arch_switch which, bool on)
{
	if (on)
		vcpu->arch.switches |= BIT_OF(which);
	else
		vcpu->arch.switches &= ~BIT_OF(which);
	switches_load(&vcpu->arch);
}

void switches_load(const struct arch_vcpu *arch)
{
	if (arch_has_switch(ARCH_MISALIGNED_DELEGATED))
		isolation->delegate_misaligned(arch->switches & BIT_OF(ARCH_MISALIGNED_DELEGATED));
	if (arch_has_switch(ARCH_PTE_AD_UPDATED))
		isolation->update_pte_ad(arch->switches & BIT_OF(ARCH_PTE_AD_UPDATED));
}
