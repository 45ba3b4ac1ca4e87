/* SPDX-License-Identifier: MIT */
/* Software events by SBI SSE (section 17 of SBI 3.0). */
#include "sbi_guest.h"

enum { READ, WRITE, REGISTER, UNREGISTER, ENABLE, DISABLE, COMPLETE, INJECT, UNMASK, MASK };
enum { STATUS, PRIORITY, CONFIG, PREFERRED, ENTRY_PC, ENTRY_ARG, SEPC, FLAGS, A6, A7 };
enum { UNUSED, REGISTERED, ENABLED, RUNNING, PENDING = 4, INJECTABLE = 8 };

#define LOCAL  0xffff0000
#define GLOBAL 0xffff8000
#define BUFFER (RAM + 0x800)
#define HANDLER (RAM + 0x400)

static uint64_t attr(uint64_t event, unsigned number)
{
	assert_int_equal(call(SSE, READ, event, number, 1, BUFFER, 0), SBI_SUCCESS);
	return *(uint64_t *)(memory() + 0x800);
}

static int64_t set_attr(uint64_t event, unsigned number, uint64_t new)
{
	*(uint64_t *)(memory() + 0x800) = new;
	return call(SSE, WRITE, event, number, 1, BUFFER, 0);
}

static unsigned state_of(uint64_t event)
{
	return attr(event, STATUS) & 3;
}

static void prepare(uint64_t event, uint64_t argument)
{
	assert_int_equal(call(SSE, REGISTER, event, HANDLER, argument), SBI_SUCCESS);
	assert_int_equal(call(SSE, ENABLE, event), SBI_SUCCESS);
}

/* A call, and the way back into the guest. */
#define call_and_enter(function, ...) (call(SSE, function, __VA_ARGS__), vcpu_serve(self))

static void events_without_a_source_and_reserved_ones_are_told_apart(void **state)
{
	static const struct {
		uint64_t event;
		int64_t error;
	} cases[] = {
		{0, SBI_ERR_NOT_SUPPORTED}, {1, SBI_ERR_NOT_SUPPORTED}, {0x8000, SBI_ERR_NOT_SUPPORTED},
		{0x10000, SBI_ERR_NOT_SUPPORTED}, {0x100000, SBI_ERR_NOT_SUPPORTED}, {0x108000, SBI_ERR_NOT_SUPPORTED},
		{2, SBI_ERR_INVALID_PARAM}, {0x3fff, SBI_ERR_INVALID_PARAM}, {0x4000, SBI_ERR_INVALID_PARAM},
		{0x8001, SBI_ERR_INVALID_PARAM}, {0xffff0001, SBI_ERR_INVALID_PARAM}, {0xffff8001, SBI_ERR_INVALID_PARAM},
		{0xffffffff, SBI_ERR_INVALID_PARAM},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(call(SSE, READ, cases[i].event, PRIORITY, 1, BUFFER, 0), cases[i].error);
		assert_int_equal(call(SSE, WRITE, cases[i].event, PRIORITY, 1, BUFFER, 0), cases[i].error);
		assert_int_equal(call(SSE, REGISTER, cases[i].event, HANDLER, 0), cases[i].error);
		for (unsigned function = UNREGISTER; function <= DISABLE; function++)
			assert_int_equal(call(SSE, function, cases[i].event), cases[i].error);
		assert_int_equal(call(SSE, INJECT, cases[i].event, 0), cases[i].error);
	}
}

static void attributes_are_zero_at_first_and_have_the_errors_of_the_tables(void **state)
{
	static const uint64_t events[] = {LOCAL, GLOBAL};

	for (size_t i = 0; i < COUNT(events); i++) {
		uint64_t event = events[i];
		const struct sbi_case cases[] = {
			{SSE, READ, {event, 0, 0, BUFFER, 0}, SBI_ERR_INVALID_PARAM},
			{SSE, WRITE, {event, 0, 0, BUFFER, 0}, SBI_ERR_INVALID_PARAM},
			{SSE, READ, {event, 10, 1, BUFFER, 0}, SBI_ERR_BAD_RANGE},
			{SSE, READ, {event, 9, 2, BUFFER, 0}, SBI_ERR_BAD_RANGE},
			{SSE, READ, {event, 5, 0xffffffff, BUFFER, 0}, SBI_ERR_BAD_RANGE},
			{SSE, WRITE, {event, 0xffffffff, 1, BUFFER, 0}, SBI_ERR_BAD_RANGE},
			{SSE, READ, {event, 0, 1, BUFFER + 1, 0}, SBI_ERR_INVALID_ADDRESS},
			{SSE, WRITE, {event, 0, 1, BUFFER + 4, 0}, SBI_ERR_INVALID_ADDRESS},
			{SSE, READ, {event, 0, 1, BUFFER, 1}, SBI_ERR_INVALID_ADDRESS},
			{SSE, READ, {event, 0, 2, RAM + SIZE - 8, 0}, SBI_ERR_INVALID_ADDRESS},
			{SSE, WRITE, {event, 1, 1, RAM - 8, 0}, SBI_ERR_INVALID_ADDRESS},
			{SSE, WRITE, {event, STATUS, 1, BUFFER, 0}, SBI_ERR_DENIED},
			{SSE, WRITE, {event, ENTRY_PC, 1, BUFFER, 0}, SBI_ERR_DENIED},
			{SSE, WRITE, {event, ENTRY_ARG, 1, BUFFER, 0}, SBI_ERR_DENIED},
			{SSE, WRITE, {event, SEPC, 1, BUFFER, 0}, SBI_ERR_INVALID_STATE},
			{SSE, WRITE, {event, FLAGS, 1, BUFFER, 0}, SBI_ERR_INVALID_STATE},
			{SSE, WRITE, {event, A6, 2, BUFFER, 0}, SBI_ERR_INVALID_STATE},
		};

		assert_int_equal(attr(event, STATUS), INJECTABLE);
		for (unsigned n = PRIORITY; n <= A7; n++)
			assert_int_equal(attr(event, n), 0);
		check_cases(cases, COUNT(cases));
		assert_int_equal(set_attr(event, PRIORITY, UINT64_C(1) << 32), SBI_ERR_INVALID_PARAM);
		assert_int_equal(set_attr(event, PRIORITY, 0xffffffff), SBI_SUCCESS);
		assert_int_equal(attr(event, PRIORITY), 0xffffffff);
		assert_int_equal(set_attr(event, CONFIG, 2), SBI_ERR_INVALID_PARAM);
		assert_int_equal(set_attr(event, CONFIG, 1), SBI_SUCCESS);
		/* Event, attribute and count have 32 bits. */
		assert_int_equal(attr(UINT64_C(1) << 32 | event, CONFIG), 1);
		assert_int_equal(call(SSE, READ, event, UINT64_C(1) << 32, UINT64_C(1) << 32 | 1, BUFFER, 0), SBI_SUCCESS);
	}
	assert_int_equal(set_attr(LOCAL, PREFERRED, 0), SBI_ERR_DENIED);
	assert_int_equal(set_attr(GLOBAL, PREFERRED, CPUS), SBI_ERR_INVALID_PARAM);
	assert_int_equal(set_attr(GLOBAL, PREFERRED, 0xffffffff), SBI_ERR_INVALID_PARAM);
	assert_int_equal(set_attr(GLOBAL, PREFERRED, 1), SBI_SUCCESS);
}

static void several_attributes_are_written_all_or_none(void **state)
{
	uint64_t *values = (uint64_t *)(memory() + 0x800);

	values[0] = 5;
	values[1] = 2; /* no such configuration */
	assert_int_equal(call(SSE, WRITE, LOCAL, PRIORITY, 2, BUFFER, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(attr(LOCAL, PRIORITY), 0);
	values[0] = 5;
	values[1] = 1;
	assert_int_equal(call(SSE, WRITE, LOCAL, PRIORITY, 2, BUFFER, 0), SBI_SUCCESS);
	memset(values, 0xff, 80);
	assert_int_equal(call(SSE, READ, LOCAL, PRIORITY, 2, BUFFER, 0), SBI_SUCCESS);
	assert_int_equal(values[0], 5);
	assert_int_equal(values[1], 1);
	assert_int_equal(values[2], UINT64_MAX);
}

static void events_change_their_state_as_the_figure_shows(void **state)
{
	static const uint64_t events[] = {LOCAL, GLOBAL};

	for (size_t i = 0; i < COUNT(events); i++) {
		uint64_t event = events[i];

		assert_int_equal(call(SSE, UNREGISTER, event), SBI_ERR_INVALID_STATE);
		assert_int_equal(call(SSE, ENABLE, event), SBI_ERR_INVALID_STATE);
		assert_int_equal(call(SSE, DISABLE, event), SBI_ERR_INVALID_STATE);
		assert_int_equal(call(SSE, INJECT, event, 0), SBI_ERR_INVALID_STATE);
		assert_int_equal(call(SSE, REGISTER, event, HANDLER + 1, 0), SBI_ERR_INVALID_PARAM);
		assert_int_equal(call(SSE, REGISTER, event, HANDLER, 7), SBI_SUCCESS);
		assert_int_equal(state_of(event), REGISTERED);
		assert_int_equal(attr(event, ENTRY_PC), HANDLER);
		assert_int_equal(attr(event, ENTRY_ARG), 7);
		assert_int_equal(call(SSE, REGISTER, event, HANDLER, 0), SBI_ERR_INVALID_STATE);
		assert_int_equal(call(SSE, DISABLE, event), SBI_ERR_INVALID_STATE);
		assert_int_equal(call(SSE, INJECT, event, 0), SBI_ERR_INVALID_STATE);
		assert_int_equal(set_attr(event, PRIORITY, 3), SBI_SUCCESS);
		assert_int_equal(call(SSE, ENABLE, event), SBI_SUCCESS);
		assert_int_equal(state_of(event), ENABLED);
		assert_int_equal(set_attr(event, PRIORITY, 4), SBI_ERR_INVALID_STATE);
		assert_int_equal(set_attr(event, CONFIG, 1), SBI_ERR_INVALID_STATE);
		assert_int_equal(call(SSE, ENABLE, event), SBI_ERR_INVALID_STATE);
		assert_int_equal(call(SSE, UNREGISTER, event), SBI_ERR_INVALID_STATE);
		assert_int_equal(call(SSE, INJECT, event, 0), SBI_SUCCESS); /* masked: it waits */
		assert_int_equal(attr(event, STATUS), ENABLED | PENDING | INJECTABLE);
		assert_int_equal(call(SSE, DISABLE, event), SBI_SUCCESS);
		assert_int_equal(call(SSE, UNREGISTER, event), SBI_SUCCESS);
		assert_int_equal(attr(event, STATUS), UNUSED | INJECTABLE);
	}
	assert_int_equal(call(SSE, INJECT, LOCAL, CPUS), SBI_ERR_INVALID_PARAM);
	assert_int_equal(call(SSE, INJECT, LOCAL, UINT64_MAX), SBI_ERR_INVALID_PARAM);
}

static void a_hart_is_masked_at_first(void **state)
{
	assert_int_equal(call(SSE, MASK, 0), SBI_ERR_ALREADY_STOPPED);
	assert_int_equal(call(SSE, UNMASK, 0), SBI_SUCCESS);
	assert_int_equal(call(SSE, UNMASK, 0), SBI_ERR_ALREADY_STARTED);
	assert_int_equal(call(SSE, MASK, 0), SBI_SUCCESS);
	assert_int_equal(call(SSE, MASK, 0), SBI_ERR_ALREADY_STOPPED);
}

static void an_event_takes_the_guest_to_its_handler_and_back(void **state)
{
	uint64_t *x = self->arch.x;

	prepare(LOCAL, 0x777);
	call(SSE, INJECT, LOCAL, 0);
	vcpu_serve(self);
	assert_int_equal(state_of(LOCAL), ENABLED); /* it waits for the mask to go */
	self->arch.pc = RAM + 0x104;
	self->arch.epc = 0x1234;
	self->arch.user = false;
	self->arch.sie = self->arch.spie = true;
	self->arch.spp = false;
	call_and_enter(UNMASK, 0);
	assert_int_equal(self->arch.pc, HANDLER);
	assert_int_equal(self->arch.epc, RAM + 0x104);
	assert_true(self->arch.spp && self->arch.spie && !self->arch.sie);
	assert_int_equal(x[16], self->id);
	assert_int_equal(x[17], 0x777);
	assert_int_equal(x[10], SBI_SUCCESS); /* of the call that it interrupted */
	assert_int_equal(attr(LOCAL, STATUS), RUNNING | INJECTABLE);
	assert_int_equal(attr(LOCAL, SEPC), 0x1234);
	assert_int_equal(attr(LOCAL, FLAGS), 2);
	assert_int_equal(attr(LOCAL, A6), UNMASK);
	assert_int_equal(attr(LOCAL, A7), SSE);
	assert_int_equal(call(SSE, DISABLE, LOCAL), SBI_ERR_INVALID_STATE);
	assert_int_equal(set_attr(LOCAL, PRIORITY, 0), SBI_ERR_INVALID_STATE);
	assert_int_equal(set_attr(LOCAL, FLAGS, 0x40), SBI_ERR_INVALID_PARAM);
	assert_int_equal(set_attr(LOCAL, FLAGS, 0x3f), SBI_SUCCESS);
	assert_int_equal(set_attr(LOCAL, FLAGS, 1), SBI_SUCCESS);
	assert_int_equal(set_attr(LOCAL, SEPC, 0x4321), SBI_SUCCESS);
	assert_int_equal(set_attr(LOCAL, A7, 99), SBI_SUCCESS);
	call_and_enter(COMPLETE, 55, 66);
	assert_int_equal(self->arch.pc, RAM + 0x104);
	assert_int_equal(self->arch.epc, 0x4321);
	assert_true(self->arch.sie && !self->arch.spie && self->arch.spp && !self->arch.user);
	assert_int_equal(x[10], 55); /* registers are those that the handler has left */
	assert_int_equal(x[11], 66);
	assert_int_equal(x[16], UNMASK);
	assert_int_equal(x[17], 99);
	assert_int_equal(state_of(LOCAL), ENABLED);
	assert_int_equal(call(SSE, COMPLETE, 0), SBI_SUCCESS); /* nothing runs */
	assert_int_equal(self->arch.pc, RAM + 0x104);
}

static void one_shot_disables_the_event_when_it_is_complete(void **state)
{
	assert_int_equal(set_attr(LOCAL, CONFIG, 1), SBI_SUCCESS);
	prepare(LOCAL, 0);
	call(SSE, UNMASK, 0);
	call_and_enter(INJECT, LOCAL, 0);
	assert_int_equal(state_of(LOCAL), RUNNING);
	call_and_enter(INJECT, LOCAL, 0); /* again, which waits */
	assert_int_equal(attr(LOCAL, STATUS), RUNNING | PENDING | INJECTABLE);
	call_and_enter(COMPLETE, 0);
	assert_int_equal(attr(LOCAL, STATUS), REGISTERED | PENDING | INJECTABLE);
	call_and_enter(ENABLE, LOCAL);
	assert_int_equal(attr(LOCAL, STATUS), RUNNING | INJECTABLE);
}

static void only_a_higher_priority_preempts(void **state)
{
	static const struct {
		uint64_t local, global;
		bool local_first;
	} cases[] = {{0, 0, true}, {1, 0, false}, {0, 1, true}, {7, 7, true}};

	call(SSE, UNMASK, 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t high = cases[i].local_first ? LOCAL : GLOBAL, low = cases[i].local_first ? GLOBAL : LOCAL;

		set_attr(LOCAL, PRIORITY, cases[i].local);
		set_attr(GLOBAL, PRIORITY, cases[i].global);
		prepare(LOCAL, 1);
		prepare(GLOBAL, 2);
		/* The higher preempts the lower; when it is complete the lower goes on. */
		call_and_enter(INJECT, low, 0);
		call_and_enter(INJECT, high, 0);
		assert_int_equal(state_of(low), RUNNING);
		assert_int_equal(state_of(high), RUNNING);
		call_and_enter(COMPLETE, 0);
		assert_int_equal(state_of(low), RUNNING);
		assert_int_equal(state_of(high), ENABLED);
		call_and_enter(COMPLETE, 0);
		/* The lower waits for the higher. */
		call_and_enter(INJECT, high, 0);
		call_and_enter(INJECT, low, 0);
		assert_int_equal(attr(low, STATUS), ENABLED | PENDING | INJECTABLE);
		call_and_enter(COMPLETE, 0);
		assert_int_equal(state_of(high), ENABLED);
		assert_int_equal(state_of(low), RUNNING);
		call_and_enter(COMPLETE, 0);
		for (unsigned function = DISABLE; function != COMPLETE; function = function == DISABLE ? UNREGISTER : COMPLETE) {
			assert_int_equal(call(SSE, function, LOCAL), SBI_SUCCESS);
			assert_int_equal(call(SSE, function, GLOBAL), SBI_SUCCESS);
		}
	}
}

static void a_global_event_goes_to_the_preferred_hart_or_else_to_one_that_is_ready(void **state)
{
	call(HSM, 0, 1, RAM, 0);
	enter(1);
	call(SSE, UNMASK, 0);
	fake_self = &fake_harts[0];
	self = &capsule->vcpus[0];
	call(SSE, UNMASK, 0);
	assert_int_equal(set_attr(GLOBAL, PREFERRED, 1), SBI_SUCCESS);
	prepare(GLOBAL, 0);
	call_and_enter(INJECT, GLOBAL, 0);
	assert_int_equal(attr(GLOBAL, STATUS), ENABLED | PENDING | INJECTABLE);
	assert_true(requests(1) & REQUEST_EVENT);
	self = &capsule->vcpus[1];
	fake_self = &fake_harts[1];
	vcpu_serve(self);
	assert_int_equal(state_of(GLOBAL), RUNNING);
	assert_int_equal(set_attr(GLOBAL, SEPC, 0), SBI_SUCCESS);
	self = &capsule->vcpus[0];
	fake_self = &fake_harts[0];
	assert_int_equal(set_attr(GLOBAL, SEPC, 0), SBI_ERR_INVALID_STATE); /* it is another's */
	call_and_enter(COMPLETE, 0);
	assert_int_equal(state_of(GLOBAL), RUNNING);
	self = &capsule->vcpus[1];
	fake_self = &fake_harts[1];
	call_and_enter(COMPLETE, 0);
	assert_int_equal(state_of(GLOBAL), ENABLED);
	/* What waits for one that stops goes to another. */
	call(SSE, INJECT, GLOBAL, 0);
	call(HSM, 1, 0);
	assert_true(requests(0) & REQUEST_EVENT);
	assert_false(vcpu_serve(self));
	capsule_vcpu_retired(self);
	self = &capsule->vcpus[0];
	fake_self = &fake_harts[0];
	vcpu_serve(self);
	assert_int_equal(state_of(GLOBAL), RUNNING);
}

static void on_vcpu(uint32_t id)
{
	self = &capsule->vcpus[id];
	fake_self = &fake_harts[id];
}

/* vCPU 0 takes events, vCPU 1 has masked them. */
static void a_global_event_waits_for_a_chosen_hart_that_masks_events_until_that_stops(void **state)
{
	call(HSM, 0, 1, RAM, 0);
	enter(1);
	on_vcpu(0);
	call(SSE, UNMASK, 0);
	assert_int_equal(set_attr(GLOBAL, PREFERRED, 1), SBI_SUCCESS);
	prepare(GLOBAL, 0);
	call_and_enter(INJECT, GLOBAL, 0);
	assert_int_equal(attr(GLOBAL, STATUS), ENABLED | PENDING | INJECTABLE);
	assert_false(requests(1) & REQUEST_EVENT);
	on_vcpu(1);
	call_and_enter(UNMASK, 0);
	assert_int_equal(state_of(GLOBAL), RUNNING);
	call_and_enter(COMPLETE, 0);
	assert_int_equal(call(SSE, MASK, 0), SBI_SUCCESS);
	on_vcpu(0);
	call_and_enter(INJECT, GLOBAL, 0);
	assert_int_equal(attr(GLOBAL, STATUS), ENABLED | PENDING | INJECTABLE);
	on_vcpu(1);
	call(HSM, 1, 0);
	assert_true(requests(0) & REQUEST_EVENT);
	on_vcpu(0);
	vcpu_serve(self);
	assert_int_equal(state_of(GLOBAL), RUNNING);
}

static void a_start_anew_forgets_a_vcpus_own_event_and_a_restart_the_capsules(void **state)
{
	prepare(LOCAL, 0);
	prepare(GLOBAL, 0);
	machine_reset(capsule);
	assert_int_equal(attr(GLOBAL, STATUS), INJECTABLE);
	assert_int_equal(state_of(LOCAL), ENABLED);
	call(HSM, 0, 1, RAM, 0);
	enter(1);
	assert_int_equal(attr(LOCAL, STATUS), INJECTABLE);
	assert_int_equal(attr(LOCAL, PREFERRED), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(events_without_a_source_and_reserved_ones_are_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(attributes_are_zero_at_first_and_have_the_errors_of_the_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(several_attributes_are_written_all_or_none, setup, teardown),
		cmocka_unit_test_setup_teardown(events_change_their_state_as_the_figure_shows, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hart_is_masked_at_first, setup, teardown),
		cmocka_unit_test_setup_teardown(an_event_takes_the_guest_to_its_handler_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(one_shot_disables_the_event_when_it_is_complete, setup, teardown),
		cmocka_unit_test_setup_teardown(only_a_higher_priority_preempts, setup, teardown),
		cmocka_unit_test_setup_teardown(a_global_event_goes_to_the_preferred_hart_or_else_to_one_that_is_ready, setup, teardown),
		cmocka_unit_test_setup_teardown(a_global_event_waits_for_a_chosen_hart_that_masks_events_until_that_stops,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_start_anew_forgets_a_vcpus_own_event_and_a_restart_the_capsules, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
