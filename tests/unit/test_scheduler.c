/* SPDX-License-Identifier: MIT */
/* Which vCPU runs, for how long, and what wakes one that sleeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"
#include "scheduler.h"

#define SLICE 10000 /* 10 ms of a 1 MHz timebase */
#define VCPUS 4

/* A capsule for each vCPU, so that each may have a priority of its own. */
static struct capsule owners[VCPUS];
static struct vcpu vcpus[VCPUS];

static int setup(void **state)
{
	fake_reset(2);
	memset(owners, 0, sizeof(owners));
	memset(vcpus, 0, sizeof(vcpus));
	for (unsigned i = 0; i < VCPUS; i++) {
		owners[i].config.priority = DMFS_PRIORITY_NORMAL;
		owners[i].state = CAPSULE_RUNNING;
		vcpus[i].capsule = &owners[i];
		vcpus[i].hsm = HSM_STOPPED;
		list_init(&vcpus[i].node);
		assert_true(sched_place(&vcpus[i], 1)); /* on hart 0 */
	}
	return 0;
}

static void start(unsigned i, uint32_t priority)
{
	owners[i].config.priority = priority;
	assert_true(vcpu_start(&vcpus[i], 0, 0));
}

static unsigned number(const struct vcpu *vcpu)
{
	return (unsigned)(vcpu - vcpus);
}

/* What arch/riscv does before it enters a guest. */
static struct vcpu *enter(void)
{
	if (fake_self->current == NULL || fake_self->resched)
		sched_pick();
	vcpu_serve(fake_self->current);
	return fake_self->current;
}

/* The guest runs until the hart's timer interrupts it. */
static void until_timer(void)
{
	assert_int_not_equal(fake.timer[fake_self->index], UINT64_MAX);
	fake.time = fake.timer[fake_self->index];
	sched_timer();
}

static void the_highest_priority_runs_first(void **state)
{
	start(0, DMFS_PRIORITY_LOW);
	start(1, DMFS_PRIORITY_HIGH);
	start(2, DMFS_PRIORITY_NORMAL);
	assert_int_equal(number(enter()), 1);
}

static void one_that_is_alone_is_not_interrupted(void **state)
{
	start(0, DMFS_PRIORITY_NORMAL);
	enter();
	assert_int_equal(fake.timer[0], UINT64_MAX);
}

static void equals_take_turns_at_the_end_of_a_slice_and_not_before(void **state)
{
	start(0, DMFS_PRIORITY_NORMAL);
	start(1, DMFS_PRIORITY_NORMAL);
	start(2, DMFS_PRIORITY_NORMAL);
	for (unsigned turn = 0; turn < 9; turn++) {
		assert_int_equal(number(enter()), turn % 3);
		assert_int_equal(fake.timer[0], fake.time + SLICE);
		sched_reconsider();
		assert_int_equal(number(enter()), turn % 3);
		until_timer();
	}
}

static void a_slice_begins_when_somebody_else_becomes_ready(void **state)
{
	start(0, DMFS_PRIORITY_NORMAL);
	enter();
	fake.time = 5000;
	start(1, DMFS_PRIORITY_NORMAL);
	assert_int_equal(number(enter()), 0);
	assert_int_equal(fake.timer[0], 5000 + SLICE);
	start(2, DMFS_PRIORITY_NORMAL);
	assert_int_equal(fake.timer[0], 5000 + SLICE);
}

static void a_higher_priority_does_not_wait_for_the_slice(void **state)
{
	start(0, DMFS_PRIORITY_NORMAL);
	enter();
	start(1, DMFS_PRIORITY_HIGH);
	assert_int_equal(number(enter()), 1);
}

static void nobody_starves(void **state)
{
	unsigned turns[VCPUS] = {0};

	start(0, DMFS_PRIORITY_LOW);
	start(1, DMFS_PRIORITY_NORMAL);
	start(2, DMFS_PRIORITY_HIGH);
	for (unsigned i = 0; i < 1000; i++) {
		turns[number(enter())]++;
		until_timer();
	}
	assert_in_range(turns[0], 1000 / 25, 1000 / 15);
	assert_in_range(turns[1], 1000 / 7, 1000 / 4);
	assert_true(turns[2] > turns[1] && turns[1] > turns[0]);
}

