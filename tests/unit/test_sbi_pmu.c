/* SPDX-License-Identifier: MIT */
/* Counters by SBI PMU (section 11): how they are found, started, stopped and read, and what they count. */
#include "sbi_guest.h"

enum { NUM, INFO, CONFIG, START, STOP, FW_READ, FW_READ_HI, SET_SHMEM, EVENT_INFO };

#define SKIP_MATCH  1
#define CLEAR_VALUE 2
#define AUTO_START  4
#define SET_INIT    1
#define SNAPSHOT    2
#define RESET	    1

#define EVERY ((UINT64_C(1) << PMU_COUNTERS) - 1)
#define CYCLES	     1
#define INSTRUCTIONS 2
#define FIRMWARE(code) (0xf0000 + (code))
#define IS_FIRMWARE (UINT64_C(1) << 63)

/* A counter of the event, started from 0. */
static uint64_t count(uint64_t event)
{
	assert_int_equal(call(PMU, CONFIG, 0, EVERY, CLEAR_VALUE | AUTO_START, event, 0), SBI_SUCCESS);
	return value();
}

static uint64_t read(uint64_t counter)
{
	assert_int_equal(call(PMU, FW_READ, counter), SBI_SUCCESS);
	return value();
}

static void counters_say_what_they_are(void **state)
{
	unsigned hardware = 0;

	assert_int_equal(call(PMU, NUM, 0), SBI_SUCCESS);
	assert_int_equal(value(), PMU_COUNTERS);
	for (unsigned i = 0; i < PMU_COUNTERS; i++) {
		assert_int_equal(call(PMU, INFO, i), SBI_SUCCESS);
		if (value() & IS_FIRMWARE)
			continue;
		hardware++;
		assert_int_equal(value() & 0xfff, 0xc00 + i); /* cycle and instret */
		assert_int_equal(value() >> 12, 63);
	}
	assert_int_equal(hardware, 2);
	assert_int_equal(call(PMU, INFO, PMU_COUNTERS), SBI_ERR_INVALID_PARAM);
	assert_int_equal(call(PMU, INFO, UINT64_MAX), SBI_ERR_INVALID_PARAM);
}

static void sets_with_counters_that_are_not_there_are_invalid(void **state)
{
	static const uint64_t sets[][2] = {
		{PMU_COUNTERS, 1}, {PMU_COUNTERS - 1, 2}, {0, UINT64_C(1) << PMU_COUNTERS}, {0, UINT64_MAX}, {1, EVERY},
		{UINT64_MAX, 1}, {UINT64_C(1) << 32, 1}, {63, 1}, {64, 1}, {UINT64_MAX, 0},
	};

	for (size_t i = 0; i < COUNT(sets); i++) {
		assert_int_equal(call(PMU, CONFIG, sets[i][0], sets[i][1], 0, CYCLES, 0), SBI_ERR_INVALID_PARAM);
		assert_int_equal(call(PMU, START, sets[i][0], sets[i][1], 0, 0), SBI_ERR_INVALID_PARAM);
		assert_int_equal(call(PMU, STOP, sets[i][0], sets[i][1], 0), SBI_ERR_INVALID_PARAM);
	}
	assert_int_equal(self->sbi.pmu.started, 0);
}

