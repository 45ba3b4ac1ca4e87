/* SPDX-License-Identifier: MIT */
#include "decode.h"

#define BITS(value, high, low) ((value) >> (low) & ((1u << ((high) - (low) + 1)) - 1))

unsigned insn_length(uint16_t low)
{
	return (low & 3) == 3 ? 4 : 2;
}

#define OPCODE_LOAD  0x03
#define OPCODE_STORE 0x23

static bool decode_full(uint32_t insn, struct access *out)
{
	unsigned funct3 = BITS(insn, 14, 12);

	out->insn_len = 4;
	out->width = (uint8_t)(1u << (funct3 & 3));
	switch (insn & 0x7f) {
	case OPCODE_LOAD:
		out->store = false;
		out->sign = !(funct3 & 4);
		out->reg = (uint8_t)BITS(insn, 11, 7);
		return funct3 != 7;
	case OPCODE_STORE:
		out->store = true;
		out->sign = false;
		out->reg = (uint8_t)BITS(insn, 24, 20);
		return funct3 < 4;
	default:
		return false;
	}
}

/* C.LW, C.LD, C.SW, C.SD and their forms relative to sp: funct3 2 and 3 load, 6 and 7 store, the odd ones 8 bytes. */
static bool decode_compressed(uint32_t insn, struct access *out)
{
	unsigned quadrant = insn & 3, funct3 = BITS(insn, 15, 13);

	if ((quadrant != 0 && quadrant != 2) || !(funct3 & 2))
		return false;
	out->insn_len = 2;
	out->store = funct3 & 4;
	out->width = funct3 & 1 ? 8 : 4;
	out->sign = !out->store;
	if (quadrant == 0)
		out->reg = (uint8_t)(8 + BITS(insn, 4, 2));
	else if (out->store)
		out->reg = (uint8_t)BITS(insn, 6, 2);
	else
		out->reg = (uint8_t)BITS(insn, 11, 7);
	/* C.LWSP and C.LDSP with rd 0 are reserved. */
	return quadrant == 0 || out->store || out->reg != 0;
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