/* Or those above, who have something to kick the hart for all the time, would have it all the same. */
static void one_whose_patience_was_rewarded_has_its_whole_slice(void **state)
{
	start(0, DMFS_PRIORITY_LOW);
	start(1, DMFS_PRIORITY_HIGH);
	while (number(enter()) != 0)
		until_timer();
	sched_reconsider();
	assert_int_equal(number(enter()), 0);
	fake.time += SLICE / 2;
	sched_reconsider();
	assert_int_equal(number(enter()), 0);
	until_timer();
	assert_int_equal(number(enter()), 1);
}

static void the_registers_change_hands_only_when_the_vcpu_does(void **state)
{
	start(0, DMFS_PRIORITY_NORMAL);
	enter();
	assert_int_equal(fake.loads, 1);
	fake_self->resched = true;
	assert_int_equal(number(enter()), 0);
	assert_int_equal(fake.loads, 1);
	sched_retire();
	atomic_store(&vcpus[0].hsm, HSM_STOPPED);
	start(0, DMFS_PRIORITY_NORMAL);
	enter();
	assert_int_equal(fake.loads, 2); /* what was in the hart is of its former life */
}

/* --- sleeping and waking --------------------------------------------------------------------- */

static void a_sleeper_wakes_by_its_deadline_with_its_interrupt(void **state)
{
	start(0, DMFS_PRIORITY_NORMAL);
	arch_set_deadline(enter(), 777);
	sched_wait();
	assert_null(fake_self->current);
	assert_int_equal(number(enter()), 0);
	assert_int_equal(fake.time, 777);
	assert_int_equal(vcpus[0].arch.irqs, 1u << ARCH_IRQ_TIMER);
	assert_int_equal(vcpus[0].deadline, UINT64_MAX);
}

static void sleepers_wake_in_the_order_of_their_deadlines(void **state)
{
	static const uint64_t deadlines[] = {500, 300, 400};

	for (unsigned i = 0; i < 3; i++) {
		start(i, DMFS_PRIORITY_NORMAL);
		arch_set_deadline(enter(), deadlines[i]);
		sched_wait();
	}
	assert_int_equal(number(enter()), 1);
	assert_int_equal(fake.time, 300);
	sched_wait();
	assert_int_equal(number(enter()), 2);
	sched_wait();
	assert_int_equal(number(enter()), 0);
	assert_int_equal(fake.time, 500);
}

static void a_sleepers_deadline_interrupts_who_runs(void **state)
{
	start(0, DMFS_PRIORITY_HIGH);
	arch_set_deadline(enter(), 700);
	sched_wait();
	start(1, DMFS_PRIORITY_NORMAL);
	assert_int_equal(number(enter()), 1);
	until_timer();
	assert_int_equal(fake.time, 700);
	assert_int_equal(number(enter()), 0);
}

static void nobody_sleeps_over_what_has_come_already(void **state)
{
	start(0, DMFS_PRIORITY_NORMAL);
	enter();
	vcpus[0].arch.irqs = vcpus[0].arch.enabled = 1u << ARCH_IRQ_SOFT;
	sched_wait();
	assert_non_null(fake_self->current);
	vcpus[0].arch.irqs = 0;
	atomic_store(&vcpus[0].requests, REQUEST_SOFT_IRQ);
	sched_wait();
	assert_non_null(fake_self->current);
	atomic_store(&vcpus[0].requests, 0);
	fake.time = 10;
	vcpus[0].deadline = 10;
	sched_wait();
	assert_non_null(fake_self->current);
	vcpus[0].deadline = 11;
	sched_wait();
	assert_null(fake_self->current);
}

static void a_request_wakes_a_sleeper_of_another_hart_by_a_kick(void **state)
{
	start(0, DMFS_PRIORITY_NORMAL);
	enter();
	sched_wait();
	fake_self = &fake_harts[1];
	vcpu_post(&vcpus[0], REQUEST_SOFT_IRQ);
	assert_true(fake.kicked[0]);
	assert_int_equal(vcpus[0].run, VCPU_READY);
	fake_self = &fake_harts[0];
	assert_int_equal(number(enter()), 0);
	assert_int_equal(vcpus[0].arch.irqs, 1u << ARCH_IRQ_SOFT);
}

