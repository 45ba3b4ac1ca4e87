/* SPDX-License-Identifier: MIT */
/* What others may do with a capsule's life: every state and every operation, and when the board ends. */
#include <stdlib.h>

#include "ending.h"
#include "pages.h"
#include "roles.h"
#include "sbi_guest.h"
#include "service_abi.h"

#define MANAGER 0
#define VICTIM	1
#define OTHER	2
#define CAPSULES 3u
#define BIT(permission) (UINT64_C(1) << DMFS_PERM_##permission)
#define MAY_ALL (BIT(CAPSULE_LIST) | BIT(CAPSULE_START) | BIT(CAPSULE_STOP) | BIT(CAPSULE_RESTART) | BIT(HV_STATS_READ) | \
		 BIT(CAPSULE_FOCUS))

enum operation { START, STOP, KILL, RESTART };
static const uint64_t calls[] = {
	[START] = DIOSIX_CALL_CAPSULE_START,
	[STOP] = DIOSIX_CALL_CAPSULE_STOP,
	[KILL] = DIOSIX_CALL_CAPSULE_KILL,
	[RESTART] = DIOSIX_CALL_CAPSULE_RESTART,
};

/* The manager runs on hart 0 and never leaves it; the victims of 2 vCPUs live on hart 1. */
static int setup_more(void **state)
{
	fake_reset(2);
	capsule = fake_capsule(1, SIZE);
	fake_more_capsules(CAPSULES, 2);
	capsule->config.permissions = MAY_ALL;
	for (unsigned n = 1; n < CAPSULES; n++)
		for (unsigned i = 0; i < 2; i++)
			assert_true(sched_place(&capsules[n].vcpus[i], 2));
	fake.chore_pieces = 3;
	board.model = board.bootargs = "";
	capsules_start();
	fake.ports[0].output_len = 0;
	memset(fake.ports[0].output, 0, sizeof(fake.ports[0].output));
	enter(0);
	return 0;
}

/* Nobody leaves a capsule behind that another test's board would have to end with. */
static int teardown_more(void **state)
{
	fake_reset(2);
	capsule_count = 0;
	return 0;
}

static int64_t operate(enum operation operation, unsigned index)
{
	return call(DIOSIX_EXTENSION, calls[operation], index);
}

static enum capsule_state state_of(unsigned index)
{
	return atomic_load(&capsules[index].state);
}

static void as_hart(unsigned hart)
{
	fake_self = &fake_harts[hart];
	if (hart == 0)
		self = &capsule->vcpus[0];
}

/* Hart 1 goes on until it enters a guest or has nothing to do. */
static void others_go_on(void)
{
	as_hart(1);
	sched_poll();
	fake_run();
	as_hart(0);
}

/* One vCPU of hart 1's that has something to do, if there is one, once around. */
static void one_step(void)
{
	struct vcpu *vcpu;

	as_hart(1);
	sched_poll();
	if (fake_self->current != NULL && atomic_load(&fake_self->current->requests) == 0)
		sched_give_way();
	vcpu = fake_self->current;
	if (vcpu == NULL || fake_self->resched)
		vcpu = sched_pick();
	if (atomic_load(&vcpu->requests) & REQUEST_CHORE)
		capsule_chore(vcpu);
	else if (!vcpu_serve(vcpu))
		capsule_vcpu_retired(vcpu);
	as_hart(0);
}

static void until(unsigned index, enum capsule_state want)
{
	for (unsigned i = 0; state_of(index) != want; i++) {
		assert_true(i < 100);
		one_step();
	}
}

static bool said(const char *line)
{
	return strstr(fake.ports[0].output, line) != NULL;
}

/* Crashes by itself. */
static void crash(unsigned index)
{
	as_hart(1);
	while (fake_self->current == NULL || fake_self->current->capsule != &capsules[index]) {
		as_hart(0);
		one_step();
		as_hart(1);
	}
	capsule_crash(fake_self->current, "it is a test");
	as_hart(0);
}

/* Into each state; a crash leaves one with 30 s to wait, whose memory is loaded then. */
static void bring(unsigned index, enum capsule_state want)
{
	others_go_on();
	if (want == CAPSULE_RUNNING)
		return;
	if (want == CAPSULE_LOADING) {
		capsules[index].config.restart = DMFS_RESTART_ALWAYS;
		capsules[index].short_lives = 20;
	}
	crash(index);
	until(index, want);
}

struct step {
	enum capsule_state state;
	enum operation operation;
	int64_t error;
	enum capsule_state end;
	const char *line; /* of the log, NULL for none */
};

#define INVALID_STATE SBI_ERR_INVALID_STATE
static const struct step steps[] = {
	{CAPSULE_RUNNING, START, INVALID_STATE, CAPSULE_RUNNING, NULL},
	{CAPSULE_RUNNING, STOP, 0, CAPSULE_RUNNING, NULL},
	{CAPSULE_RUNNING, KILL, 0, CAPSULE_STOPPED, "diosix: capsule 1: stopped\r\n"},
	{CAPSULE_RUNNING, RESTART, 0, CAPSULE_RUNNING, "diosix: capsule 1: restarted\r\n"},
	{CAPSULE_STOPPING, START, INVALID_STATE, CAPSULE_STOPPED, "crashed: it is a test\r\n"},
	{CAPSULE_STOPPING, STOP, INVALID_STATE, CAPSULE_STOPPED, "crashed: it is a test\r\n"},
	{CAPSULE_STOPPING, KILL, 0, CAPSULE_STOPPED, "diosix: capsule 1: stopped\r\n"},
	{CAPSULE_STOPPING, RESTART, 0, CAPSULE_RUNNING, "diosix: capsule 1: restarted\r\n"},
	{CAPSULE_LOADING, START, INVALID_STATE, CAPSULE_LOADING, "restarts in 30000 ms\r\n"},
	{CAPSULE_LOADING, STOP, INVALID_STATE, CAPSULE_LOADING, "restarts in 30000 ms\r\n"},
	{CAPSULE_LOADING, KILL, 0, CAPSULE_STOPPED, "diosix: capsule 1: stopped\r\n"},
	{CAPSULE_LOADING, RESTART, 0, CAPSULE_RUNNING, "diosix: capsule 1: restarted\r\n"},
	{CAPSULE_SCRUBBING, START, 0, CAPSULE_RUNNING, "diosix: capsule 1: started\r\n"},
	{CAPSULE_SCRUBBING, STOP, INVALID_STATE, CAPSULE_STOPPED, "crashed: it is a test\r\n"},
	{CAPSULE_SCRUBBING, KILL, 0, CAPSULE_STOPPED, "crashed: it is a test\r\n"},
	{CAPSULE_SCRUBBING, RESTART, 0, CAPSULE_RUNNING, "diosix: capsule 1: restarted\r\n"},
	{CAPSULE_STOPPED, START, 0, CAPSULE_RUNNING, "diosix: capsule 1: started\r\n"},
	{CAPSULE_STOPPED, STOP, INVALID_STATE, CAPSULE_STOPPED, NULL},
	{CAPSULE_STOPPED, KILL, INVALID_STATE, CAPSULE_STOPPED, NULL},
	{CAPSULE_STOPPED, RESTART, INVALID_STATE, CAPSULE_STOPPED, NULL},
};

