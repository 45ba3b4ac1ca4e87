/* SPDX-License-Identifier: MIT */
/* The architecture's part of core/'s records, for tests on a host: as much as makes sense there. */
#ifndef ARCH_TYPES_H
#define ARCH_TYPES_H

#include <stdatomic.h>
#include <stdint.h>

struct arch_vcpu {
	uint64_t x[32];
	uint64_t pc;
	_Atomic uint64_t run_seq;
};

struct arch_space {
	int unused;
};

#endif