static void one_in_the_guest_is_kicked_out_and_one_outside_left_alone(void **state)
{
	start(0, DMFS_PRIORITY_NORMAL);
	enter();
	fake.kicked[0] = false;
	fake_self = &fake_harts[1];
	vcpu_post(&vcpus[0], REQUEST_FENCE_I);
	assert_false(fake.kicked[0]);
	atomic_store(&vcpus[0].arch.run_seq, 1);
	vcpu_post(&vcpus[0], REQUEST_FENCE_I);
	assert_true(fake.kicked[0]);
}

static void one_that_is_off_is_not_woken_by_requests(void **state)
{
	vcpu_post(&vcpus[0], REQUEST_SOFT_IRQ | REQUEST_LINES);
	assert_int_equal(vcpus[0].run, VCPU_OFF);
	start(0, DMFS_PRIORITY_NORMAL);
	enter();
	assert_int_equal(vcpus[0].arch.irqs, 0); /* what came before its start is not for it */
}

static void a_halt_is_kept_whatever_else_is_asked(void **state)
{
	start(0, DMFS_PRIORITY_NORMAL);
	enter();
	vcpu_post(&vcpus[0], REQUEST_HALT | REQUEST_SOFT_IRQ);
	assert_false(vcpu_serve(&vcpus[0]));
	assert_false(vcpu_serve(&vcpus[0]));
	assert_int_equal(vcpus[0].arch.irqs, 0);
}

/* --- turns of those that sleep ------------------------------------------------------------------- */

static void sleep_until(uint64_t when)
{
	arch_set_deadline(fake_self->current, when);
	sched_wait();
	assert_null(fake_self->current);
}

static void one_that_has_slept_need_not_wait_for_the_turn_of_another(void **state)
{
	start(0, DMFS_PRIORITY_NORMAL);
	start(1, DMFS_PRIORITY_NORMAL);
	enter();
	sleep_until(500);
	assert_int_equal(number(enter()), 1);
	until_timer();
	assert_int_equal(fake.time, 500);
	assert_int_equal(number(enter()), 0);
	sleep_until(UINT64_MAX);
	assert_int_equal(number(enter()), 1);
}

static void one_that_always_wakes_gets_no_more_than_its_turns(void **state)
{
	uint64_t ran[2];

	start(0, DMFS_PRIORITY_NORMAL);
	start(1, DMFS_PRIORITY_NORMAL);
	while (fake.time < 1000 * SLICE) {
		if (number(enter()) != 0) {
			until_timer();
			continue;
		}
		fake.time += SLICE / 5; /* works, sleeps for a moment, and wakes while 1 runs */
		sched_timer();
		if (enter() == &vcpus[0])
			sleep_until(fake.time + 10);
	}
	ran[0] = vcpus[0].ran;
	ran[1] = vcpus[1].ran;
	assert_true(ran[0] + ran[1] > 990 * SLICE);
	assert_in_range(ran[0], 450 * SLICE, 550 * SLICE);
}

/* --- limits ---------------------------------------------------------------------------------------- */

static void a_limit_is_kept_whoever_else_runs(void **state)
{
	owners[0].config.cpu_limit = 25;
	start(0, DMFS_PRIORITY_HIGH);
	start(1, DMFS_PRIORITY_NORMAL);
	while (fake.time < 1000 * SLICE) {
		enter();
		until_timer();
	}
	assert_in_range(vcpus[0].ran, 248 * SLICE, 252 * SLICE);
	assert_in_range(vcpus[1].ran, 744 * SLICE, 752 * SLICE); /* its present turn is not counted yet */
}

static void one_with_a_limit_leaves_the_hart_idle_when_it_is_alone(void **state)
{
	owners[0].config.cpu_limit = 10;
	start(0, DMFS_PRIORITY_NORMAL);
	while (fake.time < 1000 * SLICE) {
		enter();
		until_timer();
	}
	assert_in_range(vcpus[0].ran, 99 * SLICE, 101 * SLICE);
}

static void what_ran_too_long_is_taken_from_the_next_share(void **state)
{
	owners[0].config.cpu_limit = 10;
	start(0, DMFS_PRIORITY_NORMAL);
	while (fake.time < 1000 * SLICE) {
		enter();
		until_timer();
		fake.time += SLICE; /* the hypervisor was busy for it */
	}
	assert_in_range(vcpus[0].ran, 98 * SLICE, 102 * SLICE);
}