static const struct sbi_case wrong_arguments[] = {
	{PMU, CONFIG, {0, EVERY, 0x100, CYCLES, 0}, SBI_ERR_INVALID_PARAM},
	{PMU, CONFIG, {0, EVERY, UINT64_C(1) << 63, CYCLES, 0}, SBI_ERR_INVALID_PARAM},
	{PMU, CONFIG, {0, EVERY, 0, 0, 0}, SBI_ERR_NOT_SUPPORTED},	     /* no event */
	{PMU, CONFIG, {0, EVERY, 0, 3, 0}, SBI_ERR_NOT_SUPPORTED},	     /* cache references */
	{PMU, CONFIG, {0, EVERY, 0, 0x10000, 0}, SBI_ERR_NOT_SUPPORTED},     /* reads of the L1 data cache */
	{PMU, CONFIG, {0, EVERY, 0, 0x20000, 5}, SBI_ERR_NOT_SUPPORTED},
	{PMU, CONFIG, {0, EVERY, 0, 0x30000, 5}, SBI_ERR_NOT_SUPPORTED},
	{PMU, CONFIG, {0, EVERY, 0, FIRMWARE(22), 0}, SBI_ERR_NOT_SUPPORTED},
	{PMU, CONFIG, {0, EVERY, 0, FIRMWARE(0xffff), 1}, SBI_ERR_NOT_SUPPORTED},
	{PMU, CONFIG, {0, EVERY, 0, UINT64_C(1) << 32 | CYCLES, 0}, SBI_ERR_NOT_SUPPORTED},
	{PMU, CONFIG, {0, EVERY, 0, CYCLES, 1}, SBI_ERR_NOT_SUPPORTED},	     /* data is reserved */
	{PMU, CONFIG, {0, 4, 0, CYCLES, 0}, SBI_ERR_NOT_SUPPORTED},	     /* instret cannot */
	{PMU, CONFIG, {0, 5, 0, FIRMWARE(5), 0}, SBI_ERR_NOT_SUPPORTED},     /* nor can either */
	{PMU, CONFIG, {1, 1, 0, INSTRUCTIONS, 0}, SBI_ERR_NOT_SUPPORTED},    /* a firmware counter */
	{PMU, CONFIG, {0, 0, 0, CYCLES, 0}, SBI_ERR_NOT_SUPPORTED},	     /* nobody is asked */
	{PMU, CONFIG, {0, 4, SKIP_MATCH, CYCLES, 0}, SBI_ERR_NOT_SUPPORTED}, /* skipped, but it cannot */
	{PMU, START, {0, 1, 0, 0}, SBI_ERR_INVALID_PARAM},		     /* not configured */
	{PMU, START, {0, 1, 3, 0}, SBI_ERR_INVALID_PARAM},		     /* the flags exclude each other */
	{PMU, START, {0, 1, 4, 0}, SBI_ERR_INVALID_PARAM},
	{PMU, START, {0, 1, SNAPSHOT, 0}, SBI_ERR_NO_SHMEM},
	{PMU, STOP, {0, 1, SNAPSHOT}, SBI_ERR_NO_SHMEM},
	{PMU, STOP, {0, 1, 4}, SBI_ERR_INVALID_PARAM},
	{PMU, STOP, {0, 1, 0}, SBI_ERR_ALREADY_STOPPED},
	{PMU, STOP, {0, EVERY, RESET}, SBI_ERR_ALREADY_STOPPED},
	{PMU, FW_READ, {0}, SBI_ERR_INVALID_PARAM},			     /* hardware */
	{PMU, FW_READ, {2}, SBI_ERR_INVALID_PARAM},
	{PMU, FW_READ, {PMU_COUNTERS}, SBI_ERR_INVALID_PARAM},
	{PMU, FW_READ, {UINT64_MAX}, SBI_ERR_INVALID_PARAM},
	{PMU, FW_READ_HI, {0}, SBI_ERR_INVALID_PARAM},
	{PMU, FW_READ_HI, {PMU_COUNTERS}, SBI_ERR_INVALID_PARAM},
	{PMU, SET_SHMEM, {RAM, 0, 1}, SBI_ERR_INVALID_PARAM},
	{PMU, SET_SHMEM, {ALL, ALL, 1}, SBI_ERR_INVALID_PARAM},
	{PMU, SET_SHMEM, {RAM + 8, 0, 0}, SBI_ERR_INVALID_PARAM},
	{PMU, SET_SHMEM, {RAM, 1, 0}, SBI_ERR_INVALID_ADDRESS},
	{PMU, SET_SHMEM, {RAM + SIZE, 0, 0}, SBI_ERR_INVALID_ADDRESS},
	{PMU, SET_SHMEM, {RAM - 4096, 0, 0}, SBI_ERR_INVALID_ADDRESS},
	{PMU, SET_SHMEM, {UINT64_MAX - 4095, 0, 0}, SBI_ERR_INVALID_ADDRESS},
	{PMU, EVENT_INFO, {RAM, 0, 1, 1}, SBI_ERR_INVALID_PARAM},
	{PMU, EVENT_INFO, {RAM + 8, 0, 1, 0}, SBI_ERR_INVALID_PARAM},
	{PMU, EVENT_INFO, {RAM, 1, 1, 0}, SBI_ERR_INVALID_ADDRESS},
	{PMU, EVENT_INFO, {RAM + SIZE, 0, 1, 0}, SBI_ERR_INVALID_ADDRESS},
	{PMU, EVENT_INFO, {RAM, 0, SIZE / 16 + 1, 0}, SBI_ERR_INVALID_ADDRESS},
	{PMU, EVENT_INFO, {RAM, 0, UINT64_C(1) << 60, 0}, SBI_ERR_INVALID_ADDRESS},
	{PMU, EVENT_INFO, {RAM, 0, 1025, 0}, SBI_ERR_FAILED},		     /* would take too long */
};

