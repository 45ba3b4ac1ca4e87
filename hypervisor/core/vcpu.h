/* SPDX-License-Identifier: MIT */
/* A virtual CPU: its registers, its state, and what others asked of it. */
#ifndef VCPU_H
#define VCPU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arch_types.h"
#include "hart.h"
#include "list.h"
#include "lock.h"
#include "sbi_state.h"
#include "service_abi.h"

struct capsule;

/*
 * Where the scheduler has it. Guarded by the home hart's queue lock. One that waits wakes for a request or in time,
 * one that is paused, for it has had its share, in time only.
 */
enum vcpu_run { VCPU_OFF, VCPU_READY, VCPU_RUNNING, VCPU_WAITING, VCPU_PAUSED };

/* SBI 2.0 section 9, table of hart states: the same numbers. */
enum hsm_state {
	HSM_STARTED = 0,
	HSM_STOPPED = 1,
	HSM_START_PENDING = 2,
	HSM_STOP_PENDING = 3,
	HSM_SUSPENDED = 4,
};

/* What may be asked of a vCPU from anywhere; served before it next enters the guest. */
enum vcpu_request {
	REQUEST_SOFT_IRQ = 1 << 0, /* raise its supervisor software interrupt */
	REQUEST_LINES = 1 << 1,	   /* the level of its external interrupt changed */
	REQUEST_FENCE_I = 1 << 2,
	REQUEST_SFENCE = 1 << 3,   /* vcpu->fence says over what */
	REQUEST_HALT = 1 << 4,	   /* its capsule stops: never enter the guest again */
	REQUEST_TIMER = 1 << 5,	   /* its deadline has passed */
	REQUEST_EVENT = 1 << 6,	   /* it may have a software event to handle */
	REQUEST_CHORE = 1 << 7,	   /* work for its capsule that is done instead of running the guest */
	REQUEST_SPACE = 1 << 8,	   /* others' pages in its window have come or gone */
};

/* The translations that a pending REQUEST_SFENCE drops; merged into one when several come. */
struct fence_range {
	uint64_t start;
	uint64_t size; /* UINT64_MAX: everything */
	uint64_t asid; /* UINT64_MAX: every ASID */
};

struct vcpu {
	/* Assembly knows the first two. */
	struct arch_vcpu arch;
	uint64_t deadline; /* timer ticks by SBI TIME (or its last Sstc value while off the hart) */
	struct capsule *capsule;
	uint32_t id; /* hart number as the guest sees it */
	struct hart *_Atomic home;	/* changes while it is ready, when another hart takes it over */
	struct hart *_Atomic loaded_on; /* whose CSRs hold its state, NULL for none */
	uint64_t allowed;		/* harts that it may run on, bits by struct hart's index */

	enum vcpu_run run;
	struct list node;    /* in the home's queue */
	uint64_t wake;	     /* while it waits or is paused: until when, in ticks */
	uint64_t slice_left; /* ticks of its turn */
	uint64_t ran;	     /* ticks on any hart, all in all */
	int64_t budget;	     /* with a limit: ticks that it may run until period_end */
	uint64_t period_end;
	_Atomic uint32_t hsm;
	_Atomic uint32_t requests;
	_Atomic bool external; /* level of the external interrupt, from the emulated PLIC */

	uint64_t exits[DIOSIX_EXITS]; /* why it left the guest; others may read them */
	struct lock fence_lock;
	struct fence_range fence;
	struct sbi_state sbi;
};

/* General registers of a vCPU that is not in the guest; x0 reads 0 and ignores writes. */
static inline uint64_t vcpu_reg(const struct vcpu *vcpu, unsigned n)
{
	return vcpu->arch.x[n];
}

static inline void vcpu_set_reg(struct vcpu *vcpu, unsigned n, uint64_t value)
{
	if (n != 0)
		vcpu->arch.x[n] = value;
}

/* Asks for `requests` (bits of vcpu_request) and sees to it that they are served soon. */
void vcpu_post(struct vcpu *vcpu, uint32_t requests);

/*
 * Returns when the vCPU cannot be in the guest any more with what it had cached before the call.
 * The caller has posted a request before, and holds no lock.
 */
void vcpu_await_exit(struct vcpu *vcpu);

/* Serves what was asked. Returns false when the vCPU may not enter the guest again. */
bool vcpu_serve(struct vcpu *vcpu);

/*
 * Provided by guest/sbi_pmu.c. Does any firmware counter of the vCPU count? Then every SBI call and trap has to
 * come by guest/, and requests are told to sbi_pmu_received() before they are served.
 */
static inline bool sbi_pmu_counts_events(const struct vcpu *vcpu)
{
	return vcpu->sbi.pmu.started & ~PMU_HARDWARE;
}
void sbi_pmu_received(struct vcpu *vcpu, uint32_t requests);

/* Provided by guest/sbi_sse.c: the vCPU, loaded on this hart, goes to the handler of its next event, if it has one. */
void sbi_sse_deliver(struct vcpu *vcpu);

/* Merges a range into the vCPU's pending fence; to be followed by vcpu_post(REQUEST_SFENCE). */
void vcpu_add_fence(struct vcpu *vcpu, const struct fence_range *range);

/*
 * SBI HSM's hart_start: reset, then run at pc with a0 = its id and a1 = arg, not translated.
 * False unless it was stopped.
 */
bool vcpu_start(struct vcpu *vcpu, uint64_t pc, uint64_t arg);

#endif
