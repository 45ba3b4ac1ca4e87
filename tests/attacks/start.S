/* SPDX-License-Identifier: MIT */
/* Start of an attack guest, and its trap handler: it notes what happened and goes on behind it. */

	.option norelax
	.section .text.start, "ax"
	.global _start
_start:
	lla t0, trap_entry
	csrw stvec, t0
	lla sp, stack_top
	call main
	j attack_end

	/*
	 * Notes scause, stval, sepc and sstatus. Then goes on behind the instruction that trapped; where there is no
	 * instruction, because fetching it was the trap, at ra. A trap from user mode ends run_as_user().
	 */
	.section .text
	.balign 4
trap_entry:
	csrw sscratch, t0
	lla t0, saved
	sd t1, 0(t0)
	sd t2, 8(t0)
	lla t0, trap
	csrr t1, scause
	sd t1, 0(t0)
	csrr t2, stval
	sd t2, 8(t0)
	csrr t2, sepc
	sd t2, 16(t0)
	csrr t2, sstatus
	sd t2, 24(t0)
	andi t2, t2, 0x100	/* SPP */
	beqz t2, 3f
	bltz t1, 2f		/* an interrupt: go on where it was */
	li t2, 1
	beq t1, t2, 1f
	li t2, 12
	beq t1, t2, 1f
	csrr t1, sepc
	lhu t2, 0(t1)
	andi t2, t2, 3
	addi t1, t1, 2
	csrw sepc, t1
	li t0, 3
	bne t2, t0, 2f
	addi t1, t1, 2
	csrw sepc, t1
	j 2f
1:	csrw sepc, ra
2:	lla t0, saved
	ld t1, 0(t0)
	ld t2, 8(t0)
	csrr t0, sscratch
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

	.bss
	.balign 16
saved:	.skip 16
	.global trap
trap:	.skip 32
	.skip 8192
stack_top:
