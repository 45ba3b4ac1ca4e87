/* SPDX-License-Identifier: MIT */
#include "units.h"

void set_status(uint64_t field, unsigned value)
{
	uint64_t bits = (field & -field) * value;

	CSR_CLEAR(SSTATUS, field & ~bits);
	CSR_SET(SSTATUS, bits);
}

uint64_t find_vectors(void)
{
	set_status(VS, INITIAL);
	if (TRY("csrr t3, 0xc22", ::: "t3") != NO_TRAP)
		return 0;
	return CSR_READ(VLENB);
}

static void expect_vectors(const struct units *want, uint64_t length)
{
	uint8_t got[32 * MAX_VLENB];

	expect("vstart", 0, CSR_READ(VSTART), want->vstart);
	expect("vcsr", 0, CSR_READ(VCSR), want->vcsr);
	expect("vl", 0, CSR_READ(VL), want->vl);
	expect("vtype", 0, CSR_READ(VTYPE), want->vtype);
	CSR_WRITE(VSTART, 0);
	vectors_get(got);
	CSR_WRITE(VSTART, want->vstart);
	for (uint64_t i = 0; i < 32 * length; i++)
		if (!expect("a vector register's byte", i, got[i], want->v[i]))
			return;
}

void units_expect(const struct units *want, uint64_t length)
{
	uint64_t got[32];

	if ((CSR_READ(SSTATUS) & FS) == 0)
		set_status(FS, CLEAN);
	expect("fcsr", 0, CSR_READ(FCSR), want->fcsr);
	floats_get(got);
	for (unsigned i = 0; i < 32; i++)
		expect("a floating-point register", i, got[i], want->f[i]);
	if (length == 0)
		return;
	if ((CSR_READ(SSTATUS) & VS) == 0)
		set_status(VS, CLEAN);
	expect_vectors(want, length);
}

void units_put(const struct units *units, uint64_t length)
{
	set_status(FS, DIRTY);
	floats_put(units->f);
	CSR_WRITE(FCSR, units->fcsr);
	if (length == 0)
		return;
	set_status(VS, DIRTY);
	CSR_WRITE(VSTART, 0);
	vectors_put(units->v);
	vector_type_put(units->vl, units->vtype);
	CSR_WRITE(VCSR, units->vcsr);
	CSR_WRITE(VSTART, units->vstart);
}

void units_expect_fresh(uint64_t length)
{
	static const struct units fresh = {.vtype = UINT64_C(1) << 63};

	units_expect(&fresh, length);
}

void give_way(uint64_t ticks)
{
	CSR_SET(SIE, 1 << 5);
	sbi(SBI_TIME, 0, CSR_READ(TIME) + ticks, 0, 0, 0);
	__asm__ volatile("wfi");
}
