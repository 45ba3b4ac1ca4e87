/* SPDX-License-Identifier: MIT */
/* The first instructions: a stack, then C. Addresses are relative to pc, so it runs wherever it is put. */
	.section .text.start, "ax"
	.global _start
_start:
	lla sp, stack_top
	call hello
1:	wfi
	j 1b

	.bss
	.balign 16
	.skip 4096
stack_top:
