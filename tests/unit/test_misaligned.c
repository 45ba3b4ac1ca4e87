/* SPDX-License-Identifier: MIT */
/* Loads and stores that trapped as misaligned: what they do to registers and memory, and the faults that they meet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"

#define RAM   DMFS_GUEST_RAM_BASE
#define SIZE  UINT64_C(0x10000)
#define PC    (RAM + 0x100)
#define DATA  (RAM + 0x3000) /* a page and its next one */
#define NEXT  (DATA + PAGE_SIZE)
#define X(n)  (UINT64_C(0x0101010101010101) * (n) ^ UINT64_C(0x8877665544332211))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum kind { LOAD, LOAD_UNSIGNED, STORE, FP_LOAD, FP_STORE };

static struct capsule *capsule;
static struct vcpu *vcpu;
static uint8_t *ram;

static int setup(void **state)
{
	fake_reset(1);
	capsule = fake_capsule(1, SIZE);
	vcpu = &capsule->vcpus[0];
	vcpu->arch.fp_on = true;
	vcpu->arch.pc = PC;
	ram = hpa_ptr(capsule->memory.host);
	for (unsigned i = 0; i < 2 * PAGE_SIZE; i++)
		ram[DATA - RAM + i] = (uint8_t)(i * 37 + 200);
	for (unsigned n = 1; n < 32; n++)
		vcpu->arch.x[n] = X(n);
	for (unsigned n = 0; n < 32; n++)
		vcpu->arch.f[n] = ~X(n);
	return 0;
}

static const struct {
	const char *name;
	uint32_t insn; /* with base a0, register 0 */
	enum kind kind;
	unsigned width;
} plain[] = {
	{"lh", 0x00051003, LOAD, 2},	       {"lw", 0x00052003, LOAD, 4},	  {"ld", 0x00053003, LOAD, 8},
	{"lhu", 0x00055003, LOAD_UNSIGNED, 2}, {"lwu", 0x00056003, LOAD_UNSIGNED, 4},
	{"sh", 0x00051023, STORE, 2},	       {"sw", 0x00052023, STORE, 4},	  {"sd", 0x00053023, STORE, 8},
	{"flh", 0x00051007, FP_LOAD, 2},       {"flw", 0x00052007, FP_LOAD, 4},	  {"fld", 0x00053007, FP_LOAD, 8},
	{"fsh", 0x00051027, FP_STORE, 2},      {"fsw", 0x00052027, FP_STORE, 4},  {"fsd", 0x00053027, FP_STORE, 8},
};

static bool stores(enum kind kind)
{
	return kind == STORE || kind == FP_STORE;
}

static uint32_t with_register(uint32_t insn, enum kind kind, unsigned reg)
{
	return insn | reg << (stores(kind) ? 20 : 7);
}

static void run(uint32_t insn, uint64_t va, enum arch_exception fault)
{
	memcpy(ram + (PC - RAM), &insn, sizeof(insn));
	vcpu->arch.pc = PC;
	vcpu->arch.cause = 0;
	guest_misaligned(vcpu, gva(va), fault);
}

static void access_at(size_t i, unsigned reg, uint64_t va)
{
	run(with_register(plain[i].insn, plain[i].kind, reg), va,
	    stores(plain[i].kind) ? ARCH_STORE_MISALIGNED : ARCH_LOAD_MISALIGNED);
}

/* What the register holds after a load of these bytes. */
static uint64_t loaded(enum kind kind, unsigned width, uint64_t raw)
{
	uint64_t above = width == 8 ? 0 : UINT64_MAX << 8 * width;

	raw &= ~above;
	if (kind == FP_LOAD || (kind == LOAD && raw >> (8 * width - 1)))
		return raw | above;
	return raw;
}

