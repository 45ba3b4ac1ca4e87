/* SPDX-License-Identifier: MIT */
/* Firmware features by SBI FWFT (section 18 of SBI 3.0). */
#include "sbi_guest.h"

#define SET 0
#define GET 1
#define LOCK 1
#define MISALIGNED 0
#define UPDATING   4

/* A hart with both features that we hand on. */
static int setup_features(void **state)
{
	int result = setup(state);

	fake.switches = 1u << ARCH_MISALIGNED_DELEGATED | 1u << ARCH_PTE_AD_UPDATED;
	return result;
}

static void reserved_and_platform_features_are_denied(void **state)
{
	static const uint64_t features[] = {6, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xbfffffff, 0xc0000000,
					    0xffffffff, UINT64_C(1) << 32 | 6};

	for (size_t i = 0; i < COUNT(features); i++) {
		assert_int_equal(call(FWFT, GET, features[i]), SBI_ERR_DENIED);
		assert_int_equal(value(), 0);
		assert_int_equal(call(FWFT, SET, features[i], 1, 0), SBI_ERR_DENIED);
		assert_int_equal(call(FWFT, SET, features[i], 2, 2), SBI_ERR_DENIED);
	}
}

static void features_that_the_hart_lacks_are_not_supported(void **state)
{
	static const uint64_t never[] = {1, 2, 3, 5};

	for (size_t i = 0; i < COUNT(never); i++) {
		assert_int_equal(call(FWFT, GET, never[i]), SBI_ERR_NOT_SUPPORTED);
		assert_int_equal(call(FWFT, SET, never[i], 1, 0), SBI_ERR_NOT_SUPPORTED);
	}
	fake.switches = 0;
	assert_int_equal(call(FWFT, GET, MISALIGNED), SBI_ERR_NOT_SUPPORTED);
	assert_int_equal(call(FWFT, SET, UPDATING, 1, 0), SBI_ERR_NOT_SUPPORTED);
	assert_int_equal(self->arch.switches, 0);
}

static void a_feature_is_off_and_is_what_it_was_set_to(void **state)
{
	static const uint64_t features[] = {MISALIGNED, UPDATING}, switches[] = {1, 2};

	for (size_t i = 0; i < COUNT(features); i++) {
		assert_int_equal(call(FWFT, GET, features[i]), SBI_SUCCESS);
		assert_int_equal(value(), 0);
		assert_int_equal(call(FWFT, SET, features[i], 1, 0), SBI_SUCCESS);
		assert_int_equal(value(), 0);
		assert_int_equal(self->arch.switches, switches[i]);
		/* A feature's number has 32 bits. */
		assert_int_equal(call(FWFT, GET, UINT64_C(1) << 32 | features[i]), SBI_SUCCESS);
		assert_int_equal(value(), 1);
		assert_int_equal(call(FWFT, SET, UINT64_C(1) << 32 | features[i], 0, 0), SBI_SUCCESS);
		assert_int_equal(self->arch.switches, 0);
	}
}

static void values_and_flags_are_none_but_those_of_the_table(void **state)
{
	static const struct sbi_case cases[] = {
		{FWFT, SET, {MISALIGNED, 2, 0}, SBI_ERR_INVALID_PARAM},
		{FWFT, SET, {MISALIGNED, 0xffffffff, 0}, SBI_ERR_INVALID_PARAM},
		{FWFT, SET, {MISALIGNED, UINT64_C(1) << 32, 0}, SBI_ERR_INVALID_PARAM},
		{FWFT, SET, {MISALIGNED, 1, 2}, SBI_ERR_INVALID_PARAM},
		{FWFT, SET, {MISALIGNED, 1, 3}, SBI_ERR_INVALID_PARAM},
		{FWFT, SET, {MISALIGNED, 1, UINT64_C(1) << 32}, SBI_ERR_INVALID_PARAM},
		{FWFT, SET, {UPDATING, 2, 0}, SBI_ERR_INVALID_PARAM},
		{FWFT, SET, {UPDATING, 2, LOCK}, SBI_ERR_INVALID_PARAM},
		{FWFT, GET, {MISALIGNED}, SBI_SUCCESS},
	};

	check_cases(cases, COUNT(cases));
	assert_int_equal(value(), 0);
	assert_int_equal(self->arch.switches, 0);
	assert_int_equal(call(FWFT, SET, UPDATING, 1, 0), SBI_SUCCESS); /* what was refused has locked nothing */
}

static void a_lock_holds_until_the_vcpu_starts_anew_and_is_its_own(void **state)
{
	assert_int_equal(call(FWFT, SET, MISALIGNED, 1, LOCK), SBI_SUCCESS);
	for (unsigned new = 0; new <= 1; new++)
		for (unsigned flags = 0; flags <= LOCK; flags++)
			assert_int_equal(call(FWFT, SET, MISALIGNED, new, flags), SBI_ERR_DENIED_LOCKED);
	assert_int_equal(call(FWFT, GET, MISALIGNED), SBI_SUCCESS);
	assert_int_equal(value(), 1);
	assert_int_equal(call(FWFT, SET, UPDATING, 1, 0), SBI_SUCCESS); /* another feature */
	call(HSM, 0, 1, RAM, 0);
	enter(1); /* another vCPU */
	assert_int_equal(call(FWFT, GET, MISALIGNED), SBI_SUCCESS);
	assert_int_equal(value(), 0);
	assert_int_equal(call(FWFT, SET, MISALIGNED, 1, LOCK), SBI_SUCCESS);
	call(HSM, 1, 0);
	assert_false(vcpu_serve(self));
	capsule_vcpu_retired(self);
	fake_self = &fake_harts[0];
	self = &capsule->vcpus[0];
	call(HSM, 0, 1, RAM, 0);
	enter(1);
	assert_int_equal(self->arch.switches, 0);
	assert_int_equal(call(FWFT, GET, MISALIGNED), SBI_SUCCESS);
	assert_int_equal(value(), 0);
	assert_int_equal(call(FWFT, SET, MISALIGNED, 0, 0), SBI_SUCCESS);
}

static void a_non_retentive_suspend_keeps_features_and_locks(void **state)
{
	assert_int_equal(call(FWFT, SET, MISALIGNED, 1, LOCK), SBI_SUCCESS);
	self->arch.enabled = self->arch.irqs = 1u << ARCH_IRQ_TIMER;
	call(HSM, 3, 0x80000000, RAM + 0x40, 0);
	assert_int_equal(self->arch.pc, RAM + 0x40);
	assert_int_equal(self->arch.switches, 1);
	assert_int_equal(call(FWFT, SET, MISALIGNED, 0, 0), SBI_ERR_DENIED_LOCKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reserved_and_platform_features_are_denied, setup_features, teardown),
		cmocka_unit_test_setup_teardown(features_that_the_hart_lacks_are_not_supported, setup_features, teardown),
		cmocka_unit_test_setup_teardown(a_feature_is_off_and_is_what_it_was_set_to, setup_features, teardown),
		cmocka_unit_test_setup_teardown(values_and_flags_are_none_but_those_of_the_table, setup_features, teardown),
		cmocka_unit_test_setup_teardown(a_lock_holds_until_the_vcpu_starts_anew_and_is_its_own, setup_features, teardown),
		cmocka_unit_test_setup_teardown(a_non_retentive_suspend_keeps_features_and_locks, setup_features, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
