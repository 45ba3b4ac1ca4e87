/* SPDX-License-Identifier: MIT */
#include "units.h"

#include <string.h>

#include "arch/guest.h"
#include "arch/hart.h"
#include "asm.h"
#include "capsule.h"
#include "csr.h"
#include "probe.h"

#define BOTH	  (MSTATUS_FS | MSTATUS_VS)
/* Fields with both bits set, made Clean and Initial, and those of `status` that are Dirty, with both bits. */
#define CLEAN(fields)	((fields) & (fields) << 1)
#define INITIAL(fields) ((fields) & (fields) >> 1)
#define DIRTY(status)	(((status) & INITIAL(BOTH) & (status) >> 1) * 3)

enum { FP, VECTOR }; /* indices into arch_hart.holds and arch_vcpu.newest */

/* --- what the harts have ------------------------------------------------------------------------ */

/* Bytes of a vector register; 0 without vectors of version 1.0. */
static uint64_t vector_length(void)
{
	uint64_t vlenb = 0;

	csr_set(CSR_MSTATUS, MSTATUS_VS);
	if ((csr_read(CSR_MSTATUS) & MSTATUS_VS) == 0 || probe_vlenb(&vlenb) != 0)
		vlenb = 0;
	csr_clear(CSR_MSTATUS, MSTATUS_VS);
	return vlenb;
}

/* One hart at a time comes by here; see boot.c. */
void units_probe(void)
{
	struct arch_hart *hart = &this_hart()->arch;
	uint64_t misa = csr_read(CSR_MISA), vlenb = vector_length();

	hart->units = (misa & BIT('F' - 'A') ? MSTATUS_FS : 0) | (vlenb != 0 ? MSTATUS_VS : 0);
	riscv_features.units &= hart->units;
	if (!(misa & BIT('D' - 'A')))
		riscv_features.units &= ~MSTATUS_FS;
	if (riscv_features.vlenb == 0)
		riscv_features.vlenb = vlenb; /* the first to come */
	if (riscv_features.vlenb != vlenb)
		riscv_features.units &= ~MSTATUS_VS;
	arch_features.vector = riscv_features.units & MSTATUS_VS;
}

uint64_t arch_vcpu_extra(void)
{
	return arch_features.vector ? align_up(sizeof(struct vector_state) + 32 * riscv_features.vlenb, 64) : 0;
}

void arch_vcpu_create(struct vcpu *vcpu, void *extra)
{
	vcpu->arch.vector = arch_features.vector ? extra : NULL;
}

/* --- a vCPU ---------------------------------------------------------------------------------- */

void units_reset(struct vcpu *vcpu)
{
	struct arch_vcpu *arch = &vcpu->arch;
	uint64_t on = INITIAL(riscv_features.units & MSTATUS_FS);

	memset(arch->f, 0, sizeof(arch->f));
	arch->fcsr = 0;
	if (arch->vector != NULL) {
		memset(arch->vector, 0, arch_vcpu_extra());
		arch->vector->vtype = VTYPE_VILL;
	}
	memset(arch->newest, 0, sizeof(arch->newest));
	arch->eager = 0;
	/* Other firmware enters its kernels like that, and some, built for hard floats, count on it. */
	if (arch_features.gstage)
		arch->csr.status |= on;
	else
		arch->mstatus |= on;
}

/* Are the registers of the unit those of the vCPU, the newest there are? */
static bool holds(const struct hart *hart, const struct vcpu *vcpu, unsigned unit)
{
	return hart->arch.holds[unit] == vcpu && vcpu->arch.newest[unit] == hart;
}

static void load_fp(const struct arch_vcpu *arch)
{
	if (!(riscv_features.units & MSTATUS_FS)) {
		fp_clear();
		return;
	}
	fp_load(arch->f);
	csr_write(CSR_FCSR, arch->fcsr);
}

static void load_vector(const struct arch_vcpu *arch)
{
	if (riscv_features.units & MSTATUS_VS)
		vector_load(arch->vector);
	else
		vector_clear();
}

/*
 * Loads the units of those fields of mstatus. One that guests are not to use, but can switch on in `pmp` mode, is
 * cleared of what others have left there.
 */
static void load_now(struct vcpu *vcpu, uint64_t fields)
{
	struct hart *hart = vcpu->arch.hart;

	csr_set(CSR_MSTATUS, fields);
	if (fields & MSTATUS_FS) {
		load_fp(&vcpu->arch);
		hart->arch.holds[FP] = vcpu;
		vcpu->arch.newest[FP] = hart;
	}
	if (fields & MSTATUS_VS) {
		load_vector(&vcpu->arch);
		hart->arch.holds[VECTOR] = vcpu;
		vcpu->arch.newest[VECTOR] = hart;
	}
}

