/* SPDX-License-Identifier: MIT */
/* Which vCPU a hart runs, and when it stops doing so. */
#ifndef SCHEDULER_H
#define SCHEDULER_H

#include "vcpu.h"

void sched_init_hart(struct hart *hart);

/* Gives a vCPU its first home: the least loaded hart that its affinity (0: any) allows. False if there is none. */
bool sched_place(struct vcpu *vcpu, uint64_t affinity);

/* VCPU_OFF to VCPU_READY, on its home. */
void sched_start(struct vcpu *vcpu);

/* VCPU_OFF to VCPU_PAUSED, until the tick `when`. */
void sched_start_at(struct vcpu *vcpu, uint64_t when);

/* VCPU_WAITING to VCPU_READY, and a paused one too if it is to halt. Others stay what they are. */
void sched_wake(struct vcpu *vcpu);

/*
 * The vCPU that this hart runs next. Sleeps while there is none. To be called whenever the hart is
 * about to enter a guest and hart->resched is set or it runs nothing.
 */
struct vcpu *sched_pick(void);

/*
 * The current vCPU leaves the hart: asleep until woken, or for good. Its state stays in the hart until another is loaded
 * there, and no other hart takes it before: its registers may still be written.
 */
void sched_wait(void);
void sched_retire(void);

/* Ticks that it has been on harts until now. */
uint64_t sched_ran(struct vcpu *vcpu);

/* The current vCPU gives up the rest of its turn, if others wait. */
void sched_give_way(void);

/* SBI HSM's suspend of the current vCPU: asleep, and HSM_SUSPENDED until it runs again. */
void sched_suspend(void);

/* Others may have become ready on this hart: is the current vCPU to make room, now or at a slice's end? */
void sched_reconsider(void);

/* Serves what interrupts the hart now, as a trap would; for long work inside the hypervisor. */
void sched_poll(void);

/* The hart's timer has fired: ends slices, wakes sleepers. */
void sched_timer(void);

/* The current vCPU's deadline has changed: programs the hart's timer. */
void sched_program_timer(void);

#endif
