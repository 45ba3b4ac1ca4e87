/* SPDX-License-Identifier: MIT */
/* What the harts have beyond arch_features, found out by trying. */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>

struct riscv_features {
	bool fp;      /* F and D */
	bool menvcfg; /* privileged specification 1.12 */
};
extern struct riscv_features riscv_features;

#endif
