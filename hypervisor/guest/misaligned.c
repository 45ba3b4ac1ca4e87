/* SPDX-License-Identifier: MIT */
/*
 * Loads and stores that are not aligned to their width, on harts that trap them. They are done byte by byte with the
 * rights of the mode that trapped, so they reach what its own instructions reach, and devices never: those take
 * aligned accesses alone. A misaligned access need not be atomic (unprivileged specification, section 2.6), and those
 * that must be, atomics, stay the guest's fault; so do vector instructions.
 */
#include "arch/guest.h"
#include "capsule.h"
#include "decode.h"

/* What a load of `width` bytes leaves of ones above them in a floating-point register (section 12.2, NaN boxing). */
static uint64_t nan_box(uint64_t raw, unsigned width)
{
	return width == 8 ? raw : raw | ~UINT64_C(0) << 8 * width;
}

/* Of the two pages that it may touch, the second begins here; `va` itself when it touches one. */
static gva_t last_portion(gva_t va, unsigned width)
{
	uint64_t page = align_down(va.v + width - 1, PAGE_SIZE);

	return page - va.v < width ? gva(page) : va;
}

/* Both return 0, or the exception and, in *at, where it was met: on harts the first byte of that page. */
static uint64_t load(struct vcpu *vcpu, const struct access *access, gva_t va, gva_t *at)
{
	uint64_t fault, raw = 0;
	uint8_t byte;

	for (unsigned i = 0; i < access->width; i++) {
		*at = gva(va.v + i);
		fault = arch_read_u8(vcpu, *at, &byte);
		if (fault != 0)
			return fault;
		raw |= (uint64_t)byte << 8 * i;
	}
	if (access->fp)
		arch_set_fp_reg(vcpu, access->reg, nan_box(raw, access->width));
	else
		vcpu_set_reg(vcpu, access->reg, extend_load(access, raw));
	return 0;
}

static uint64_t store(struct vcpu *vcpu, const struct access *access, gva_t va, gva_t *at)
{
	uint64_t value = access->fp ? arch_fp_reg(vcpu, access->reg) : vcpu_reg(vcpu, access->reg);
	uint64_t fault;

	/* All of it has to be writable before any of it is written. */
	*at = va;
	fault = arch_check_write(vcpu, *at);
	if (fault == 0) {
		*at = last_portion(va, access->width);
		fault = arch_check_write(vcpu, *at);
	}
	for (unsigned i = 0; fault == 0 && i < access->width; i++) {
		*at = gva(va.v + i);
		fault = arch_write_u8(vcpu, *at, (uint8_t)(value >> 8 * i));
	}
	return fault;
}

void guest_misaligned(struct vcpu *vcpu, gva_t va, enum arch_exception fault)
{
	struct access access;
	uint32_t insn;
	uint64_t met;
	gva_t at;

	/* Where the hart cannot be told to give them to the guest straight away they come here nevertheless. */
	if (vcpu->sbi.fwft.on >> FWFT_MISALIGNED_EXC_DELEG & 1) {
		arch_inject(vcpu, fault, va.v);
		return;
	}
	if (arch_fetch(vcpu, &insn) != 0)
		return; /* it cannot be read any more: the guest will find out itself */
	if (!decode_access(insn, &access)) {
		arch_inject(vcpu, fault, va.v);
		return;
	}
	if (access.fp && !arch_fp_enabled(vcpu)) {
		arch_inject(vcpu, ARCH_ILLEGAL, insn);
		return;
	}
	met = access.store ? store(vcpu, &access, va, &at) : load(vcpu, &access, va, &at);
	if (met != 0) {
		arch_inject(vcpu, met, at.v);
		return;
	}
	vcpu->arch.pc += access.insn_len;
	vcpu->exits[DIOSIX_EXIT_EMULATED]++;
	if (sbi_pmu_counts_events(vcpu))
		sbi_pmu_trapped(vcpu, fault);
}
