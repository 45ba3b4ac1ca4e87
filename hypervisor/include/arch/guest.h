/* SPDX-License-Identifier: MIT */
/*
 * Capsules and vCPUs as the architecture sees them: one contract, with `gstage` and `pmp` behind it.
 * "Loaded" means that the vCPU's supervisor state is in this hart's CSRs.
 */
#ifndef ARCH_GUEST_H
#define ARCH_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

struct capsule;
struct vcpu;
struct fence_range;

/* Exceptions that may be given to a guest (privileged specification 1.12, table 4.2). */
enum arch_exception {
	ARCH_FETCH_ACCESS = 1,
	ARCH_ILLEGAL = 2,
	ARCH_LOAD_MISALIGNED = 4,
	ARCH_LOAD_ACCESS = 5,
	ARCH_STORE_MISALIGNED = 6,
	ARCH_STORE_ACCESS = 7,
	ARCH_LOAD_PAGE = 13,
	ARCH_STORE_PAGE = 15,
};

/* Guest interrupts, by their numbers in sip. */
enum arch_irq { ARCH_IRQ_SOFT = 1, ARCH_IRQ_TIMER = 5, ARCH_IRQ_EXTERNAL = 9 };

/* What a guest may switch on for itself; off after a reset. */
enum arch_switch {
	ARCH_MISALIGNED_DELEGATED, /* misaligned loads and stores that trap go straight to the guest */
	ARCH_PTE_AD_UPDATED,	   /* the hart sets accessed and dirty bits in the guest's page tables (Svadu) */
};

/* The counters of a vCPU, by the number of their CSR minus 0xc00. They run after a reset, from 0. */
enum arch_counter { ARCH_CYCLE = 0, ARCH_INSTRET = 2 };

/* Where a guest sees RAM that is at `host`. */
gpa_t arch_ram_base(hpa_t host);

/* Fences the capsule's memory. False when pages for tables are lacking. */
bool arch_space_create(struct capsule *capsule);

/* Gives back what that took, when none of its vCPUs runs any more. */
void arch_space_destroy(struct capsule *capsule);

/*
 * With arch_features.gstage: the window on others' pages that a capsule has which may receive messages, at DIOSIX_WINDOW with
 * DIOSIX_GRANTS slots of DIOSIX_GRANT_PAGES. Its vCPUs may have cached what was there before until they have served
 * REQUEST_SPACE, which arch_fence_space() does on the hart that they are loaded on; a vCPU that is loaded later finds the window
 * as it is.
 */
void arch_window_map(struct capsule *capsule, uint32_t slot, hpa_t host, uint32_t pages, bool writable);
void arch_window_unmap(struct capsule *capsule, uint32_t slot);
void arch_fence_space(void);

/*
 * What the architecture keeps of a vCPU beside its struct, in bytes, a multiple of 64: fixed once all harts have been
 * probed. arch_vcpu_create() is given that much for each, cleared, before anything else is done with the vCPU.
 */
uint64_t arch_vcpu_extra(void);
void arch_vcpu_create(struct vcpu *vcpu, void *extra);

/* Registers as after a reset: runs at pc in supervisor mode, untranslated, interrupts off. */
void arch_vcpu_reset(struct vcpu *vcpu, uint64_t pc, uint64_t a0, uint64_t a1);

/*
 * After a reset SBI calls that concern the vCPU alone may be answered without guest_call(). From the next time that it
 * enters the guest they may or may not.
 */
void arch_allow_short_calls(struct vcpu *vcpu, bool allowed);

/* The loaded vCPU goes on at pc, untranslated and with interrupts off; its other state is kept. */
void arch_vcpu_restart(struct vcpu *vcpu, uint64_t pc);

/* Puts the vCPU's state into this hart, and back. A vCPU is loaded on one hart at most. */
void arch_vcpu_load(struct vcpu *vcpu);
void arch_vcpu_save(struct vcpu *vcpu);

/* All of the following: the vCPU is loaded on this hart. */
void arch_set_irq(struct vcpu *vcpu, enum arch_irq irq, bool level);
/*
 * Takes the guest to `handler`, as a trap would, but without a cause: sepc is where it was, sstatus.SPP and SPIE its
 * mode and SIE. `was` is what these three held before. And back there.
 */
struct arch_interrupted {
	uint64_t epc;
	bool spp, spie;
};
void arch_interrupt(struct vcpu *vcpu, uint64_t handler, struct arch_interrupted *was);
void arch_end_interrupt(struct vcpu *vcpu, const struct arch_interrupted *was);
bool arch_irq(const struct vcpu *vcpu, enum arch_irq irq); /* is it pending? */
bool arch_interrupt_waits(const struct vcpu *vcpu); /* would its wfi end at once? */
/*
 * Takes the guest to its trap handler. A guest whose handler itself cannot be fetched has crashed: then
 * guest_lost() is called instead.
 */
void arch_inject(struct vcpu *vcpu, enum arch_exception cause, uint64_t tval);
void arch_fence_i(void);
void arch_sfence(const struct fence_range *range);
/* When the guest's timer wants to wake it, in ticks; UINT64_MAX for never. With Sstc it is in the hart. */
uint64_t arch_deadline(const struct vcpu *vcpu);
void arch_set_deadline(struct vcpu *vcpu, uint64_t when);

/* A switch: do all harts have it? Then its new position. */
bool arch_has_switch(enum arch_switch which);
void arch_set_switch(struct vcpu *vcpu, enum arch_switch which, bool on);
/*
 * A counter counts while its vCPU is loaded and the hart does not sleep. One that was stopped may go on counting on
 * a hart that cannot stop it: who stops it keeps the value, and gives it back before it runs again.
 */
uint64_t arch_counter(const struct vcpu *vcpu, enum arch_counter counter);
void arch_set_counter(struct vcpu *vcpu, enum arch_counter counter, uint64_t value);
void arch_run_counter(struct vcpu *vcpu, enum arch_counter counter, bool run);

/* Reads guest-virtual memory with the rights of the mode that trapped. 0, or the exception it would give the guest. */
uint64_t arch_fetch(const struct vcpu *vcpu, uint32_t *insn); /* at the guest's pc, as a fetch */
uint64_t arch_read_u64(const struct vcpu *vcpu, gva_t at, uint64_t *out);
uint64_t arch_read_u8(const struct vcpu *vcpu, gva_t at, uint8_t *out);
uint64_t arch_write_u8(const struct vcpu *vcpu, gva_t at, uint8_t value);
/* As a write would end, but nothing changes. */
uint64_t arch_check_write(const struct vcpu *vcpu, gva_t at);

/* Floating-point registers, while the guest has them switched on (its sstatus.FS), which the first one says. */
bool arch_fp_enabled(const struct vcpu *vcpu);
uint64_t arch_fp_reg(struct vcpu *vcpu, unsigned n);
void arch_set_fp_reg(struct vcpu *vcpu, unsigned n, uint64_t value);

/* Registers of the loaded vCPU for a crash report, some lines of the log. */
void arch_report(const struct vcpu *vcpu);

/*
 * Called by the architecture when a guest has trapped; implemented in guest/ and core/. Each leaves the
 * guest's pc where it is to go on.
 */
void guest_call(struct vcpu *vcpu);
void guest_access(struct vcpu *vcpu, gpa_t at, gva_t va, enum arch_exception fault);
void guest_misaligned(struct vcpu *vcpu, gva_t va, enum arch_exception fault);
void guest_lost(struct vcpu *vcpu);
/* The vCPU, some of whose firmware counters count, has had a trap of this kind that is its own business. */
void sbi_pmu_trapped(struct vcpu *vcpu, enum arch_exception cause);
void board_external_interrupt(void);

#endif
