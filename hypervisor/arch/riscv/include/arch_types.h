/* SPDX-License-Identifier: MIT */
/* The architecture's own part of the records that core/ allocates. Also read by assembly. */
#ifndef ARCH_TYPES_H
#define ARCH_TYPES_H

/* Offsets into struct arch_vcpu, pinned by static assertions in world.c. */
#define VCPU_X(n)    (8 * (n))
#define VCPU_PC	     256
#define VCPU_MSTATUS 264
#define VCPU_HART    272
#define VCPU_RUN_SEQ 280
#define VCPU_TRAP    288
#define VCPU_SELF    296
#define VCPU_DEADLINE 736

/* Harts that may come at reset, pinned in boot.c: as many as a device tree may list. */
#define BOOT_SLOTS 128

/* Offsets into struct hart, pinned in world.c. */
#define HART_STACK_TOP 0
#define HART_HORIZON   8
#define HART_TIMER_SET 16
#define HART_MTIMECMP  24

/* Offsets into struct vector_state, pinned in world.c. */
#define VECTOR_VSTART 0
#define VECTOR_VCSR   8
#define VECTOR_VL     16
#define VECTOR_VTYPE  24
#define VECTOR_V      32

#ifndef __ASSEMBLER__
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

/*
 * Supervisor CSRs of a vCPU while it is not on a hart: in `gstage` mode those of VS-mode, in
 * `pmp` mode those of S-mode (privileged specification 1.12, sections 4.1 and 8.2).
 */
struct arch_csrs {
	uint64_t status; /* vsstatus; in pmp mode part of mstatus */
	uint64_t ie;
	uint64_t tvec;
	uint64_t scratch;
	uint64_t epc;
	uint64_t cause;
	uint64_t tval;
	uint64_t atp;
	uint64_t timecmp; /* with Sstc */
	uint64_t counteren;
	uint64_t envcfg;
	uint64_t ip; /* software, timer and external pending bits, as sip has them */
};

/* Floating point and vectors (units.h). */
#define UNITS 2

/* Of a vCPU: what a "v" 1.0 unit holds (vector specification, chapter 3). */
struct vector_state {
	uint64_t vstart, vcsr, vl, vtype;
	uint8_t v[]; /* 32 registers of vlenb bytes */
};

struct arch_vcpu {
	uint64_t x[32]; /* x[0] stays 0 */
	uint64_t pc;
	uint64_t mstatus;
	void *hart;		  /* struct hart while loaded */
	_Atomic uint64_t run_seq; /* odd while in the guest */
	void (*trap)(void);	  /* mtvec while in the guest */
	uint64_t self;		  /* its bit in a hart mask */
	struct arch_csrs csr;
	uint64_t f[32];
	uint64_t fcsr;
	struct vector_state *vector; /* NULL where guests have none */
	const void *newest[UNITS];   /* the hart whose registers were its own last; NULL: they are here alone */
	uint64_t eager;		     /* units that it wrote to when it ran last, as fields of mstatus */
	const void *last_hart; /* where its translations may still be cached */
	uint64_t switches;     /* bits by enum arch_switch */
	uint64_t cycle, instret; /* while it is not on a hart */
	uint64_t inhibit;	 /* mcountinhibit: counters that are stopped */
};

struct arch_hart {
	uint64_t units;		   /* that it has: bits of mstatus.FS and .VS */
	const void *holds[UNITS]; /* the vCPU whose registers a unit was given last */
	uint64_t spaces_seen;	  /* gstage: it caches nothing of what was destroyed before that many were created */
};

/* How a capsule's memory is fenced. */
struct arch_space {
	uint64_t hgatp;	      /* gstage: mode, VMID and root */
	uint64_t pmp_addr[2]; /* pmp: TOR bounds */
};

struct hart;

/* The hart that runs this: in tp. */
static inline struct hart *this_hart(void)
{
	struct hart *hart;

	__asm__("mv %0, tp" : "=r"(hart));
	return hart;
}
#endif

#endif
