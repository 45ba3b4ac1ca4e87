/* SPDX-License-Identifier: MIT */
/* The architecture's part of core/'s records, for tests on a host: as much as makes sense there. */
#ifndef ARCH_TYPES_H
#define ARCH_TYPES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

struct arch_vcpu {
	uint64_t x[32];
	uint64_t pc;
	bool fp_on;	 /* may it use the following? */
	uint64_t f[32];
	_Atomic uint64_t run_seq;
	uint64_t irqs;	  /* pending, bits by enum arch_irq */
	uint64_t enabled; /* those that end its wfi */
	uint64_t cause;	  /* the exception it was given last, 0 for none */
	uint64_t tval;
	unsigned fences, fences_i, fences_space;
	bool no_short_calls;
	uint64_t epc;
	bool user, sie, spie, spp; /* the mode it is in, bits of sstatus */
	uint64_t switches;   /* bits by enum arch_switch */
	uint64_t counter[3]; /* by enum arch_counter */
	uint64_t stopped;    /* bits by enum arch_counter */
};

struct arch_hart {
	int unused;
};

struct arch_space {
	struct {
		hpa_t at;
		uint32_t pages; /* 0: nothing */
		bool writable;
	} window[8]; /* DIOSIX_GRANTS of them */
};

struct hart;
extern struct hart *fake_self;

static inline struct hart *this_hart(void)
{
	return fake_self;
}

#endif