static void arguments_that_are_wrong_have_the_errors_of_the_tables(void **state)
{
	check_cases(wrong_arguments, COUNT(wrong_arguments));
	assert_int_equal(self->sbi.pmu.started, 0);
}

static void hardware_counters_run_from_the_reset_until_they_are_configured(void **state)
{
	self->arch.counter[ARCH_CYCLE] = 77;
	assert_int_equal(self->arch.stopped, 0);
	call(PMU, STOP, 0, EVERY, RESET); /* as kernels do first of all */
	assert_int_equal(self->arch.stopped, 0);
	assert_int_equal(call(PMU, CONFIG, 0, EVERY, 0, CYCLES, 0), SBI_SUCCESS);
	assert_int_equal(value(), PMU_CYCLE);
	assert_int_equal(self->arch.stopped, 1 << ARCH_CYCLE);
	assert_int_equal(call(PMU, CONFIG, 0, EVERY, CLEAR_VALUE, INSTRUCTIONS, 0), SBI_SUCCESS);
	assert_int_equal(value(), PMU_INSTRET);
	assert_int_equal(self->arch.stopped, 1 << ARCH_CYCLE | 1 << ARCH_INSTRET);
	assert_int_equal(self->arch.counter[ARCH_CYCLE], 77);
}

static void a_stopped_hardware_counter_goes_on_from_its_value(void **state)
{
	count(CYCLES);
	assert_int_equal(self->arch.stopped, 0);
	self->arch.counter[ARCH_CYCLE] = 1000;
	assert_int_equal(call(PMU, STOP, 0, 1, 0), SBI_SUCCESS);
	assert_int_equal(self->arch.stopped, 1 << ARCH_CYCLE);
	self->arch.counter[ARCH_CYCLE] = 5000; /* of a hart that cannot stop it */
	assert_int_equal(call(PMU, START, 0, 1, 0, 42), SBI_SUCCESS);
	assert_int_equal(self->arch.counter[ARCH_CYCLE], 1000);
	assert_int_equal(self->arch.stopped, 0);
	assert_int_equal(call(PMU, STOP, 0, 1, 0), SBI_SUCCESS);
	assert_int_equal(call(PMU, START, 0, 1, SET_INIT, 42), SBI_SUCCESS);
	assert_int_equal(self->arch.counter[ARCH_CYCLE], 42);
}

