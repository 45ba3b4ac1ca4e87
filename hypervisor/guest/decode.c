/* SPDX-License-Identifier: MIT */
#include "decode.h"

#define BITS(value, high, low) ((value) >> (low) & ((1u << ((high) - (low) + 1)) - 1))

unsigned insn_length(uint16_t low)
{
	return (low & 3) == 3 ? 4 : 2;
}

#define OPCODE_LOAD	0x03
#define OPCODE_LOAD_FP	0x07
#define OPCODE_STORE	0x23
#define OPCODE_STORE_FP 0x27
#define OPCODE_SYSTEM	0x73

static bool decode_full(uint32_t insn, struct access *out)
{
	unsigned funct3 = BITS(insn, 14, 12), opcode = insn & 0x7f;

	out->insn_len = 4;
	out->width = (uint8_t)(1u << (funct3 & 3));
	out->store = opcode == OPCODE_STORE || opcode == OPCODE_STORE_FP;
	out->fp = opcode == OPCODE_LOAD_FP || opcode == OPCODE_STORE_FP;
	out->sign = opcode == OPCODE_LOAD && !(funct3 & 4);
	out->reg = (uint8_t)(out->store ? BITS(insn, 24, 20) : BITS(insn, 11, 7));
	switch (opcode) {
	case OPCODE_LOAD:
		return funct3 != 7;
	case OPCODE_STORE:
		return funct3 < 4;
	case OPCODE_LOAD_FP:
	case OPCODE_STORE_FP:
		return funct3 >= 1 && funct3 <= 3; /* the others are vectors' and Q's */
	default:
		return false;
	}
}

/*
 * C.LW, C.LD, C.FLD, C.SW, C.SD, C.FSD and their forms relative to sp: funct3 1 to 3 load, 5 to 7 store, the odd ones
 * 8 bytes, 1 and 5 from and to floating-point registers.
 */
static bool decode_compressed(uint32_t insn, struct access *out)
{
	unsigned quadrant = insn & 3, funct3 = BITS(insn, 15, 13);

	if ((quadrant != 0 && quadrant != 2) || (funct3 & 3) == 0)
		return false;
	out->insn_len = 2;
	out->store = funct3 & 4;
	out->fp = (funct3 & 3) == 1;
	out->width = funct3 & 1 ? 8 : 4;
	out->sign = !out->store && !out->fp;
	if (quadrant == 0)
		out->reg = (uint8_t)(8 + BITS(insn, 4, 2));
	else if (out->store)
		out->reg = (uint8_t)BITS(insn, 6, 2);
	else
		out->reg = (uint8_t)BITS(insn, 11, 7);
	/* C.LWSP and C.LDSP with rd 0 are reserved. */
	return quadrant == 0 || out->store || out->fp || out->reg != 0;
}

bool decode_access(uint32_t insn, struct access *out)
{
	return insn_length((uint16_t)insn) == 4 ? decode_full(insn, out) : decode_compressed(insn, out);
}

uint64_t extend_load(const struct access *access, uint64_t raw)
{
	unsigned unused = 64 - 8u * access->width;

	if (access->sign)
		return (uint64_t)((int64_t)(raw << unused) >> unused);
	return raw << unused >> unused;
}

bool decode_csr_read(uint32_t insn, struct csr_read *out)
{
	/* CSRRS, CSRRC and their immediate forms, all with source 0. */
	out->csr = (uint16_t)BITS(insn, 31, 20);
	out->reg = (uint8_t)BITS(insn, 11, 7);
	return (insn & 0x7f) == OPCODE_SYSTEM && BITS(insn, 13, 12) >= 2 && BITS(insn, 19, 15) == 0;
}
