/* SPDX-License-Identifier: MIT */
/* Suspending the system by SBI SUSP (section 13), and what it has in common with HSM's suspend. */
#include "sbi_guest.h"

#define TO_RAM 0

static void sleep_types_that_are_reserved_or_of_a_platform_are_refused(void **state)
{
	static const uint64_t types[] = {1, 0x7fffffff, 0x80000000, 0xffffffff, UINT64_C(1) << 32 | 1};

	for (size_t i = 0; i < COUNT(types); i++)
		assert_int_equal(call(SUSP, 0, types[i], RAM, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(atomic_load(&self->hsm), HSM_STARTED);
}

static void a_resume_address_has_to_be_in_the_guests_memory(void **state)
{
	static const uint64_t addresses[] = {0, RAM - 2, RAM + SIZE, RAM + SIZE - 1, UINT64_MAX, UINT64_MAX - 1};

	for (size_t i = 0; i < COUNT(addresses); i++)
		assert_int_equal(call(SUSP, 0, TO_RAM, addresses[i], 0), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(atomic_load(&self->hsm), HSM_STARTED);
}

static void all_others_have_to_be_stopped(void **state)
{
	static const uint32_t busy[] = {HSM_STARTED, HSM_START_PENDING, HSM_STOP_PENDING, HSM_SUSPENDED};

	for (size_t i = 0; i < COUNT(busy); i++)
		for (unsigned other = 1; other < CPUS; other++) {
			atomic_store(&capsule->vcpus[other].hsm, busy[i]);
			assert_int_equal(call(SUSP, 0, TO_RAM, RAM, 0), SBI_ERR_DENIED);
			atomic_store(&capsule->vcpus[other].hsm, HSM_STOPPED);
		}
	assert_int_equal(atomic_load(&self->hsm), HSM_STARTED);
}

static void the_last_one_sleeps_until_an_interrupt_and_goes_on_where_it_said(void **state)
{
	self->arch.enabled = 1u << ARCH_IRQ_TIMER;
	call(TIME, 0, 500);
	call(SUSP, 0, UINT64_C(1) << 32 | TO_RAM, RAM + 0x80, 0xabc); /* the type has 32 bits */
	assert_null(fake_self->current);
	assert_int_equal(atomic_load(&self->hsm), HSM_SUSPENDED);
	enter(0); /* sleeps until the timer */
	assert_int_equal(fake.time, 500);
	assert_int_equal(self->id, 0);
	assert_int_equal(atomic_load(&self->hsm), HSM_STARTED);
	assert_int_equal(self->arch.pc, RAM + 0x80);
	assert_int_equal(self->arch.x[10], 0);
	assert_int_equal(self->arch.x[11], 0xabc);
}

static void an_interrupt_that_waits_already_ends_it_at_once(void **state)
{
	self->arch.enabled = self->arch.irqs = 1u << ARCH_IRQ_EXTERNAL;
	call(SUSP, 0, TO_RAM, RAM + 0x80, 7);
	assert_ptr_equal(fake_self->current, self);
	assert_int_equal(atomic_load(&self->hsm), HSM_STARTED);
	assert_int_equal(self->arch.pc, RAM + 0x80);
	assert_int_equal(self->arch.x[11], 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sleep_types_that_are_reserved_or_of_a_platform_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_resume_address_has_to_be_in_the_guests_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(all_others_have_to_be_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_one_sleeps_until_an_interrupt_and_goes_on_where_it_said, setup, teardown),
		cmocka_unit_test_setup_teardown(an_interrupt_that_waits_already_ends_it_at_once, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
