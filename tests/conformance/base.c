/* SPDX-License-Identifier: MIT */
#include "guest.h"

static const uint64_t extensions[] = {BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN, PMU, SUSP, FWFT, SSE};
#define EXTENSIONS (sizeof(extensions) / sizeof(extensions[0]))

/* Only a0 and a1 may change; a1 is 0 with an error. */
static void registers(void)
{
	register uint64_t a0 __asm__("a0") = 1, a1 __asm__("a1") = 2, a2 __asm__("a2") = 3, a3 __asm__("a3") = 4,
			  a4 __asm__("a4") = 5, a5 __asm__("a5") = 6, a6 __asm__("a6") = 0xbad,
			  a7 __asm__("a7") = BASE, t6 __asm__("t6") = 7, s2 __asm__("s2") = 8;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6), "+r"(a7),
			 "+r"(t6), "+r"(s2)::"memory");
	uint64_t kept = a2 == 3 && a3 == 4 && a4 == 5 && a5 == 6 && a6 == 0xbad && a7 == BASE && t6 == 7 && s2 == 8;
	uint64_t results = a0 == (uint64_t)NOT_SUPPORTED && a1 == 0;

	expect("the registers that a call keeps", 0, kept, 1);
	expect("its results", 0, results, 1);
}

void check_base(void)
{
	topic("base");
	expect("the version", 0, sbi(BASE, 0, 0).value, 3 << 24);
	expect("the implementation", 0, sbi(BASE, 1, 0).value, 5);
	for (uint64_t function = 0; function <= 6; function++)
		expect_error("a function of BASE", function, SUCCESS, BASE, function, BASE);
	for (size_t i = 0; i < EXTENSIONS; i++) {
		expect("probing for it", extensions[i], sbi(BASE, 3, extensions[i]).value, 1);
		expect_error("a bad function of it", extensions[i], NOT_SUPPORTED, extensions[i], 0xbad);
		expect_error("a worse one", extensions[i], NOT_SUPPORTED, extensions[i], ALL);
	}
	for (uint64_t id = 0; id <= 8; id++)
		expect("probing for a legacy extension", id, sbi(BASE, 3, id).value, 1);
	for (uint64_t id = 9; id <= 15; id++)
		expect("probing for a reserved one", id, sbi(BASE, 3, id).value, 0);
	expect("probing for what is not there", 0, sbi(BASE, 3, 0xb000000).value, 0);
	expect_error("what is not there", 0, NOT_SUPPORTED, 0xb000000, 0);
	expect_error("what is not there", 1, NOT_SUPPORTED, ALL, 0);
	registers();
	verdict();
}
