/* SPDX-License-Identifier: MIT */
/* SBI calls with buffers, addresses and ranges outside its memory, or around the end of all memory. */
#include "attack.h"

struct buffer {
	uint64_t len, at, high;
};

static uint64_t before(void)
{
	return ram_base() - 1;
}

static void dbcn(uint64_t len, uint64_t at, uint64_t high)
{
	expect("writing from a bad buffer", at, (uint64_t)sbi(SBI_DBCN, 0, len, at, high, 0).error,
	       (uint64_t)SBI_INVALID_PARAM);
	expect("reading into a bad buffer", at, (uint64_t)sbi(SBI_DBCN, 1, len, at, high, 0).error,
	       (uint64_t)SBI_INVALID_PARAM);
}

static void console(void)
{
	const uint64_t end = ram_base() + RAM_SIZE;

	dbcn(1, before(), 0);
	dbcn(2, before(), 0);
	dbcn(1, end, 0);
	dbcn(2, end - 1, 0);
	dbcn(RAM_SIZE + 1, ram_base(), 0);
	dbcn(1, ram_base(), 1);
	dbcn(1, ram_base(), UINT64_MAX);
	dbcn(UINT64_C(1) << 63, ram_base(), 0);
	dbcn(UINT64_MAX, ram_base(), 0);
	dbcn(UINT64_MAX - ram_base() + 1, ram_base(), 0);
	dbcn(UINT64_MAX - ram_base() + 2, ram_base(), 0);
	dbcn(2, UINT64_MAX, 0);
	dbcn(1, UINT64_MAX, 0);
	dbcn(1, 0, 0);
	dbcn(4, 0x2000000, 0);
	dbcn(1, UART_BASE, 0);
	expect("nothing from the end", end, (uint64_t)sbi(SBI_DBCN, 0, 0, ram_base(), 0, 0).error, 0);
}

/* Legacy calls read their mask through the guest's own translation, with its own rights. */
static void legacy(uint64_t at)
{
	expect("legacy IPI by a bad mask", at, (uint64_t)sbi(4, 0, at, 0, 0, 0).error != 0, true);
	expect("legacy fence by a bad mask", at, (uint64_t)sbi(5, 0, at, 0, 0, 0).error != 0, true);
	expect("legacy sfence by a bad mask", at, (uint64_t)sbi(6, 0, at, 0, 0, 0).error != 0, true);
}

static void start(uint64_t at)
{
	expect("starting a hart at a bad address", at, (uint64_t)sbi(SBI_HSM, 0, 1, at, 0, 0).error,
	       (uint64_t)SBI_INVALID_ADDRESS);
	expect("suspending to a bad address", at, (uint64_t)sbi(SBI_HSM, 3, 0x80000000, at, 0, 0).error,
	       (uint64_t)SBI_INVALID_ADDRESS);
}

void main(void)
{
	const uint64_t outside[] = {
		is_gstage() ? RAM_DEFAULT + RAM_SIZE : RAM_DEFAULT, ram_base() - 8, ram_base() + RAM_SIZE, 0x2000000,
		0x100000, 8, UINT64_C(1) << 63, UINT64_MAX - 7,
	};

	console();
	for (unsigned i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		legacy(outside[i]);
		start(outside[i]);
	}
	expect("a range that wraps", 0, (uint64_t)sbi(SBI_RFENCE, 1, 1, 0, UINT64_MAX - 4096, 8192).error,
	       (uint64_t)SBI_INVALID_ADDRESS);
	expect("a range of almost everything", 0, (uint64_t)sbi(SBI_RFENCE, 1, 1, 0, 1, UINT64_MAX - 1).error, 0);
}
