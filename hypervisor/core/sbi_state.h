/* SPDX-License-Identifier: MIT */
/* What a vCPU has set by SBI calls and keeps until it is started anew; all of it is zero then. */
#ifndef SBI_STATE_H
#define SBI_STATE_H

#include <stdbool.h>
#include <stdint.h>

/* FWFT: bits by feature number. */
#define FWFT_MISALIGNED_EXC_DELEG 0u
struct fwft_state {
	uint32_t on;
	uint32_t locked;
};

/*
 * PMU: counters 0 and 2 are the cycle and instret CSRs, so that a counter's number is its CSR's minus 0xc00, which
 * Linux counts on; all others are the firmware's.
 */
#define PMU_CYCLE	       0u
#define PMU_INSTRET	       2u
#define PMU_COUNTERS	       18u
#define PMU_HARDWARE	       (1u << PMU_CYCLE | 1u << PMU_INSTRET)

struct pmu_counter {
	uint64_t value; /* of a hardware counter: while it is stopped; its CSR has it otherwise */
	uint32_t event; /* event_idx, 0 while none is configured */
};

struct pmu_state {
	struct pmu_counter counters[PMU_COUNTERS];
	uint32_t started; /* bits by counter */
	uint32_t claimed; /* those that have been configured since the reset */
	bool has_shmem;
	uint64_t shmem; /* guest-physical address of the snapshot memory */
};

/* SSE: a software event. Attributes by their numbers; the first one is made of the other fields when it is read. */
#define SSE_ATTRS 10u

struct sse_event {
	uint64_t attr[SSE_ATTRS];
	uint32_t state; /* bits 1 to 0 of the attribute STATUS */
	uint32_t hart;	/* the vCPU that handles it, while it is running */
	bool pending;
	bool chosen; /* the guest has written the preferred hart */
};

struct sse_state {
	struct sse_event local;
	bool unmasked;
};

struct sbi_state {
	struct fwft_state fwft;
	struct pmu_state pmu;
	struct sse_state sse; /* guarded by the machine's lock */
};

#endif
