/* SPDX-License-Identifier: MIT */
/* SBI calls over harts that it does not have: it has two vCPUs, the board and other capsules more. */
#include "attack.h"

static volatile bool second_runs;

static void second(void)
{
	second_runs = true;
	for (;;)
		__asm__ volatile("wfi");
}

static void expect_error(const char *what, uint64_t extension, uint64_t function, uint64_t mask, uint64_t base,
			 int64_t want)
{
	expect(what, base, (uint64_t)sbi(extension, function, mask, base, 0, 0).error, (uint64_t)want);
}

static void masks(uint64_t extension, uint64_t function)
{
	static const struct {
		uint64_t mask, base;
		int64_t want;
	} cases[] = {
		{1, 0, 0},
		{0, UINT64_MAX, 0}, /* all that there are */
		{UINT64_MAX, UINT64_MAX, 0},
		{4, 0, SBI_INVALID_PARAM},
		{UINT64_MAX, 0, SBI_INVALID_PARAM},
		{1, 2, SBI_INVALID_PARAM},
		{1, 63, SBI_INVALID_PARAM},
		{2, 63, SBI_INVALID_PARAM},
		{1, 64, SBI_INVALID_PARAM},
		{1, UINT64_MAX - 1, SBI_INVALID_PARAM},
		{UINT64_C(1) << 63, 1, SBI_INVALID_PARAM},
		{3, UINT64_C(1) << 63, SBI_INVALID_PARAM},
		{1, UINT64_C(1) << 32, SBI_INVALID_PARAM},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_error("a call by mask", extension, function, cases[i].mask, cases[i].base, cases[i].want);
}

void main(void)
{
	static const uint64_t unknown[] = {2, 3, 63, 64, 65, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX};

	for (unsigned i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		expect_error("starting a foreign hart", SBI_HSM, 0, unknown[i], (uintptr_t)vcpu_begin,
			     SBI_INVALID_PARAM);
		expect_error("asking for a foreign hart", SBI_HSM, 2, unknown[i], 0, SBI_INVALID_PARAM);
	}
	expect_error("starting itself", SBI_HSM, 0, 0, (uintptr_t)vcpu_begin, SBI_ALREADY_AVAILABLE);
	expect("starting the other", 1, (uint64_t)start_vcpu(1, second), 0);
	while (!second_runs)
		;
	expect_error("starting the other again", SBI_HSM, 0, 1, (uintptr_t)vcpu_begin, SBI_ALREADY_AVAILABLE);
	masks(SBI_IPI, 0);
	masks(SBI_RFENCE, 0);
	masks(SBI_RFENCE, 1);
	masks(SBI_RFENCE, 2);
	__asm__ volatile("csrci sip, 2"); /* what it has sent itself */
	/* hfence calls are for harts with a hypervisor extension, which a guest's have not. */
	for (uint64_t function = 3; function < 8; function++)
		expect_error("a call that is not there", SBI_RFENCE, function, 1, 0, SBI_NOT_SUPPORTED);
	expect_error("an extension that is not there", UINT64_MAX, 0, 0, 0, SBI_NOT_SUPPORTED);
	expect_error("a function that is not there", SBI_TIME, UINT64_MAX, 0, 0, SBI_NOT_SUPPORTED);
	expect_error("a function that is not there", SBI_HSM, UINT64_C(1) << 32, 0, 0, SBI_NOT_SUPPORTED);
	expect_error("a reset that is reserved", SBI_SRST, 0, 3, 0, SBI_INVALID_PARAM);
	expect_error("a reset of the vendor, unimplemented", SBI_SRST, 0, 0xf0000000, 0, SBI_INVALID_PARAM);
}
