/* SPDX-License-Identifier: MIT */
/* What core/ needs of the hart that it runs on. Implemented in arch/riscv and, for tests, arch/fake. */
#ifndef ARCH_HART_H
#define ARCH_HART_H

#include <stdbool.h>
#include <stdint.h>

struct hart;

/* The board's time in ticks of its timebase. */
uint64_t arch_time(void);

/* Sleeps until one of the machine-level interrupts is pending; may return early. */
void arch_sleep(void);

/* Machine-level interrupts that are pending now, as bits. */
#define ARCH_PENDING_KICK     1u
#define ARCH_PENDING_TIMER    2u
#define ARCH_PENDING_EXTERNAL 4u
uint32_t arch_pending(void);

/*
 * A hart comes up in two steps: it finds out what it has, which narrows arch_features to what all have;
 * when all have done so it sets up delegation, interrupts and protection. `stack_guard` is a page below its stack
 * that nothing may touch.
 */
void arch_hart_probe(void);
void arch_hart_init(uintptr_t stack_guard);

/* Features that every hart which runs guests has; valid after arch_hart_probe() on all of them. */
struct arch_features {
	bool gstage;   /* guests are fenced by G-stage translation; otherwise by PMP */
	bool sstc;     /* guests get the timer comparator of Sstc */
	bool time_csr; /* reading the time CSR works */
	bool vector;   /* guests may use vectors, those of version 1.0 */
};
extern struct arch_features arch_features;
const char *arch_isolation_name(void);

/* Leaves the boot code: this hart runs vCPUs from now on. */
_Noreturn void arch_run(void);

/* Stops this hart for ever. */
_Noreturn void arch_park(void);

#endif
