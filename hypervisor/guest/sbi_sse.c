/* SPDX-License-Identifier: MIT */
/*
 * Supervisor Software Events extension, section 17 of SBI 3.0. There are the two events that software injects: one of
 * each vCPU, and one of the capsule. The machine's lock guards all of them; a vCPU that may have something to
 * handle gets a request, and takes the event on its way into the guest.
 */
#include <stddef.h>
#include <string.h>

#include "arch/guest.h"
#include "machine.h"
#include "sbi.h"

#define EVENT_LOCAL  0xffff0000u
#define EVENT_GLOBAL 0xffff8000u

/* The other events that the specification names: of RAS, double traps and counters. They have no source here. */
static const uint32_t without_source[] = {0x00000000, 0x00000001, 0x00008000, 0x00010000, 0x00100000, 0x00108000};

enum { UNUSED, REGISTERED, ENABLED, RUNNING };

enum {
	ATTR_STATUS,
	ATTR_PRIORITY,
	ATTR_CONFIG,
	ATTR_PREFERRED_HART,
	ATTR_ENTRY_PC,
	ATTR_ENTRY_ARG,
	ATTR_INTERRUPTED_SEPC,
	ATTR_INTERRUPTED_FLAGS,
	ATTR_INTERRUPTED_A6,
	ATTR_INTERRUPTED_A7,
	ATTRS,
};
_Static_assert(ATTRS == SSE_ATTRS, "core/sbi_state.h");

#define STATUS_PENDING	  (1u << 2)
#define STATUS_INJECTABLE (1u << 3)
#define CONFIG_ONESHOT	  1u
#define FLAG_SPP	  1u
#define FLAG_SPIE	  2u
#define FLAGS		  0x3fu /* those of extensions that guests do not have are kept, and mean nothing */

#define A6 16
#define A7 17

/* An event's number has 32 bits. */
static bool is_global(uint64_t id)
{
	return (uint32_t)id == EVENT_GLOBAL;
}

static struct sse_event *local_of(struct vcpu *vcpu)
{
	return &vcpu->sbi.sse.local;
}

static struct sse_event *global_of(const struct vcpu *vcpu)
{
	return &vcpu->capsule->machine->event;
}

/* NULL, and what is wrong with it, when there is no such event. */
static struct sse_event *find(struct vcpu *vcpu, uint64_t id, int64_t *error)
{
	*error = SBI_SUCCESS;
	if ((uint32_t)id == EVENT_LOCAL)
		return local_of(vcpu);
	if ((uint32_t)id == EVENT_GLOBAL)
		return global_of(vcpu);
	*error = SBI_ERR_INVALID_PARAM;
	for (size_t i = 0; i < sizeof(without_source) / sizeof(without_source[0]); i++)
		if (without_source[i] == (uint32_t)id)
			*error = SBI_ERR_NOT_SUPPORTED;
	return NULL;
}

/* --- delivery: the lock is held ----------------------------------------------------------------- */

static bool is_started(const struct vcpu *vcpu)
{
	uint32_t hsm = atomic_load(&vcpu->hsm);

	return hsm == HSM_STARTED || hsm == HSM_SUSPENDED;
}

static bool is_ready(const struct vcpu *vcpu)
{
	return vcpu->sbi.sse.unmasked && is_started(vcpu);
}

static bool waits(const struct sse_event *event)
{
	return event->state == ENABLED && event->pending;
}

/*
 * Who is to handle the capsule's event: the preferred vCPU, or else the first that is ready. For one that the guest
 * itself has chosen the event waits while it masks events, until it stops.
 */
static struct vcpu *handler_of(const struct capsule *capsule, const struct sse_event *event)
{
	struct vcpu *preferred = &capsule->vcpus[event->attr[ATTR_PREFERRED_HART]];

	if (is_ready(preferred) || (event->chosen && is_started(preferred)))
		return preferred;
	for (uint32_t i = 0; i < capsule->config.cpus; i++)
		if (is_ready(&capsule->vcpus[i]))
			return &capsule->vcpus[i];
	return NULL;
}

static bool runs_on(const struct sse_event *event, const struct vcpu *vcpu)
{
	return event->state == RUNNING && event->hart == vcpu->id;
}

/* By priority, and by number then: the local event has the lower one. */
static struct sse_event *first_of(struct sse_event *local, struct sse_event *global)
{
	if (local == NULL || global == NULL)
		return local != NULL ? local : global;
	return global->attr[ATTR_PRIORITY] < local->attr[ATTR_PRIORITY] ? global : local;
}

