/* SPDX-License-Identifier: MIT */
/*
 * Two vCPUs write patterns of their own to all registers of the floating-point and vector units, call them dirty,
 * clean, initial or switch them off, give way, and want to find them as they were, until each has seen the other run
 * in between a thousand times. A vCPU that has just been started finds zeros.
 */
#include "units.h"

#define TURNS 1000u

struct turn {
	struct units units;
	uint64_t random;
	uint64_t rounds;      /* done so far */
	uint64_t other, seen; /* the other one's rounds, and how often they had moved */
};

static struct turn turns[2];
static uint64_t length; /* of a vector register */
static volatile unsigned stopped;
static uint8_t second_stack[16384] __attribute__((aligned(16)));

static uint64_t random_of(struct turn *turn)
{
	turn->random = turn->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return turn->random ^ turn->random >> 29;
}

static void write_pattern(struct turn *turn)
{
	struct units *units = &turn->units;

	for (unsigned i = 0; i < 32; i++)
		units->f[i] = random_of(turn);
	units->f[0] = UINT64_C(0x7ff8000000000000); /* not a number */
	units->fcsr = random_of(turn) & 0x8f;
	for (uint64_t i = 0; i < 32 * length; i += 8)
		*(uint64_t *)(units->v + i) = random_of(turn);
	units->vcsr = random_of(turn) & 7;
	units->vtype = (random_of(turn) & 3) | (random_of(turn) & 3) << 6; /* m1 to m8, tail and mask */
	units->vl = random_of(turn) % (length + 1);
	units->vstart = random_of(turn) % 8;
	units_put(units, length);
}

/* Changes that a hart may not tell from none. */
static void change_little(struct turn *turn)
{
	set_status(FS, CLEAN);
	raise_invalid();
	turn->units.fcsr |= 0x10;
	if (length == 0)
		return;
	set_status(VS, CLEAN);
	turn->units.vcsr ^= 5;
	turn->units.vstart ^= 3;
	CSR_WRITE(VCSR, turn->units.vcsr);
	CSR_WRITE(VSTART, turn->units.vstart);
}

static void one_round(struct turn *turn, struct turn *other)
{
	uint64_t theirs;

	write_pattern(turn);
	set_status(FS, turn->rounds % 4);
	set_status(VS, turn->rounds / 4 % 4);
	give_way(500 + random_of(turn) % 500);
	units_expect(&turn->units, length);
	if (turn->rounds % 2 == 0) {
		change_little(turn);
		give_way(500);
		units_expect(&turn->units, length);
	}
	theirs = __atomic_load_n(&other->rounds, __ATOMIC_RELAXED);
	if (theirs != turn->other)
		__atomic_store_n(&turn->seen, turn->seen + 1, __ATOMIC_RELAXED);
	turn->other = theirs;
	__atomic_store_n(&turn->rounds, turn->rounds + 1, __ATOMIC_RELAXED);
}

static bool both_done(void)
{
	return __atomic_load_n(&turns[0].seen, __ATOMIC_RELAXED) >= TURNS &&
	       __atomic_load_n(&turns[1].seen, __ATOMIC_RELAXED) >= TURNS;
}

/* Started twice: to take part, and at the end to look what is left. */
static _Noreturn void second(void)
{
	units_expect_fresh(length);
	while (!both_done())
		one_round(&turns[1], &turns[0]);
	stopped++;
	sbi(SBI_HSM, 1, 0, 0, 0, 0);
	for (;;)
		expect("going on after hart_stop", 1, 1, 0);
}

__attribute__((naked)) static void second_start(void)
{
	/* a1 holds its stack; no trap is expected here. */
	__asm__ volatile("mv sp, a1\nj %0" ::"i"(second));
}

static void start_second(void)
{
	sbi(SBI_HSM, 0, 1, (uintptr_t)second_start, (uintptr_t)(second_stack + sizeof(second_stack)), 0);
}

void main(void)
{
	length = find_vectors();
	print(length != 0 ? "keep-patterns: vectors of " : "keep-patterns: no vectors ");
	print_hex(length);
	print("\n");
	units_expect_fresh(length);
	turns[0].random = CSR_READ(TIME);
	turns[1].random = ~CSR_READ(TIME) << 20;
	start_second();
	while (!both_done())
		one_round(&turns[0], &turns[1]);
	for (unsigned lives = 1; lives < 3; lives++) {
		while (stopped < lives || sbi(SBI_HSM, 2, 1, 0, 0, 0).value != 1)
			give_way(500);
		if (lives < 2)
			start_second();
	}
}
