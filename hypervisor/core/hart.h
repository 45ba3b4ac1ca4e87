/* SPDX-License-Identifier: MIT */
/* A physical hart: what it runs, and what others want of it. */
#ifndef HART_H
#define HART_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arch_types.h"
#include "board.h"
#include "list.h"
#include "lock.h"

#define MAX_HARTS 64u /* that run guests */

struct vcpu;

/* Ready vCPUs by priority; DMFS_PRIORITY_LOW to _HIGH. Guarded by its lock. */
#define PRIORITIES 3
struct run_queue {
	struct lock lock;
	struct list ready[PRIORITIES];
	struct list waiting; /* asleep, woken by a deadline or a request */
	uint32_t ready_count;
	uint32_t homed;	    /* vCPUs whose home this hart is */
	uint32_t credit[PRIORITIES];
};

struct hart {
	uintptr_t stack_top; /* first: assembly reads it */
	uint32_t index;
	uint64_t id; /* mhartid */
	const struct board_hart *board;
	struct vcpu *current; /* the vCPU it runs, NULL when idle; guarded by queue.lock */
	struct vcpu *loaded;  /* whose CSRs and memory fence are in the hart */
	struct run_queue queue;
	uint64_t slice_end; /* timer ticks; UINT64_MAX when nobody else is ready */
	uint64_t timer_set; /* what the hart's comparator holds */
	bool resched;	    /* pick anew before returning to a guest */
	bool patient_turn;  /* who runs was passed over often enough: it has its slice, whoever else is ready */
	struct arch_hart arch;
};

extern struct hart *harts[MAX_HARTS];
extern uint32_t hart_count;

struct hart *this_hart(void);

/* Makes the hart enter the hypervisor soon, if it is not there. Any hart may call it. */
void hart_kick(struct hart *hart);

/* Programs this hart's timer interrupt for the tick `when`; UINT64_MAX turns it off. */
void hart_set_timer(uint64_t when);

#endif
