/* SPDX-License-Identifier: MIT */
#include "units.h"

#include <string.h>

#include "arch/guest.h"
#include "arch/hart.h"
#include "asm.h"
#include "capsule.h"
#include "csr.h"
#include "probe.h"

/* Values of a unit's field, of which `field` has both bits. */
#define CLEAN(field)   ((field) & (field) << 1)
#define INITIAL(field) ((field) & (field) >> 1)

struct unit {
	uint64_t field; /* in mstatus and in the guest's sstatus */
	/* `dirty`: the registers have been written to since they were saved last, as far as the hart tells. */
	void (*save)(struct arch_vcpu *arch, bool dirty);
	void (*load)(const struct arch_vcpu *arch);
	void (*clear)(void);
};

static void save_fp(struct arch_vcpu *arch, bool dirty)
{
	if (dirty)
		fp_save(arch->f);
	/* QEMU 7.2 calls the unit dirty neither by writes to fcsr nor by exception flags alone. */
	arch->fcsr = csr_read(CSR_FCSR);
}

static void load_fp(const struct arch_vcpu *arch)
{
	fp_load(arch->f);
	csr_write(CSR_FCSR, arch->fcsr);
}

static void save_vector(struct arch_vcpu *arch, bool dirty)
{
	/* Nor by a load that wrote some elements before it met a fault; and these few instructions are not worth it. */
	(void)dirty;
	vector_save(arch->vector);
}

static void load_vector(const struct arch_vcpu *arch)
{
	vector_load(arch->vector);
}

static const struct unit units[UNITS] = {
	{MSTATUS_FS, save_fp, load_fp, fp_clear},
	{MSTATUS_VS, save_vector, load_vector, vector_clear},
};

#define FP 0 /* its index */

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
	/* Other firmware enters its kernels like that, and some, built for hard floats, count on it. */
	if (arch_features.gstage)
		arch->csr.status |= on;
	else
		arch->mstatus |= on;
}

/* A unit that guests are not to use, but can switch on in `pmp` mode, is cleared of what others have left there. */
static void load_now(struct vcpu *vcpu, unsigned i)
{
	struct hart *hart = this_hart();

	csr_set(CSR_MSTATUS, units[i].field);
	if (riscv_features.units & units[i].field)
		units[i].load(&vcpu->arch);
	else
		units[i].clear();
	hart->arch.holds[i] = vcpu;
	vcpu->arch.newest[i] = hart;
}

void units_load(struct vcpu *vcpu)
{
	struct hart *hart = this_hart();

	for (unsigned i = 0; i < UNITS; i++) {
		uint64_t field = units[i].field;
		bool held = hart->arch.holds[i] == vcpu && vcpu->arch.newest[i] == hart;

		if (arch_features.gstage) {
			vcpu->arch.mstatus &= ~field;
			if (held)
				vcpu->arch.mstatus |= CLEAN(field);
		} else if (!held && hart->arch.units & field) {
			load_now(vcpu, i);
		}
	}
}

void units_save(struct vcpu *vcpu)
{
	struct arch_vcpu *arch = &vcpu->arch;

	for (unsigned i = 0; i < UNITS; i++) {
		uint64_t field = units[i].field, status = arch->mstatus & field;

		if (!(riscv_features.units & field) || (arch_features.gstage && status == 0))
			continue;
		csr_set(CSR_MSTATUS, field);
		/* In `pmp` mode the field is the guest's own: it may call clean or off what it has written to. */
		units[i].save(arch, !arch_features.gstage || status == field);
		if (arch_features.gstage)
			arch->mstatus = (arch->mstatus & ~field) | CLEAN(field);
	}
}

bool units_loaded_late(struct vcpu *vcpu)
{
	bool any = false;

	if (!arch_features.gstage)
		return false;
	for (unsigned i = 0; i < UNITS; i++) {
		uint64_t field = units[i].field & riscv_features.units;

		if (!(csr_read(CSR_VSSTATUS) & field) || (vcpu->arch.mstatus & field))
			continue;
		load_now(vcpu, i);
		vcpu->arch.mstatus |= CLEAN(field);
		any = true;
	}
	return any;
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
		load_now(vcpu, FP);
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
	load_now(vcpu, FP);
	vcpu->arch.mstatus |= MSTATUS_FS;
	if (arch_features.gstage)
		csr_set(CSR_VSSTATUS, MSTATUS_FS);
}
