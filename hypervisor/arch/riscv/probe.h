/* SPDX-License-Identifier: MIT */
/* What the harts have beyond arch_features, found out by trying. */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stdint.h>

struct riscv_features {
	bool menvcfg;	/* privileged specification 1.12 */
	bool inhibit;	/* mcountinhibit stops mcycle and minstret */
	uint64_t units; /* that guests may use: bits of mstatus.FS and .VS */
	uint64_t vlenb; /* bytes of a vector register, where they may use those */
	uint64_t switches; /* what can be switched, bits by enum arch_switch */
};
extern struct riscv_features riscv_features;

/* This hart's part: narrows the last two. menvcfg has been found out. */
void switches_probe(void);
void counters_probe(void);

#endif
