/* SPDX-License-Identifier: MIT */
#include "protect.h"

#include "addr.h"
#include "csr.h"

extern const char __text_start[], __text_end[], __image_end[];

#define CFG(entry, bits) ((uint64_t)(bits) << (8 * (entry)))

static void pmp_address(unsigned entry, uint64_t value)
{
	switch (entry) {
	case 0:
		csr_write(CSR_PMPADDR0, value);
		break;
	case 1:
		csr_write(CSR_PMPADDR0 + 1, value);
		break;
	case 2:
		csr_write(CSR_PMPADDR0 + 2, value);
		break;
	case 3:
		csr_write(CSR_PMPADDR0 + 3, value);
		break;
	default:
		csr_write(CSR_PMPADDR0 + 4, value);
		break;
	}
}

static void sfence_all(void)
{
	__asm__ volatile("sfence.vma" ::: "memory");
}

void protect_guard(uintptr_t page)
{
	/* NAPOT: the ones below the lowest zero give the size, here 4 KiB. */
	pmp_address(0, page >> 2 | (PAGE_SIZE / 8 - 1));
	csr_write(CSR_PMPCFG0, CFG(0, PMP_L | PMP_NAPOT));
}

void protect_gstage(void)
{
	pmp_address(1, (uintptr_t)__text_start >> 2);
	pmp_address(2, (uintptr_t)__text_end >> 2);
	pmp_address(3, (uintptr_t)__image_end >> 2);
	pmp_address(4, ~UINT64_C(0) >> 10);
	csr_write(CSR_PMPCFG0, CFG(0, PMP_L | PMP_NAPOT) | CFG(2, PMP_L | PMP_TOR | PMP_R | PMP_X) |
				       CFG(3, PMP_TOR) | CFG(4, PMP_NAPOT | PMP_R | PMP_W | PMP_X));
	sfence_all();
}

void protect_pmp(void)
{
	protect_open(0, 0);
	csr_write(CSR_PMPCFG0, CFG(0, PMP_L | PMP_NAPOT) | CFG(2, PMP_TOR | PMP_R | PMP_W | PMP_X));
	sfence_all();
}

void protect_open(uint64_t low, uint64_t high)
{
	pmp_address(1, low);
	pmp_address(2, high);
}
