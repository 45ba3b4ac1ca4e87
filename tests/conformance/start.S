/* SPDX-License-Identifier: MIT */
/*
 * Start of a conformance guest's vCPUs, and their trap handler. tp holds the vCPU's struct cpu; guest.h has its
 * layout. A trap is noted there; an exception goes on behind the instruction that it met, an interrupt where it
 * was, masked in sie (timer, external) or cleared (software), so that it is taken once.
 */
#define CPU_ID	   0
#define CPU_STACK  8
#define CPU_CAUSE  16
#define CPU_TVAL   24
#define CPU_PC	   32
#define CPU_TAKEN  40
#define CPU_SAVED  168
#define CPU_START  184
#define CPU_FRAME  208

	.option norelax
	.section .text.start, "ax"
	.global _start
_start:
	lla tp, cpus
	sd a0, CPU_ID(tp)
	lla t0, trap_entry
	csrw stvec, t0
	lla sp, first_stack_top
	call main
	j end

/* What a vCPU finds where it is started: a0, satp, sstatus. a1 has to be its struct cpu. */
.macro note_start
	mv tp, a1
	sd a0, CPU_START(tp)
	csrr t0, satp
	sd t0, CPU_START+8(tp)
	csrr t0, sstatus
	sd t0, CPU_START+16(tp)
	lla t0, trap_entry
	csrw stvec, t0
.endm

	.section .text
	.global cpu_entry
cpu_entry:
	note_start
	ld sp, CPU_STACK(tp)
	mv a0, tp
	j cpu_entered

	/* The registers that a function keeps, on the stack. */
.macro frame op
	\op ra, 0(sp)
	\op s0, 8(sp)
	\op s1, 16(sp)
	\op s2, 24(sp)
	\op s3, 32(sp)
	\op s4, 40(sp)
	\op s5, 48(sp)
	\op s6, 56(sp)
	\op s7, 64(sp)
	\op s8, 72(sp)
	\op s9, 80(sp)
	\op s10, 88(sp)
	\op s11, 96(sp)
.endm

	/* int64_t suspend_away(extension, function, type): 1 when it was resumed, or the error that the call gave. */
	.global suspend_away
suspend_away:
	addi sp, sp, -112
	frame sd
	sd sp, CPU_FRAME(tp)
	mv a7, a0
	mv a6, a1
	mv a0, a2
	lla a1, 1f
	mv a2, tp
	ecall
	j 2f
	.balign 4
1:	note_start
	ld sp, CPU_FRAME(tp)
	li a0, 1
2:	frame ld
	addi sp, sp, 112
	ret

	/*
	 * The handler of software events: a7 is a struct event (sse.c), with its stack first and room for sp next; a6 is
	 * the hart. All other registers are those that it interrupts.
	 */
	.balign 4
	.global event_entry
event_entry:
	sd sp, 8(a7)
	ld sp, 0(a7)
	addi sp, sp, -144
	sd a7, 0(sp)
	sd ra, 8(sp)
	sd t0, 16(sp)
	sd t1, 24(sp)
	sd t2, 32(sp)
	sd a0, 40(sp)
	sd a1, 48(sp)
	sd a2, 56(sp)
	sd a3, 64(sp)
	sd a4, 72(sp)
	sd a5, 80(sp)
	sd t3, 88(sp)
	sd t4, 96(sp)
	sd t5, 104(sp)
	sd t6, 112(sp)
	mv a0, a7
	mv a1, a6
	call event_handler
	ld a7, 0(sp)
	ld ra, 8(sp)
	ld t0, 16(sp)
	ld t1, 24(sp)
	ld t2, 32(sp)
	ld a0, 40(sp)
	ld a1, 48(sp)
	ld a2, 56(sp)
	ld a3, 64(sp)
	ld a4, 72(sp)
	ld a5, 80(sp)
	ld t3, 88(sp)
	ld t4, 96(sp)
	ld t5, 104(sp)
	ld t6, 112(sp)
	ld sp, 8(a7)
	li a7, 0x535345
	li a6, 6
	ecall
	ebreak			/* never here */

	.balign 4
trap_entry:
	csrw sscratch, t0
	sd t1, CPU_SAVED(tp)
	sd t2, CPU_SAVED+8(tp)
	csrr t0, scause
	csrr t1, sepc
	bltz t0, 1f
	sd t0, CPU_CAUSE(tp)
	sd t1, CPU_PC(tp)
	csrr t2, stval
	sd t2, CPU_TVAL(tp)
	lhu t2, 0(t1)
	andi t2, t2, 3
	addi t1, t1, 2
	addi t2, t2, -3
	bnez t2, 0f
	addi t1, t1, 2
0:	csrw sepc, t1
	j 2f
1:	andi t0, t0, 15
	slli t1, t0, 3
	add t1, t1, tp
	ld t2, CPU_TAKEN(t1)
	addi t2, t2, 1
	sd t2, CPU_TAKEN(t1)
	csrci sip, 2
	li t1, 1
	beq t0, t1, 2f
	sll t1, t1, t0
	csrc sie, t1
2:	ld t1, CPU_SAVED(tp)
	ld t2, CPU_SAVED+8(tp)
	csrr t0, sscratch
	sret

	.bss
	.balign 16
	.skip 8192
first_stack_top:
