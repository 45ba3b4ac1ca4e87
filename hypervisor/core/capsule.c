/* SPDX-License-Identifier: MIT */
#include "capsule.h"

#include <stdio.h>
#include <string.h>

#include "arch/guest.h"
#include "arch/hart.h"
#include "board_io.h"
#include "boot.h"
#include "console.h"
#include "ending.h"
#include "loader.h"
#include "log.h"
#include "pages.h"
#include "roles.h"
#include "scheduler.h"
#include "service_abi.h"

_Static_assert(CONSOLE_RING_LEN % PAGE_SIZE == 0, "the ring is whole pages");
_Static_assert((int)CAPSULE_STOPPED == (int)DIOSIX_STATE_STOPPED, "states are told by number");
_Static_assert((int)STOP_KILLED == (int)DIOSIX_END_KILLED, "ends are told by number");

struct capsule *capsules;
uint32_t capsule_count;

/* --- creation ------------------------------------------------------------------------------- */

/* A kernel that runs at one address alone needs its RAM there when guest-physical is host-physical. */
static bool runs_anywhere(const struct capsule *capsule)
{
	return arch_features.gstage || capsule->config.flags & DMFS_CAPSULE_RELOCATABLE;
}

/* What it has only while it has not stopped: memory, for others to clear or load, and what fences it. */
static bool alloc_space(struct capsule *capsule)
{
	uint64_t size = capsule->config.memory, pages = size / PAGE_SIZE;
	hpa_t host = hpa(DMFS_GUEST_RAM_BASE);

	if (!(runs_anywhere(capsule) ? pages_alloc(pages, DMFS_MEMORY_UNIT, &host) : pages_alloc_at(host, pages)))
		return false;
	capsule->memory = (struct guest_memory){arch_ram_base(host), host, size};
	if (arch_space_create(capsule))
		return true;
	pages_free(host, pages);
	return false;
}

static void explain_space(const struct capsule *capsule, char *why, size_t why_len)
{
	if (!runs_anywhere(capsule))
		snprintf(why, why_len,
			 "capsule %s: its kernel runs at one address only, which a board without the H extension "
			 "cannot give it",
			 capsule->name);
	else
		snprintf(why, why_len, "capsule %s needs %lu MiB of memory in one piece, the board has %lu MiB left",
			 capsule->name, (unsigned long)(capsule->config.memory >> 20),
			 (unsigned long)(pages_longest_run() * PAGE_SIZE >> 20));
}

static bool place_vcpus(struct capsule *capsule, char *why, size_t why_len)
{
	for (uint32_t i = 0; i < capsule->config.cpus; i++) {
		struct vcpu *vcpu = &capsule->vcpus[i];

		vcpu->capsule = capsule;
		vcpu->id = i;
		vcpu->hsm = HSM_STOPPED;
		list_init(&vcpu->node);
		if (!sched_place(vcpu, capsule->config.affinity)) {
			snprintf(why, why_len, "capsule %s: its affinity names no hart of this board", capsule->name);
			return false;
		}
	}
	return true;
}

bool capsule_create(uint32_t index, char *why, size_t why_len)
{
	struct capsule *capsule = &capsules[index];
	uint64_t records = align_up(sizeof(struct vcpu) * capsule->config.cpus, 64);
	uint64_t vcpus = align_up(records + arch_vcpu_extra() * capsule->config.cpus, PAGE_SIZE);
	uint64_t machine = align_up(machine_size(&capsule->config), 64);
	uint64_t devices = align_up(machine + exchange_size(&capsule->config), PAGE_SIZE);
	uint64_t size = vcpus + devices + CONSOLE_RING_LEN;
	uint64_t available = pages_available();
	hpa_t at;

	memcpy(capsule->name, capsule->config.name.data, capsule->config.name.len);
	capsule->index = index;
	if (!alloc_space(capsule)) {
		explain_space(capsule, why, why_len);
		return false;
	}
	capsule->returned = available - pages_available();
	if (!pages_alloc(size / PAGE_SIZE, PAGE_SIZE, &at)) {
		snprintf(why, why_len, "capsule %s: no memory is left for its %u vCPUs", capsule->name,
			 capsule->config.cpus);
		return false;
	}
	memset(hpa_ptr(at), 0, size);
	capsule->vcpus = hpa_ptr(at);
	for (uint32_t i = 0; i < capsule->config.cpus; i++)
		arch_vcpu_create(&capsule->vcpus[i], hpa_ptr(hpa(at.v + records + i * arch_vcpu_extra())));
	capsule->machine = hpa_ptr(hpa(at.v + vcpus));
	capsule->printed.ring = hpa_ptr(hpa(at.v + vcpus + devices));
	if (exchange_size(&capsule->config) != 0) {
		capsule->exchange = hpa_ptr(hpa(at.v + vcpus + machine));
		exchange_init(capsule->exchange);
	}
	capsule->owned = available - pages_available();
	return place_vcpus(capsule, why, why_len);
}

