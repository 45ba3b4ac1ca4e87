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
#include "scheduler.h"

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
	uint64_t vcpus = align_up(sizeof(struct vcpu) * capsule->config.cpus, PAGE_SIZE);
	uint64_t devices = align_up(machine_size(&capsule->config), PAGE_SIZE);
	hpa_t at;

	memcpy(capsule->name, capsule->config.name.data, capsule->config.name.len);
	capsule->index = index;
	if (!alloc_memory(capsule, why, why_len))
		return false;
	if (!pages_alloc((vcpus + devices) / PAGE_SIZE, PAGE_SIZE, &at) || !arch_space_create(capsule)) {
		snprintf(why, why_len, "capsule %s: no memory is left for its %u vCPUs", capsule->name,
			 capsule->config.cpus);
		return false;
	}
	memset(hpa_ptr(at), 0, vcpus + devices);
	capsule->vcpus = hpa_ptr(at);
	capsule->machine = hpa_ptr(hpa(at.v + vcpus));
	return place_vcpus(capsule, why, why_len);
}

/* --- life ----------------------------------------------------------------------------------- */

void capsule_start(struct capsule *capsule)
{
	uint64_t moved = capsule->memory.base.v - DMFS_GUEST_RAM_BASE;

	machine_reset(capsule);
	if (capsule->starts++ == 0)
		atomic_fetch_add(&running, 1);
	atomic_store(&capsule->state, CAPSULE_RUNNING);
	vcpu_start(&capsule->vcpus[0], capsule->config.entry + moved, capsule->config.devicetree_load + moved);
}

void capsule_stop(struct capsule *capsule, enum stop_reason reason, const char *why)
{
	uint32_t state = CAPSULE_RUNNING;

	if (!atomic_compare_exchange_strong(&capsule->state, &state, CAPSULE_STOPPING))
		return;
	capsule->stop_reason = reason;
	snprintf(capsule->crash_reason, sizeof(capsule->crash_reason), "%s", why);
	for (uint32_t i = 0; i < capsule->config.cpus; i++)
		vcpu_post(&capsule->vcpus[i], REQUEST_HALT);
}

void capsule_crash(struct vcpu *vcpu, const char *why)
{
	console_log("diosix: capsule %s: vCPU %u on hart %lu: %s", vcpu->capsule->name, vcpu->id,
		    (unsigned long)this_hart()->id, why);
	arch_report(vcpu);
	capsule_stop(vcpu->capsule, STOP_CRASH, why);
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

/* False when it cannot be. Otherwise its new life has begun elsewhere, and may have ended, when this returns. */
static bool restart(struct capsule *capsule)
{
	if (!loader_reload(capsule)) {
		console_log("diosix: capsule %s: crashed: it could not be loaded again", capsule->name);
		capsule->stop_reason = STOP_CRASH;
		return false;
	}
	console_log("diosix: capsule %s: restarted", capsule->name);
	capsule_start(capsule);
	return true;
}

/* For good: all have stopped. */
static bool any_crashed(void)
{
	for (uint32_t i = 0; i < capsule_count; i++)
		if (capsules[i].stop_reason == STOP_CRASH)
			return true;
	return false;
}

static void finish(struct capsule *capsule)
{
	console_flush(capsule);
	if (capsule->stop_reason == STOP_CRASH)
		console_log("diosix: capsule %s: crashed: %s", capsule->name, capsule->crash_reason);
	else if (capsule->stop_reason == STOP_SHUTDOWN)
		console_log("diosix: capsule %s: stopped", capsule->name);
	if (wants_restart(capsule) && restart(capsule))
		return;
	atomic_store(&capsule->state, CAPSULE_STOPPED);
	if (atomic_fetch_sub(&running, 1) == 1)
		board_end(!any_crashed());
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