static void what_is_started_is_not_started_again_nor_what_is_stopped_stopped(void **state)
{
	uint64_t counter = count(FIRMWARE(PMU_SET_TIMER)), other = count(FIRMWARE(PMU_IPI_SENT));

	assert_int_equal(call(PMU, START, 0, UINT64_C(1) << counter, 0, 0), SBI_ERR_ALREADY_STARTED);
	assert_int_equal(call(PMU, STOP, counter, 1, 0), SBI_SUCCESS);
	assert_int_equal(call(PMU, STOP, counter, 1, 0), SBI_ERR_ALREADY_STOPPED);
	/* One of two: neither is started; but both are stopped then. */
	assert_int_equal(call(PMU, START, 0, 1u << counter | 1u << other, 0, 0), SBI_ERR_ALREADY_STARTED);
	assert_int_equal(self->sbi.pmu.started, 1u << other);
	assert_int_equal(call(PMU, STOP, 0, 1u << counter | 1u << other, RESET), SBI_ERR_ALREADY_STOPPED);
	assert_int_equal(self->sbi.pmu.started, 0);
	assert_int_equal(call(PMU, START, counter, 1, 0, 0), SBI_ERR_INVALID_PARAM); /* its event is forgotten */
}

static void matching_finds_the_first_that_is_free_and_else_one_that_is_stopped(void **state)
{
	uint64_t first = count(FIRMWARE(0));

	assert_int_equal(first, 1);
	for (unsigned i = 3; i < PMU_COUNTERS; i++)
		assert_int_equal(count(FIRMWARE(i - 2)), i);
	assert_int_equal(call(PMU, CONFIG, 0, EVERY, 0, FIRMWARE(0), 0), SBI_ERR_NOT_SUPPORTED); /* all count */
	assert_int_equal(call(PMU, STOP, 5, 1, 0), SBI_SUCCESS);
	assert_int_equal(call(PMU, STOP, 9, 1, RESET), SBI_SUCCESS);
	assert_int_equal(count(FIRMWARE(0)), 9);
	assert_int_equal(count(FIRMWARE(0)), 5);
}

static void skipping_the_match_takes_the_first_of_the_set(void **state)
{
	assert_int_equal(call(PMU, CONFIG, 4, 6, SKIP_MATCH | AUTO_START, FIRMWARE(PMU_SET_TIMER), 0), SBI_SUCCESS);
	assert_int_equal(value(), 5);
	call(TIME, 0, 9);
	assert_int_equal(read(5), 1);
	/* Even when it counts; it goes on. */
	assert_int_equal(call(PMU, CONFIG, 5, 1, SKIP_MATCH | CLEAR_VALUE, FIRMWARE(PMU_SET_TIMER), 0), SBI_SUCCESS);
	call(TIME, 0, 9);
	call(TIME, 0, 9);
	assert_int_equal(read(5), 2);
}

/* --- what is counted -------------------------------------------------------------------------- */

static void calls_are_counted_while_their_counter_is_started(void **state)
{
	uint64_t counter;

	assert_false(sbi_pmu_counts_events(self));
	counter = count(FIRMWARE(PMU_SET_TIMER));
	assert_true(sbi_pmu_counts_events(self));
	call(TIME, 0, 100);
	call(0, 0, 100); /* the legacy call is one as well */
	assert_int_equal(read(counter), 2);
	assert_int_equal(call(PMU, FW_READ_HI, counter), SBI_SUCCESS);
	assert_int_equal(value(), 0);
	call(PMU, STOP, counter, 1, 0);
	assert_false(sbi_pmu_counts_events(self));
	call(TIME, 0, 100);
	assert_int_equal(read(counter), 2);
	assert_int_equal(call(PMU, START, counter, 1, 0, 50), SBI_SUCCESS);
	call(TIME, 0, 100);
	assert_int_equal(read(counter), 3);
	call(PMU, STOP, counter, 1, 0);
	assert_int_equal(call(PMU, START, counter, 1, SET_INIT, UINT64_MAX - 1), SBI_SUCCESS);
	call(TIME, 0, 100);
	assert_int_equal(read(counter), UINT64_MAX);
}

static void cycles_alone_cost_no_call_its_short_way(void **state)
{
	count(CYCLES);
	count(INSTRUCTIONS);
	assert_false(sbi_pmu_counts_events(self));
}

static void requests_are_counted_by_who_sends_and_by_who_receives(void **state)
{
	static const struct {
		uint64_t extension, function, arguments[6];
		uint64_t sent, received;
	} cases[] = {
		{IPI, 0, {7, 0}, PMU_IPI_SENT, PMU_IPI_RECEIVED},
		{4, 0, {0}, PMU_IPI_SENT, PMU_IPI_RECEIVED},
		{RFENCE, 0, {0, ALL}, PMU_FENCE_I_SENT, PMU_FENCE_I_RECEIVED},
		{5, 0, {0}, PMU_FENCE_I_SENT, PMU_FENCE_I_RECEIVED},
		{RFENCE, 1, {7, 0, 0x1000, 0x1000}, PMU_SFENCE_VMA_SENT, PMU_SFENCE_VMA_RECEIVED},
		{6, 0, {0, 0x1000, 0x1000}, PMU_SFENCE_VMA_SENT, PMU_SFENCE_VMA_RECEIVED},
		{RFENCE, 2, {7, 0, 0, 0, 42}, PMU_SFENCE_VMA_ASID_SENT, PMU_SFENCE_VMA_ASID_RECEIVED},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t sent = count(FIRMWARE(cases[i].sent)), received = count(FIRMWARE(cases[i].received));

		assert_int_equal(call_(cases[i].extension, cases[i].function, cases[i].arguments), SBI_SUCCESS);
		vcpu_serve(self);
		assert_int_equal(read(sent), CPUS);
		assert_int_equal(read(received), 1);
		call(PMU, STOP, 0, 1u << sent | 1u << received, RESET);
	}
}

static void traps_of_the_guests_own_are_counted(void **state)
{
	static const struct {
		enum arch_exception cause;
		uint64_t event;
	} cases[] = {
		{ARCH_ILLEGAL, PMU_ILLEGAL_INSN},	     {ARCH_LOAD_ACCESS, PMU_ACCESS_LOAD},
		{ARCH_STORE_ACCESS, PMU_ACCESS_STORE},	     {ARCH_LOAD_MISALIGNED, PMU_MISALIGNED_LOAD},
		{ARCH_STORE_MISALIGNED, PMU_MISALIGNED_STORE},
	};
	uint64_t counters[COUNT(cases)];

	for (size_t i = 0; i < COUNT(cases); i++)
		counters[i] = count(FIRMWARE(cases[i].event));
	arch_inject(self, ARCH_FETCH_ACCESS, 0); /* which has no event */
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t n = 0; n <= i; n++)
			arch_inject(self, cases[i].cause, 0);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(read(counters[i]), i + 1);
}

static void counters_are_a_vcpus_own_and_gone_when_it_starts_anew(void **state)
{
	uint64_t counter = count(FIRMWARE(PMU_SET_TIMER));

	call(HSM, 0, 1, RAM, 0);
	enter(1);
	assert_false(sbi_pmu_counts_events(self));
	assert_int_equal(call(PMU, START, counter, 1, 0, 0), SBI_ERR_INVALID_PARAM);
	count(FIRMWARE(PMU_SET_TIMER));
	call(HSM, 1, 0);
	assert_false(vcpu_serve(self));
	capsule_vcpu_retired(self);
	fake_self = &fake_harts[0];
	self = &capsule->vcpus[0];
	call(TIME, 0, 9);
	assert_int_equal(read(counter), 1);
	call(HSM, 0, 1, RAM, 0);
	enter(1);
	assert_false(sbi_pmu_counts_events(self));
}

/* --- shared memory ---------------------------------------------------------------------------- */