static void a_paused_one_is_not_woken_but_can_be_halted(void **state)
{
	owners[0].config.cpu_limit = 10;
	start(0, DMFS_PRIORITY_NORMAL);
	start(1, DMFS_PRIORITY_NORMAL);
	enter();
	until_timer();
	assert_int_equal(number(enter()), 1);
	assert_int_equal(vcpus[0].run, VCPU_PAUSED);
	vcpu_post(&vcpus[0], REQUEST_SOFT_IRQ);
	assert_int_equal(vcpus[0].run, VCPU_PAUSED);
	vcpu_post(&vcpus[0], REQUEST_HALT);
	assert_int_equal(vcpus[0].run, VCPU_READY);
	while (number(sched_pick()) != 0)
		until_timer();
	assert_false(vcpu_serve(&vcpus[0]));
}

/* --- several harts ---------------------------------------------------------------------------------- */

static void allow_all(void)
{
	for (unsigned i = 0; i < VCPUS; i++)
		vcpus[i].allowed = 3;
}

static void a_hart_without_work_takes_it_from_another(void **state)
{
	allow_all();
	start(0, DMFS_PRIORITY_NORMAL);
	start(1, DMFS_PRIORITY_NORMAL);
	start(2, DMFS_PRIORITY_HIGH);
	assert_int_equal(number(enter()), 2);
	fake_self = &fake_harts[1];
	assert_int_equal(number(enter()), 0);
	assert_ptr_equal(vcpus[0].home, &fake_harts[1]);
	assert_int_equal(fake_harts[0].queue.ready_count, 1);
	vcpu_post(&vcpus[0], REQUEST_SOFT_IRQ); /* it is known where it is now */
	enter();
	assert_int_equal(vcpus[0].arch.irqs, 1u << ARCH_IRQ_SOFT);
}

static void a_vcpu_stays_where_its_affinity_says(void **state)
{
	start(0, DMFS_PRIORITY_NORMAL);
	start(1, DMFS_PRIORITY_NORMAL);
	start(2, DMFS_PRIORITY_NORMAL);
	vcpus[2].allowed = 3;
	enter();
	fake_self = &fake_harts[1];
	assert_int_equal(number(enter()), 2);
}

/* Its registers are still in the hart that it ran on. */
static void what_is_loaded_on_one_hart_is_not_taken_by_another(void **state)
{
	allow_all();
	start(0, DMFS_PRIORITY_NORMAL);
	enter();
	sched_wait();
	fake_self = &fake_harts[1];
	vcpu_post(&vcpus[0], REQUEST_SOFT_IRQ);
	assert_int_equal(vcpus[0].run, VCPU_READY);
	start(1, DMFS_PRIORITY_NORMAL);
	assert_int_equal(number(enter()), 1);
	assert_ptr_equal(vcpus[0].home, &fake_harts[0]);
}

static void start_another(void)
{
	fake.asleep = NULL;
	fake_self = &fake_harts[0];
	fake.kicked[1] = false;
	start(1, DMFS_PRIORITY_NORMAL);
	assert_true(fake.kicked[1]);
	fake_self = &fake_harts[1];
}

static void an_idle_hart_is_called_when_another_has_more_than_it_can_run(void **state)
{
	allow_all();
	fake_self = &fake_harts[1];
	start(3, DMFS_PRIORITY_NORMAL);
	enter();
	arch_set_deadline(fake_self->current, 100);
	sched_wait();
	fake_self = &fake_harts[0];
	start(0, DMFS_PRIORITY_NORMAL);
	enter();
	/* Hart 1 sleeps while hart 0 gets one more: the fake's sleep is where that happens. */
	fake.asleep = start_another;
	fake_self = &fake_harts[1];
	assert_int_equal(number(enter()), 1);
	assert_int_equal(fake.time, 0);
}

/* --- homes and fences ------------------------------------------------------------------------ */

