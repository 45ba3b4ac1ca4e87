/* SPDX-License-Identifier: MIT */
/* Start of an attack guest's vCPUs, and their trap handler: it notes what happened and goes on behind it. */
#include "attack.h"

	.option norelax
	.section .text.start, "ax"
	.global _start
_start:
	lla t1, attack_main
	lla tp, vcpus
	sd t1, VCPU_ENTRY(tp)
	mv a0, a1
	j begin

	/* where hart_start begins: its struct vcpu in a1 */
	.global vcpu_begin
vcpu_begin:
	mv tp, a1
begin:
	csrw sscratch, tp
	lla t0, trap_entry
	csrw stvec, t0
	li sp, VCPU_SIZE
	add sp, sp, tp
	ld t1, VCPU_ENTRY(tp)
	jalr t1
	li a7, SBI_HSM
	li a6, 1		/* hart_stop */
	ecall
	j .

	/*
	 * Notes scause, stval, sepc and sstatus. Then goes on behind the instruction that trapped; where there is no
	 * instruction, because fetching it was the trap, at ra. A trap from user mode ends run_as_user().
	 */
	.section .text
	.balign 4
	.global trap_entry
trap_entry:
	csrrw t0, sscratch, t0
	sd t1, VCPU_T1(t0)
	sd t2, VCPU_T2(t0)
	csrr t1, scause
	sd t1, VCPU_CAUSE(t0)
	csrr t2, stval
	sd t2, VCPU_TVAL(t0)
	csrr t2, sepc
	sd t2, VCPU_PC(t0)
	csrr t2, sstatus
	sd t2, VCPU_STATUS(t0)
	andi t2, t2, 0x100	/* SPP */
	beqz t2, 3f
	bltz t1, 2f		/* an interrupt: go on where it was */
	csrr t1, sepc
	csrr t2, stval
	beq t1, t2, 1f		/* not by scause: QEMU 7.2 takes a fetch whose page table is not there for a load */
	lla t2, trap_entry
	xor t2, t1, t2
	srli t2, t2, 30
	bnez t2, 1f		/* called through a mapping of its own: may not be there any more */
	lhu t2, 0(t1)
	andi t2, t2, 3
	addi t1, t1, 2
	csrw sepc, t1
	addi t2, t2, -3
	bnez t2, 2f
	addi t1, t1, 2
	csrw sepc, t1
	j 2f
1:	csrw sepc, ra
2:	ld t1, VCPU_T1(t0)
	ld t2, VCPU_T2(t0)
	csrrw t0, sscratch, t0
	sret
3:	li t1, 0x100
	csrs sstatus, t1
	lla t1, user_return
	csrw sepc, t1
	j 2b

	/* void run_as_user(const void *code): until it traps */
	.global run_as_user
run_as_user:
	csrw sepc, a0
	li t0, 0x100
	csrc sstatus, t0
	sret
user_return:
	csrci sstatus, 2	/* sret from the handler has turned interrupts on */
	ret

	/* uint64_t call(uint64_t address): jumps there; what is there has to return, or trap */
	.global jump_to
jump_to:
	addi sp, sp, -16
	sd ra, 8(sp)
	jalr a0
	ld ra, 8(sp)
	addi sp, sp, 16
	ret