/* The running event that has preempted the other, if there are two. */
static struct sse_event *running(struct vcpu *vcpu)
{
	struct sse_event *local = local_of(vcpu), *global = global_of(vcpu);

	return first_of(runs_on(local, vcpu) ? local : NULL, runs_on(global, vcpu) ? global : NULL);
}

/* The event that the vCPU has to take now; NULL if there is none. */
static struct sse_event *next_event(struct vcpu *vcpu)
{
	struct sse_event *local = local_of(vcpu), *global = global_of(vcpu), *next;

	if (!vcpu->sbi.sse.unmasked)
		return NULL;
	next = first_of(waits(local) ? local : NULL,
			waits(global) && handler_of(vcpu->capsule, global) == vcpu ? global : NULL);
	/* If one is running, it is the other of the two. */
	return running(vcpu) == NULL || first_of(local, global) == next ? next : NULL;
}

static void take(struct vcpu *vcpu, struct sse_event *event)
{
	struct arch_interrupted was;

	event->state = RUNNING;
	event->pending = false;
	event->hart = vcpu->id;
	event->attr[ATTR_INTERRUPTED_A6] = vcpu_reg(vcpu, A6);
	event->attr[ATTR_INTERRUPTED_A7] = vcpu_reg(vcpu, A7);
	arch_interrupt(vcpu, event->attr[ATTR_ENTRY_PC], &was);
	event->attr[ATTR_INTERRUPTED_SEPC] = was.epc;
	event->attr[ATTR_INTERRUPTED_FLAGS] = (was.spp ? FLAG_SPP : 0) | (was.spie ? FLAG_SPIE : 0);
	vcpu_set_reg(vcpu, A6, vcpu->id);
	vcpu_set_reg(vcpu, A7, event->attr[ATTR_ENTRY_ARG]);
}

void sbi_sse_deliver(struct vcpu *vcpu)
{
	struct sse_event *event;

	lock(&vcpu->capsule->machine->lock);
	event = next_event(vcpu);
	if (event != NULL)
		take(vcpu, event);
	unlock(&vcpu->capsule->machine->lock);
}

/* If the capsule's event waits, the vCPU that has to take it looks for it. The lock is not held. */
static void announce_global(struct vcpu *self)
{
	struct sse_event *event = global_of(self);
	struct vcpu *handler;

	lock(&self->capsule->machine->lock);
	handler = waits(event) ? handler_of(self->capsule, event) : NULL;
	if (handler != NULL && !is_ready(handler))
		handler = NULL; /* it looks when it unmasks events */
	unlock(&self->capsule->machine->lock);
	if (handler != NULL)
		vcpu_post(handler, REQUEST_EVENT);
}

/* The same for either event; the local one is that of `target`. */
static void announce(struct vcpu *self, uint64_t id, struct vcpu *target)
{
	if (is_global(id))
		announce_global(self);
	else
		vcpu_post(target, REQUEST_EVENT);
}

/* --- attributes --------------------------------------------------------------------------------- */

static uint64_t read_attr(const struct vcpu *vcpu, uint64_t id, const struct sse_event *event, unsigned attr)
{
	if (attr == ATTR_STATUS)
		return event->state | (event->pending ? STATUS_PENDING : 0) | STATUS_INJECTABLE;
	if (attr == ATTR_PREFERRED_HART && !is_global(id))
		return vcpu->id;
	return event->attr[attr];
}

static int64_t check_attr(const struct vcpu *vcpu, uint64_t id, const struct sse_event *event, unsigned attr,
			  uint64_t value)
{
	bool idle = event->state == UNUSED || event->state == REGISTERED, wrong;

	switch (attr) {
	case ATTR_PRIORITY:
		wrong = value > UINT32_MAX;
		break;
	case ATTR_CONFIG:
		wrong = value > CONFIG_ONESHOT;
		break;
	case ATTR_PREFERRED_HART:
		if (!is_global(id))
			return SBI_ERR_DENIED;
		wrong = value >= vcpu->capsule->config.cpus;
		break;
	case ATTR_INTERRUPTED_SEPC:
	case ATTR_INTERRUPTED_FLAGS:
	case ATTR_INTERRUPTED_A6:
	case ATTR_INTERRUPTED_A7:
		if (!runs_on(event, vcpu))
			return SBI_ERR_INVALID_STATE;
		return attr == ATTR_INTERRUPTED_FLAGS && value > FLAGS ? SBI_ERR_INVALID_PARAM : SBI_SUCCESS;
	default: /* the others are for reading */
		return SBI_ERR_DENIED;
	}
	if (!idle)
		return SBI_ERR_INVALID_STATE;
	return wrong ? SBI_ERR_INVALID_PARAM : SBI_SUCCESS;
}

