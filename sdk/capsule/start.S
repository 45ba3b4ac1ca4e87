/* SPDX-License-Identifier: MIT */
/*
 * The first instructions of each vCPU, in S-mode, without address translation: the hart's number is in a0, and in a1
 * the device tree, or for further vCPUs their struct vcpu_start. And where traps go.
 */
#include "offsets.h"

#define ELF_R_RISCV_RELATIVE 3

	.option norelax
	.section .start, "ax" /* not .text.start: a function that is called start has that */
	.global _start
_start:
	csrw sie, zero
	csrw sscratch, zero	/* not 0 while this vCPU reports a trap */
	csrci sstatus, 2	/* SIE: interrupts end wfi, and are never taken */

	/* Relocate: every R_RISCV_RELATIVE gets its addend plus where the program is. */
	lla t2, _start		/* linked for 0 */
	lla t3, __rela_start
	lla t4, __rela_end
1:	bgeu t3, t4, 2f
	ld t5, 8(t3)
	beqz t5, 5f		/* R_RISCV_NONE: of a section that was dropped */
	li t6, ELF_R_RISCV_RELATIVE
	bne t5, t6, unknown_relocation
	ld t5, 0(t3)		/* where, as linked */
	add t5, t5, t2
	ld t6, 16(t3)		/* addend */
	add t6, t6, t2
	sd t6, 0(t5)
5:	addi t3, t3, 24
	j 1b

2:	lla t0, __bss_start
	lla t1, __bss_end
3:	bgeu t0, t1, 4f
	sd zero, 0(t0)
	addi t0, t0, 8
	j 3b

4:	lla t0, trap
	csrw stvec, t0
	lla sp, __stack_top
	lla tp, __thread_first
	call runtime_main

unknown_relocation:
	wfi
	j unknown_relocation

	.global vcpu_begin
vcpu_begin:
	csrw sie, zero
	csrw sscratch, zero
	csrci sstatus, 2
	lla t0, trap
	csrw stvec, t0
	ld sp, VCPU_START_STACK(a1)
	ld tp, VCPU_START_THREAD(a1)
	ld t0, VCPU_START_SATP(a1)
	csrw satp, t0
	sfence.vma
	mv a0, a1
	call vcpu_main

	/*
	 * Nobody goes on after a trap, so no register is kept. Of vCPUs that trap the first one reports, on a stack that is sound
	 * whatever became of its own; a trap while it does ends the report, and other vCPUs wait for the end.
	 */
	.balign 4
trap:
	csrw sie, zero
	lla t0, trapped
	li t1, 1
	amoadd.w.aqrl t1, t1, (t0)
	csrr t2, sscratch
	csrw sscratch, sp
	mv a3, sp
	bnez t2, 2f
	bnez t1, 1f
	csrr a0, scause
	csrr a1, sepc
	csrr a2, stval
	lla sp, trap_stack_top
	lla tp, __thread_first
	call runtime_trap
1:	wfi
	j 1b
2:	lla sp, trap_stack_top
	call runtime_crash

	.bss
	.balign 16
	.skip 4096
trap_stack_top:
trapped:
	.skip 8
