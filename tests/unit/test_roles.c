/* SPDX-License-Identifier: MIT */
/* Roles and names of the service ABI: who provides what, and who is meant. */
#include "several.h"

#define CONSOLE DIOSIX_ROLE_CONSOLE
#define STORAGE DIOSIX_ROLE_STORAGE

static void a_role_has_one_provider_and_others_are_told(void **state)
{
	assert_int_equal(ABI(PROVIDER, STORAGE), SBI_ERR_FAILED);
	assert_int_equal(ABI(REGISTER, STORAGE), SBI_SUCCESS);
	for (unsigned i = SEVERAL; i-- > 0;) {
		as(i);
		assert_int_equal(ABI(PROVIDER, STORAGE), SBI_SUCCESS);
		assert_int_equal(value(), handle_of(0));
		ABI(EVENTS, 0);
		assert_true(value() & DIOSIX_EVENT_PROVIDERS);
	}
	as(1);
	assert_int_equal(ABI(REGISTER, STORAGE), SBI_ERR_ALREADY_AVAILABLE);
	assert_int_equal(role_provider(STORAGE), handle_of(0));
	assert_int_equal(roles_of(&capsules[0]), 1u << STORAGE);
	assert_int_equal(roles_of(&capsules[1]), 0);
}

static void registering_once_more_changes_nothing_and_tells_nobody(void **state)
{
	ABI(REGISTER, CONSOLE);
	ABI(EVENTS, 0);
	assert_int_equal(ABI(REGISTER, CONSOLE), SBI_SUCCESS);
	ABI(EVENTS, 0);
	assert_false(value() & DIOSIX_EVENT_PROVIDERS);
}

static void each_role_needs_its_own_permission(void **state)
{
	for (unsigned mine = 0; mine < DIOSIX_ROLES; mine++) {
		capsule->config.permissions = BIT_OF(SERVICE_CONSOLE) << mine;
		for (unsigned role = 0; role < DIOSIX_ROLES; role++)
			assert_int_equal(ABI(REGISTER, role), role == mine ? SBI_SUCCESS : SBI_ERR_DENIED);
		assert_int_equal(ABI(REGISTER, DIOSIX_ROLES), SBI_ERR_INVALID_PARAM);
		assert_int_equal(ABI(REGISTER, UINT64_MAX), SBI_ERR_INVALID_PARAM);
		role_drop((enum diosix_role)mine, capsule_handle(capsule));
	}
}

static void a_role_is_free_when_its_providers_life_ends(void **state)
{
	uint64_t before = handle_of(0);

	ABI(REGISTER, CONSOLE);
	as(1);
	ABI(EVENTS, 0);
	restart(0);
	assert_int_not_equal(handle_of(0), before);
	as(1);
	assert_int_equal(ABI(PROVIDER, CONSOLE), SBI_ERR_FAILED);
	ABI(EVENTS, 0);
	assert_true(value() & DIOSIX_EVENT_PROVIDERS);
	assert_int_equal(ABI(REGISTER, CONSOLE), SBI_SUCCESS);
}

static void only_the_provider_can_lose_a_role(void **state)
{
	ABI(REGISTER, STORAGE);
	role_drop(STORAGE, capsule_handle(&capsules[1]));
	assert_int_equal(role_provider(STORAGE), handle_of(0));
	role_drop(STORAGE, handle_of(0) - DIOSIX_HANDLE(0, 1)); /* the life before */
	assert_int_equal(role_provider(STORAGE), handle_of(0));
	role_drop(STORAGE, capsule_handle(&capsules[0]));
	assert_int_equal(role_provider(STORAGE), 0);
}

static void no_role_is_nobodys(void **state)
{
	assert_int_equal(ABI(PROVIDER, DIOSIX_ROLES), SBI_ERR_FAILED);
	assert_int_equal(ABI(PROVIDER, UINT64_MAX), SBI_ERR_FAILED);
}

static int64_t find(const char *name, size_t len)
{
	memcpy(memory(), name, len);
	return ABI(FIND, capsule->memory.base.v, len);
}

static void a_name_finds_the_running_capsule_that_receives(void **state)
{
	assert_int_equal(find("1", 1), SBI_SUCCESS);
	assert_int_equal(value(), handle_of(1));
	assert_int_equal(find("fake", 4), SBI_SUCCESS);
	assert_int_equal(value(), handle_of(0));
	assert_int_equal(find("fak", 3), SBI_ERR_FAILED);
	assert_int_equal(find("fake\0", 5), SBI_ERR_FAILED);
	assert_int_equal(find("", 0), SBI_ERR_FAILED);
	assert_int_equal(find("a-name-that-is-longer-than-any-is", 33), SBI_ERR_FAILED);
	capsules[1].config.permissions &= ~BIT_OF(MESSAGE_RECEIVE);
	assert_int_equal(find("1", 1), SBI_ERR_FAILED);
	atomic_store(&capsules[2].state, CAPSULE_STOPPING);
	assert_int_equal(find("2", 1), SBI_ERR_FAILED);
	atomic_store(&capsules[2].state, CAPSULE_RUNNING);
}

static void a_name_has_to_be_in_the_capsules_memory(void **state)
{
	static const uint64_t addresses[] = {0, RAM - 1, RAM + SIZE, RAM + SIZE - 1, UINT64_MAX, DIOSIX_WINDOW};

	for (size_t i = 0; i < COUNT(addresses); i++)
		assert_int_equal(ABI(FIND, addresses[i], 2), SBI_ERR_INVALID_ADDRESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_several(a_role_has_one_provider_and_others_are_told),
		test_several(registering_once_more_changes_nothing_and_tells_nobody),
		test_several(each_role_needs_its_own_permission),
		test_several(a_role_is_free_when_its_providers_life_ends),
		test_several(only_the_provider_can_lose_a_role),
		test_several(no_role_is_nobodys),
		test_several(a_name_finds_the_running_capsule_that_receives),
		test_several(a_name_has_to_be_in_the_capsules_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
