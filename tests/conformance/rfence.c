/* SPDX-License-Identifier: MIT */
#include "guest.h"

#define PTE_V	1u
#define PTE_RWX 0xeu
#define PTE_AD	0xc0u
#define SATP_SV39 (UINT64_C(8) << 60)
#define WINDOW	UINT64_C(0x2000000000) /* a virtual address that nothing else has: entry 128 of the root */

static uint64_t root[512] __attribute__((aligned(4096)));
static uint64_t middle[512] __attribute__((aligned(4096)));
static uint64_t last[512] __attribute__((aligned(4096)));
static volatile uint64_t pages[2][512] __attribute__((aligned(4096)));
static volatile uint64_t order, answer; /* a number; the page seen since */

static uint64_t pte(const volatile void *at, uint64_t flags)
{
	return (uintptr_t)at >> 12 << 10 | flags | PTE_V;
}

static void map_window(unsigned page)
{
	last[0] = pte(pages[page], PTE_RWX | PTE_AD);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void make_tables(void)
{
	uint64_t gigapage = ram_base() >> 30;

	root[gigapage] = pte((void *)(gigapage << 30), PTE_RWX | PTE_AD);
	root[WINDOW >> 30 & 511] = pte(middle, 0);
	middle[0] = pte(last, 0);
	pages[0][0] = 100;
	pages[1][0] = 101;
	map_window(0);
}

/* Looks through the window each time that it is told to. */
static void watch(struct cpu *cpu)
{
	csr_write(satp, SATP_SV39 | (uintptr_t)root >> 12);
	__asm__ volatile("sfence.vma" ::: "memory");
	for (uint64_t seen = 0; seen != cpu->argument;) {
		uint64_t value = *(volatile uint64_t *)WINDOW; /* keeps the translation cached */

		if (order != seen) {
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			value = *(volatile uint64_t *)WINDOW;
			seen = order;
			answer = seen << 32 | value;
		}
	}
	csr_write(satp, 0);
}

/* A remote fence is over when the call returns: the other one sees the new page then. */
static void reaches(uint64_t id)
{
	static const uint64_t ranges[][2] = {{WINDOW, PAGE}, {0, 0}, {WINDOW, ALL}, {WINDOW + 8, 1}, {0, WINDOW + 1}};
	unsigned rounds = 2 * sizeof(ranges) / sizeof(ranges[0]);

	make_tables();
	order = answer = 0;
	start_job(id, watch, rounds);
	for (unsigned round = 0; round < rounds; round++) {
		const uint64_t *range = ranges[round / 2];

		map_window((round + 1) % 2);
		if (round % 2 == 0)
			expect_error("sfence", round, SUCCESS, RFENCE, 1, BIT(id), 0, range[0], range[1]);
		else
			expect_error("sfence by ASID", round, SUCCESS, RFENCE, 2, 1, id, range[0], range[1], 0);
		order = round + 1;
		while (answer >> 32 != round + 1)
			;
		expect("what is seen after a fence", round, answer & 0xffff, 100 + (round + 1) % 2);
	}
	await_job(id);
}

void check_rfence(void)
{
	uint64_t all = BIT(cpu_count) - 1;

	topic("rfence");
	for (uint64_t function = 0; function <= 6; function++) {
		int64_t want = function <= 2 ? SUCCESS : NOT_SUPPORTED;

		expect_error("a fence of all", function, want, RFENCE, function, 0, ALL, 0, 0, 0);
		expect_error("a fence of each", function, want, RFENCE, function, all, 0, 0x1000, 0x1000, 0);
		expect_error("a fence of one", function, want, RFENCE, function, 1, cpu_count - 1, 0x1000, 0x5000, 1);
		expect_error("one beyond", function, INVALID_PARAM, RFENCE, function, 1, cpu_count, 0, 0, 0);
		expect_error("one beyond", function, INVALID_PARAM, RFENCE, function, BIT(cpu_count), 0, 0, 0, 0);
		expect_error("one beyond", function, INVALID_PARAM, RFENCE, function, 1, ALL - 1, 0, 0, 0);
	}
	for (uint64_t function = 1; function <= 2; function++) {
		expect_error("a range that wraps", function, INVALID_ADDRESS, RFENCE, function, 1, 0, ALL - 4095, 8192, 0);
		expect_error("the last page", function, SUCCESS, RFENCE, function, 1, 0, ALL - 4095, 4096, 0);
	}
	for (uint64_t id = 1; id < cpu_count; id++)
		reaches(id);
	verdict();
}