static void a_snapshot_has_the_stopped_counters_from_the_base_on(void **state)
{
	uint64_t *shmem = (uint64_t *)(memory() + 0x2000);
	uint64_t counter;

	assert_int_equal(call(PMU, SET_SHMEM, RAM + 0x2000, 0, 0), SBI_SUCCESS);
	count(FIRMWARE(PMU_IPI_SENT));
	counter = count(FIRMWARE(PMU_SET_TIMER));
	assert_int_equal(counter, 3);
	memset(shmem, 0xee, 4096);
	call(TIME, 0, 9);
	call(TIME, 0, 9);
	assert_int_equal(call(PMU, STOP, 2, 2, SNAPSHOT), SBI_SUCCESS);
	assert_int_equal(shmem[0], 0);
	assert_int_equal(shmem[2], 2);
	assert_int_equal(shmem[1], UINT64_C(0xeeeeeeeeeeeeeeee)); /* nothing else is touched */
	assert_int_equal(shmem[3], UINT64_C(0xeeeeeeeeeeeeeeee));
	shmem[2] = 100;
	assert_int_equal(call(PMU, START, 2, 2, SNAPSHOT, 7), SBI_SUCCESS);
	call(TIME, 0, 9);
	assert_int_equal(read(3), 101);
	assert_int_equal(call(PMU, SET_SHMEM, ALL, ALL, 0), SBI_SUCCESS);
	assert_int_equal(call(PMU, STOP, 2, 2, SNAPSHOT), SBI_ERR_NO_SHMEM);
	assert_int_equal(self->sbi.pmu.started >> 3 & 1, 1);
}

static void events_say_whether_they_can_be_counted(void **state)
{
	struct {
		uint32_t event, output;
		uint64_t data;
	} *entries = (void *)(memory() + SIZE - 16 * 8);
	static const struct {
		uint32_t event;
		uint64_t data;
		bool there;
	} cases[] = {
		{CYCLES, 0, true}, {INSTRUCTIONS, 99, true}, {3, 0, false}, {0x10001, 0, false}, {0x20000, 3, false},
		{FIRMWARE(0), 0, true}, {FIRMWARE(21), 0, true}, {FIRMWARE(0xffff), 3, false},
	};
	static const uint32_t wrong[] = {0, 11, 0x10006, 0x10038, 0x20001, 0x30001, 0x40000, 0xe0000,
					 FIRMWARE(22), FIRMWARE(255), 0x100001, 0x80000001};

	for (size_t i = 0; i < COUNT(cases); i++) {
		entries[i].event = cases[i].event;
		entries[i].data = cases[i].data;
		entries[i].output = 0xffffffff;
	}
	assert_int_equal(call(PMU, EVENT_INFO, RAM + SIZE - 16 * 8, 0, COUNT(cases), 0), SBI_SUCCESS);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(entries[i].output, cases[i].there);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		entries[1].event = wrong[i];
		entries[0].output = 77;
		assert_int_equal(call(PMU, EVENT_INFO, RAM + SIZE - 16 * 8, 0, 2, 0), SBI_ERR_INVALID_PARAM);
		assert_int_equal(entries[0].output, 77);
	}
	assert_int_equal(call(PMU, EVENT_INFO, RAM, 0, 0, 0), SBI_SUCCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(counters_say_what_they_are, setup, teardown),
		cmocka_unit_test_setup_teardown(sets_with_counters_that_are_not_there_are_invalid, setup, teardown),
		cmocka_unit_test_setup_teardown(arguments_that_are_wrong_have_the_errors_of_the_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(hardware_counters_run_from_the_reset_until_they_are_configured, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stopped_hardware_counter_goes_on_from_its_value, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_started_is_not_started_again_nor_what_is_stopped_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(matching_finds_the_first_that_is_free_and_else_one_that_is_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(skipping_the_match_takes_the_first_of_the_set, setup, teardown),
		cmocka_unit_test_setup_teardown(calls_are_counted_while_their_counter_is_started, setup, teardown),
		cmocka_unit_test_setup_teardown(cycles_alone_cost_no_call_its_short_way, setup, teardown),
		cmocka_unit_test_setup_teardown(requests_are_counted_by_who_sends_and_by_who_receives, setup, teardown),
		cmocka_unit_test_setup_teardown(traps_of_the_guests_own_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(counters_are_a_vcpus_own_and_gone_when_it_starts_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(a_snapshot_has_the_stopped_counters_from_the_base_on, setup, teardown),
		cmocka_unit_test_setup_teardown(events_say_whether_they_can_be_counted, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