/* --- service ABI ---------------------------------------------------------------------------- */

uint64_t capsule_handle(const struct capsule *capsule)
{
	return DIOSIX_HANDLE(capsule->index, capsule->starts);
}

void capsule_post_events(struct capsule *capsule, uint64_t events)
{
	if (capsule_has_doorbell(capsule) && (atomic_fetch_or(&capsule->events, events) & events) != events)
		machine_doorbell(capsule);
}

void capsules_post_events(enum dmfs_permission permission, uint64_t events)
{
	for (uint32_t i = 0; i < capsule_count; i++)
		if (capsule_may(&capsules[i], permission))
			capsule_post_events(&capsules[i], events);
}

/* --- life: phases ------------------------------------------------------------------------------ */

/*
 * Of what follows, all that has to do with a phase's end runs on one hart at a time: `live` is 0 then, and who wants to
 * hold the capsule comes too late. What is ordered meanwhile is found when the next phase has begun.
 */

static void enter(struct capsule *capsule, enum capsule_state state)
{
	atomic_store(&capsule->state, state);
	capsules_post_events(DMFS_PERM_CAPSULE_LIST, DIOSIX_EVENT_CAPSULES);
}

/* Enters vCPU 0 at the entry point; the memory has been loaded. */
static void begin_life(struct capsule *capsule)
{
	uint64_t moved = capsule->memory.base.v - DMFS_GUEST_RAM_BASE;

	machine_reset(capsule);
	atomic_store(&capsule->events, 0);
	machine_doorbell(capsule); /* an event may have come between the two */
	atomic_store(&capsule->asked, false);
	capsule->starts++;
	capsule->started_at = arch_time();
	console_begin_life(capsule);
	atomic_store(&capsule->live, 1);
	enter(capsule, CAPSULE_RUNNING);
	vcpu_start(&capsule->vcpus[0], capsule->config.entry + moved, capsule->config.devicetree_load + moved);
}

/* vCPU 0, which is off, does the work when its turn is: as any other time that it takes, it is its capsule's own. */
static void begin_chore(struct capsule *capsule, enum capsule_state state, uint64_t when)
{
	capsule->chore_done = false;
	atomic_store(&capsule->vcpus[0].requests, REQUEST_CHORE);
	atomic_store(&capsule->live, 2); /* the vCPU, and who begins this */
	enter(capsule, state);
	sched_start_at(&capsule->vcpus[0], when);
}

static void begin_scrub(struct capsule *capsule)
{
	loader_plan_scrub(capsule);
	begin_chore(capsule, CAPSULE_SCRUBBING, 0);
}

static void begin_load(struct capsule *capsule, uint64_t when)
{
	loader_plan_reload(capsule);
	begin_chore(capsule, CAPSULE_LOADING, when);
}

/* A fresh start that somebody wants: what went before does not count. */
static void load_now(struct capsule *capsule)
{
	capsule->short_lives = 0;
	begin_load(capsule, 0);
}

/* Its memory holds nothing any more that was said about it: others let go of it here, before a byte is cleared. */
static void capsule_gone(struct capsule *capsule)
{
	roles_gone(capsule);
	grants_gone(capsule);
	messages_gone(capsule);
	console_gone(capsule);
}

static bool wants_restart(const struct capsule *capsule)
{
	if (atomic_load(&capsule->asked) || board_must_end()) /* whatever it makes of that */
		return false;
	switch (capsule->config.restart) {
	case DMFS_RESTART_ALWAYS:
		return true;
	case DMFS_RESTART_ON_CRASH:
		return capsule->stop_reason != STOP_SHUTDOWN;
	default:
		return capsule->stop_reason == STOP_REBOOT;
	}
}

/* A life shorter than this is a short one. */
#define SHORT_LIFE_MS 10000u

