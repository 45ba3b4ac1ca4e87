/* SPDX-License-Identifier: MIT */
/*
 * Calls every SBI extension and every function number with arguments from the corners, combined at random, the same each
 * time. Each call returns, with an error that there is, and with every register but a0 and a1 as it was.
 */
#include "attack.h"

#define ROUNDS 16000

/* Left alone by the rest of the attack, should a call write there. */
#define SCRATCH (ram_base() + 0x100000)

#define SBI_SUSP UINT64_C(0x53555350)
#define SBI_SSE	 UINT64_C(0x535345)

static const uint64_t extensions[] = {
	0, 2, 3, 4, 5, 6, 7, 9, 0xf, /* legacy; 1 writes to the console, 8 shuts down */
	0x10, SBI_TIME, SBI_IPI, SBI_RFENCE, SBI_HSM, SBI_DBCN, SBI_SUSP, SBI_SSE,
	0x504d55,   /* PMU */
	0x43505043, /* CPPC */
	0x4e41434c, /* NACL */
	0x535441,   /* STA */
	0x46574654, /* FWFT */
	0x4d505859, /* MPXY */
	0x08000000, 0x09000000, 0x0a000000, 0x0affffff, /* experimental, of the vendor, of the firmware */
	UINT64_C(0x8000000000000010), UINT64_C(0x100000010), UINT64_C(0xffffffff), UINT64_MAX,
};

static uint64_t pick(uint64_t *state, const uint64_t *from, size_t count)
{
	return from[(next_random(state) >> 16) % count];
}

static uint64_t choose_function(uint64_t *state)
{
	static const uint64_t far[] = {0x7fffffff, 0x80000000, 0xffffffff, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX};
	uint64_t random = next_random(state) >> 16;

	return random % 8 != 0 ? random / 8 % 10 : pick(state, far, sizeof(far) / sizeof(far[0]));
}

static uint64_t choose_argument(uint64_t *state)
{
	const uint64_t corners[] = {
		0, 1, 2, 3, 7, 8, 63, 64, PAGE - 1, PAGE, 0x7fffffff, 0x80000000, 0xffffffff, UINT64_C(1) << 32,
		UINT64_C(1) << 56, (UINT64_C(1) << 63) - 1, UINT64_C(1) << 63, UINT64_MAX - 7, UINT64_MAX - 1, UINT64_MAX,
		SCRATCH, SCRATCH + 1, SCRATCH + 8, SCRATCH + PAGE - 8, ram_base() - 8, ram_base() - 1, ram_base() + RAM_SIZE - 8,
		ram_base() + RAM_SIZE - 1, ram_base() + RAM_SIZE, RAM_DEFAULT - PAGE, RAM_DEFAULT + 0x4000000,
		UART_BASE, PLIC_BASE, 0x2000000, 0x100000,
	};
	uint64_t corner = pick(state, corners, sizeof(corners) / sizeof(corners[0]));

	return next_random(state) >> 60 == 0 ? next_random(state) : corner;
}

/* What ends, stops or diverts this guest by design. */
static bool is_excluded(uint64_t extension, uint64_t function)
{
	switch (extension) {
	case SBI_HSM:
		return function == 1 || function == 3; /* hart_stop, hart_suspend */
	case SBI_SUSP:
		return function == 0;
	case SBI_SSE: /* an event that is enabled goes to a handler, which is anywhere */
		return function == 4 || function == 7;
	default:
		return false;
	}
}

struct call {
	uint64_t a[8]; /* a0 to a7, before and after */
	uint64_t others; /* what a2 to a7 and the registers that hold patterns have changed by: 0 */
};

/* With patterns in all registers that the compiler gives up; they and a2 to a7 are compared afterwards. */
static void make(struct call *call)
{
	__asm__ volatile("ld a0, 0(%0)\nld a1, 8(%0)\nld a2, 16(%0)\nld a3, 24(%0)\nld a4, 32(%0)\nld a5, 40(%0)\n"
			 "ld a6, 48(%0)\nld a7, 56(%0)\n"
			 ".irp reg, s2,s3,s4,s5,s6,s7,s8,s9,s10,s11,t0,t1,t2,t3,t4,t5,t6,ra,gp\nxori \\reg, %0, -2\n.endr\n"
			 "ecall\n"
			 "sd a0, 0(%0)\nsd a1, 8(%0)\nli a0, 0\nnot a1, %0\nxori a1, a1, 1\n"
			 ".irp reg, s2,s3,s4,s5,s6,s7,s8,s9,s10,s11,t0,t1,t2,t3,t4,t5,t6,ra,gp\n"
			 "xor \\reg, \\reg, a1\nor a0, a0, \\reg\n.endr\n"
			 ".macro same reg, at\nld a1, \\at(%0)\nxor a1, a1, \\reg\nor a0, a0, a1\n.endm\n"
			 "same a2, 16\nsame a3, 24\nsame a4, 32\nsame a5, 40\nsame a6, 48\nsame a7, 56\n.purgem same\n"
			 "sd a0, 64(%0)\n" ::"r"(call)
			 : "memory", "ra", "gp", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "s2", "s3", "s4", "s5", "s6", "s7",
			   "s8", "s9", "s10", "s11", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7");
}

/* Legacy calls 4 to 7 read their mask at a virtual address: what cannot be read is the caller's fault (section 5.4). */
static bool is_fault_of_mask(uint64_t extension)
{
	return extension >= 4 && extension <= 7 && trap.cause == LOAD_ACCESS;
}

void main(void)
{
	uint64_t state = UINT64_C(0xfedcba9876543210);

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t extension = pick(&state, extensions, sizeof(extensions) / sizeof(extensions[0]));
		uint64_t function = choose_function(&state);
		bool legacy = extension < 0x10;
		struct call call = {.a = {[6] = function, [7] = extension}};

		for (unsigned n = 0; n < 6; n++)
			call.a[n] = choose_argument(&state);
		if (is_excluded(extension, function) || (extension == SBI_DBCN && function != 1))
			continue;
		trap.cause = NO_TRAP;
		make(&call);
		if (!is_fault_of_mask(extension))
			expect("the trap of a call", extension, trap.cause, NO_TRAP);
		expect("registers after a call", extension, call.others, 0);
		if (!legacy)
			expect("the error of a call", extension, (int64_t)call.a[0] <= 0 && (int64_t)call.a[0] >= -14, true);
	}
	/* The console's writes with what is no memory of its own; with what is they work, and can be seen. */
	for (unsigned i = 0; i < ROUNDS / 8; i++) {
		uint64_t len = choose_argument(&state), at = choose_argument(&state);

		if (len != 0 && (at - ram_base() >= RAM_SIZE || len > RAM_SIZE - (at - ram_base())))
			expect("writing", at, (uint64_t)sbi(SBI_DBCN, 0, len, at, 0, 0).error, (uint64_t)SBI_INVALID_PARAM);
	}
}
