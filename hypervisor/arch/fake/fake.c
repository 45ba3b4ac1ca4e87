/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for arch/riscv and the board's drivers, so that core/ and guest/ run in unit tests on a host.
 * Tests set what it returns through the variables of fake.h.
 */
#include "fake.h"

struct arch_features arch_features;
struct board board;
struct hart *harts[MAX_HARTS];
uint32_t hart_count;
uint64_t fake_time;

uint64_t arch_time(void)
{
	return fake_time;
}
