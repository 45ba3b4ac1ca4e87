/* SPDX-License-Identifier: MIT */
/*
 * Works as hard as it can for two seconds and says how much of the hart it had, in hundredths of a percent: under
 * `-icount shift=0` an instruction is a nanosecond and a tick of the timebase 100 of them.
 */
#include "attack.h"

#define TICKS	     UINT64_C(20000000)
#define ROUNDS	     UINT64_C(1000)
#define PER_ROUND    2
#define INSNS_A_TICK 100

static inline uint64_t now(void)
{
	uint64_t ticks;

	__asm__ volatile("rdtime %0" : "=r"(ticks));
	return ticks;
}

static void print_decimal(uint64_t value)
{
	char digits[21];
	unsigned at = sizeof(digits);

	digits[--at] = '\0';
	do
		digits[--at] = (char)('0' + value % 10);
	while ((value /= 10) != 0);
	print(digits + at);
}

void main(void)
{
	uint64_t start = now(), end, batches = 0;

	do {
		uint64_t left = ROUNDS;

		__asm__ volatile(".option push\n.option norvc\n1: addi %0, %0, -1\nbnez %0, 1b\n.option pop" : "+r"(left));
		batches++;
		end = now();
	} while (end - start < TICKS);
	print("share ");
	print_decimal(batches * ROUNDS * PER_ROUND * 10000 / ((end - start) * INSNS_A_TICK));
	print("\n");
}
