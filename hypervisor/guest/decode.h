/* SPDX-License-Identifier: MIT */
/* Load and store instructions, as a trapped access to a device needs them (RV64I, and C where it means the same). */
#ifndef DECODE_H
#define DECODE_H

#include <stdbool.h>
#include <stdint.h>

struct access {
	bool store;
	bool sign;	   /* a load extends the sign */
	uint8_t width;	   /* bytes: 1, 2, 4 or 8 */
	uint8_t reg;	   /* destination of a load, source of a store */
	uint8_t insn_len;  /* 2 or 4 */
};

/* Bytes of the instruction whose first 16 bits are `low`. */
unsigned insn_length(uint16_t low);

/* False for all but integer loads and stores: devices know no atomics and no floating point. */
bool decode_access(uint32_t insn, struct access *out);

/* What a load of `access` puts into its register, from the bytes read. */
uint64_t extend_load(const struct access *access, uint64_t raw);

#endif
