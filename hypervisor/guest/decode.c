/* SPDX-License-Identifier: MIT */
#include "decode.h"

#define BITS(value, high, low) ((value) >> (low) & ((1u << ((high) - (low) + 1)) - 1))

unsigned insn_length(uint16_t low)
{
	return (low & 3) == 3 ? 4 : 2;
}

#define OPCODE_SYSTEM 0x73

/* Opcodes LOAD, LOAD-FP, STORE and STORE-FP differ in bits 5 (store) and 2 (FP). */
#define OPCODE_ACCESS	   0x03
#define OPCODE_ACCESS_MASK 0x5b
#define IS_STORE(insn)	   BITS(insn, 5, 5)
#define IS_FP(insn)	   BITS(insn, 2, 2)

/* By funct3; without a width: none of ours, but vectors' or Q's. */
static const struct access forms[2][2][8] = {
	{{{.width = 1, .sign = true}, {.width = 2, .sign = true}, {.width = 4, .sign = true}, {.width = 8, .sign = true},
	  {.width = 1}, {.width = 2}, {.width = 4}},
	 {{0}, {.width = 2, .fp = true}, {.width = 4, .fp = true}, {.width = 8, .fp = true}}},
	{{{.width = 1, .store = true}, {.width = 2, .store = true}, {.width = 4, .store = true}, {.width = 8, .store = true}},
	 {{0}, {.width = 2, .store = true, .fp = true}, {.width = 4, .store = true, .fp = true},
	  {.width = 8, .store = true, .fp = true}}},
};

static bool decode_full(uint32_t insn, struct access *out)
{
	if ((insn & OPCODE_ACCESS_MASK) != OPCODE_ACCESS)
		return false;
	*out = forms[IS_STORE(insn)][IS_FP(insn)][BITS(insn, 14, 12)];
	out->insn_len = 4;
	out->reg = (uint8_t)(IS_STORE(insn) ? BITS(insn, 24, 20) : BITS(insn, 11, 7));
	return out->width != 0;
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
