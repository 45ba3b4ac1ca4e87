/* SPDX-License-Identifier: MIT */
/* Says 2,000 lines with numbers, each in red, as fast as they are taken, and shuts down. */
#include "attack.h"

#define LINES 2000u
#define DIGIT 9u /* where they begin */

static void print_politely(const char *text, size_t len)
{
	while (len != 0) {
		uint64_t done = sbi(SBI_DBCN, 0, len, (uintptr_t)text, 0, 0).value;

		text += done;
		len -= done;
	}
}

void main(void)
{
	static char line[] = "\x1b[31mred 0000\x1b[m\r\n";

	for (unsigned i = 0; i < LINES; i++) {
		for (unsigned n = i, digit = 4; digit-- > 0; n /= 10)
			line[DIGIT + digit] = (char)('0' + n % 10);
		print_politely(line, sizeof(line) - 1);
	}
}
