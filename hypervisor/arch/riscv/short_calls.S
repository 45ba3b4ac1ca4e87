/* SPDX-License-Identifier: MIT */
/*
 * The SBI calls that guests make all the time and that concern only the vCPU which makes them: its timer, an IPI or
 * a fence.i to itself, and the constants of the base extension. They need three registers, so no more are saved, and
 * the vCPU stays in the guest as far as anybody else can tell: run_seq stays odd, and what is posted to it meanwhile
 * comes with an interrupt of the hart, which is taken right after the mret.
 *
 * All else, and what is not plainly right, goes the general way (vectors.S), which answers the same calls as well:
 * with an error where they deserve one. hypervisor/guest/ has the readable form of each.
 */
#include "arch_types.h"
#include "csr.h"

#define SBI_EXT_BASE   0x10
#define SBI_EXT_TIME   0x54494d45
#define SBI_EXT_IPI    0x735049
#define SBI_EXT_RFENCE 0x52464e43
#define BASE_CONSTANTS 3

	.option norelax
	.section .text.trap, "ax"

not_short:
	j guest_trap_rest

/* Goes on if (a0, a1), a hart mask and its base, names this vCPU and no other. */
.macro only_self
	sltiu t1, a1, 64
	beqz t1, not_short
	csrr t1, mscratch
	sll t0, t1, a1
	srl t2, t0, a1
	bne t1, t2, not_short
	ld t2, VCPU_SELF(a0)
	bne t0, t2, not_short
.endm

/* The guest's deadline goes to its own comparator. */
.macro timer_by_csr timecmp
	csrr t0, mscratch
	csrw \timecmp, t0
.endm

/* It goes to the hart's, unless somebody else wants to be woken before. */
.macro timer_by_hart pending, bit
	csrr t0, mscratch
	li t1, \bit
	csrc \pending, t1
	sd t0, VCPU_DEADLINE(a0)
	ld t1, VCPU_HART(a0)
	ld t2, HART_HORIZON(t1)
	bleu t0, t2, 1f
	mv t0, t2
1:	ld t2, HART_TIMER_SET(t1)
	beq t0, t2, 2f
	sd t0, HART_TIMER_SET(t1)
	ld t1, HART_MTIMECMP(t1)
	sd t0, 0(t1)
2:
.endm

/*
 * A trap out of a guest, as guest_trap. `ecall` is the cause of a supervisor's call, `pending` and `soft` are
 * where its software interrupt is raised, the rest is how its timer is set.
 */
.macro short_calls name, ecall, pending, soft, timer:vararg
	.balign 4
	.global guest_trap_\name
guest_trap_\name:
	csrrw a0, mscratch, a0
	sd t0, VCPU_X(5)(a0)
	sd t1, VCPU_X(6)(a0)
	sd t2, VCPU_X(7)(a0)
	csrr t0, mcause
	addi t0, t0, -\ecall
	bnez t0, not_short
	li t0, SBI_EXT_TIME
	beq a7, t0, 3f
	li t0, SBI_EXT_IPI
	beq a7, t0, 4f
	li t0, SBI_EXT_RFENCE
	beq a7, t0, 5f
	li t0, SBI_EXT_BASE
	bne a7, t0, not_short
	sltiu t0, a6, BASE_CONSTANTS
	beqz t0, not_short
	la t0, sbi_base_constants
	slli t1, a6, 3
	add t0, t0, t1
	ld a1, 0(t0)
	j 7f

3:	bnez a6, not_short
	\timer
	j 6f

4:	bnez a6, not_short
	only_self
	csrsi \pending, \soft
	j 6f

5:	bnez a6, not_short	/* of the fences, fence.i is function 0 */
	only_self
	fence.i

6:	li a1, 0
7:	csrr t0, mepc
	addi t0, t0, 4
	csrw mepc, t0
	ld t0, VCPU_X(5)(a0)
	ld t1, VCPU_X(6)(a0)
	ld t2, VCPU_X(7)(a0)
	csrw mscratch, a0
	li a0, 0
	mret
.endm

	short_calls gstage, CAUSE_ECALL_VS, CSR_HVIP, BIT(IRQ_VS_SOFT), timer_by_hart CSR_HVIP, BIT(IRQ_VS_TIMER)
	short_calls gstage_sstc, CAUSE_ECALL_VS, CSR_HVIP, BIT(IRQ_VS_SOFT), timer_by_csr CSR_VSTIMECMP
	short_calls pmp, CAUSE_ECALL_S, mip, BIT(IRQ_S_SOFT), timer_by_hart mip, BIT(IRQ_S_TIMER)
	short_calls pmp_sstc, CAUSE_ECALL_S, mip, BIT(IRQ_S_SOFT), timer_by_csr CSR_STIMECMP