/* Waiting before a restart: none after one short life, then doubled each time. */
#define FIRST_WAIT_MS	100u
#define LONGEST_WAIT_MS 30000u

static uint64_t ms_to_ticks(uint64_t ms)
{
	return board.timebase_hz / 1000 * ms;
}

/* How long to wait before the next restart, by how many lives were short. */
static uint64_t wait_ms(uint32_t short_lives)
{
	if (short_lives < 2)
		return 0;
	if (short_lives > 10 || FIRST_WAIT_MS << (short_lives - 2) > LONGEST_WAIT_MS)
		return LONGEST_WAIT_MS;
	return FIRST_WAIT_MS << (short_lives - 2);
}

static void begin_restart(struct capsule *capsule)
{
	uint64_t now = arch_time(), ms;
	uint32_t limit = capsule->config.restart_limit;

	if (now - capsule->started_at >= ms_to_ticks(SHORT_LIFE_MS))
		capsule->short_lives = 0;
	if (limit != 0 && capsule->short_lives == limit) {
		log_line(DIOSIX_LOG_ERROR, "diosix: capsule %s: crashed: %u restarts in a row did not last %u s, no more are tried",
			    capsule->name, limit, SHORT_LIFE_MS / 1000);
		capsule->stop_reason = STOP_CRASH;
		begin_scrub(capsule);
		return;
	}
	ms = wait_ms(++capsule->short_lives);
	if (ms != 0)
		log_line(DIOSIX_LOG_WARNING, "diosix: capsule %s: restarts in %lu ms", capsule->name, (unsigned long)ms);
	begin_load(capsule, now + ms_to_ticks(ms));
}

/* It ends because others want it to. */
static void killed(struct capsule *capsule)
{
	capsule->stop_reason = STOP_KILLED;
	log_line(DIOSIX_LOG_INFO, "diosix: capsule %s: stopped", capsule->name);
	begin_scrub(capsule);
}

static void life_over(struct capsule *capsule, enum order order)
{
	/* A guest all of whose vCPUs have stopped themselves cannot come back: it has shut down. */
	if (atomic_load(&capsule->state) == CAPSULE_RUNNING) {
		capsule->stop_reason = STOP_SHUTDOWN;
		atomic_store(&capsule->state, CAPSULE_STOPPING);
	}
	capsule_gone(capsule);
	if (capsule->stop_reason == STOP_CRASH)
		log_line(DIOSIX_LOG_ERROR, "diosix: capsule %s: crashed: %s", capsule->name, capsule->crash_reason);
	else if (capsule->stop_reason == STOP_SHUTDOWN && order != ORDER_KILL)
		log_line(DIOSIX_LOG_INFO, "diosix: capsule %s: stopped", capsule->name);
	ending_goes_on();
	if (order == ORDER_KILL)
		killed(capsule);
	else if (order == ORDER_RESTART)
		load_now(capsule);
	else if (wants_restart(capsule))
		begin_restart(capsule);
	else
		begin_scrub(capsule);
}

static void loaded(struct capsule *capsule, enum order order)
{
	if (order == ORDER_KILL || board_must_end()) {
		killed(capsule);
	} else if (!capsule->chore_done) { /* cut short by a kill that a restart has overtaken */
		load_now(capsule);
	} else if (atomic_load(&capsule->chore.status) == DMFS_OK && loader_complete(capsule)) {
		log_line(DIOSIX_LOG_INFO, "diosix: capsule %s: %s", capsule->name, capsule->anew ? "started" : "restarted");
		capsule->anew = false;
		begin_life(capsule);
		if (board_must_end()) /* since it was looked at above: it came too late to be asked with the others */
			capsule_ask_to_stop(capsule);
	} else {
		log_line(DIOSIX_LOG_ERROR, "diosix: capsule %s: crashed: it could not be loaded again", capsule->name);
		capsule->stop_reason = STOP_CRASH;
		begin_scrub(capsule);
	}
}

/* From here on only a start can be wanted, and may be already; false when a restart was before. */
static bool close_orders(struct capsule *capsule)
{
	uint32_t order = atomic_load(&capsule->order);

	while (order != ORDER_RESTART && order != ORDER_START)
		if (atomic_compare_exchange_weak(&capsule->order, &order, ORDER_NO_MORE))
			return true;
	return order == ORDER_START;
}

