/* SPDX-License-Identifier: MIT */
/*
 * Puts the root of its page tables where it is told: into the hypervisor, another capsule, a device, nowhere. It cannot
 * execute anything from then on, its trap handler neither: it has crashed.
 */
#include "attack.h"

void main(void)
{
	const struct {
		const char *word;
		uint64_t at;
	} roots[] = {
		{"hypervisor", is_gstage() ? RAM_DEFAULT + RAM_SIZE : RAM_DEFAULT},
		{"before", ram_base() - PAGE},
		{"behind", ram_base() + RAM_SIZE},
		{"timer", 0x2000000},
		{"console", UART_BASE},
		{"interrupts", PLIC_BASE},
		{"nowhere", (UINT64_C(1) << 56) - PAGE},
	};

	for (unsigned i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (told(roots[i].word))
			__asm__ volatile("sfence.vma\ncsrw satp, %0\nsfence.vma" ::"r"(UINT64_C(8) << 60 | roots[i].at >> 12)
					 : "memory");
	expect("going on", 0, 0, 1);
}
