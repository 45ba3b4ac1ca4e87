/* SPDX-License-Identifier: MIT */
/* Messages between capsules: order, bounds, and what is left when one of the two ends. */
#include "several.h"

#define OUT (RAM + 0x1000)
#define IN  (RAM + 0x2000)
#define IN_LEN (sizeof(struct diosix_message) + DIOSIX_MESSAGE_LEN)

static int64_t send(unsigned to, const char *text)
{
	strcpy(memory() + 0x1000, text);
	return ABI(MESSAGE_SEND, handle_of(to), OUT, strlen(text));
}

static void expect_message(uint64_t from, const char *text)
{
	struct diosix_message header;

	assert_int_equal(ABI(MESSAGE_RECEIVE, IN, IN_LEN), SBI_SUCCESS);
	assert_int_equal(value(), sizeof(header) + strlen(text));
	memcpy(&header, memory() + 0x2000, sizeof(header));
	assert_int_equal(header.from, from);
	assert_int_equal(header.len, strlen(text));
	assert_int_equal(header.reserved, 0);
	assert_memory_equal(memory() + 0x2000 + sizeof(header), text, strlen(text));
}

static void expect_none(void)
{
	assert_int_equal(ABI(MESSAGE_RECEIVE, IN, IN_LEN), SBI_SUCCESS);
	assert_int_equal(value(), 0);
}

static void messages_come_in_order_with_their_sender_and_an_event(void **state)
{
	assert_int_equal(send(2, "first"), SBI_SUCCESS);
	as(1);
	assert_int_equal(send(2, "second"), SBI_SUCCESS);
	as(0);
	assert_int_equal(send(2, ""), SBI_SUCCESS);
	as(2);
	ABI(EVENTS, 0);
	assert_true(value() & DIOSIX_EVENT_MESSAGE);
	expect_message(handle_of(0), "first");
	expect_message(handle_of(1), "second");
	expect_message(handle_of(0), "");
	expect_none();
	assert_int_equal(atomic_load(&capsules[0].messages_sent), 2);
	assert_int_equal(atomic_load(&capsules[1].messages_sent), 1);
	assert_int_equal(atomic_load(&capsules[2].messages_received), 3);
}

static void one_that_floods_fills_its_own_outbox_alone(void **state)
{
	for (unsigned round = 0; round < 3; round++) {
		as(0);
		for (unsigned i = 0; i < DIOSIX_OUTBOX; i++)
			assert_int_equal(send(2, "flood"), SBI_SUCCESS);
		assert_int_equal(send(2, "flood"), SBI_ERR_TIMEOUT);
		assert_int_equal(send(1, "flood"), SBI_ERR_TIMEOUT);
		as(1);
		assert_int_equal(send(2, "mine"), SBI_SUCCESS);
		as(2);
		for (unsigned i = 0; i < DIOSIX_OUTBOX; i++)
			expect_message(handle_of(0), "flood");
		expect_message(handle_of(1), "mine");
		expect_none();
	}
}

static void a_message_for_which_there_is_no_room_stays(void **state)
{
	send(0, "stays");
	assert_int_equal(ABI(MESSAGE_RECEIVE, IN, sizeof(struct diosix_message) + 4), SBI_ERR_INVALID_PARAM);
	assert_int_equal(ABI(MESSAGE_RECEIVE, IN, 0), SBI_ERR_INVALID_PARAM);
	expect_message(handle_of(0), "stays");
	expect_none();
}

static void bounds_are_kept(void **state)
{
	const struct sbi_case cases[] = {
		{DIOSIX_EXTENSION, DIOSIX_CALL_MESSAGE_SEND, {handle_of(1), OUT, DIOSIX_MESSAGE_LEN + 1}, SBI_ERR_INVALID_PARAM},
		{DIOSIX_EXTENSION, DIOSIX_CALL_MESSAGE_SEND, {handle_of(1), OUT, UINT64_MAX}, SBI_ERR_INVALID_PARAM},
		{DIOSIX_EXTENSION, DIOSIX_CALL_MESSAGE_SEND, {handle_of(1), RAM + SIZE - 7, 8}, SBI_ERR_INVALID_ADDRESS},
		{DIOSIX_EXTENSION, DIOSIX_CALL_MESSAGE_SEND, {handle_of(1), RAM - 1, 8}, SBI_ERR_INVALID_ADDRESS},
		{DIOSIX_EXTENSION, DIOSIX_CALL_MESSAGE_SEND, {handle_of(1), DIOSIX_WINDOW, 8}, SBI_ERR_INVALID_ADDRESS},
		{DIOSIX_EXTENSION, DIOSIX_CALL_MESSAGE_RECEIVE, {RAM + SIZE - 100, 256}, SBI_ERR_INVALID_ADDRESS},
		{DIOSIX_EXTENSION, DIOSIX_CALL_MESSAGE_RECEIVE, {UINT64_MAX - 7, 256}, SBI_ERR_INVALID_ADDRESS},
		{DIOSIX_EXTENSION, DIOSIX_CALL_MESSAGE_RECEIVE, {DIOSIX_WINDOW, 256}, SBI_ERR_INVALID_ADDRESS},
		{DIOSIX_EXTENSION, DIOSIX_CALL_MESSAGE_RECEIVE, {IN, 4096}, SBI_SUCCESS},
	};

	check_cases(cases, COUNT(cases));
	as(1);
	expect_none();
}

static void forged_and_old_handles_reach_nobody(void **state)
{
	const uint64_t handles[] = {0, 1, handle_of(1) + 0x100, handle_of(1) - 0x100, 255, handle_of(1) | UINT64_C(1) << 40,
				    SEVERAL, UINT64_MAX};

	for (size_t i = 0; i < COUNT(handles); i++)
		assert_int_equal(ABI(MESSAGE_SEND, handles[i], OUT, 1), SBI_ERR_INVALID_STATE);
	capsules[1].config.permissions &= ~BIT_OF(MESSAGE_RECEIVE);
	assert_int_equal(send(1, "x"), SBI_ERR_INVALID_STATE);
	atomic_store(&capsules[2].state, CAPSULE_STOPPING);
	assert_int_equal(send(2, "x"), SBI_ERR_INVALID_STATE);
	atomic_store(&capsules[2].state, CAPSULE_RUNNING);
	for (unsigned i = 0; i < DIOSIX_OUTBOX; i++) /* none of these has cost a place */
		assert_int_equal(send(2, "x"), SBI_SUCCESS);
}

static void a_receivers_end_gives_the_senders_their_places_back(void **state)
{
	uint64_t before = handle_of(2);

	for (unsigned i = 0; i < DIOSIX_OUTBOX; i++)
		send(2, "lost");
	restart(2);
	expect_none();
	as(0);
	assert_int_equal(ABI(MESSAGE_SEND, before, OUT, 1), SBI_ERR_INVALID_STATE);
	for (unsigned i = 0; i < DIOSIX_OUTBOX; i++)
		assert_int_equal(send(2, "new"), SBI_SUCCESS);
	as(2);
	expect_message(handle_of(0), "new");
}

static void what_a_sender_sent_before_its_end_is_received_as_from_that_life(void **state)
{
	uint64_t before = handle_of(0);

	send(2, "last words");
	restart(0);
	send(2, "reborn");
	as(2);
	expect_message(before, "last words");
	expect_message(handle_of(0), "reborn");
	assert_int_equal(ABI(MESSAGE_SEND, before, OUT, 1), SBI_ERR_INVALID_STATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_several(messages_come_in_order_with_their_sender_and_an_event),
		test_several(one_that_floods_fills_its_own_outbox_alone),
		test_several(a_message_for_which_there_is_no_room_stays),
		test_several(bounds_are_kept),
		test_several(forged_and_old_handles_reach_nobody),
		test_several(a_receivers_end_gives_the_senders_their_places_back),
		test_several(what_a_sender_sent_before_its_end_is_received_as_from_that_life),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
