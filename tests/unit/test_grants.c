/* SPDX-License-Identifier: MIT */
/* Grants of pages: what either side may do with them, and that none outlives a side, in any order of their ends. */
#include "several.h"

#define PAGES_AT (RAM + 0x2000)
#define BUFFER	 (RAM + 0x8000)
#define PAGE	 PAGE_SIZE

static int setup_gstage(void **state)
{
	setup_several(state);
	arch_features.gstage = true;
	return 0;
}

#define test_gstage(function) cmocka_unit_test_setup_teardown(function, setup_gstage, teardown_several)

/* Capsule 0 grants `pages` pages to capsule 1. */
static uint64_t grant(unsigned pages, unsigned flags)
{
	as(0);
	assert_int_equal(ABI(GRANT, handle_of(1), PAGES_AT, pages, flags), SBI_SUCCESS);
	return value();
}

static int64_t revoke(uint64_t number)
{
	as(0);
	return ABI(REVOKE, number);
}

static int64_t accept(unsigned who, uint64_t number)
{
	as(who);
	return ABI(ACCEPT, number, BUFFER, 4);
}

static unsigned mapped(unsigned who)
{
	unsigned pages = 0;

	for (unsigned i = 0; i < DIOSIX_GRANTS; i++)
		pages += capsules[who].space.window[i].pages;
	return pages;
}

static void a_window_shows_the_owners_pages_until_they_are_revoked(void **state)
{
	uint64_t number = grant(2, DIOSIX_GRANT_WRITE);

	assert_int_equal(atomic_load(&capsules[0].grants), 1);
	assert_int_equal(mapped(1), 0);
	assert_int_equal(accept(1, number), SBI_SUCCESS);
	assert_int_equal(value(), DIOSIX_WINDOW);
	assert_ptr_equal(hpa_ptr(capsules[1].space.window[0].at), memory_of(0) + 0x2000);
	assert_int_equal(mapped(1), 2);
	assert_true(capsules[1].space.window[0].writable);
	assert_int_equal(ABI(SYNC, number, DIOSIX_SYNC_PUSH), SBI_SUCCESS);
	as(1);
	ABI(EVENTS, 0);
	capsules[1].vcpus[0].arch.run_seq = 2;
	assert_int_equal(revoke(number), SBI_SUCCESS);
	assert_int_equal(mapped(1), 0);
	assert_true(atomic_load(&capsules[1].vcpus[0].requests) & REQUEST_SPACE);
	as(1); /* serves it before it goes on */
	assert_true(capsules[1].vcpus[0].arch.fences_space != 0);
	ABI(EVENTS, 0);
	assert_true(value() & DIOSIX_EVENT_REVOKED);
	assert_int_equal(ABI(SYNC, number, DIOSIX_SYNC_PULL), SBI_ERR_INVALID_STATE);
	assert_int_equal(ABI(RELEASE, number), SBI_ERR_INVALID_PARAM);
	assert_int_equal(ABI(ACCEPT, number, BUFFER, 4), SBI_ERR_INVALID_PARAM);
	assert_int_equal(revoke(number), SBI_ERR_INVALID_PARAM);
	assert_int_equal(atomic_load(&capsules[0].grants), 0);
}

static void a_copy_is_pulled_and_pushed(void **state)
{
	uint64_t number = grant(1, DIOSIX_GRANT_WRITE);

	memset(memory_of(0) + 0x2000, 'o', PAGE);
	assert_int_equal(accept(1, number), SBI_SUCCESS);
	assert_int_equal(value(), BUFFER);
	assert_memory_equal(memory_of(1) + 0x8000, memory_of(0) + 0x2000, PAGE);
	memory_of(0)[0x2fff] = 'O';
	assert_int_equal(memory_of(1)[0x8fff], 'o');
	assert_int_equal(ABI(SYNC, number, DIOSIX_SYNC_PULL), SBI_SUCCESS);
	assert_int_equal(memory_of(1)[0x8fff], 'O');
	memory_of(1)[0x8000] = 'p';
	assert_int_equal(ABI(SYNC, number, DIOSIX_SYNC_PUSH), SBI_SUCCESS);
	assert_int_equal(memory_of(0)[0x2000], 'p');
	assert_int_equal(memory_of(0)[0x1fff], 0);
	assert_int_equal(memory_of(0)[0x3000], 0);
	assert_int_equal(ABI(SYNC, number, 2), SBI_ERR_INVALID_PARAM);
	assert_int_equal(revoke(number), SBI_SUCCESS);
	as(1);
	assert_int_equal(ABI(SYNC, number, DIOSIX_SYNC_PUSH), SBI_ERR_INVALID_STATE);
}

static void what_may_only_be_read_is_not_written(void **state)
{
	uint64_t number = grant(1, 0);

	accept(1, number);
	memory_of(1)[0x8000] = 'p';
	assert_int_equal(ABI(SYNC, number, DIOSIX_SYNC_PUSH), SBI_ERR_DENIED);
	assert_int_equal(memory_of(0)[0x2000], 0);
	assert_int_equal(ABI(SYNC, number, DIOSIX_SYNC_PULL), SBI_SUCCESS);
	assert_int_equal(memory_of(1)[0x8000], 0);
}

static void grants_are_bounded_and_in_the_owners_memory(void **state)
{
	uint64_t to = handle_of(1);
	const struct sbi_case cases[] = {
#define CASE(error, ...) {DIOSIX_EXTENSION, DIOSIX_CALL_GRANT, {__VA_ARGS__}, error}
		CASE(SBI_ERR_INVALID_PARAM, to, PAGES_AT, 0, 0),
		CASE(SBI_ERR_INVALID_PARAM, to, PAGES_AT, DIOSIX_GRANT_PAGES + 1, 0),
		CASE(SBI_ERR_INVALID_PARAM, to, PAGES_AT, UINT64_MAX, 0),
		CASE(SBI_ERR_INVALID_PARAM, to, PAGES_AT + 8, 1, 0),
		CASE(SBI_ERR_INVALID_PARAM, to, PAGES_AT, 1, 2),
		CASE(SBI_ERR_INVALID_ADDRESS, to, RAM - PAGE, 1, 0),
		CASE(SBI_ERR_INVALID_ADDRESS, to, RAM + SIZE - PAGE, 2, 0),
		CASE(SBI_ERR_INVALID_ADDRESS, to, -PAGE, 1, 0),
		CASE(SBI_ERR_INVALID_ADDRESS, to, DIOSIX_WINDOW, 1, 0),
		CASE(SBI_ERR_INVALID_STATE, to + 0x100, PAGES_AT, 1, 0),
		CASE(SBI_ERR_INVALID_STATE, SEVERAL, PAGES_AT, 1, 0),
		CASE(SBI_ERR_INVALID_STATE, handle_of(0), PAGES_AT, 1, 0),
		CASE(SBI_SUCCESS, to, RAM + SIZE - PAGE, 1, 0),
	};

	check_cases(cases, COUNT(cases));
	for (unsigned i = 1; i < DIOSIX_GRANTS; i++)
		grant(1, 0);
	assert_int_equal(ABI(GRANT, to, PAGES_AT, 1, 0), SBI_ERR_TIMEOUT);
	assert_int_equal(atomic_load(&capsules[0].grants), DIOSIX_GRANTS);
}

static void nobody_else_can_use_a_grant(void **state)
{
	uint64_t number = grant(1, DIOSIX_GRANT_WRITE);
	const uint64_t forged[] = {0, number + 0x10000, number - 0x10000, number + 1, number + 0x100, number | 0x80, UINT64_MAX};

	assert_int_equal(accept(2, number), SBI_ERR_INVALID_PARAM);
	assert_int_equal(accept(0, number), SBI_ERR_INVALID_PARAM);
	for (size_t i = 0; i < COUNT(forged); i++) {
		assert_int_equal(accept(1, forged[i]), SBI_ERR_INVALID_PARAM);
		assert_int_equal(revoke(forged[i]), SBI_ERR_INVALID_PARAM);
	}
	as(1);
	assert_int_equal(ABI(REVOKE, number), SBI_ERR_INVALID_PARAM);
	assert_int_equal(ABI(SYNC, number, DIOSIX_SYNC_PULL), SBI_ERR_INVALID_STATE); /* not accepted */
	accept(1, number);
	as(2);
	assert_int_equal(ABI(SYNC, number, DIOSIX_SYNC_PULL), SBI_ERR_INVALID_STATE);
	assert_int_equal(ABI(RELEASE, number), SBI_ERR_INVALID_PARAM);
}

static void it_is_accepted_once_and_not_after_its_release(void **state)
{
	uint64_t number = grant(2, 0);

	as(1);
	assert_int_equal(ABI(ACCEPT, number, BUFFER, 1), SBI_ERR_INVALID_PARAM); /* it has two pages */
	assert_int_equal(accept(1, number), SBI_SUCCESS);
	assert_int_equal(accept(1, number), SBI_ERR_INVALID_STATE);
	assert_int_equal(ABI(RELEASE, number), SBI_SUCCESS);
	assert_int_equal(mapped(1), 0);
	assert_int_equal(ABI(RELEASE, number), SBI_ERR_INVALID_PARAM);
	assert_int_equal(accept(1, number), SBI_ERR_INVALID_STATE);
	assert_int_equal(revoke(number), SBI_SUCCESS);
	as(1);
	ABI(EVENTS, 0);
	assert_false(value() & DIOSIX_EVENT_REVOKED); /* it had none any more */
}

static void a_copy_needs_a_whole_buffer(void **state)
{
	uint64_t number = grant(2, 0);

	as(1);
	assert_int_equal(ABI(ACCEPT, number, BUFFER + 8, 4), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(ABI(ACCEPT, number, RAM + capsules[1].memory.size - PAGE, 4), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(ABI(ACCEPT, number, UINT64_MAX - PAGE + 1, 4), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(accept(1, number), SBI_SUCCESS);
}

static void a_window_has_eight_slots_which_come_back(void **state)
{
	uint64_t numbers[DIOSIX_GRANTS], more;

	for (unsigned i = 0; i < DIOSIX_GRANTS; i++) {
		numbers[i] = grant(1, 0);
		assert_int_equal(accept(1, numbers[i]), SBI_SUCCESS);
		assert_int_equal(value(), DIOSIX_WINDOW + i * DIOSIX_GRANT_PAGES * PAGE);
	}
	as(2);
	assert_int_equal(ABI(GRANT, handle_of(1), PAGES_AT, 1, 0), SBI_SUCCESS);
	more = value();
	assert_int_equal(accept(1, more), SBI_ERR_FAILED);
	assert_int_equal(revoke(numbers[3]), SBI_SUCCESS);
	assert_int_equal(accept(1, more), SBI_SUCCESS);
	assert_int_equal(value(), DIOSIX_WINDOW + 3 * DIOSIX_GRANT_PAGES * PAGE);
}

static void the_owners_end_takes_its_grants_away(void **state)
{
	uint64_t number = grant(1, 0), open = grant(1, 0);

	accept(1, number);
	restart(0);
	assert_int_equal(atomic_load(&capsules[0].grants), 0);
	assert_int_equal(mapped(1), 0);
	assert_int_equal(accept(1, open), SBI_ERR_INVALID_PARAM);
	assert_int_equal(ABI(SYNC, number, DIOSIX_SYNC_PULL), SBI_ERR_INVALID_STATE);
	assert_int_equal(revoke(number), SBI_ERR_INVALID_PARAM);
	assert_int_not_equal(grant(1, 0), number); /* in its next life, of the same place */
}

static void the_peers_end_takes_what_was_granted_to_it_away(void **state)
{
	uint64_t number = grant(1, DIOSIX_GRANT_WRITE), open = grant(1, 0), before = handle_of(1);

	accept(1, number);
	restart(1);
	assert_int_equal(mapped(1), 0);
	assert_int_equal(atomic_load(&capsules[0].grants), 0);
	assert_int_equal(accept(1, open), SBI_ERR_INVALID_PARAM);
	assert_int_equal(revoke(number), SBI_ERR_INVALID_PARAM);
	assert_int_equal(ABI(GRANT, before, PAGES_AT, 1, 0), SBI_ERR_INVALID_STATE);
	assert_int_equal(accept(1, grant(1, 0)), SBI_SUCCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_gstage(a_window_shows_the_owners_pages_until_they_are_revoked),
		test_several(a_copy_is_pulled_and_pushed),
		test_several(what_may_only_be_read_is_not_written),
		test_several(grants_are_bounded_and_in_the_owners_memory),
		test_gstage(nobody_else_can_use_a_grant),
		test_several(nobody_else_can_use_a_grant),
		test_gstage(it_is_accepted_once_and_not_after_its_release),
		test_several(it_is_accepted_once_and_not_after_its_release),
		test_several(a_copy_needs_a_whole_buffer),
		test_gstage(a_window_has_eight_slots_which_come_back),
		test_gstage(the_owners_end_takes_its_grants_away),
		test_several(the_owners_end_takes_its_grants_away),
		test_gstage(the_peers_end_takes_what_was_granted_to_it_away),
		test_several(the_peers_end_takes_what_was_granted_to_it_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
