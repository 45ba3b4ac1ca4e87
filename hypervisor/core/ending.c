/* SPDX-License-Identifier: MIT */
#include "ending.h"

#include "arch/hart.h"
#include "board_io.h"
#include "boot.h"
#include "capsule.h"
#include "roles.h"
#include "scheduler.h"

#define PATIENCE_S 3u /* for those that are asked to stop */

/* LOOKS: one hart finds out whether it ends, and nobody starts a capsule meanwhile. */
enum { BOARD_RUNS, BOARD_LOOKS, BOARD_ENDS, BOARD_ENDED };

static _Atomic uint32_t state;
static bool success;		      /* is what it ends with, once it ENDS */
static struct vcpu *_Atomic watching; /* the time; NULL for none */
static _Atomic bool on_request; /* so ended the last of those that the board is for */

void ending_reset(void)
{
	atomic_store(&state, BOARD_RUNS);
	atomic_store(&watching, NULL);
	atomic_store(&on_request, false);
}

bool board_is_ending(void)
{
	return atomic_load(&state) != BOARD_RUNS;
}

bool board_must_end(void)
{
	return atomic_load(&state) >= BOARD_ENDS;
}

/* --- is it over? --------------------------------------------------------------------------------- */

/* For good: nobody has said before that it is to be started. */
static bool has_stopped(const struct capsule *capsule)
{
	return atomic_load(&capsule->state) == CAPSULE_STOPPED && atomic_load(&capsule->order) == ORDER_NO_MORE;
}

/* Is the board there for it? For guests, or if it has none, for services. */
static bool is_what_it_is_for(const struct capsule *capsule)
{
	if (capsule->config.kind != DMFS_SERVICE)
		return true;
	for (uint32_t i = 0; i < capsule_count; i++)
		if (capsules[i].config.kind != DMFS_SERVICE)
			return false;
	return true;
}

/* For good, or almost. A service that was asked to stop says so that it could not end in good order: that is no failure. */
static bool has_crashed(const struct capsule *capsule)
{
	return capsule->stop_reason == STOP_CRASH && atomic_load(&capsule->state) >= CAPSULE_SCRUBBING &&
	       !(capsule->config.kind == DMFS_SERVICE && atomic_load(&capsule->asked));
}

static bool any_crashed(void)
{
	for (uint32_t i = 0; i < capsule_count; i++)
		if (has_crashed(&capsules[i]))
			return true;
	return false;
}

/* The last one of those that the board is for has ended, and nobody is there who could start one again. */
static bool is_over(void)
{
	for (uint32_t i = 0; i < capsule_count; i++) {
		const struct capsule *capsule = &capsules[i];

		if (has_stopped(capsule))
			continue;
		if (is_what_it_is_for(capsule) ||
		    (atomic_load(&on_request) && capsule_may(capsule, DMFS_PERM_CAPSULE_START)))
			return false;
	}
	return true;
}

void ending_note(const struct capsule *capsule)
{
	if (is_what_it_is_for(capsule))
		atomic_store(&on_request, capsule->stop_reason == STOP_KILLED || atomic_load(&capsule->asked));
}

/* --- it ends ------------------------------------------------------------------------------------- */

static void end_now(void)
{
	uint32_t ends = BOARD_ENDS;

	if (atomic_compare_exchange_strong(&state, &ends, BOARD_ENDED))
		board_end(success);
}

/* A vCPU of one that has stopped, and can no longer be started, waits until the time is over. */
static void watch_the_time(void)
{
	struct vcpu *vcpu = NULL;

	for (uint32_t i = 0; i < capsule_count && vcpu == NULL; i++)
		if (is_what_it_is_for(&capsules[i]))
			vcpu = &capsules[i].vcpus[0];
	atomic_store(&watching, vcpu);
	atomic_store(&vcpu->requests, REQUEST_CHORE);
	sched_start_at(vcpu, arch_time() + (uint64_t)PATIENCE_S * board.timebase_hz);
}

static void end_in_order(void)
{
	success = !any_crashed();
	atomic_store(&state, BOARD_ENDS);
	if (!roles_any()) /* who leaves from here on ends it */
		end_now();
	watch_the_time();
	for (uint32_t i = 0; i < capsule_count; i++)
		capsule_ask_to_stop(&capsules[i]);
}

/* Who starts a capsule shows that and then looks whether the board ends, and here it is the other way round: one gives way. */
void ending_check(void)
{
	uint32_t runs = BOARD_RUNS;

	while (is_over() && atomic_compare_exchange_strong(&state, &runs, BOARD_LOOKS)) {
		if (is_over()) {
			end_in_order();
			return;
		}
		atomic_store(&state, BOARD_RUNS);
	}
}

void ending_goes_on(void)
{
	if (atomic_load(&state) == BOARD_ENDS && !roles_any())
		end_now();
}

bool ending_watches(const struct vcpu *vcpu)
{
	return atomic_load(&watching) == vcpu;
}

void ending_time_is_over(void)
{
	end_now();
}