/* What reading and writing attributes have in common: (event, first, count, address low, high). */
static int64_t check_range(struct vcpu *vcpu, const uint64_t *a, struct sse_event **event, hpa_t *at)
{
	uint32_t first = (uint32_t)a[1], count = (uint32_t)a[2];
	int64_t error;

	*event = find(vcpu, a[0], &error);
	if (*event == NULL)
		return error;
	if (count == 0)
		return SBI_ERR_INVALID_PARAM;
	if (first >= ATTRS || count > ATTRS - first)
		return SBI_ERR_BAD_RANGE;
	if (a[3] % 8 != 0 || a[4] != 0 || !capsule_memory(vcpu->capsule, gpa(a[3]), 8 * (uint64_t)count, at))
		return SBI_ERR_INVALID_ADDRESS;
	return SBI_SUCCESS;
}

static struct sbi_result read_attrs(struct vcpu *vcpu, const uint64_t *a)
{
	struct sse_event *event;
	uint64_t values[ATTRS];
	hpa_t at;
	int64_t error = check_range(vcpu, a, &event, &at);

	if (error != SBI_SUCCESS)
		return sbi_error(error);
	lock(&vcpu->capsule->machine->lock);
	for (uint32_t i = 0; i < (uint32_t)a[2]; i++)
		values[i] = read_attr(vcpu, a[0], event, (uint32_t)a[1] + i);
	unlock(&vcpu->capsule->machine->lock);
	memcpy(hpa_ptr(at), values, 8 * (size_t)(uint32_t)a[2]);
	return sbi_value(0);
}

/* All of them, or none. */
static struct sbi_result write_attrs(struct vcpu *vcpu, const uint64_t *a)
{
	uint32_t first = (uint32_t)a[1], count = (uint32_t)a[2];
	struct sse_event *event;
	uint64_t values[ATTRS];
	hpa_t at;
	int64_t error = check_range(vcpu, a, &event, &at);

	if (error != SBI_SUCCESS)
		return sbi_error(error);
	memcpy(values, hpa_ptr(at), 8 * (size_t)count);
	lock(&vcpu->capsule->machine->lock);
	for (uint32_t i = 0; i < count && error == SBI_SUCCESS; i++)
		error = check_attr(vcpu, a[0], event, first + i, values[i]);
	if (error == SBI_SUCCESS) {
		memcpy(&event->attr[first], values, 8 * (size_t)count);
		event->chosen |= first <= ATTR_PREFERRED_HART && ATTR_PREFERRED_HART < first + count;
	}
	unlock(&vcpu->capsule->machine->lock);
	return sbi_error(error);
}

/* --- states ------------------------------------------------------------------------------------- */

static struct sbi_result change_state(struct vcpu *vcpu, uint64_t id, uint32_t from, uint32_t to)
{
	struct sse_event *event;
	int64_t error;

	event = find(vcpu, id, &error);
	if (event == NULL)
		return sbi_error(error);
	lock(&vcpu->capsule->machine->lock);
	if (event->state == from) {
		event->state = to;
		if (to == UNUSED)
			event->pending = false;
	} else {
		error = SBI_ERR_INVALID_STATE;
	}
	unlock(&vcpu->capsule->machine->lock);
	return sbi_error(error);
}

static struct sbi_result register_event(struct vcpu *vcpu, const uint64_t *a)
{
	struct sse_event *event;
	int64_t error;

	event = find(vcpu, a[0], &error);
	if (event == NULL)
		return sbi_error(error);
	if (a[1] % 2 != 0)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	lock(&vcpu->capsule->machine->lock);
	if (event->state == UNUSED) {
		event->state = REGISTERED;
		event->pending = false;
		event->attr[ATTR_ENTRY_PC] = a[1];
		event->attr[ATTR_ENTRY_ARG] = a[2];
	} else {
		error = SBI_ERR_INVALID_STATE;
	}
	unlock(&vcpu->capsule->machine->lock);
	return sbi_error(error);
}

