/* SPDX-License-Identifier: MIT */
/*
 * Never gives the hart back: no wfi, interrupts off, its timer as far away as it goes and as near, over and over, at
 * high priority. Others have to run all the same; it ends when it is told to, which needs them to have run.
 */
#include "attack.h"

void main(void)
{
	char byte;

	__asm__ volatile("csrci sstatus, 2\ncsrw sie, zero");
	do {
		sbi(SBI_TIME, 0, UINT64_MAX, 0, 0, 0);
		sbi(SBI_TIME, 0, 0, 0, 0, 0);
		sbi(SBI_IPI, 0, 1, 0, 0, 0);
	} while (!has_byte(&byte));
}