static void every_operation_in_every_state(void **state)
{
	for (unsigned i = 0; i < COUNT(steps); i++) {
		const struct step *step = &steps[i];
		uint64_t before;

		teardown_more(state);
		setup_more(state);
		bring(VICTIM, step->state);
		before = fake.time;
		if (operate(step->operation, VICTIM) != step->error)
			fail_msg("step %u: error %ld", i, (long)self->arch.x[10]);
		/* Chores are done and vCPUs retire, but no time passes. */
		for (unsigned n = 0; n < 40 && (step->end == CAPSULE_LOADING || state_of(VICTIM) != step->end); n++)
			if (state_of(VICTIM) != CAPSULE_LOADING || step->end != CAPSULE_LOADING)
				one_step();
		assert_int_equal(fake.time, before);
		if (state_of(VICTIM) != step->end)
			fail_msg("step %u: ends in state %u", i, state_of(VICTIM));
		if (step->line != NULL && !said(step->line))
			fail_msg("step %u: no line '%s' in:\n%s", i, step->line, fake.ports[0].output);
		assert_int_equal(state_of(OTHER), CAPSULE_RUNNING);
	}
}

static void one_that_there_is_not_is_out_of_range(void **state)
{
	for (enum operation n = START; n <= RESTART; n++) {
		assert_int_equal(operate(n, CAPSULES), SBI_ERR_BAD_RANGE);
		assert_int_equal(call(DIOSIX_EXTENSION, calls[n], UINT64_MAX), SBI_ERR_BAD_RANGE);
	}
	assert_int_equal(call(DIOSIX_EXTENSION, DIOSIX_CALL_CAPSULE_INFO, CAPSULES, RAM, SIZE), SBI_ERR_BAD_RANGE);
}

static void without_the_permission_nothing_happens(void **state)
{
	capsule->config.permissions = 0;
	for (enum operation n = START; n <= RESTART; n++)
		assert_int_equal(operate(n, VICTIM), SBI_ERR_DENIED);
	others_go_on();
	assert_int_equal(state_of(VICTIM), CAPSULE_RUNNING);
	assert_int_equal(capsules[VICTIM].starts, 1);
}

static void the_last_of_two_orders_counts(void **state)
{
	others_go_on();
	operate(KILL, VICTIM);
	operate(RESTART, VICTIM);
	until(VICTIM, CAPSULE_LOADING);
	/* While it is loaded: killed, its chore is cut short, and then it is to be restarted all the same. */
	operate(KILL, VICTIM);
	until(VICTIM, CAPSULE_SCRUBBING);
	operate(RESTART, VICTIM);
	until(VICTIM, CAPSULE_LOADING);
	until(VICTIM, CAPSULE_RUNNING);
	assert_int_equal(capsules[VICTIM].starts, 2);
	assert_int_equal(capsules[VICTIM].live, 1);
	assert_int_equal(capsules[VICTIM].order, ORDER_NONE);
}

static void who_holds_it_keeps_it_from_ending(void **state)
{
	others_go_on();
	atomic_fetch_add(&capsules[VICTIM].live, 1);
	operate(KILL, VICTIM);
	for (unsigned i = 0; i < 10; i++)
		one_step();
	assert_int_equal(state_of(VICTIM), CAPSULE_STOPPING);
	assert_int_equal(capsules[VICTIM].live, 1);
	/* The next who lets go of it is the last. */
	atomic_fetch_sub(&capsules[VICTIM].live, 1);
	atomic_fetch_add(&capsules[VICTIM].live, 1);
	operate(KILL, VICTIM);
	atomic_store(&capsules[VICTIM].live, 0);
	assert_int_equal(operate(KILL, VICTIM), 0); /* it is ending: nothing to hold, and nothing is lost */
	assert_int_equal(capsules[VICTIM].order, ORDER_KILL);
}

static void a_restart_on_request_does_not_wait_and_does_not_count(void **state)
{
	for (unsigned i = 0; i < 50; i++) {
		others_go_on();
		assert_int_equal(operate(RESTART, VICTIM), 0);
		until(VICTIM, CAPSULE_RUNNING);
	}
	assert_false(said("restarts in"));
	assert_int_equal(fake.time, 0);
	assert_int_equal(capsules[VICTIM].starts, 51);
	assert_int_equal(capsules[VICTIM].short_lives, 0);
}

