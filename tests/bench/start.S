/* SPDX-License-Identifier: MIT */
/*
 * Start of a guest that measures, and what has to be exact to the instruction: loops around one call or access, and
 * waiting for interrupts. `gp` is nobody's here, so handlers leave their news in it.
 */
#define SIE_SOFTWARE 2
#define SIE_TIMER    32
#define SSTATUS_SIE  2
#define STIMECMP     0x14d

	.option norelax
	.section .text.start, "ax"
	.global _start
_start:
	rdtime a2
	lla sp, stack_top
	call bench_main
1:	j 1b

	/* Where hart_start() of the SBI enters another hart; opaque is where its stack ends. */
	.global other_start
other_start:
	mv sp, a1
	call other_main
2:	j 2b

	.section .text

	/*
	 * uint64_t loop_call(extension, function, argument, argument, count): cycles of so many turns of seven
	 * instructions, one of which is the ecall. Taken software interrupts are counted into soft_taken.
	 */
	.global loop_call
loop_call:
	addi sp, sp, -48
	sd s0, 0(sp)
	sd s1, 8(sp)
	sd s2, 16(sp)
	sd s3, 24(sp)
	sd s4, 32(sp)
	sd s5, 40(sp)
	mv s1, a0
	mv s2, a1
	mv s3, a2
	mv s4, a3
	mv s0, a4
	lla t0, on_soft
	csrw stvec, t0
	csrwi sie, SIE_SOFTWARE
	csrsi sstatus, SSTATUS_SIE
	li gp, 0
	rdcycle s5
1:	mv a7, s1
	mv a6, s2
	mv a0, s3
	mv a1, s4
	ecall
	addi s0, s0, -1
	bnez s0, 1b
	rdcycle a0
	csrci sstatus, SSTATUS_SIE
	sub a0, a0, s5
	lla t0, soft_taken
	sd gp, 0(t0)
	ld s0, 0(sp)
	ld s1, 8(sp)
	ld s2, 16(sp)
	ld s3, 24(sp)
	ld s4, 32(sp)
	ld s5, 40(sp)
	addi sp, sp, 48
	ret

	.balign 4
on_soft:
	csrci sip, SIE_SOFTWARE
	addi gp, gp, 1
	sret

	/* uint64_t loop_load(address, count), loop_store(address, count, byte): turns of three instructions */
	.global loop_load
loop_load:
	rdcycle t0
1:	lbu t1, 0(a0)
	addi a1, a1, -1
	bnez a1, 1b
	rdcycle a0
	sub a0, a0, t0
	ret

	.global loop_store
loop_store:
	rdcycle t0
1:	sb a2, 0(a0)
	addi a1, a1, -1
	bnez a1, 1b
	rdcycle a0
	sub a0, a0, t0
	ret

	/* uint64_t tick_edge(uint64_t *tick): cycles at the moment when the time became *tick */
	.global tick_edge
tick_edge:
	rdtime t0
1:	rdtime t1
	beq t0, t1, 1b
	rdcycle t0
	sd t1, 0(a0)
	mv a0, t0
	ret

	/* uint64_t await_timer(void): the deadline is set; cycles at the first instruction of the handler */
	.global await_timer
await_timer:
	lla t0, on_timer
	csrw stvec, t0
	li gp, 0
	li t0, SIE_TIMER
	csrw sie, t0
	csrsi sstatus, SSTATUS_SIE
1:	beqz gp, 1b
	csrci sstatus, SSTATUS_SIE
	mv a0, gp
	ret

	.balign 4
on_timer:
	rdcycle gp
	csrw sie, zero
	sret

	/* bool set_stimecmp(uint64_t deadline): false where that is not the guest's */
	.global set_stimecmp
set_stimecmp:
	lla t0, on_illegal
	csrw stvec, t0
	li gp, 1
	csrw STIMECMP, a0
	mv a0, gp
	ret

	.balign 4
on_illegal:
	li gp, 0
	csrr t0, sepc
	addi t0, t0, 4
	csrw sepc, t0
	sret

	/*
	 * uint64_t await_soft(void): sleeps until a software interrupt is there; cycles at the first instruction of
	 * its handler. Interrupts are on only behind the wfi, so that none is taken just before it.
	 */
	.global await_soft
await_soft:
	lla t0, on_wake
	csrw stvec, t0
	csrwi sie, SIE_SOFTWARE
	li gp, 0
1:	wfi
	csrsi sstatus, SSTATUS_SIE
	csrci sstatus, SSTATUS_SIE
	beqz gp, 1b
	mv a0, gp
	ret

	.balign 4
on_wake:
	rdtime gp
	csrci sip, SIE_SOFTWARE
	sret

	.bss
	.balign 16
	.global soft_taken
soft_taken:
	.skip 16
	.skip 4096
stack_top:
