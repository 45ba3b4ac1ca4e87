/* SPDX-License-Identifier: MIT */
/*
 * What a guest that measures is written on: in S-mode without translation, under the hypervisor or
 * any other SBI. It prints lines "bench NAME TOTAL COUNT" in decimal by the one call for that which
 * all of them have. A cycle is an instruction (`-icount shift=0`); a tick of `time` is 100 of them.
 * There must not be pointers in static data: nothing relocates them.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>

#define CYCLES_PER_TICK 100u

#define SBI_BASE   UINT64_C(0x10)
#define SBI_TIME   UINT64_C(0x54494d45)
#define SBI_IPI    UINT64_C(0x735049)
#define SBI_RFENCE UINT64_C(0x52464e43)
#define SBI_HSM    UINT64_C(0x48534d)
#define SBI_SRST   UINT64_C(0x53525354)

/* start.S */
extern volatile uint64_t soft_taken;
uint64_t loop_call(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1, uint64_t count);
uint64_t loop_load(uint64_t address, uint64_t count);
uint64_t loop_store(uint64_t address, uint64_t count, uint8_t byte);
uint64_t tick_edge(uint64_t *tick);
uint64_t await_timer(void);
uint64_t await_soft(void);
bool set_stimecmp(uint64_t deadline);
void other_start(void);

int64_t sbi(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1, uint64_t a2);
void report(const char *name, uint64_t total, uint64_t count);
_Noreturn void shut_down(void);

/* In ticks: the time is one for all harts and goes on while a guest sleeps, which is not so of cycles. */
static inline uint64_t ticks(void)
{
	uint64_t now;

	__asm__ volatile("rdtime %0" : "=r"(now)::"memory");
	return now;
}

/* The guest's own: its hart, the device tree, and the time as its very first instruction read it. */
void bench_main(uint64_t hart, uint64_t tree, uint64_t first);
/* On another hart, if the guest starts one. */
void other_main(uint64_t hart);

#endif