static void what_was_killed_or_followed_a_request_is_not_restarted_by_its_rule(void **state)
{
	capsules[VICTIM].config.restart = capsules[OTHER].config.restart = DMFS_RESTART_ALWAYS;
	others_go_on();
	operate(KILL, VICTIM);
	until(VICTIM, CAPSULE_STOPPED);
	operate(STOP, OTHER);
	others_go_on();
	as_hart(1);
	assert_true(capsule_stop(&capsules[OTHER].vcpus[0], STOP_SHUTDOWN, ""));
	as_hart(0);
	until(OTHER, CAPSULE_STOPPED);
	assert_int_equal(fake.reloads, 0);
	/* Not asked in its next life, it is. */
	operate(START, OTHER);
	until(OTHER, CAPSULE_RUNNING);
	others_go_on();
	as_hart(1);
	capsule_stop(&capsules[OTHER].vcpus[0], STOP_SHUTDOWN, "");
	as_hart(0);
	until(OTHER, CAPSULE_LOADING);
}

static void however_it_ends_after_a_request_it_has_stopped(void **state)
{
	static const enum stop_reason ends[] = {STOP_SHUTDOWN, STOP_REBOOT, STOP_CRASH};

	capsules[VICTIM].config.restart = DMFS_RESTART_ALWAYS;
	for (unsigned i = 0; i < COUNT(ends); i++) {
		others_go_on();
		operate(STOP, VICTIM);
		others_go_on();
		as_hart(1);
		assert_true(capsule_stop(&capsules[VICTIM].vcpus[0], ends[i], "it is a test"));
		as_hart(0);
		until(VICTIM, CAPSULE_STOPPED);
		operate(START, VICTIM);
		until(VICTIM, CAPSULE_RUNNING);
	}
	assert_int_equal(capsules[VICTIM].starts, 1 + COUNT(ends));
}

static void a_start_without_memory_fails_and_can_be_tried_again(void **state)
{
	uint64_t available = pages_available();

	bring(VICTIM, CAPSULE_STOPPED);
	fake.no_memory = true;
	assert_int_equal(operate(START, VICTIM), SBI_ERR_FAILED);
	assert_int_equal(state_of(VICTIM), CAPSULE_STOPPED);
	assert_int_equal(pages_available(), available);
	assert_int_equal(operate(KILL, VICTIM), SBI_ERR_INVALID_STATE);
	fake.no_memory = false;
	assert_int_equal(operate(START, VICTIM), 0);
	until(VICTIM, CAPSULE_RUNNING);
	assert_int_equal(pages_available(), available - 256);
	operate(KILL, VICTIM);
	until(VICTIM, CAPSULE_STOPPED);
	assert_int_equal(pages_available(), available);
}

static void who_may_list_capsules_is_told_of_each_change(void **state)
{
	static const enum capsule_state changes[] = {CAPSULE_STOPPING, CAPSULE_SCRUBBING, CAPSULE_STOPPED};

	others_go_on();
	call(DIOSIX_EXTENSION, DIOSIX_CALL_EVENTS, 0);
	operate(KILL, VICTIM);
	for (unsigned i = 0; i < COUNT(changes); i++) {
		until(VICTIM, changes[i]);
		call(DIOSIX_EXTENSION, DIOSIX_CALL_EVENTS, 0);
		assert_int_equal(value() & DIOSIX_EVENT_CAPSULES, DIOSIX_EVENT_CAPSULES);
	}
	call(DIOSIX_EXTENSION, DIOSIX_CALL_EVENTS, 0);
	assert_int_equal(value() & DIOSIX_EVENT_CAPSULES, 0);
	assert_int_equal(atomic_load(&capsules[OTHER].events), 0);
}

/* --- the end of the board ----------------------------------------------------------------------- */

