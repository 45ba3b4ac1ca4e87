/* SPDX-License-Identifier: MIT */
/*
 * mcycle and minstret belong to the vCPU that is loaded: a guest reads its own time in cycle and instret, and can
 * stop them where the hart has mcountinhibit (privileged specification 1.12, sections 3.1.10 to 3.1.12).
 */
#include "arch/guest.h"
#include "asm.h"
#include "capsule.h"
#include "csr.h"
#include "isolation.h"
#include "probe.h"

void counters_probe(void)
{
	uint64_t value;

	if (probe_mcountinhibit(&value) != 0) {
		riscv_features.inhibit = false;
		return;
	}
	csr_write(CSR_MCOUNTINHIBIT, COUNTER_CYCLE | COUNTER_INSTRET);
	if (csr_read(CSR_MCOUNTINHIBIT) != (COUNTER_CYCLE | COUNTER_INSTRET))
		riscv_features.inhibit = false;
	csr_write(CSR_MCOUNTINHIBIT, 0);
}

uint64_t arch_counter(const struct vcpu *vcpu, enum arch_counter counter)
{
	(void)vcpu;
	return counter == ARCH_CYCLE ? csr_read(CSR_MCYCLE) : csr_read(CSR_MINSTRET);
}

void arch_set_counter(struct vcpu *vcpu, enum arch_counter counter, uint64_t value)
{
	(void)vcpu;
	if (counter == ARCH_CYCLE)
		csr_write(CSR_MCYCLE, value);
	else
		csr_write(CSR_MINSTRET, value);
}

void arch_run_counter(struct vcpu *vcpu, enum arch_counter counter, bool run)
{
	uint64_t bit = UINT64_C(1) << counter;

	vcpu->arch.inhibit = run ? vcpu->arch.inhibit & ~bit : vcpu->arch.inhibit | bit;
	if (riscv_features.inhibit)
		csr_write(CSR_MCOUNTINHIBIT, vcpu->arch.inhibit);
}

void counters_load(const struct arch_vcpu *arch)
{
	if (riscv_features.inhibit)
		csr_write(CSR_MCOUNTINHIBIT, arch->inhibit);
	csr_write(CSR_MCYCLE, arch->cycle);
	csr_write(CSR_MINSTRET, arch->instret);
}

void counters_save(struct arch_vcpu *arch)
{
	arch->cycle = csr_read(CSR_MCYCLE);
	arch->instret = csr_read(CSR_MINSTRET);
}
