/* SPDX-License-Identifier: MIT */
/*
 * Reset. Every hart of the board begins here, in M-mode, with its number in a0 and the board's
 * device tree in a1. The code is linked for one address and runs at any: the boot hart applies the
 * relocations before anything else.
 */
#include "arch_types.h"
#include "csr.h"

#define ELF_R_RISCV_RELATIVE 3

	.option norelax
	.section .text.entry, "ax"
	.global _start
_start:
	csrw mie, zero
	csrw mstatus, zero
	la t0, park
	csrw mtvec, t0
	csrw satp, zero		/* a hart without S-mode traps, and is parked: with mtvec 0 it would trap for ever */

	/* Harts without S-mode cannot run guests. */
	csrr t0, misa
	li t1, 1 << ('S' - 'A')
	and t0, t0, t1
	beqz t0, park

	/* The first one to come boots; the others take a number each. */
	la t0, boot_lottery
	li t1, 1
	amoadd.w.aqrl s0, t1, (t0)
	bnez s0, secondary

	/* Relocate: every R_RISCV_RELATIVE gets its addend plus the distance we were moved. */
	lla t0, _start
	la t1, link_address
	ld t1, 0(t1)
	sub t2, t0, t1		/* distance */
	lla t3, __rela_start
	lla t4, __rela_end
1:	bgeu t3, t4, 2f
	ld t5, 8(t3)
	li t6, ELF_R_RISCV_RELATIVE
	bne t5, t6, park
	ld t5, 0(t3)		/* where, as linked */
	add t5, t5, t2
	ld t6, 16(t3)		/* addend */
	add t6, t6, t2
	sd t6, 0(t5)
	addi t3, t3, 24
	j 1b

	/* Clear .bss */
2:	lla t0, __bss_start
	lla t1, __bss_end
3:	bgeu t0, t1, 4f
	sd zero, 0(t0)
	addi t0, t0, 8
	j 3b

4:	la t0, host_trap
	csrw mtvec, t0
	lla sp, boot_stack_top
	li tp, 0
	call boot_main
	j park

	/*
	 * Others wait for their struct hart: slot s0 of boot_slots, a word that the boot hart fills.
	 * Those that are not to run guests stay here.
	 */
secondary:
	li t0, BOOT_SLOTS
	bgeu s0, t0, park
	lla t0, boot_arrived
	csrr t1, mhartid
	addi t1, t1, 1		/* 0 means: not there */
	slli t2, s0, 3
	add t0, t0, t2
	fence rw, w
	sd t1, 0(t0)
	lla t0, boot_slots
	add t0, t0, t2
	li t1, 1 << IRQ_M_SOFT	/* the boot hart raises it when the slot is filled */
	csrw mie, t1
	j 6f
5:	wfi
6:	ld a0, 0(t0)
	beqz a0, 5b
	csrw mie, zero
	fence r, rw
	fence.i
	lla t0, host_trap
	csrw mtvec, t0
	ld sp, HART_STACK_TOP(a0)
	mv tp, a0
	call secondary_main

	.balign 4
	.global arch_park
	.global park
arch_park:
park:
	csrw mie, zero
	wfi
	j park

	.section .data
	.balign 8
boot_lottery:
	.word 0
	.balign 8
	/* Not in .bss: written before that is cleared. */
	.global boot_arrived
boot_arrived:
	.skip BOOT_SLOTS * 8
	.global boot_slots
boot_slots:
	.skip BOOT_SLOTS * 8

	.section .rodata
	.balign 8
link_address:
	.dword LINK_ADDRESS

	.section .bss
	.balign 16
	.skip 16384
boot_stack_top:
