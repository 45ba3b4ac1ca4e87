/* SPDX-License-Identifier: MIT */
/*
 * Crossing between guest and hypervisor. While a guest runs, mscratch holds its vCPU and mtvec
 * guest_trap, or one of its kind in short_calls.S; in the hypervisor mtvec holds host_trap, and mstatus.MIE is
 * never set.
 */
#include "arch_types.h"
#include "csr.h"

	.option norelax
	.section .text.trap, "ax"

.macro first_registers op, base
	\op t0, VCPU_X(5)(\base)
	\op t1, VCPU_X(6)(\base)
	\op t2, VCPU_X(7)(\base)
.endm

.macro other_registers op, base
	\op ra, VCPU_X(1)(\base)
	\op sp, VCPU_X(2)(\base)
	\op gp, VCPU_X(3)(\base)
	\op tp, VCPU_X(4)(\base)
	\op s0, VCPU_X(8)(\base)
	\op s1, VCPU_X(9)(\base)
	\op a1, VCPU_X(11)(\base)
	\op a2, VCPU_X(12)(\base)
	\op a3, VCPU_X(13)(\base)
	\op a4, VCPU_X(14)(\base)
	\op a5, VCPU_X(15)(\base)
	\op a6, VCPU_X(16)(\base)
	\op a7, VCPU_X(17)(\base)
	\op s2, VCPU_X(18)(\base)
	\op s3, VCPU_X(19)(\base)
	\op s4, VCPU_X(20)(\base)
	\op s5, VCPU_X(21)(\base)
	\op s6, VCPU_X(22)(\base)
	\op s7, VCPU_X(23)(\base)
	\op s8, VCPU_X(24)(\base)
	\op s9, VCPU_X(25)(\base)
	\op s10, VCPU_X(26)(\base)
	\op s11, VCPU_X(27)(\base)
	\op t3, VCPU_X(28)(\base)
	\op t4, VCPU_X(29)(\base)
	\op t5, VCPU_X(30)(\base)
	\op t6, VCPU_X(31)(\base)
.endm

/*
 * A trap out of a guest. On entry:
 * 1. mscratch holds the vCPU that ran;
 * 2. every other register is the guest's.
 */
	.balign 4
	.global guest_trap
guest_trap:
	csrrw a0, mscratch, a0
	first_registers sd, a0
	/* From short_calls.S: a0 is the vCPU, mscratch the guest's a0, t0 to t2 are saved, the rest is the guest's. */
	.global guest_trap_rest
guest_trap_rest:
	other_registers sd, a0
	csrr t0, mscratch
	sd t0, VCPU_X(10)(a0)
	csrr t1, mepc
	sd t1, VCPU_PC(a0)
	csrr t2, mstatus
	sd t2, VCPU_MSTATUS(a0)
	ld tp, VCPU_HART(a0)
	ld sp, HART_STACK_TOP(tp)
	la t3, host_trap
	csrw mtvec, t3
	/* run_seq becomes even: what others post from now on is seen before the guest goes on. */
	ld t4, VCPU_RUN_SEQ(a0)
	addi t4, t4, 1
	fence rw, w
	sd t4, VCPU_RUN_SEQ(a0)
	call riscv_trap

	.global vcpu_resume
vcpu_resume: /* a0: the vCPU, loaded on this hart, all its requests served, run_seq odd */
	ld t0, VCPU_TRAP(a0)
	csrw mtvec, t0
	csrw mscratch, a0
	ld t1, VCPU_PC(a0)
	csrw mepc, t1
	ld t2, VCPU_MSTATUS(a0)
	csrw mstatus, t2
	other_registers ld, a0
	first_registers ld, a0
	ld a0, VCPU_X(10)(a0)
	mret

/*
 * A trap inside the hypervisor: either one of the accesses below met a fault, which becomes its
 * return value, or the hypervisor has a bug.
 */
	.balign 4
	.global host_trap
host_trap:
	csrw mscratch, t0
	la t0, panic_frame
	sd t1, VCPU_X(6)(t0)
	sd t2, VCPU_X(7)(t0)
	csrr t1, mepc
	la t2, expected_begin
	bltu t1, t2, 1f
	la t2, expected_end
	bgeu t1, t2, 1f
	/* Return to the access's caller with the cause, MPRV off. */
	csrr a0, mcause
	bnez a0, 0f
	li a0, CAUSE_FETCH_ACCESS
0:	csrw mepc, ra
	li t0, MSTATUS_MPRV | MSTATUS_MXR
	csrc mstatus, t0
	mret
1:	ld t1, VCPU_X(6)(t0)
	ld t2, VCPU_X(7)(t0)
	first_registers sd, t0
	other_registers sd, t0
	sd a0, VCPU_X(10)(t0)
	csrr t1, mscratch
	sd t1, VCPU_X(5)(t0)
	la sp, panic_stack_top
	mv a0, t0
	call riscv_panic

/* uint64_t guest_KIND(va, out, mstatus); a fault inside ends in host_trap. */
expected_begin:
	.global guest_fetch
guest_fetch:
	csrrw t0, mstatus, a2
	lhu a3, 0(a0)
	andi a4, a3, 3
	addi a4, a4, -3
	bnez a4, 1f
	lhu a4, 2(a0)		/* may be on another page */
	slli a4, a4, 16
	or a3, a3, a4
1:	csrw mstatus, t0
	sw a3, 0(a1)
	li a0, 0
	ret

	.global guest_load_u64
guest_load_u64:
	csrrw t0, mstatus, a2
	ld a3, 0(a0)
	csrw mstatus, t0
	sd a3, 0(a1)
	li a0, 0
	ret

	.global guest_load_u8
guest_load_u8:
	csrrw t0, mstatus, a2
	lbu a3, 0(a0)
	csrw mstatus, t0
	sb a3, 0(a1)
	li a0, 0
	ret

	.global guest_store_u8
guest_store_u8:
	csrrw t0, mstatus, a2
	sb a1, 0(a0)
	csrw mstatus, t0
	li a0, 0
	ret

	.global guest_check_store
guest_check_store:
	andi a0, a0, -4
	csrrw t0, mstatus, a1
	amoor.w zero, zero, (a0)
	csrw mstatus, t0
	li a0, 0
	ret

/* uint64_t probe_NAME(out): reads a CSR that a hart need not have. */
.macro probe name, csr
	.global probe_\name
probe_\name:
	csrr a3, \csr
	sd a3, 0(a0)
	li a0, 0
	ret
.endm
	probe time, 0xc01
	probe hgatp, CSR_HGATP
	probe menvcfg, CSR_MENVCFG
	probe mcountinhibit, CSR_MCOUNTINHIBIT
	probe stimecmp, CSR_STIMECMP
	probe vlenb, CSR_VLENB
expected_end:

	.section .bss
	.balign 16
panic_frame:
	.skip 256
	.skip 4096
panic_stack_top:
