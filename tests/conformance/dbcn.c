/* SPDX-License-Identifier: MIT */
#include "guest.h"

static char text[2 * PAGE] __attribute__((aligned(4096)));

/* A call may do less than all. */
static void write_all(uint64_t at, uint64_t len)
{
	while (len != 0) {
		struct sbi result = sbi(DBCN, 0, len, at, 0);

		if (!expect("writing", at, (uint64_t)result.error, SUCCESS) ||
		    !expect("how much is written", at, result.value != 0 && result.value <= len, 1))
			return;
		at += result.value;
		len -= result.value;
	}
}

static void across_pages(void)
{
	static const char line[] = "dbcn: one line across two pages\n";
	unsigned len = sizeof(line) - 1, at = PAGE - len / 2;

	for (unsigned i = 0; i < len; i++)
		text[at + i] = line[i];
	write_all((uintptr_t)&text[at], len);
}

void check_dbcn(void)
{
	const uint64_t first = ram_base(), beyond = first + RAM_SIZE;
	const struct {
		uint64_t len, low, high;
	} bad[] = {
		{1, first - 1, 0}, {1, beyond, 0}, {2, beyond - 1, 0}, {RAM_SIZE + 1, first, 0}, {1, first, 1},
		{1, first, ALL}, {1, ALL, 0}, {1, ALL, ALL}, {ALL, first, 0}, {1, 0, 0}, {1, 0x10000000, 0},
	};
	struct sbi result;

	topic("dbcn");
	across_pages();
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (uint64_t function = 0; function <= 1; function++)
			expect_error("bad memory", i, INVALID_PARAM, DBCN, function, bad[i].len, bad[i].low, bad[i].high);
	for (uint64_t function = 0; function <= 1; function++) {
		result = sbi(DBCN, function, 0, first, 0);
		expect("nothing", function, (uint64_t)result.error, SUCCESS);
		expect("nothing", function, result.value, 0);
	}
	result = sbi(DBCN, 1, 16, (uintptr_t)text, 0);
	expect("reading when there is nothing", 0, (uint64_t)result.error, SUCCESS);
	expect("reading when there is nothing", 1, result.value, 0);
	result = sbi(DBCN, 2, 0x64636200 | '!');
	expect("a byte", 0, (uint64_t)result.error, SUCCESS);
	expect("its value", 0, result.value, 0);
	print("\n");
	verdict();
}