static void homes_are_where_affinity_allows_and_fewest_live(void **state)
{
	static struct vcpu more[3];

	assert_true(sched_place(&more[0], 0));
	assert_ptr_equal(more[0].home, &fake_harts[1]);
	assert_true(sched_place(&more[1], 3));
	assert_ptr_equal(more[1].home, &fake_harts[1]);
	assert_true(sched_place(&more[2], 1));
	assert_ptr_equal(more[2].home, &fake_harts[0]);
	assert_false(sched_place(&more[0], 4));
	fake_harts[1].id = 70; /* beyond what a mask can name */
	assert_false(sched_place(&more[0], UINT64_C(1) << (70 % 64)));
}

static void equal_fences_merge_and_others_become_one_over_everything(void **state)
{
	struct fence_range one = {0x1000, 0x1000, 3}, other = {0x5000, 0x1000, 3};

	start(0, DMFS_PRIORITY_NORMAL);
	enter();
	vcpu_add_fence(&vcpus[0], &one);
	vcpu_add_fence(&vcpus[0], &one);
	vcpu_post(&vcpus[0], REQUEST_SFENCE);
	enter();
	assert_int_equal(vcpus[0].arch.fences, 1);
	assert_memory_equal(&fake.fence, &one, sizeof(one));
	vcpu_add_fence(&vcpus[0], &one);
	vcpu_add_fence(&vcpus[0], &other);
	vcpu_post(&vcpus[0], REQUEST_SFENCE);
	enter();
	assert_int_equal(fake.fence.size, UINT64_MAX);
	assert_int_equal(fake.fence.asid, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_highest_priority_runs_first, setup),
		cmocka_unit_test_setup(one_that_is_alone_is_not_interrupted, setup),
		cmocka_unit_test_setup(equals_take_turns_at_the_end_of_a_slice_and_not_before, setup),
		cmocka_unit_test_setup(a_slice_begins_when_somebody_else_becomes_ready, setup),
		cmocka_unit_test_setup(a_higher_priority_does_not_wait_for_the_slice, setup),
		cmocka_unit_test_setup(nobody_starves, setup),
		cmocka_unit_test_setup(one_whose_patience_was_rewarded_has_its_whole_slice, setup),
		cmocka_unit_test_setup(the_registers_change_hands_only_when_the_vcpu_does, setup),
		cmocka_unit_test_setup(a_sleeper_wakes_by_its_deadline_with_its_interrupt, setup),
		cmocka_unit_test_setup(sleepers_wake_in_the_order_of_their_deadlines, setup),
		cmocka_unit_test_setup(a_sleepers_deadline_interrupts_who_runs, setup),
		cmocka_unit_test_setup(nobody_sleeps_over_what_has_come_already, setup),
		cmocka_unit_test_setup(a_request_wakes_a_sleeper_of_another_hart_by_a_kick, setup),
		cmocka_unit_test_setup(one_in_the_guest_is_kicked_out_and_one_outside_left_alone, setup),
		cmocka_unit_test_setup(one_that_is_off_is_not_woken_by_requests, setup),
		cmocka_unit_test_setup(a_halt_is_kept_whatever_else_is_asked, setup),
		cmocka_unit_test_setup(one_that_has_slept_need_not_wait_for_the_turn_of_another, setup),
		cmocka_unit_test_setup(one_that_always_wakes_gets_no_more_than_its_turns, setup),
		cmocka_unit_test_setup(a_limit_is_kept_whoever_else_runs, setup),
		cmocka_unit_test_setup(one_with_a_limit_leaves_the_hart_idle_when_it_is_alone, setup),
		cmocka_unit_test_setup(what_ran_too_long_is_taken_from_the_next_share, setup),
		cmocka_unit_test_setup(a_paused_one_is_not_woken_but_can_be_halted, setup),
		cmocka_unit_test_setup(a_hart_without_work_takes_it_from_another, setup),
		cmocka_unit_test_setup(a_vcpu_stays_where_its_affinity_says, setup),
		cmocka_unit_test_setup(what_is_loaded_on_one_hart_is_not_taken_by_another, setup),
		cmocka_unit_test_setup(an_idle_hart_is_called_when_another_has_more_than_it_can_run, setup),
		cmocka_unit_test_setup(homes_are_where_affinity_allows_and_fewest_live, setup),
		cmocka_unit_test_setup(equal_fences_merge_and_others_become_one_over_everything, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
