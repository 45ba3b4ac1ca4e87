/* SPDX-License-Identifier: MIT */
/*
 * The units with registers of their own beside the general ones, floating point and vectors, each with a field in
 * mstatus (privileged specification 1.12, section 3.1.6.6). docs/hypervisor.md says when they are switched.
 */
#ifndef UNITS_H
#define UNITS_H

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/* Which of them this hart has, and which a guest may use: those that all harts have alike. */
void units_probe(void);

/* As after a reset: registers 0, floating point on, vectors off. */
void units_reset(struct vcpu *vcpu);

/* The vCPU comes to this hart, and leaves it. */
void units_load(struct vcpu *vcpu);
void units_save(struct vcpu *vcpu);

/*
 * The loaded vCPU met an illegal instruction. True when that may be because a unit was not loaded: it is now, and
 * the instruction is to be tried again.
 */
bool units_loaded_late(struct vcpu *vcpu);

#endif