static struct sbi_result unregister_event(struct vcpu *vcpu, const uint64_t *a)
{
	return change_state(vcpu, a[0], REGISTERED, UNUSED);
}

static struct sbi_result enable_event(struct vcpu *vcpu, const uint64_t *a)
{
	struct sbi_result result = change_state(vcpu, a[0], REGISTERED, ENABLED);

	if (result.error == SBI_SUCCESS)
		announce(vcpu, a[0], vcpu);
	return result;
}

static struct sbi_result disable_event(struct vcpu *vcpu, const uint64_t *a)
{
	return change_state(vcpu, a[0], ENABLED, REGISTERED);
}

/* Goes back to where the event came; registers are as the guest has left them then, a0 and a1 as well. */
static struct sbi_result complete(struct vcpu *vcpu, const uint64_t *a)
{
	struct arch_interrupted was;
	struct sse_event *event;

	lock(&vcpu->capsule->machine->lock);
	event = running(vcpu);
	if (event == NULL) {
		unlock(&vcpu->capsule->machine->lock);
		return sbi_value(0);
	}
	event->state = event->attr[ATTR_CONFIG] & CONFIG_ONESHOT ? REGISTERED : ENABLED;
	was.epc = event->attr[ATTR_INTERRUPTED_SEPC];
	was.spp = event->attr[ATTR_INTERRUPTED_FLAGS] & FLAG_SPP;
	was.spie = event->attr[ATTR_INTERRUPTED_FLAGS] & FLAG_SPIE;
	vcpu_set_reg(vcpu, A6, event->attr[ATTR_INTERRUPTED_A6]);
	vcpu_set_reg(vcpu, A7, event->attr[ATTR_INTERRUPTED_A7]);
	arch_end_interrupt(vcpu, &was);
	unlock(&vcpu->capsule->machine->lock);
	vcpu_post(vcpu, REQUEST_EVENT); /* others may have waited for it to end */
	announce_global(vcpu);
	return (struct sbi_result){(int64_t)a[0], a[1]};
}

static struct sbi_result inject(struct vcpu *vcpu, const uint64_t *a)
{
	struct vcpu *target = vcpu;
	struct sse_event *event;
	int64_t error;

	event = find(vcpu, a[0], &error);
	if (event == NULL)
		return sbi_error(error);
	if (!is_global(a[0])) {
		if (a[1] >= vcpu->capsule->config.cpus)
			return sbi_error(SBI_ERR_INVALID_PARAM);
		target = &vcpu->capsule->vcpus[a[1]];
		event = local_of(target);
	}
	lock(&vcpu->capsule->machine->lock);
	if (event->state == ENABLED || event->state == RUNNING)
		event->pending = true;
	else
		error = SBI_ERR_INVALID_STATE;
	unlock(&vcpu->capsule->machine->lock);
	if (error == SBI_SUCCESS)
		announce(vcpu, a[0], target);
	return sbi_error(error);
}

/* --- masks -------------------------------------------------------------------------------------- */

static bool set_unmasked(struct vcpu *vcpu, bool unmasked)
{
	bool changed;

	lock(&vcpu->capsule->machine->lock);
	changed = vcpu->sbi.sse.unmasked != unmasked;
	vcpu->sbi.sse.unmasked = unmasked;
	unlock(&vcpu->capsule->machine->lock);
	return changed;
}

static struct sbi_result hart_unmask(struct vcpu *vcpu, const uint64_t *a)
{
	(void)a;
	if (!set_unmasked(vcpu, true))
		return sbi_error(SBI_ERR_ALREADY_STARTED);
	vcpu_post(vcpu, REQUEST_EVENT);
	return sbi_value(0);
}

static struct sbi_result hart_mask(struct vcpu *vcpu, const uint64_t *a)
{
	(void)a;
	if (!set_unmasked(vcpu, false))
		return sbi_error(SBI_ERR_ALREADY_STOPPED);
	announce_global(vcpu); /* what waits for this one may go to another */
	return sbi_value(0);
}

void sbi_sse_leave(struct vcpu *vcpu)
{
	set_unmasked(vcpu, false);
	announce_global(vcpu); /* it may have waited for this one although it was masked */
}

static const sbi_function functions[] = {
	read_attrs, write_attrs, register_event, unregister_event, enable_event,
	disable_event, complete, inject, hart_unmask, hart_mask,
};

const struct sbi_extension sbi_sse = {
	.id = 0x535345,
	.count = sizeof(functions) / sizeof(functions[0]),
	.functions = functions,
};
