/* SPDX-License-Identifier: MIT */
/* A physical hart: what it runs, and what others want of it. */
#ifndef HART_H
#define HART_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arch_types.h"
#include "arch_types.h"
#include "board.h"
#include "dmfs.h"
#include "list.h"
#include "lock.h"

#define MAX_HARTS 64u /* that run guests */

struct vcpu;

/* Who wants to run on a hart; priorities are DMFS_PRIORITY_LOW to _HIGH. Guarded by its lock. */
#define PRIORITIES 3
struct run_queue {
	struct lock lock;
	struct list woken[PRIORITIES]; /* have slept with a part of their slice left: before the others */
	struct list ready[PRIORITIES]; /* take turns */
	struct list waiting;	       /* asleep or paused, by the time at which they want to wake */
	_Atomic uint32_t ready_count;  /* of the first two; others look at it without the lock */
	uint32_t homed;		       /* vCPUs whose home this hart was at first */
	uint32_t credit[PRIORITIES];
};

struct hart {
	/* Assembly knows the first four. */
	uintptr_t stack_top;
	uint64_t horizon;   /* when, in ticks, it is needed for other reasons than the current vCPU's deadline */
	uint64_t timer_set; /* what the hart's comparator holds */
	uint64_t mtimecmp;  /* where that is */

	uint32_t index;
	uint64_t id; /* mhartid */
	const struct board_hart *board;
	struct vcpu *current; /* the vCPU it runs, NULL when idle; guarded by queue.lock */
	struct vcpu *loaded;  /* whose CSRs and memory fence are in the hart */
	struct run_queue queue;
	uint64_t since;	     /* when the current vCPU came, in ticks */
	uint64_t slice_end;  /* when its turn ends; UINT64_MAX when nobody else is ready */
	uint64_t budget_end; /* when its share of the hart is used up; UINT64_MAX without a limit */
	bool resched;	    /* pick anew before returning to a guest */
	bool patient_turn;  /* who runs was passed over often enough: it has its slice, whoever else is ready */
	struct arch_hart arch;
	uint8_t *opened;	    /* room for a decrypted chunk; NULL when nothing is encrypted */
	uint8_t *file_bytes;	    /* room for a chunk of a file; NULL when no capsule has one */
	uint32_t file_chunk;	    /* which is in it; DMFS_NONE */
	struct dmfs_workspace workspace; /* to unpack with; last, as it is large */
};

extern struct hart *harts[MAX_HARTS];
extern uint32_t hart_count;

/* this_hart(), the hart that runs this, is the architecture's, in arch_types.h. */

/* Makes the hart enter the hypervisor soon, if it is not there. Any hart may call it. */
void hart_kick(struct hart *hart);

/* On the boot hart: the same to all others. */
void hart_kick_others(void);

/* Sleeps until another hart kicks this one, or for less. What the other wrote before is seen after. */
void hart_nap(void);

/* Programs this hart's timer interrupt for the tick `when`; UINT64_MAX turns it off. */
void hart_set_timer(uint64_t when);

#endif
