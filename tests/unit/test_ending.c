/* SPDX-License-Identifier: MIT */
/* The board's end with another hart that comes in between: what it does is done where ending.c looks at a capsule once more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/hart.h"
#include "board_io.h"
#include "boot.h"
#include "capsule.h"
#include "roles.h"
#include "scheduler.h"

static bool look(const struct capsule *capsule);
static bool provided;
static jmp_buf over;
static int ended_with;

#define capsule_may(capsule, permission) look(capsule)
#define capsules	    some
#define capsule_count	    some_count
#define roles_any()	    provided
#define board_end(success)  (ended_with = (success), longjmp(over, 1))
#define sched_start_at(vcpu, when) ((void)(vcpu))
#define arch_time()	    UINT64_C(0)
#define capsule_ask_to_stop(capsule) ((void)(capsule))
static struct capsule some[3];
static struct vcpu some_vcpus[3];
static uint32_t some_count = 3;
#include "../../hypervisor/core/ending.c"
#undef capsule_may

#define GUEST 1u

static unsigned looks;
static void (*other_harts)(unsigned looks);

/* Comes by for either service. */
static bool look(const struct capsule *capsule)
{
	other_harts(++looks);
	return false;
}

/* A guest that was killed, between two services, of which one provides something. */
static int setup(void **unused)
{
	ending_reset();
	success = false;
	looks = 0;
	provided = true;
	ended_with = -1;
	for (unsigned i = 0; i < 3; i++) {
		some[i] = (struct capsule){.vcpus = &some_vcpus[i]};
		some[i].config.kind = i == GUEST ? DMFS_GUEST : DMFS_SERVICE;
		atomic_store(&some[i].state, CAPSULE_RUNNING);
	}
	atomic_store(&some[GUEST].state, CAPSULE_STOPPED);
	atomic_store(&some[GUEST].order, ORDER_NO_MORE);
	some[GUEST].stop_reason = STOP_KILLED;
	ending_note(&some[GUEST]);
	return 0;
}

/* life_over() of the last provider. */
static void the_provider_goes(void)
{
	provided = false;
	atomic_store(&some[0].state, CAPSULE_STOPPING);
	ending_goes_on();
}

/* The board ends already, as all has been looked at once, and not how. */
static void goes_then(unsigned at)
{
	if (at == 3)
		the_provider_goes();
}

static void a_provider_that_goes_meanwhile_ends_a_board_that_has_not_failed(void **unused)
{
	other_harts = goes_then;
	if (setjmp(over) == 0)
		ending_check();
	assert_int_equal(ended_with, 1);
}

/* capsule_start() on another hart, when the guest has been looked at once, sees that the board runs. */
static void starts_before(unsigned at)
{
	if (at == 2) {
		atomic_store(&some[GUEST].state, CAPSULE_LOADING);
		assert_false(board_is_ending());
	}
	goes_then(at);
}

static void a_board_whose_guest_starts_does_not_end(void **unused)
{
	other_harts = starts_before;
	if (setjmp(over) == 0)
		ending_check();
	assert_int_equal(ended_with, -1);
	assert_false(board_is_ending());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_provider_that_goes_meanwhile_ends_a_board_that_has_not_failed, setup),
		cmocka_unit_test_setup(a_board_whose_guest_starts_does_not_end, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
