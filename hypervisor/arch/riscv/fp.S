/* SPDX-License-Identifier: MIT */
/* Floating-point registers of a guest. The hypervisor itself has no floating-point instruction. */
	.option arch, +d
	.section .text
	.altmacro

.macro fp_register op, n
	\op f\n, 8*\n(a0)
.endm
.macro fp_all op
	.set i, 0
	.rept 32
	fp_register \op, %i
	.set i, i+1
	.endr
.endm

/* void fp_save(uint64_t f[32], uint64_t *fcsr): mstatus.FS is not off */
	.global fp_save
fp_save:
	fp_all fsd
	frcsr t0
	sd t0, 0(a1)
	ret

/* void fp_load(const uint64_t f[32], const uint64_t *fcsr) */
	.global fp_load
fp_load:
	fp_all fld
	ld t0, 0(a1)
	fscsr t0
	ret
