/* SPDX-License-Identifier: MIT */
/* Crashes with its first instructions. */
#include "attack.h"

void main(void)
{
	__asm__ volatile("csrw stvec, %0\n.word 0" ::"r"(8));
}