static void shut_down(unsigned index)
{
	as_hart(index == MANAGER ? 0 : 1);
	assert_true(capsule_stop(&capsules[index].vcpus[0], STOP_SHUTDOWN, ""));
	as_hart(0);
}

/* Everybody goes on: has the board ended? */
static bool board_ends(void)
{
	jmp_buf end;

	fake.end = &end;
	if (setjmp(end) == 0) {
		for (unsigned i = 0; i < 4; i++) {
			others_go_on();
			if (capsule->vcpus[0].requests & REQUEST_HALT || state_of(MANAGER) != CAPSULE_RUNNING)
				fake_run();
		}
	}
	return fake.ended;
}

static void a_start_that_waits_keeps_the_board_and_can_be_taken_back(void **state)
{
	capsule->config.kind = DMFS_SERVICE;
	others_go_on();
	shut_down(OTHER);
	assert_false(board_ends());
	shut_down(VICTIM);
	until(VICTIM, CAPSULE_SCRUBBING);
	assert_int_equal(operate(START, VICTIM), 0);
	assert_false(board_ends());
	assert_int_equal(state_of(VICTIM), CAPSULE_RUNNING);
	shut_down(VICTIM);
	until(VICTIM, CAPSULE_SCRUBBING);
	assert_int_equal(operate(START, VICTIM), 0);
	assert_int_equal(operate(KILL, VICTIM), 0);
	assert_true(board_ends());
}

static void a_start_that_waits_is_as_good_as_a_restart(void **state)
{
	bring(VICTIM, CAPSULE_SCRUBBING);
	assert_int_equal(operate(START, VICTIM), 0);
	assert_int_equal(operate(RESTART, VICTIM), 0);
	until(VICTIM, CAPSULE_RUNNING);
	assert_int_equal(capsules[VICTIM].order, ORDER_NONE);
	operate(KILL, VICTIM);
	until(VICTIM, CAPSULE_SCRUBBING);
	operate(START, VICTIM);
	operate(KILL, VICTIM);
	until(VICTIM, CAPSULE_STOPPED);
	assert_int_equal(operate(START, VICTIM), 0);
	until(VICTIM, CAPSULE_RUNNING);
}

/* One that came too late, as others had begun a restart. */
static void a_start_that_is_not_needed_keeps_no_kill_away(void **state)
{
	others_go_on();
	atomic_store(&capsules[VICTIM].order, ORDER_START);
	assert_int_equal(operate(KILL, VICTIM), 0);
	until(VICTIM, CAPSULE_STOPPED);
}

static void a_start_that_waits_and_finds_no_memory_says_so(void **state)
{
	bring(VICTIM, CAPSULE_SCRUBBING);
	assert_int_equal(operate(START, VICTIM), 0);
	fake.no_memory = true;
	until(VICTIM, CAPSULE_STOPPED);
	assert_true(said("diosix: capsule 1: there is no memory to start it"));
	assert_int_equal(operate(KILL, VICTIM), SBI_ERR_INVALID_STATE);
}

static void the_last_guest_ends_the_board_and_services_do_not_keep_it(void **state)
{
	capsule->config.kind = DMFS_SERVICE;
	others_go_on();
	shut_down(VICTIM);
	assert_false(board_ends());
	shut_down(OTHER);
	assert_true(board_ends());
	assert_true(fake.success);
}

static void after_a_request_who_can_start_capsules_keeps_the_board(void **state)
{
	capsule->config.kind = DMFS_SERVICE;
	others_go_on();
	shut_down(VICTIM);
	assert_false(board_ends());
	operate(KILL, OTHER);
	assert_false(board_ends());
	assert_int_equal(state_of(OTHER), CAPSULE_STOPPED);
	assert_int_equal(operate(START, OTHER), 0);
	assert_false(board_ends());
	operate(KILL, OTHER);
	assert_false(board_ends());
	shut_down(MANAGER);
	assert_true(board_ends());
	assert_true(fake.success); /* what was killed on request has not failed */
}