static void every_instruction_register_and_offset(void **state)
{
	for (size_t i = 0; i < COUNT(plain); i++)
		for (unsigned reg = 0; reg < 32; reg++)
			for (uint64_t va = NEXT - 9; va <= NEXT + 1; va++) {
				bool fp = plain[i].kind == FP_LOAD || plain[i].kind == FP_STORE;
				uint64_t raw = 0, held;
				uint8_t before[2 * PAGE_SIZE];

				setup(NULL);
				held = fp ? vcpu->arch.f[reg] : vcpu->arch.x[reg];
				memcpy(before, ram + (DATA - RAM), sizeof(before));
				memcpy(&raw, before + (va - DATA), plain[i].width);
				access_at(i, reg, va);
				assert_int_equal(vcpu->arch.cause, 0);
				assert_int_equal(vcpu->arch.pc, PC + 4);
				if (stores(plain[i].kind))
					memcpy(before + (va - DATA), &held, plain[i].width);
				else
					held = loaded(plain[i].kind, plain[i].width, raw);
				assert_int_equal((fp ? vcpu->arch.f : vcpu->arch.x)[reg], fp || reg != 0 ? held : 0);
				assert_memory_equal(ram + (DATA - RAM), before, sizeof(before));
				/* No other register has changed. */
				for (unsigned n = 1; n < 32; n++) {
					assert_true((!fp && n == reg) || vcpu->arch.x[n] == X(n));
					assert_true((fp && n == reg) || vcpu->arch.f[n] == ~X(n));
				}
			}
}

static void compressed_ones_are_two_bytes_long(void **state)
{
	/* c.ld a1, 0(a0); c.fld fa1, 0(a0); c.sd a1, 0(a0); c.fsd fa1, 0(a0) */
	static const struct {
		uint16_t insn;
		bool store, fp;
	} cases[] = {{0x610c, false, false}, {0x210c, false, true}, {0xe10c, true, false}, {0xa10c, true, true}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t want, got;

		setup(NULL);
		memcpy(&want, ram + (DATA + 1 - RAM), 8);
		if (cases[i].store)
			want = cases[i].fp ? vcpu->arch.f[11] : vcpu->arch.x[11];
		run(cases[i].insn, DATA + 1, cases[i].store ? ARCH_STORE_MISALIGNED : ARCH_LOAD_MISALIGNED);
		assert_int_equal(vcpu->arch.cause, 0);
		assert_int_equal(vcpu->arch.pc, PC + 2);
		got = cases[i].fp ? vcpu->arch.f[11] : vcpu->arch.x[11];
		if (cases[i].store)
			memcpy(&got, ram + (DATA + 1 - RAM), 8);
		assert_int_equal(got, want);
	}
}

/* The guest is told what its own access would have met, where it would have, and finds nothing done by halves. */
static void expect_fault(size_t i, uint64_t va, uint64_t cause, uint64_t tval)
{
	uint8_t before[SIZE];

	memcpy(before, ram, sizeof(before));
	access_at(i, 5, va);
	memcpy(before + (PC - RAM), ram + (PC - RAM), 4); /* the instruction itself */
	assert_int_equal(vcpu->arch.cause, cause);
	assert_int_equal(vcpu->arch.tval, tval);
	assert_int_equal(vcpu->arch.pc, PC);
	assert_int_equal(vcpu->arch.x[5], X(5));
	assert_int_equal(vcpu->arch.f[5], ~X(5));
	assert_memory_equal(ram, before, sizeof(before));
}

static void a_fault_in_either_page_is_the_guests_own(void **state)
{
	for (size_t i = 0; i < COUNT(plain); i++) {
		bool store = stores(plain[i].kind);
		uint64_t page = store ? ARCH_STORE_PAGE : ARCH_LOAD_PAGE;

		for (uint64_t into = 1; into < plain[i].width; into++) {
			setup(NULL);
			*(store ? &fake.unwritable : &fake.unreadable) = NEXT;
			expect_fault(i, NEXT - into, page, NEXT);
			*(store ? &fake.unwritable : &fake.unreadable) = DATA;
			expect_fault(i, NEXT - into, page, NEXT - into);
			/* What cannot be written to may be read. */
			*(store ? &fake.unwritable : &fake.unreadable) = 0;
			*(store ? &fake.unreadable : &fake.unwritable) = NEXT;
			access_at(i, 5, NEXT - into);
			assert_int_equal(vcpu->arch.cause, 0);
		}
	}
}

