/* SPDX-License-Identifier: MIT */
/*
 * Two vCPUs on one hart hand the turn to each other by IPI and sleep: what a switch costs, without the units, with
 * floating point used in each turn, and with vectors as well. In instructions, where one is a nanosecond (-icount shift=0)
 * and the time goes by 100 of them.
 */
#include "units.h"

#define TURNS 2000u
#define SIP   0x144
#define SOFT  2u

static volatile unsigned uses; /* of the units in a turn */
static volatile unsigned taken;
static uint8_t second_stack[8192] __attribute__((aligned(16)));

static void use(void)
{
	if (uses > 0)
		use_float();
	if (uses > 1)
		use_vector();
}

static void hand_over(uint64_t to)
{
	sbi(SBI_IPI, 0, UINT64_C(1) << to, 0, 0, 0);
	while (!(CSR_READ(SIP) & SOFT))
		__asm__ volatile("wfi");
	CSR_CLEAR(SIP, SOFT);
}

static _Noreturn void second(void)
{
	CSR_SET(SIE, SOFT);
	set_status(FS, INITIAL);
	set_status(VS, INITIAL);
	for (;;) {
		taken++;
		use();
		hand_over(0);
	}
}

__attribute__((naked)) static void second_start(void)
{
	/* a1 holds its stack; no trap is expected here. */
	__asm__ volatile("mv sp, a1\nj %0" ::"i"(second));
}

static void measure(const char *what)
{
	uint64_t start;

	hand_over(1); /* what is loaded the first time is not counted */
	taken = 0;
	start = CSR_READ(TIME);
	for (unsigned i = 0; i < TURNS; i++) {
		use();
		hand_over(1);
	}
	print("take-turns: ");
	print(what);
	print(" ");
	print_hex((CSR_READ(TIME) - start) * 100 / (2 * TURNS));
	print(" end\n");
	expect("turns of the other", 0, taken, TURNS);
	uses++;
}

void main(void)
{
	CSR_SET(SIE, SOFT);
	set_status(FS, INITIAL);
	sbi(SBI_HSM, 0, 1, (uintptr_t)second_start, (uintptr_t)(second_stack + sizeof(second_stack)), 0);
	while (!(CSR_READ(SIP) & SOFT))
		__asm__ volatile("wfi");
	CSR_CLEAR(SIP, SOFT);
	measure("without");
	measure("floats");
	if (find_vectors() != 0)
		measure("vectors");
}