static void scrubbed(struct capsule *capsule)
{
	uint32_t start = ORDER_START;

	ending_note(capsule);
	pages_free(capsule->memory.host, capsule->memory.size / PAGE_SIZE);
	arch_space_destroy(capsule);
	capsule->owned -= capsule->returned;
	enter(capsule, CAPSULE_STOPPED);
	/* An order from here on is for the life that begins. */
	if (atomic_compare_exchange_strong(&capsule->order, &start, ORDER_NONE) && capsule_start(capsule) == START_NO_MEMORY)
		log_line(DIOSIX_LOG_ERROR, "diosix: capsule %s: there is no memory to start it", capsule->name);
	ending_check();
}

/* --- life: who holds it ------------------------------------------------------------------------- */

/* Begins what comes after its present phase: false when there is nothing. Otherwise the caller holds it once more. */
static bool next_phase(struct capsule *capsule)
{
	if (atomic_load(&capsule->state) != CAPSULE_SCRUBBING) {
		enum order order = atomic_exchange(&capsule->order, ORDER_NONE);

		if (atomic_load(&capsule->state) == CAPSULE_LOADING)
			loaded(capsule, order);
		else
			life_over(capsule, order);
	} else if (!close_orders(capsule)) {
		atomic_store(&capsule->order, ORDER_NONE);
		load_now(capsule);
	} else if (!capsule->chore_done) { /* cut short by a restart that a kill has overtaken */
		begin_scrub(capsule);
	} else {
		scrubbed(capsule);
		return false;
	}
	return true;
}

/* As long as somebody holds it, its phase does not end. False when it is ending already, or has stopped. */
static bool hold(struct capsule *capsule)
{
	uint32_t live = atomic_load(&capsule->live);

	while (live != 0)
		if (atomic_compare_exchange_weak(&capsule->live, &live, live + 1))
			return true;
	return false;
}

/* The caller, or the vCPU that it speaks for, holds it. */
static bool stop(struct capsule *capsule, enum stop_reason reason, const char *why)
{
	uint32_t state = CAPSULE_RUNNING;

	if (!atomic_compare_exchange_strong(&capsule->state, &state, CAPSULE_STOPPING))
		return false;
	capsule->stop_reason = reason;
	if (reason == STOP_CRASH)
		snprintf(capsule->crash_reason, sizeof(capsule->crash_reason), "%s", why);
	for (uint32_t i = 0; i < capsule->config.cpus; i++)
		vcpu_post(&capsule->vcpus[i], REQUEST_HALT);
	capsules_post_events(DMFS_PERM_CAPSULE_LIST, DIOSIX_EVENT_CAPSULES);
	return true;
}

/* The caller holds it: does what was ordered as far as its present phase goes. */
static void heed(struct capsule *capsule)
{
	uint32_t order = atomic_load(&capsule->order);

	if (order != ORDER_KILL && order != ORDER_RESTART)
		return;
	if (!stop(capsule, STOP_KILLED, "") && atomic_load(&capsule->state) == CAPSULE_LOADING)
		vcpu_post(&capsule->vcpus[0], REQUEST_HALT); /* it waits no longer */
}

static void release(struct capsule *capsule)
{
	while (atomic_fetch_sub(&capsule->live, 1) == 1) {
		if (!next_phase(capsule))
			return;
		heed(capsule);
	}
}

void capsule_vcpu_retired(struct vcpu *vcpu)
{
	sched_retire();
	atomic_store(&vcpu->hsm, HSM_STOPPED);
	release(vcpu->capsule);
}

/* Does an order make the chore pointless? */
static bool is_pointless(const struct capsule *capsule)
{
	uint32_t instead = atomic_load(&capsule->state) == CAPSULE_LOADING ? ORDER_KILL : ORDER_RESTART;

	return atomic_load(&capsule->order) == instead;
}

void capsule_chore(struct vcpu *vcpu)
{
	struct capsule *capsule = vcpu->capsule;

	if (ending_watches(vcpu)) {
		sched_retire();
		ending_time_is_over();
		return;
	}
	atomic_store(&vcpu->requests, REQUEST_CHORE); /* what else there was has woken it early */
	if (!is_pointless(capsule)) {
		if (unpack_next(&capsule->chore, NULL))
			return;
		capsule->chore_done = true;
	}
	sched_retire();
	release(capsule);
}

/* --- life: what it and others want ----------------------------------------------------------------- */

void capsules_start(void)
{
	ending_reset();
	for (uint32_t i = 0; i < capsule_count; i++) {
		log_line(DIOSIX_LOG_INFO, "diosix: capsule %s: started", capsules[i].name);
		begin_life(&capsules[i]);
		release(&capsules[i]);
	}
}

