/* SPDX-License-Identifier: MIT */
/*
 * Registers of the floating-point and vector units. The hypervisor itself uses neither: this is all the code
 * that touches them. The unit's field in mstatus is not Off in any of these.
 */
#include "arch_types.h"

	.section .text
	.option arch, +d, +v
	.altmacro

.macro fp_move op, n, offset
	\op f\n, \offset(a0)
.endm
.macro fp_all op
	.set i, 0
	.rept 32
	fp_move \op, %i, %(8 * i)
	.set i, i + 1
	.endr
.endm
.macro fp_zero n
	fmv.w.x f\n, zero
.endm

/* void fp_save(uint64_t f[32]) */
	.global fp_save
fp_save:
	fp_all fsd
	ret

/* void fp_load(const uint64_t f[32]) */
	.global fp_load
fp_load:
	fp_all fld
	ret

/* void fp_clear(void): with what a hart without D has as well */
	.global fp_clear
fp_clear:
	.set i, 0
	.rept 32
	fp_zero %i
	.set i, i + 1
	.endr
	fscsr zero
	ret

/* All registers, in four groups of eight; takes a1 and t1. */
.macro vector_groups op
	csrr t1, vlenb
	slli t1, t1, 3
	addi a1, a0, VECTOR_V
	\op v0, (a1)
	add a1, a1, t1
	\op v8, (a1)
	add a1, a1, t1
	\op v16, (a1)
	add a1, a1, t1
	\op v24, (a1)
.endm

/* void vector_save(struct vector_state *): the registers stay as they are */
	.global vector_save
vector_save:
	csrr t0, vtype
	sd t0, VECTOR_VTYPE(a0)
	csrr t0, vl
	sd t0, VECTOR_VL(a0)
	csrr t0, vcsr
	sd t0, VECTOR_VCSR(a0)
	csrr t0, vstart
	sd t0, VECTOR_VSTART(a0)
	csrw vstart, zero	/* or the stores would begin there */
	vector_groups vs8r.v
	csrw vstart, t0
	ret

/* void vector_load(const struct vector_state *) */
	.global vector_load
vector_load:
	csrw vstart, zero
	vector_groups vl8re8.v
	ld t0, VECTOR_VL(a0)
	ld t1, VECTOR_VTYPE(a0)
	vsetvl zero, t0, t1	/* gives that vl, for it is not longer than the longest of that vtype */
	ld t0, VECTOR_VCSR(a0)
	csrw vcsr, t0
	ld t0, VECTOR_VSTART(a0)
	csrw vstart, t0
	ret

/* void vector_clear(void) */
	.global vector_clear
vector_clear:
	vsetvli t0, zero, e8, m8, ta, ma
	vmv.v.i v0, 0
	vmv.v.i v8, 0
	vmv.v.i v16, 0
	vmv.v.i v24, 0
	csrw vcsr, zero
	ret
