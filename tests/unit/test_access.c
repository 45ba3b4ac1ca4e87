/* SPDX-License-Identifier: MIT */
/* A guest's access to its devices, by the instruction that is found at its pc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/guest.h"
#include "fake.h"
#include "machine.h"

#define SCRATCH	 (DTGEN_UART_BASE + 7)
#define A5	 15
#define LBU_A5	 0x0007c783u /* lbu a5, 0(a5) */
#define SB_A5	 0x00f78023u /* sb a5, 0(a5) */

static struct vcpu *vcpu;

static int setup(void **state)
{
	struct capsule *capsule;

	fake_reset(1);
	capsule = fake_capsule(1, 4096);
	vcpu = &capsule->vcpus[0];
	vcpu->arch.pc = DMFS_GUEST_RAM_BASE;
	vcpu_set_reg(vcpu, A5, 0x5a);
	return 0;
}

static void access_by(uint32_t insn, enum arch_exception fault)
{
	memcpy(hpa_ptr(vcpu->capsule->memory.host), &insn, sizeof(insn));
	guest_access(vcpu, gpa(SCRATCH), gva(SCRATCH), fault);
}

static uint8_t scratch(void)
{
	return vcpu->capsule->machine->uart.scratch;
}

static void a_load_and_a_store_are_performed(void **state)
{
	access_by(SB_A5, ARCH_STORE_ACCESS);
	assert_int_equal(scratch(), 0x5a);
	assert_int_equal(vcpu->arch.pc, DMFS_GUEST_RAM_BASE + 4);
	vcpu->arch.pc = DMFS_GUEST_RAM_BASE;
	vcpu_set_reg(vcpu, A5, 0);
	access_by(LBU_A5, ARCH_LOAD_ACCESS);
	assert_int_equal(vcpu_reg(vcpu, A5), 0x5a);
}

/* The load was permitted, by a page that may not be written perhaps; the store that another vCPU has put there was not. */
static void an_instruction_of_another_kind_than_trapped_is_tried_anew(void **state)
{
	access_by(SB_A5, ARCH_LOAD_ACCESS);
	assert_int_equal(scratch(), 0);
	assert_int_equal(vcpu->arch.pc, DMFS_GUEST_RAM_BASE);
	access_by(LBU_A5, ARCH_STORE_ACCESS);
	assert_int_equal(vcpu_reg(vcpu, A5), 0x5a);
	assert_int_equal(vcpu->arch.pc, DMFS_GUEST_RAM_BASE);
}

static void what_cannot_be_read_any_more_is_tried_anew(void **state)
{
	vcpu->arch.pc = DMFS_GUEST_RAM_BASE + 4096;
	access_by(SB_A5, ARCH_STORE_ACCESS);
	assert_int_equal(scratch(), 0);
	assert_int_equal(vcpu->arch.pc, DMFS_GUEST_RAM_BASE + 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_load_and_a_store_are_performed, setup),
		cmocka_unit_test_setup(an_instruction_of_another_kind_than_trapped_is_tried_anew, setup),
		cmocka_unit_test_setup(what_cannot_be_read_any_more_is_tried_anew, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
