/* SPDX-License-Identifier: MIT */
/* Every plain load and store, every instruction that only reads a CSR, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "decode.h"

/* The unprivileged specification's own listing (chapter "RV32/64G Instruction Set Listings"). */
static const struct {
	const char *name;
	unsigned opcode, funct3;
	bool store, sign;
	unsigned width;
} full[] = {
	{"lb", 0x03, 0, false, true, 1},   {"lh", 0x03, 1, false, true, 2},   {"lw", 0x03, 2, false, true, 4},
	{"ld", 0x03, 3, false, true, 8},   {"lbu", 0x03, 4, false, false, 1}, {"lhu", 0x03, 5, false, false, 2},
	{"lwu", 0x03, 6, false, false, 4}, {"sb", 0x23, 0, true, false, 1},   {"sh", 0x23, 1, true, false, 2},
	{"sw", 0x23, 2, true, false, 4},   {"sd", 0x23, 3, true, false, 8},
	{"flh", 0x07, 1, false, false, 2}, {"flw", 0x07, 2, false, false, 4},
	{"fld", 0x07, 3, false, false, 8}, {"fsh", 0x27, 1, true, false, 2},
	{"fsw", 0x27, 2, true, false, 4},	 {"fsd", 0x27, 3, true, false, 8},
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int find_full(uint32_t opcode, uint32_t funct3)
{
	for (size_t i = 0; i < COUNT(full); i++)
		if (full[i].opcode == opcode && full[i].funct3 == funct3)
			return (int)i;
	return -1;
}

/* All other bits: registers and immediates that must not change what the instruction is. */
static uint32_t other_bits(uint32_t n)
{
	return n * UINT32_C(2654435761) & ~UINT32_C(0x707f);
}

static void full_length_loads_and_stores_are_known_and_nothing_else_is(void **state)
{
	for (uint32_t opcode = 3; opcode < 128; opcode += 4)
		for (uint32_t funct3 = 0; funct3 < 8; funct3++)
			for (uint32_t n = 0; n < 512; n++) {
				uint32_t insn = other_bits(n) | funct3 << 12 | opcode;
				int which = find_full(opcode, funct3);
				struct access access;

				assert_int_equal(decode_access(insn, &access), which >= 0);
				if (which < 0)
					continue;
				assert_int_equal(access.insn_len, 4);
				assert_int_equal(access.width, full[which].width);
				assert_int_equal(access.store, full[which].store);
				assert_int_equal(access.sign, full[which].sign);
				assert_int_equal(access.fp, full[which].name[0] == 'f');
				assert_int_equal(access.reg, full[which].store ? insn >> 20 & 31 : insn >> 7 & 31);
			}
}

static void atomics_vectors_and_cache_blocks_are_refused(void **state)
{
	static const uint32_t refused[] = {
		0x00054007, /* flq ft0, 0(a0) */
		0x00054027, /* fsq ft0, 0(a0) */
		0x02050007, /* vle8.v v0, (a0) */
		0x02057007, /* vle64.v v0, (a0) */
		0x02055027, /* vse16.v v0, (a0) */
		0x100525af, /* lr.w a1, (a0) */
		0x18b525af, /* sc.w a1, a1, (a0) */
		0x00b535af, /* amoadd.d a1, a1, (a0) */
		0x0045200f, /* cbo.zero (a0) */
		0x0000000f, /* fence */
		0x00000073, /* ecall */
		0x00007003, /* load with funct3 7 */
		0x00004023, /* store with funct3 4 */
	};
	struct access access;

	for (size_t i = 0; i < COUNT(refused); i++)
		assert_false(decode_access(refused[i], &access));
}

/*
 * The twelve compressed ones (chapter "C", table of RVC opcodes), bit 15 first: 0 and 1 are fixed, i is an immediate, b a base
 * register, r the register, one of x8 to x15 where it has three bits, n one that must not be x0.
 */
static const struct {
	const char *pattern;
	bool store;
	unsigned width;
	bool fp;
} compressed[] = {
	{"010iiibbbiirrr00", false, 4, false}, /* c.lw */
	{"011iiibbbiirrr00", false, 8, false}, /* c.ld */
	{"110iiibbbiirrr00", true, 4, false},	/* c.sw */
	{"111iiibbbiirrr00", true, 8, false},	/* c.sd */
	{"010innnnniiiii10", false, 4, false}, /* c.lwsp */
	{"011innnnniiiii10", false, 8, false}, /* c.ldsp */
	{"110iiiiiirrrrr10", true, 4, false},	/* c.swsp */
	{"111iiiiiirrrrr10", true, 8, false},	/* c.sdsp */
	{"001iiibbbiirrr00", false, 8, true}, /* c.fld */
	{"101iiibbbiirrr00", true, 8, true},  /* c.fsd */
	{"001irrrrriiiii10", false, 8, true}, /* c.fldsp */
	{"101iiiiiirrrrr10", true, 8, true},  /* c.fsdsp */
};

/* The register that the pattern finds in the instruction; -1 when it does not match. */
static int match(const char *pattern, uint32_t insn)
{
	int reg = 0, bits = 0;
	bool not_zero = false;

	for (int bit = 15; bit >= 0; bit--, pattern++) {
		int is = (int)(insn >> bit & 1);

		if ((*pattern == '0' && is) || (*pattern == '1' && !is))
			return -1;
		if (*pattern == 'r' || *pattern == 'n') {
			reg = reg << 1 | is;
			bits++;
		}
		not_zero |= *pattern == 'n';
	}
	if (not_zero && reg == 0)
		return -1;
	return bits == 3 ? 8 + reg : reg;
}

static void every_one_of_65536_compressed_encodings_is_what_the_table_says(void **state)
{
	unsigned found = 0;

	for (uint32_t insn = 0; insn < 0x10000; insn++) {
		int reg = -1;
		size_t which = 0;
		struct access access;

		if ((insn & 3) == 3)
			continue;
		for (; which < COUNT(compressed); which++)
			if ((reg = match(compressed[which].pattern, insn)) >= 0)
				break;
		/* What follows a compressed instruction is another one, and does not matter. */
		if (decode_access(insn | 0xabcd0000, &access) != (reg >= 0))
			fail_msg("%04x", insn);
		if (reg < 0)
			continue;
		found++;
		assert_int_equal(access.insn_len, 2);
		assert_int_equal(access.reg, reg);
		assert_int_equal(access.store, compressed[which].store);
		assert_int_equal(access.width, compressed[which].width);
		assert_int_equal(access.fp, compressed[which].fp);
		assert_int_equal(access.sign, !compressed[which].store && !compressed[which].fp);
	}
	/* 2048 for each pattern with 11 free bits, less 64 for each load to x0. */
	assert_int_equal(found, 12 * 2048 - 2 * 64);
}

static void the_length_is_in_the_lowest_two_bits(void **state)
{
	for (uint32_t low = 0; low < 0x10000; low++)
		assert_int_equal(insn_length((uint16_t)low), (low & 3) == 3 ? 4 : 2);
}

static void loads_extend_as_their_instruction_says(void **state)
{
	static const struct {
		unsigned width;
		bool sign;
		uint64_t raw, value;
	} cases[] = {
		{1, true, 0x80, 0xffffffffffffff80},
		{1, true, 0xff7f, 0x7f},
		{1, false, 0x1ff, 0xff},
		{2, true, 0x8000, 0xffffffffffff8000},
		{2, false, 0xffff8000, 0x8000},
		{4, true, 0x80000000, 0xffffffff80000000},
		{4, false, 0xffffffff80000000, 0x80000000},
		{8, true, 0x8000000000000000, 0x8000000000000000},
		{8, true, 0x7fffffffffffffff, 0x7fffffffffffffff},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct access access = {.width = (uint8_t)cases[i].width, .sign = cases[i].sign};

		assert_int_equal(extend_load(&access, cases[i].raw), cases[i].value);
	}
}

/* Of the six instructions of Zicsr (chapter "Zicsr", table of what reads and writes) the four that can do without writing. */
static void csrs_are_read_by_what_writes_nothing(void **state)
{
	for (uint32_t funct3 = 0; funct3 < 8; funct3++)
		for (uint32_t source = 0; source < 32; source++)
			for (uint32_t n = 0; n < 256; n++) {
				uint32_t csr = n * 977 & 0xfff, reg = n & 31;
				uint32_t insn = csr << 20 | source << 15 | funct3 << 12 | reg << 7 | 0x73;
				bool reads = source == 0 && (funct3 == 2 || funct3 == 3 || funct3 == 6 || funct3 == 7);
				struct csr_read read;

				assert_int_equal(decode_csr_read(insn, &read), reads);
				assert_false(decode_csr_read(insn ^ 0x10, &read)); /* another opcode */
				if (!reads)
					continue;
				decode_csr_read(insn, &read);
				assert_int_equal(read.csr, csr);
				assert_int_equal(read.reg, reg);
			}
}

static void the_ways_to_read_the_time_are_known(void **state)
{
	/* rdtime a0; csrrc a0, time, x0; csrrsi a0, time, 0; csrrci a0, time, 0 */
	static const uint32_t reads[] = {0xc0102573, 0xc0103573, 0xc0106573, 0xc0107573};
	struct csr_read read;

	for (size_t i = 0; i < COUNT(reads); i++) {
		assert_true(decode_csr_read(reads[i], &read));
		assert_int_equal(read.csr, 0xc01);
		assert_int_equal(read.reg, 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_length_loads_and_stores_are_known_and_nothing_else_is),
		cmocka_unit_test(atomics_vectors_and_cache_blocks_are_refused),
		cmocka_unit_test(every_one_of_65536_compressed_encodings_is_what_the_table_says),
		cmocka_unit_test(the_length_is_in_the_lowest_two_bits),
		cmocka_unit_test(loads_extend_as_their_instruction_says),
		cmocka_unit_test(csrs_are_read_by_what_writes_nothing),
		cmocka_unit_test(the_ways_to_read_the_time_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