/* Like that, but leaves out what is there already. */
static void load_missing(struct vcpu *vcpu, uint64_t fields)
{
	const struct hart *hart = vcpu->arch.hart;

	if (fields & MSTATUS_FS && holds(hart, vcpu, FP))
		fields &= ~MSTATUS_FS;
	if (fields & MSTATUS_VS && holds(hart, vcpu, VECTOR))
		fields &= ~MSTATUS_VS;
	if (fields != 0)
		load_now(vcpu, fields);
}

void units_load(struct vcpu *vcpu)
{
	uint64_t wanted;

	if (arch_features.gstage) {
		wanted = vcpu->arch.eager;
		vcpu->arch.mstatus = (vcpu->arch.mstatus & ~BOTH) | CLEAN(wanted);
	} else {
		wanted = ((const struct hart *)vcpu->arch.hart)->arch.units;
	}
	if (wanted != 0)
		load_missing(vcpu, wanted);
}

/* `dirty`: the registers have been written to since they were saved last, as far as the hart tells. */
static void save_fp(struct arch_vcpu *arch, bool dirty)
{
	if (dirty)
		fp_save(arch->f);
	/* QEMU 7.2 calls the unit dirty neither by writes to fcsr nor by exception flags alone. */
	arch->fcsr = csr_read(CSR_FCSR);
}

static void save_now(struct arch_vcpu *arch, uint64_t on)
{
	csr_set(CSR_MSTATUS, on);
	/* In `pmp` mode the fields are the guest's own: it may call clean or off what it has written to. */
	if (on & MSTATUS_FS)
		save_fp(arch, DIRTY(on) & MSTATUS_FS);
	/*
	 * Whether dirty or not: a load that wrote some elements before it met a fault leaves them clean on QEMU 7.2, and
	 * these few instructions are not worth asking.
	 */
	if (on & MSTATUS_VS)
		vector_save(arch->vector);
}

void units_save(struct vcpu *vcpu)
{
	struct arch_vcpu *arch = &vcpu->arch;
	uint64_t on = riscv_features.units;

	if (arch_features.gstage) {
		on = arch->mstatus & BOTH;
		arch->mstatus &= ~INITIAL(BOTH); /* from dirty to clean */
		arch->eager = DIRTY(on);
	}
	if (on != 0)
		save_now(arch, on);
}

bool units_loaded_late(struct vcpu *vcpu)
{
	uint64_t on, missing = 0;

	if (!arch_features.gstage)
		return false;
	on = csr_read(CSR_VSSTATUS) & riscv_features.units;
	if (on & MSTATUS_FS && !(vcpu->arch.mstatus & MSTATUS_FS))
		missing |= MSTATUS_FS;
	if (on & MSTATUS_VS && !(vcpu->arch.mstatus & MSTATUS_VS))
		missing |= MSTATUS_VS;
	if (missing == 0)
		return false;
	load_missing(vcpu, missing);
	vcpu->arch.mstatus |= CLEAN(missing);
	return true;
}

/* --- single registers, for instructions that are emulated ------------------------------------------ */

bool arch_fp_enabled(const struct vcpu *vcpu)
{
	uint64_t status = arch_features.gstage ? csr_read(CSR_VSSTATUS) : vcpu->arch.mstatus;

	return status & riscv_features.units & MSTATUS_FS;
}

/* Makes vcpu->arch.f what the registers are, wherever these are. */
static void gather_fp(struct vcpu *vcpu)
{
	if (arch_features.gstage && !(vcpu->arch.mstatus & MSTATUS_FS))
		load_now(vcpu, MSTATUS_FS);
	csr_set(CSR_MSTATUS, MSTATUS_FS);
	save_fp(&vcpu->arch, true);
}

uint64_t arch_fp_reg(struct vcpu *vcpu, unsigned n)
{
	gather_fp(vcpu);
	return vcpu->arch.f[n];
}

void arch_set_fp_reg(struct vcpu *vcpu, unsigned n, uint64_t value)
{
	gather_fp(vcpu);
	vcpu->arch.f[n] = value;
	load_now(vcpu, MSTATUS_FS);
	vcpu->arch.mstatus |= MSTATUS_FS;
	if (arch_features.gstage)
		csr_set(CSR_VSSTATUS, MSTATUS_FS);
}