static void who_cannot_start_capsules_does_not_keep_the_board(void **state)
{
	capsule->config.kind = DMFS_SERVICE;
	capsule->config.permissions &= ~BIT(CAPSULE_START);
	others_go_on();
	operate(KILL, VICTIM);
	assert_false(board_ends());
	operate(KILL, OTHER);
	assert_true(board_ends());
}

static void where_there_are_services_alone_the_last_one_ends_the_board(void **state)
{
	for (unsigned i = 0; i < CAPSULES; i++)
		capsules[i].config.kind = DMFS_SERVICE;
	others_go_on();
	shut_down(VICTIM);
	assert_false(board_ends());
	crash(OTHER);
	assert_false(board_ends());
	shut_down(MANAGER);
	assert_true(board_ends());
	assert_false(fake.success);
}

/* --- figures ------------------------------------------------------------------------------------ */

static void what_capsules_are_and_did_can_be_read(void **state)
{
	struct diosix_capsule_info *info = (void *)memory();
	struct diosix_capsule_stats *stats = (void *)memory();

	others_go_on();
	capsules[VICTIM].vcpus[0].exits[DIOSIX_EXIT_WAIT] = 3;
	capsules[VICTIM].vcpus[1].exits[DIOSIX_EXIT_WAIT] = 4;
	crash(VICTIM);
	assert_int_equal(call(DIOSIX_EXTENSION, DIOSIX_CALL_CAPSULE_INFO, VICTIM, RAM, SIZE), 0);
	assert_int_equal(value(), sizeof(*info));
	assert_int_equal(info->size, sizeof(*info));
	assert_int_equal(info->index, VICTIM);
	assert_int_equal(info->state, DIOSIX_STATE_STOPPING);
	assert_int_equal(info->handle, 0);
	assert_string_equal(info->name, "1");
	assert_int_equal(info->cpus, 2);
	assert_int_equal(info->starts, 1);
	assert_int_equal(info->last_end, DIOSIX_END_CRASH);
	assert_string_equal(info->crash, "it is a test");
	assert_int_equal(call(DIOSIX_EXTENSION, DIOSIX_CALL_CAPSULE_STATS, VICTIM, RAM, SIZE), 0);
	assert_int_equal(stats->exits[DIOSIX_EXIT_WAIT], 7);
	/* The caller itself has been running all the while. */
	fake.time += 500;
	assert_int_equal(call(DIOSIX_EXTENSION, DIOSIX_CALL_CAPSULE_STATS, MANAGER, RAM, SIZE), 0);
	assert_int_equal(stats->ran, 500);
	assert_int_equal(stats->index, MANAGER);
}

