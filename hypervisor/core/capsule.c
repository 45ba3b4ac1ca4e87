/* SPDX-License-Identifier: MIT */
#include "capsule.h"

#include <stdio.h>
#include <string.h>

#include "arch/guest.h"
#include "arch/hart.h"
#include "board_io.h"
#include "boot.h"
#include "console.h"
#include "loader.h"
#include "pages.h"
#include "roles.h"
#include "scheduler.h"
#include "service_abi.h"

_Static_assert(CONSOLE_RING_LEN % PAGE_SIZE == 0, "the ring is whole pages");

struct capsule *capsules;
uint32_t capsule_count;

static _Atomic uint32_t running; /* capsules that have not stopped for good */

/* --- creation ------------------------------------------------------------------------------- */

/* A kernel that runs at one address alone needs its RAM there when guest-physical is host-physical. */
static bool alloc_memory(struct capsule *capsule, char *why, size_t why_len)
{
	uint64_t size = capsule->config.memory, pages = size / PAGE_SIZE;
	hpa_t host = hpa(DMFS_GUEST_RAM_BASE);
	bool anywhere = arch_features.gstage || capsule->config.flags & DMFS_CAPSULE_RELOCATABLE;

	if (!anywhere && !pages_alloc_at(host, pages)) {
		snprintf(why, why_len,
			 "capsule %s: its kernel runs at one address only, which a board without the H extension "
			 "cannot give it",
			 capsule->name);
		return false;
	}
	if (anywhere && !pages_alloc(pages, DMFS_MEMORY_UNIT, &host)) {
		snprintf(why, why_len, "capsule %s needs %lu MiB of memory in one piece, the board has %lu MiB left",
			 capsule->name, (unsigned long)(size >> 20),
			 (unsigned long)(pages_longest_run() * PAGE_SIZE >> 20));
		return false;
	}
	capsule->memory = (struct guest_memory){arch_ram_base(host), host, size};
	return true;
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
	if (!alloc_memory(capsule, why, why_len))
		return false;
	if (!pages_alloc(size / PAGE_SIZE, PAGE_SIZE, &at) || !arch_space_create(capsule)) {
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

/* --- life ----------------------------------------------------------------------------------- */

/* Enters vCPU 0 at the entry point; the memory has been loaded. */
static void start(struct capsule *capsule)
{
	uint64_t moved = capsule->memory.base.v - DMFS_GUEST_RAM_BASE;

	atomic_store(&capsule->events, 0);
	machine_reset(capsule);
	capsule->starts++;
	capsule->started_at = arch_time();
	atomic_store(&capsule->state, CAPSULE_RUNNING);
	vcpu_start(&capsule->vcpus[0], capsule->config.entry + moved, capsule->config.devicetree_load + moved);
}

void capsules_start(void)
{
	running = capsule_count;
	for (uint32_t i = 0; i < capsule_count; i++) {
		console_log("diosix: capsule %s: started", capsules[i].name);
		start(&capsules[i]);
	}
}

void capsules_log_memory(void)
{
	uint64_t owned = 0;

	for (uint32_t i = 0; i < capsule_count; i++)
		owned += capsules[i].owned;
	console_log("diosix: memory: %lu KiB free, %lu KiB in capsules",
		    (unsigned long)(pages_available() * (PAGE_SIZE / 1024)),
		    (unsigned long)(owned * (PAGE_SIZE / 1024)));
}

bool capsule_stop(struct vcpu *vcpu, enum stop_reason reason, const char *why)
{
	struct capsule *capsule = vcpu->capsule;
	uint32_t state = CAPSULE_RUNNING;

	/* Another vCPU may have been first, and not yet have come to tell this one. */
	vcpu_post(vcpu, REQUEST_HALT);
	if (!atomic_compare_exchange_strong(&capsule->state, &state, CAPSULE_STOPPING))
		return false;
	capsule->stop_reason = reason;
	snprintf(capsule->crash_reason, sizeof(capsule->crash_reason), "%s", why);
	for (uint32_t i = 0; i < capsule->config.cpus; i++)
		vcpu_post(&capsule->vcpus[i], REQUEST_HALT);
	return true;
}

void capsule_crash(struct vcpu *vcpu, const char *why)
{
	/* Of several that crash at once one tells the tale. This vCPU is still there: the capsule ends after it. */
	if (!capsule_stop(vcpu, STOP_CRASH, why))
		return;
	console_log("diosix: capsule %s: vCPU %u on hart %lu: %s", vcpu->capsule->name, vcpu->id,
		    (unsigned long)this_hart()->id, why);
	arch_report(vcpu);
}

static bool wants_restart(const struct capsule *capsule)
{
	switch (capsule->config.restart) {
	case DMFS_RESTART_ALWAYS:
		return true;
	case DMFS_RESTART_ON_CRASH:
		return capsule->stop_reason != STOP_SHUTDOWN;
	default:
		return capsule->stop_reason == STOP_REBOOT;
	}
}

/* For good: all have stopped. */
static bool any_crashed(void)
{
	for (uint32_t i = 0; i < capsule_count; i++)
		if (capsules[i].stop_reason == STOP_CRASH)
			return true;
	return false;
}

/* vCPU 0, which is off, does the work when its turn is: as any other time that it takes, it is its capsule's own. */
static void begin_chore(struct capsule *capsule, enum capsule_state state, uint64_t when)
{
	atomic_store(&capsule->vcpus[0].requests, REQUEST_CHORE);
	atomic_store(&capsule->state, state);
	sched_start_at(&capsule->vcpus[0], when);
}

static void begin_scrub(struct capsule *capsule)
{
	loader_plan_scrub(capsule);
	begin_chore(capsule, CAPSULE_SCRUBBING, 0);
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
		console_log("diosix: capsule %s: crashed: %u restarts in a row did not last %u s, no more are tried",
			    capsule->name, limit, SHORT_LIFE_MS / 1000);
		capsule->stop_reason = STOP_CRASH;
		begin_scrub(capsule);
		return;
	}
	ms = wait_ms(++capsule->short_lives);
	if (ms != 0)
		console_log("diosix: capsule %s: restarts in %lu ms", capsule->name, (unsigned long)ms);
	loader_plan_reload(capsule);
	begin_chore(capsule, CAPSULE_LOADING, now + ms_to_ticks(ms));
}

static void loaded(struct capsule *capsule)
{
	if (atomic_load(&capsule->chore.status) == DMFS_OK && loader_complete(capsule)) {
		console_log("diosix: capsule %s: restarted", capsule->name);
		start(capsule);
		return;
	}
	console_log("diosix: capsule %s: crashed: it could not be loaded again", capsule->name);
	capsule->stop_reason = STOP_CRASH;
	begin_scrub(capsule);
}

static void scrubbed(struct capsule *capsule)
{
	uint64_t available = pages_available();

	pages_free(capsule->memory.host, capsule->memory.size / PAGE_SIZE);
	arch_space_destroy(capsule);
	capsule->owned -= pages_available() - available;
	atomic_store(&capsule->state, CAPSULE_STOPPED);
	if (atomic_fetch_sub(&running, 1) == 1)
		board_end(!any_crashed());
}

void capsule_chore(struct vcpu *vcpu)
{
	struct capsule *capsule = vcpu->capsule;

	if (unpack_next(&capsule->chore, NULL))
		return;
	sched_retire();
	if (atomic_load(&capsule->state) == CAPSULE_LOADING)
		loaded(capsule);
	else
		scrubbed(capsule);
}

static void finish(struct capsule *capsule)
{
	roles_gone(capsule);
	grants_gone(capsule);
	messages_gone(capsule);
	console_flush(capsule);
	if (capsule->stop_reason == STOP_CRASH)
		console_log("diosix: capsule %s: crashed: %s", capsule->name, capsule->crash_reason);
	else if (capsule->stop_reason == STOP_SHUTDOWN)
		console_log("diosix: capsule %s: stopped", capsule->name);
	if (wants_restart(capsule))
		begin_restart(capsule);
	else
		begin_scrub(capsule);
}

void capsule_vcpu_retired(struct vcpu *vcpu)
{
	struct capsule *capsule = vcpu->capsule;

	sched_retire();
	atomic_store(&vcpu->hsm, HSM_STOPPED);
	if (atomic_fetch_sub(&capsule->live, 1) != 1)
		return;
	/* A guest all of whose vCPUs have stopped themselves cannot come back: it has shut down. */
	if (atomic_load(&capsule->state) == CAPSULE_RUNNING) {
		capsule->stop_reason = STOP_SHUTDOWN;
		atomic_store(&capsule->state, CAPSULE_STOPPING);
	}
	finish(capsule);
}
