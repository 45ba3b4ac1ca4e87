/* SPDX-License-Identifier: MIT */
/*
 * Does nothing but work, beside storm-the-hypervisor.c on the same hart at the same priority: it has to get at least 80 %
 * of half the hart's time during each storm, and must never be kept from running for much longer than a slice.
 */
#include "attack.h"

#define SHARE	    (50 * 80 / 100) /* percent */
#define LONGEST_GAP 120000u	    /* ticks: a slice of 10 ms, and what entering and leaving costs */

/* As much work each time: a few microseconds. */
static uint64_t work(void)
{
	uint64_t begin = ticks();

	for (unsigned i = 0; i < 2000; i++)
		__asm__ volatile("");
	return ticks() - begin;
}

/* The least that work takes is what it takes undisturbed. */
static uint64_t calibrate(void)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < 200; i++) {
		uint64_t took = work();

		least = took < least ? took : least;
	}
	return least;
}

static void measure(uint64_t end, uint64_t unit)
{
	unsigned storm = storm_at(end - 1);
	uint64_t done = 0, gap = 0, begin = ticks(), last = begin, now;

	do {
		work();
		done++;
		now = ticks();
		gap = now - last > gap ? now - last : gap;
		last = now;
	} while (now < end);
	print("storm ");
	print_hex(storm);
	print(": share ");
	print_hex(done * unit * 100 / (now - begin));
	print(", gap ");
	print_hex(gap);
	print("\n");
	expect("its share being enough", storm, done * unit * 100 / (now - begin) >= SHARE, true);
	expect("its longest gap being short", storm, gap <= LONGEST_GAP, true);
}

void main(void)
{
	uint64_t unit = calibrate(), end = (ticks() / STORM_TICKS + 1) * STORM_TICKS;

	while (ticks() < end)
		;
	for (unsigned i = 0; i < STORMS; i++) {
		end += STORM_TICKS;
		measure(end, unit);
	}
}
