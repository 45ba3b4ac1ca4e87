/* SPDX-License-Identifier: MIT */
/*
 * Every page of the board's RAM but its own: the hypervisor's text, data and tables, and other
 * capsules' memory. Under two-stage translation these are guest-physical addresses behind which there is nothing.
 */
#include "attack.h"

#define BOARD_RAM_END (RAM_DEFAULT + UINT64_C(0x8000000)) /* the test's boards have 128 MiB */

static bool is_own(uint64_t at)
{
	return at - ram_base() < RAM_SIZE;
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
	}
	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		expect_unreachable("the end of something", ends[i]);
	expect_unreachable("the byte before its RAM", ram_base() - 1);
	expect_unreachable("the byte behind its RAM", ram_base() + RAM_SIZE);
	expect("a load across the end of its RAM", ram_base() + RAM_SIZE,
	       TRY_READ_FROM("ld t3, -4(%0)", ram_base() + RAM_SIZE), LOAD_ACCESS);
	expect("a store across the end of its RAM", ram_base() + RAM_SIZE,
	       TRY_READ_FROM("sd zero, -4(%0)", ram_base() + RAM_SIZE), STORE_ACCESS);
	expect("an atomic operation", BOARD_RAM_END - PAGE,
	       TRY_READ_FROM("amoadd.w t3, zero, (%0)", is_gstage() ? BOARD_RAM_END - PAGE : RAM_DEFAULT), STORE_ACCESS);
	expect("a load reserved", BOARD_RAM_END - PAGE,
	       TRY_READ_FROM("lr.w t3, (%0)", is_gstage() ? BOARD_RAM_END - PAGE : RAM_DEFAULT), LOAD_ACCESS);
}