static void a_caller_gets_as_much_as_it_has_room_for(void **state)
{
	memset(memory(), 0xa5, 4096);
	assert_int_equal(call(DIOSIX_EXTENSION, DIOSIX_CALL_CAPSULE_INFO, VICTIM, RAM, 8), 0);
	assert_int_equal(value(), 8);
	assert_int_equal(*(uint32_t *)memory(), sizeof(struct diosix_capsule_info));
	assert_int_equal((uint8_t)memory()[8], 0xa5);
	assert_int_equal(call(DIOSIX_EXTENSION, DIOSIX_CALL_CAPSULE_INFO, VICTIM, 0, 8), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(call(DIOSIX_EXTENSION, DIOSIX_CALL_BOARD_INFO, RAM + SIZE - 8, SIZE), SBI_ERR_INVALID_ADDRESS);
}

static void the_board_says_what_terminal_it_has(void **state)
{
	static const char *const cases[][2] = {
		{"", ""}, {"diosix.terminal=dumb", "dumb"}, {"quiet diosix.terminal=mono x=y", "mono"},
		{"notdiosix.terminal=color", ""}, {"diosix.terminal=longerthanitmaybe", "longerthanitmay"},
	};
	struct diosix_board_info *info = (void *)memory();

	board.model = "a board";
	for (unsigned i = 0; i < COUNT(cases); i++) {
		board.bootargs = cases[i][0];
		assert_int_equal(call(DIOSIX_EXTENSION, DIOSIX_CALL_BOARD_INFO, RAM, SIZE), 0);
		assert_int_equal(value(), sizeof(*info));
		assert_string_equal(info->terminal, cases[i][1]);
		assert_string_equal(info->board, "a board");
		assert_string_equal(info->image, "fake");
		assert_int_equal(info->harts, 2);
		assert_int_equal(info->capsules, CAPSULES);
		assert_int_equal(call(DIOSIX_EXTENSION, DIOSIX_CALL_CAPSULE_FOCUS, i % CAPSULES), 0);
		assert_int_equal(call(DIOSIX_EXTENSION, DIOSIX_CALL_BOARD_INFO, RAM, SIZE), 0);
		assert_int_equal(info->focus, i % CAPSULES);
	}
}

/* The manager provides something, and all guests have shut down. */
static void bring_the_board_to_its_end(void)
{
	capsule->config.kind = DMFS_SERVICE;
	assert_true(role_take(DIOSIX_ROLE_STORAGE, capsule));
	others_go_on();
	shut_down(OTHER);
	until(OTHER, CAPSULE_STOPPED);
	assert_int_equal(capsule->events & DIOSIX_EVENT_STOP, 0);
	shut_down(VICTIM);
	until(VICTIM, CAPSULE_STOPPED);
	assert_int_equal(capsule->events & DIOSIX_EVENT_STOP, DIOSIX_EVENT_STOP);
	assert_false(fake.ended);
}

/* Its vCPU finds out; the others do nothing. */
static bool manager_ends_the_board(void)
{
	jmp_buf end;

	fake.end = &end;
	if (setjmp(end) == 0)
		fake_run();
	return fake.ended;
}

static void who_serves_others_ends_before_the_board(void **state)
{
	bring_the_board_to_its_end();
	assert_true(capsule_stop(&capsule->vcpus[0], STOP_CRASH, "too late to count"));
	assert_true(manager_ends_the_board());
	assert_true(fake.success); /* of what the board is for nothing crashed */
	assert_int_equal(fake.time, 0);
}

static void a_service_that_was_asked_to_stop_fails_no_board(void **state)
{
	capsule->config.kind = capsules[OTHER].config.kind = DMFS_SERVICE;
	others_go_on();
	assert_int_equal(operate(STOP, OTHER), 0);
	crash(OTHER);
	until(OTHER, CAPSULE_STOPPED);
	shut_down(VICTIM);
	assert_true(board_ends());
	assert_true(fake.success);
}

static void who_does_not_end_when_asked_is_not_waited_for_long(void **state)
{
	bring_the_board_to_its_end();
	assert_int_equal(fake.time, 0);
	assert_true(board_ends());
	assert_int_equal(fake.time, 3 * board.timebase_hz);
	assert_true(fake.success);
}

static void nobody_is_started_on_a_board_that_ends(void **state)
{
	bring_the_board_to_its_end();
	assert_int_equal(operate(START, VICTIM), SBI_ERR_INVALID_STATE);
	assert_int_equal(state_of(VICTIM), CAPSULE_STOPPED);
	assert_int_equal(capsules[VICTIM].order, ORDER_NO_MORE);
	capsule->config.restart = DMFS_RESTART_ALWAYS;
	shut_down(MANAGER);
	assert_true(manager_ends_the_board());
}

/* --- the end of the board, others meanwhile ---------------------------------------------------------  */

/* Somebody offers something and does not go; another hart is in the middle of refusing to start the first guest. */
static void a_refused_start_takes_nobody_s_time(void **state)
{
	jmp_buf end;

	bring_the_board_to_its_end();
	assert_true(board_is_ending());
	/* capsule_start() shows this from its first exchange until not_started(). */
	atomic_store(&capsules[VICTIM].state, CAPSULE_LOADING);
	fake.end = &end;
	if (setjmp(end) == 0) {
		as_hart(1);
		fake.time += 4 * board.timebase_hz;
		sched_timer();
		fake_run();
		as_hart(0);
		atomic_store(&capsules[VICTIM].state, CAPSULE_STOPPED);
		board_ends();
	}
	assert_true(fake.ended);
	assert_int_equal(atomic_load(&capsules[VICTIM].live), 0);
}

/* A service that waits for its restart when the board ends, and would not be asked to stop. */
static void no_life_begins_while_the_board_ends(void **state)
{
	capsule->config.kind = capsules[OTHER].config.kind = DMFS_SERVICE;
	assert_true(role_take(DIOSIX_ROLE_STORAGE, capsule));
	bring(OTHER, CAPSULE_LOADING);
	shut_down(VICTIM);
	until(VICTIM, CAPSULE_STOPPED);
	assert_true(board_is_ending());
	operate(RESTART, OTHER);
	for (unsigned i = 0; i < 20 && state_of(OTHER) != CAPSULE_STOPPED; i++) {
		one_step();
		assert_int_not_equal(state_of(OTHER), CAPSULE_RUNNING);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_life_begins_while_the_board_ends, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(a_refused_start_takes_nobody_s_time, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(who_serves_others_ends_before_the_board, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(a_service_that_was_asked_to_stop_fails_no_board, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(who_does_not_end_when_asked_is_not_waited_for_long, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(nobody_is_started_on_a_board_that_ends, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(every_operation_in_every_state, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(one_that_there_is_not_is_out_of_range, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(without_the_permission_nothing_happens, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(the_last_of_two_orders_counts, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(who_holds_it_keeps_it_from_ending, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(a_restart_on_request_does_not_wait_and_does_not_count, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(what_was_killed_or_followed_a_request_is_not_restarted_by_its_rule,
						setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(however_it_ends_after_a_request_it_has_stopped, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(a_start_without_memory_fails_and_can_be_tried_again, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(who_may_list_capsules_is_told_of_each_change, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(a_start_that_waits_keeps_the_board_and_can_be_taken_back, setup_more,
						teardown_more),
		cmocka_unit_test_setup_teardown(a_start_that_waits_is_as_good_as_a_restart, setup_more,
						teardown_more),
		cmocka_unit_test_setup_teardown(a_start_that_is_not_needed_keeps_no_kill_away, setup_more,
						teardown_more),
		cmocka_unit_test_setup_teardown(a_start_that_waits_and_finds_no_memory_says_so, setup_more,
						teardown_more),
		cmocka_unit_test_setup_teardown(the_last_guest_ends_the_board_and_services_do_not_keep_it, setup_more,
						teardown_more),
		cmocka_unit_test_setup_teardown(after_a_request_who_can_start_capsules_keeps_the_board, setup_more,
						teardown_more),
		cmocka_unit_test_setup_teardown(who_cannot_start_capsules_does_not_keep_the_board, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(where_there_are_services_alone_the_last_one_ends_the_board, setup_more,
						teardown_more),
		cmocka_unit_test_setup_teardown(what_capsules_are_and_did_can_be_read, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(a_caller_gets_as_much_as_it_has_room_for, setup_more, teardown_more),
		cmocka_unit_test_setup_teardown(the_board_says_what_terminal_it_has, setup_more, teardown_more),
	};
	static _Alignas(4096) uint8_t bitmap[4096];
	void *bank = aligned_alloc(2 << 20, 16 << 20); /* for capsules that are started anew */
	int failed;

	pages_add_bank(ptr_hpa(bank), 16 << 20, bitmap);
	pages_release(ptr_hpa(bank), 16 << 20);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(bank);
	return failed;
}
