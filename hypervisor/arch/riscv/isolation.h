/* SPDX-License-Identifier: MIT */
/* What differs between the two ways to fence guests: gstage.c and pmp.c each fill one such table. */
#ifndef ISOLATION_H
#define ISOLATION_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/guest.h"
#include "arch_types.h"

struct capsule;
struct vcpu;

struct isolation {
	const char *name;
	/* This hart's delegation, permissions and protection of the hypervisor. */
	void (*hart_init)(void);
	bool (*space_create)(struct capsule *capsule);
	void (*space_destroy)(struct capsule *capsule);
	void (*space_load)(const struct capsule *capsule);
	void (*csrs_save)(struct arch_csrs *csr);
	void (*csrs_load)(const struct arch_csrs *csr);
	void (*csrs_reset)(struct arch_csrs *csr);
	/* mstatus of a guest that has just been reset */
	uint64_t mstatus;
	void (*set_irq)(enum arch_irq irq, bool level);
	bool (*irq)(enum arch_irq irq);
	bool (*interrupt_waits)(void);
	/* Trap vectors of its guests (asm.h), as the hart's timer or their own is what they set. */
	void (*trap)(void);
	void (*trap_sstc)(void);
	/* The guest's trap registers: give it `cause`, return where its handler is. */
	uint64_t (*take_trap)(struct vcpu *vcpu, uint64_t cause, uint64_t tval);
	uint64_t (*trap_vector)(void);
	/* SPP, SPIE and SIE of its sstatus, and its sepc. */
	uint64_t (*status)(const struct vcpu *vcpu);
	void (*set_status)(struct vcpu *vcpu, uint64_t status);
	uint64_t (*epc)(void);
	void (*set_epc)(uint64_t epc);
	/* Drops what this hart has cached of one guest-virtual page, and of all, whichever vCPU it was of. */
	void (*fence_page)(uint64_t va);
	void (*flush)(void);
	/* Where a load or store that faulted wanted to go; GPA_NOWHERE when the guest's own tables do not say. */
	gpa_t (*fault_address)(const struct vcpu *vcpu, uint64_t mtval);
	uint64_t (*timecmp)(void);
	void (*set_timecmp)(uint64_t when);
	bool (*timer_enabled)(void); /* may its timer interrupt end a wfi? */
	/* Of the two causes those that can be; the others are handed on to a vCPU whose switch is on. */
	void (*delegate_misaligned)(bool on);
	void (*update_pte_ad)(bool on);
};

/*
 * Cache blocks: a guest's cbo.inval flushes, as one that invalidated would bring back what was in memory before
 * the hypervisor cleared it.
 */
#define GUEST_ENVCFG (ENVCFG_CBIE_FLUSH | ENVCFG_CBCFE | ENVCFG_CBZE | ENVCFG_PBMTE)

extern const struct isolation gstage_isolation, pmp_isolation;
extern const struct isolation *isolation; /* the board's */

/* PMP entries (world.c), the same for both: see protect.c. */
#define PMP_GUARD 0
#define PMP_FIRST 1

#define CAUSES_MISALIGNED (BIT(CAUSE_LOAD_MISALIGNED) | BIT(CAUSE_STORE_MISALIGNED))

/* A vCPU's switches and counters come to this hart, and leave it. */
void switches_load(const struct arch_vcpu *arch);
void counters_load(const struct arch_vcpu *arch);
void counters_save(struct arch_vcpu *arch);

#define STATUS_TRAP_BITS (MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE)

/* The common half of take_trap: *status as sstatus, from the mode that trapped (mstatus.MPP). */
uint64_t status_after_trap(uint64_t status, bool from_supervisor);

#endif
