/* SPDX-License-Identifier: MIT */
/* Instructions that the hypervisor does in the hart's place, or for a device (RV64I, F, D, Zfh, and C where it means the same). */
#ifndef DECODE_H
#define DECODE_H

#include <stdbool.h>
#include <stdint.h>

struct access {
	_Alignas(8) bool store; /* so aligned it is copied as one word */
	bool fp;	   /* the register is a floating-point one */
	bool sign;	   /* a load extends the sign */
	uint8_t width;	   /* bytes: 1, 2, 4 or 8 */
	uint8_t reg;	   /* destination of a load, source of a store */
	uint8_t insn_len;  /* 2 or 4 */
};

/* Bytes of the instruction whose first 16 bits are `low`. */
unsigned insn_length(uint16_t low);

/* False for all but plain loads and stores: neither atomics nor vectors. */
bool decode_access(uint32_t insn, struct access *out);

/* What a load of `access` puts into its register, from the bytes read. */
uint64_t extend_load(const struct access *access, uint64_t raw);

struct csr_read {
	uint16_t csr;
	uint8_t reg; /* destination */
};

/* An instruction of Zicsr that reads a CSR and does not write to it: one that sets or clears no bit. */
bool decode_csr_read(uint32_t insn, struct csr_read *out);

#endif
