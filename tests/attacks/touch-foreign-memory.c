/* SPDX-License-Identifier: MIT */
/*
 * Every page of the board's RAM but its own: the hypervisor's text, data and tables, and other
 * capsules' memory. Under two-stage translation these are guest-physical addresses behind which there is nothing.
 */
#include "attack.h"

#define MIB	      UINT64_C(0x100000)
#define BOARD_RAM_END (RAM_DEFAULT + UINT64_C(0x8000000)) /* the test's boards have 128 MiB */

static bool is_own(uint64_t at)
{
	return at - ram_base() < RAM_SIZE;
}

#define TRY_ATOMIC(operation, want)                                                                          \
	expect(operation, at, TRY_READ_FROM(operation " t3, zero, (%0)", at), want);                         \
	expect("stval of " operation, at, trap.tval, at)

/* Both widths of each; an SC without a reservation may fail instead of trapping (unprivileged specification, 8.2). */
static void atomics(uint64_t at)
{
	uint64_t cause;

	expect("lr.w", at, TRY_READ_FROM("lr.w t3, (%0)", at), LOAD_ACCESS);
	expect("lr.d", at, TRY_READ_FROM("lr.d t3, (%0)", at), LOAD_ACCESS);
	TRY_ATOMIC("amoswap.w", STORE_ACCESS);
	TRY_ATOMIC("amoadd.w", STORE_ACCESS);
	TRY_ATOMIC("amoxor.w", STORE_ACCESS);
	TRY_ATOMIC("amoor.w.aqrl", STORE_ACCESS);
	TRY_ATOMIC("amominu.w", STORE_ACCESS);
	TRY_ATOMIC("amoswap.d", STORE_ACCESS);
	TRY_ATOMIC("amoand.d", STORE_ACCESS);
	TRY_ATOMIC("amomax.d.rl", STORE_ACCESS);
	cause = TRY_READ_FROM("sc.d t3, zero, (%0)", at);
	expect("sc.d", at, cause == STORE_ACCESS || cause == NO_TRAP, true);
	/* Reserved here, stored there. */
	cause = TRY("addi t4, sp, -64\nlr.w t3, (t4)\nsc.w t3, zero, (%0)\nbnez t3, 1f\nebreak\n1:", ::"r"(at)
		    : "t3", "t4", "memory");
	expect("sc.w of another's reservation", at, cause == STORE_ACCESS || cause == NO_TRAP, true);
}

void main(void)
{
	/* Ends of things: of the address space, of what G-stage can translate, of its own RAM. */
	static const uint64_t ends[] = {
		0, 4, 0x1000, 0x7fffffff, 0xfffffffe, 0x100000000, (UINT64_C(1) << 41) - 2, UINT64_C(1) << 41,
		UINT64_C(1) << 55, UINT64_C(1) << 56, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX,
	};

	for (uint64_t at = RAM_DEFAULT; at < BOARD_RAM_END; at += PAGE) {
		if (is_own(at))
			continue;
		expect_unreachable("memory of others", at);
		expect_unreachable("memory of others", at + PAGE - 2);
		if (at % MIB == 0) {
			atomics(at);
			atomics(at + MIB - 8);
		}
	}
	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		expect_unreachable("the end of something", ends[i]);
	atomics(ram_base() - 8);
	atomics(ram_base() + RAM_SIZE);
	expect_unreachable("the byte before its RAM", ram_base() - 1);
	expect_unreachable("the byte behind its RAM", ram_base() + RAM_SIZE);
	expect("a load across the end of its RAM", ram_base() + RAM_SIZE,
	       TRY_READ_FROM("ld t3, -4(%0)", ram_base() + RAM_SIZE), LOAD_ACCESS);
	expect("a store across the end of its RAM", ram_base() + RAM_SIZE,
	       TRY_READ_FROM("sd zero, -4(%0)", ram_base() + RAM_SIZE), STORE_ACCESS);
}
