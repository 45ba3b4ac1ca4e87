/* SPDX-License-Identifier: MIT */
#include "bench.h"

#define LEGACY_PUTCHAR 1

int64_t sbi(uint64_t extension, uint64_t function, uint64_t a0_, uint64_t a1_, uint64_t a2_)
{
	register uint64_t a0 __asm__("a0") = a0_, a1 __asm__("a1") = a1_, a2 __asm__("a2") = a2_,
			     a6 __asm__("a6") = function, a7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
	return (int64_t)a0;
}

static void print(const char *text)
{
	while (*text != '\0')
		sbi(LEGACY_PUTCHAR, 0, (uint8_t)*text++, 0, 0);
}

static void print_number(uint64_t value)
{
	char text[21];
	char *at = &text[20];

	*at = '\0';
	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	print(at);
}

void report(const char *name, uint64_t total, uint64_t count)
{
	print("\nbench ");
	print(name);
	print(" ");
	print_number(total);
	print(" ");
	print_number(count);
	print(" .\n");
}

void shut_down(void)
{
	sbi(SBI_SRST, 0, 0, 0, 0);
	for (;;)
		;
}

/* For guests of one hart. */
__attribute__((weak)) void other_main(uint64_t hart)
{
	(void)hart;
}
