/* SPDX-License-Identifier: MIT */
/* Registers of the floating-point and vector units, all at once: the unit is on, and vstart 0. */

	.option arch, +d, +v
	.altmacro
	.text

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

	.global floats_put
floats_put:
	fp_all fld
	ret
	.global floats_get
floats_get:
	fp_all fsd
	ret

.macro vector_groups op
	csrr t1, vlenb
	slli t1, t1, 3
	\op v0, (a0)
	add a0, a0, t1
	\op v8, (a0)
	add a0, a0, t1
	\op v16, (a0)
	add a0, a0, t1
	\op v24, (a0)
.endm

	.global vectors_put
vectors_put:
	vector_groups vl8re8.v
	ret
	.global vectors_get
vectors_get:
	vector_groups vs8r.v
	ret

	/* uint64_t vector_type_put(uint64_t length, uint64_t type): sets vtype and vl */
	.global vector_type_put
vector_type_put:
	vsetvl a0, a0, a1
	ret

	/* An invalid operation: an exception flag, and no register written to but x0. a0 is not a number. */
	.global raise_invalid
raise_invalid:
	fcvt.l.d zero, f0
	ret

	/* One instruction that writes to a register. */
	.global use_float
use_float:
	fmv.d.x f1, zero
	ret
	.global use_vector
use_vector:
	vsetvli a0, zero, e8, m1, ta, ma
	vmv.v.i v1, 0
	ret