static void what_is_outside_its_memory_is_an_access_fault(void **state)
{
	/* its last bytes, its first, a device, the end of all addresses */
	static const uint64_t bases[] = {RAM + SIZE, UINT64_C(0x10000000)};

	for (size_t i = 0; i < COUNT(plain); i++) {
		uint64_t cause = stores(plain[i].kind) ? ARCH_STORE_ACCESS : ARCH_LOAD_ACCESS;

		setup(NULL);
		expect_fault(i, RAM + SIZE - 1, cause, RAM + SIZE);
		expect_fault(i, RAM - 1, cause, RAM - 1);
		for (size_t b = 0; b < COUNT(bases); b++)
			expect_fault(i, bases[b] + 1, cause, bases[b] + 1);
		expect_fault(i, UINT64_MAX, cause, UINT64_MAX);
		assert_int_equal(fake.ports[0].output_len, 0);
	}
}

static void what_is_no_plain_access_stays_misaligned(void **state)
{
	/* lr.w, sc.w, amoadd.d, vle16.v, flq, and what is no access at all */
	static const uint32_t others[] = {0x100525af, 0x18b525af, 0x00b535af, 0x02055007, 0x00054007, 0x00000013};

	for (size_t i = 0; i < COUNT(others); i++) {
		run(others[i], DATA + 1, i == 1 ? ARCH_STORE_MISALIGNED : ARCH_LOAD_MISALIGNED);
		assert_int_equal(vcpu->arch.cause, i == 1 ? ARCH_STORE_MISALIGNED : ARCH_LOAD_MISALIGNED);
		assert_int_equal(vcpu->arch.tval, DATA + 1);
		assert_int_equal(vcpu->arch.pc, PC);
	}
}

static void floating_point_that_is_off_is_illegal(void **state)
{
	vcpu->arch.fp_on = false;
	for (size_t i = 0; i < COUNT(plain); i++) {
		bool fp = plain[i].kind == FP_LOAD || plain[i].kind == FP_STORE;

		access_at(i, 0, DATA + 1);
		assert_int_equal(vcpu->arch.cause, fp ? ARCH_ILLEGAL : 0);
		if (fp)
			assert_int_equal(vcpu->arch.tval, plain[i].insn);
	}
}

static void an_instruction_that_is_gone_is_fetched_by_the_guest_again(void **state)
{
	vcpu->arch.pc = RAM + SIZE;
	guest_misaligned(vcpu, gva(DATA + 1), ARCH_LOAD_MISALIGNED);
	assert_int_equal(vcpu->arch.cause, 0);
	assert_int_equal(vcpu->arch.pc, RAM + SIZE);
}

static void a_guest_that_wants_them_gets_them(void **state)
{
	uint32_t insn = plain[0].insn;

	memcpy(ram + (PC - RAM), &insn, sizeof(insn));
	vcpu->sbi.fwft.on = 1u << FWFT_MISALIGNED_EXC_DELEG;
	guest_misaligned(vcpu, gva(DATA + 1), ARCH_LOAD_MISALIGNED);
	assert_int_equal(vcpu->arch.cause, ARCH_LOAD_MISALIGNED);
	assert_int_equal(vcpu->arch.tval, DATA + 1);
	vcpu->arch.cause = 0;
	vcpu->sbi.fwft.on = 0;
	vcpu->arch.pc = PC;
	vcpu->arch.x[10] = DATA + 1;
	guest_misaligned(vcpu, gva(DATA + 1), ARCH_LOAD_MISALIGNED);
	assert_int_equal(vcpu->arch.cause, 0);
	assert_int_equal(vcpu->arch.pc, PC + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_instruction_register_and_offset, setup),
		cmocka_unit_test_setup(compressed_ones_are_two_bytes_long, setup),
		cmocka_unit_test_setup(a_fault_in_either_page_is_the_guests_own, setup),
		cmocka_unit_test_setup(what_is_outside_its_memory_is_an_access_fault, setup),
		cmocka_unit_test_setup(what_is_no_plain_access_stays_misaligned, setup),
		cmocka_unit_test_setup(floating_point_that_is_off_is_illegal, setup),
		cmocka_unit_test_setup(a_guest_that_wants_them_gets_them, setup),
		cmocka_unit_test_setup(an_instruction_that_is_gone_is_fetched_by_the_guest_again, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
