/* SPDX-License-Identifier: MIT */
/* The devices that a capsule sees, at the addresses of sdk/dtgen/dtgen.h. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "capsule.h"
#include "dtgen.h"
#include "lock.h"

#define PLIC_WORDS    ((DTGEN_PLIC_SOURCES + 1 + 31) / 32)
#define PLIC_CONTEXTS (2 * DMFS_MAX_VCPUS)

/* RISC-V PLIC specification 1.0.0; context 2n is vCPU n's M-mode, which no guest runs in, 2n + 1 its S-mode. */
struct plic {
	uint32_t priority[DTGEN_PLIC_SOURCES + 1];
	uint32_t level[PLIC_WORDS];   /* lines that are raised */
	uint32_t claimed[PLIC_WORDS]; /* taken and not completed */
	uint32_t enable[PLIC_CONTEXTS][PLIC_WORDS];
	uint32_t threshold[PLIC_CONTEXTS];
};

/* NS16550A; it sends to the console's ring for the capsule, and receives from its buffer. */
struct uart {
	uint8_t ier, lcr, mcr, fcr, scratch;
	uint8_t divisor[2];
	bool sent; /* transmitter empty, not yet acknowledged by reading IIR */
	bool looped; /* a byte written in loopback mode waits in `loop` */
	uint8_t loop;
	uint8_t keys;  /* what is left of uart_ask_to_stop(): breaks and keys that have not been read */
	bool key_read; /* since the line was last seen empty */
};

struct machine {
	struct lock lock; /* guards all of it */
	struct uart uart; /* first: loads with short offsets */
	struct plic plic;
	struct sse_event event; /* SBI SSE's, of all vCPUs */
};

/* A device's registers: `offset` from its base, `width` bytes. False where there is no such access. */
bool plic_read(struct capsule *capsule, uint64_t offset, unsigned width, uint64_t *value);
bool plic_write(struct capsule *capsule, uint64_t offset, unsigned width, uint64_t value);
bool uart_read(struct capsule *capsule, uint64_t offset, unsigned width, uint64_t *value);
bool uart_write(struct capsule *capsule, uint64_t offset, unsigned width, uint64_t value);

/* An interrupt line changes its level. The machine's lock is held. */
void plic_set_level(struct capsule *capsule, uint32_t source, bool level);

/* Bytes for the UART have come or gone, or there is room for more. The machine's lock is held. */
void uart_update(struct capsule *capsule);

/*
 * A break and a key, three times, before all other input: what Linux takes for "sync, remount read-only, power off"
 * (its SysRq over a serial console). The machine's lock is held.
 */
void uart_ask_to_stop(struct capsule *capsule);

#endif