void capsules_log_memory(void)
{
	uint64_t owned = 0;

	for (uint32_t i = 0; i < capsule_count; i++)
		owned += capsules[i].owned;
	log_line(DIOSIX_LOG_INFO, "diosix: memory: %lu KiB free, %lu KiB in capsules",
		    (unsigned long)(pages_available() * (PAGE_SIZE / 1024)),
		    (unsigned long)(owned * (PAGE_SIZE / 1024)));
}

bool capsule_stop(struct vcpu *vcpu, enum stop_reason reason, const char *why)
{
	/* Another vCPU may have been first, and not yet have come to tell this one. */
	vcpu_post(vcpu, REQUEST_HALT);
	return stop(vcpu->capsule, reason, why);
}

void capsule_crash(struct vcpu *vcpu, const char *why)
{
	/* Of several that crash at once one tells the tale. This vCPU is still there: the capsule ends after it. */
	if (!capsule_stop(vcpu, STOP_CRASH, why))
		return;
	log_line(DIOSIX_LOG_ERROR, "diosix: capsule %s: vCPU %u on hart %lu: %s", vcpu->capsule->name, vcpu->id,
		    (unsigned long)this_hart()->id, why);
	arch_report(vcpu);
}

/* A start that waits for its memory is taken back by a kill, and is as good as a restart. */
static uint32_t instead_of(const struct capsule *capsule, uint32_t before, enum order order)
{
	if (before != ORDER_START || atomic_load(&capsule->state) < CAPSULE_SCRUBBING)
		return order;
	return order == ORDER_KILL ? ORDER_NO_MORE : ORDER_START;
}

bool capsule_order(struct capsule *capsule, enum order order)
{
	uint32_t before = atomic_load(&capsule->order);

	do {
		if (before == ORDER_NO_MORE)
			return false;
	} while (!atomic_compare_exchange_weak(&capsule->order, &before, instead_of(capsule, before, order)));
	if (hold(capsule)) {
		heed(capsule);
		release(capsule);
	}
	return true;
}

bool capsule_ask_to_stop(struct capsule *capsule)
{
	bool runs;

	if (!hold(capsule))
		return false;
	runs = atomic_load(&capsule->state) == CAPSULE_RUNNING;
	if (runs) {
		atomic_store(&capsule->asked, true);
		machine_ask_to_stop(capsule);
	}
	release(capsule);
	return runs;
}

/* It has stopped, and its memory is being cleared: who does that starts it then. False when it is to be restarted. */
static bool start_later(struct capsule *capsule)
{
	uint32_t order = atomic_load(&capsule->order);

	do {
		if (order == ORDER_RESTART)
			return false;
	} while (!atomic_compare_exchange_weak(&capsule->order, &order, ORDER_START));
	return true;
}

/* Keeps one that was given since it was clear that it starts. */
static void open_orders(struct capsule *capsule)
{
	uint32_t order = atomic_load(&capsule->order);

	while (order == ORDER_NO_MORE || order == ORDER_START)
		if (atomic_compare_exchange_weak(&capsule->order, &order, ORDER_NONE))
			return;
}

static enum start_result not_started(struct capsule *capsule, enum start_result why)
{
	atomic_store(&capsule->order, ORDER_NO_MORE);
	atomic_store(&capsule->state, CAPSULE_STOPPED);
	ending_check(); /* others may have ended meanwhile, and taken it for alive */
	return why;
}

/* Of several who come here at once, one starts it. */
enum start_result capsule_start(struct capsule *capsule)
{
	uint32_t state = atomic_load(&capsule->state);
	bool later = state == CAPSULE_SCRUBBING && start_later(capsule);

	state = CAPSULE_STOPPED;
	if (!atomic_compare_exchange_strong(&capsule->state, &state, CAPSULE_LOADING))
		return later ? START_BEGUN : START_NOT_STOPPED;
	if (board_is_ending())
		return not_started(capsule, START_NOT_STOPPED);
	if (!alloc_space(capsule))
		return not_started(capsule, START_NO_MEMORY);
	capsule->owned += capsule->returned;
	console_forget_input(capsule);
	capsule->anew = true;
	open_orders(capsule);
	load_now(capsule);
	heed(capsule);
	release(capsule);
	return START_BEGUN;
}
