/* SPDX-License-Identifier: MIT */
/*
 * Grants: pages of their owner that one other capsule reaches. What a grant's state says changes under the owner's lock;
 * what takes longer is done without it, by the one call that has the right to it (struct grant).
 */
#include <string.h>

#include "arch/guest.h"
#include "arch/hart.h"
#include "exchange.h"
#include "roles.h"

/* A grant's number: the owner's index, the place in its table, and a number that is never used again. */
#define NUMBER(index, place, sequence) ((sequence) << 16 | (uint64_t)(place) << 8 | (index))
#define OWNER_INDEX(number) ((number) & 0xff)
#define PLACE(number)	    ((number) >> 8 & 0xff)

/* --- the owner's table ------------------------------------------------------------------------- */

struct grant_ref {
	struct capsule *owner;
	struct grant *grant;
};

/* Where a grant of that number would be; false when there is no such place. */
static bool find(uint64_t number, struct grant_ref *ref)
{
	if (OWNER_INDEX(number) >= capsule_count || PLACE(number) >= DIOSIX_GRANTS || number == 0)
		return false;
	ref->owner = &capsules[OWNER_INDEX(number)];
	if (ref->owner->exchange == NULL)
		return false;
	ref->grant = &ref->owner->exchange->grants[PLACE(number)];
	return true;
}

static struct lock *lock_of(const struct grant_ref *ref)
{
	return &ref->owner->exchange->grants_lock;
}

static struct grant *free_place(struct exchange *exchange)
{
	for (unsigned i = 0; i < DIOSIX_GRANTS; i++)
		if (atomic_load(&exchange->grants[i].number) == 0)
			return &exchange->grants[i];
	return NULL;
}

/* Enters a grant. Its peer runs now, so it still has to look for grants to it when that ends, after this lock. */
static struct sbi_result enter(struct capsule *owner, const struct grant *new)
{
	struct exchange *exchange = owner->exchange;
	struct sbi_result result = sbi_error(SBI_ERR_TIMEOUT);
	struct grant *grant;

	lock(&exchange->grants_lock);
	grant = free_place(exchange);
	if (capsule_by_handle(new->peer) == NULL) {
		result = sbi_error(SBI_ERR_INVALID_STATE);
	} else if (grant != NULL) {
		*grant = *new;
		result = sbi_value(NUMBER(owner->index, grant - exchange->grants, ++exchange->granted));
		atomic_store(&grant->number, result.value);
		atomic_fetch_add(&owner->grants, 1);
	}
	unlock(&exchange->grants_lock);
	return result;
}

struct sbi_result grant_make(struct vcpu *vcpu, const uint64_t *a)
{
	struct capsule *peer = capsule_by_handle(a[0]);
	struct grant grant = {.peer = a[0], .pages = (uint32_t)a[2], .writable = a[3] & DIOSIX_GRANT_WRITE};

	if (a[2] == 0 || a[2] > DIOSIX_GRANT_PAGES || a[1] % PAGE_SIZE != 0 || a[3] & ~(uint64_t)DIOSIX_GRANT_WRITE)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	if (!capsule_memory(vcpu->capsule, gpa(a[1]), a[2] * PAGE_SIZE, &grant.at))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	if (peer == NULL || peer == vcpu->capsule || !capsule_may(peer, DMFS_PERM_MESSAGE_RECEIVE))
		return sbi_error(SBI_ERR_INVALID_STATE);
	return enter(vcpu->capsule, &grant);
}

/* --- the peer's window, in `gstage` mode -------------------------------------------------------- */

/* One of its slots that was free; DIOSIX_GRANTS when there is none. */
static uint32_t take_slot(struct exchange *exchange)
{
	uint32_t slot;

	for (slot = 0; slot < DIOSIX_GRANTS; slot++)
		if (!(atomic_fetch_or(&exchange->window, 1u << slot) & 1u << slot))
			break;
	return slot;
}

/*
 * When it returns no vCPU of the capsule is in the guest with what it had cached of its window. One that is outside serves the
 * request before it enters, on the hart where it does; and a hart that has cached something for a vCPU that has left it drops
 * that when it loads one again, as spaces have changed since.
 */
static void fence_space(struct capsule *capsule)
{
	for (uint32_t i = 0; i < capsule->config.cpus; i++)
		vcpu_post(&capsule->vcpus[i], REQUEST_SPACE);
	for (uint32_t i = 0; i < capsule->config.cpus; i++)
		vcpu_await_exit(&capsule->vcpus[i]);
}

static void map(struct capsule *peer, const struct grant *grant)
{
	arch_window_map(peer, grant->slot, grant->at, grant->pages, grant->writable);
	fence_space(peer);
}

/* The caller has the right to the grant, and it is accepted. */
static void unmap(const struct grant *grant)
{
	struct capsule *peer = &capsules[DIOSIX_HANDLE_INDEX(grant->peer)];

	if (!arch_features.gstage)
		return;
	arch_window_unmap(peer, grant->slot);
	fence_space(peer);
	atomic_fetch_and(&peer->exchange->window, ~(1u << grant->slot));
}

/* --- revoking ----------------------------------------------------------------------------------- */

/*
 * When it returns the grant is gone. False when it was not there, or somebody else has just taken it away: then he has
 * been waited for. He waits for the last copy of 64 pages or for vCPUs to leave their guest, and for no other grant.
 */
static bool revoke(const struct grant_ref *ref, uint64_t number)
{
	struct grant *grant = ref->grant;
	bool there, first;

	lock(lock_of(ref));
	there = number != 0 && atomic_load(&grant->number) == number;
	first = there && !grant->doomed;
	if (first)
		grant->doomed = true;
	unlock(lock_of(ref));
	while (there && !first && atomic_load(&grant->number) == number)
		;
	if (!first)
		return false;
	while (atomic_load(&grant->busy))
		;
	if (grant->state == GRANT_ACCEPTED) {
		unmap(grant);
		capsule_post_events(&capsules[DIOSIX_HANDLE_INDEX(grant->peer)], DIOSIX_EVENT_REVOKED);
	}
	atomic_fetch_sub(&ref->owner->grants, 1);
	atomic_store(&grant->number, 0);
	return true;
}

struct sbi_result grant_revoke(struct vcpu *vcpu, const uint64_t *a)
{
	struct grant_ref ref;

	if (!find(a[0], &ref) || ref.owner != vcpu->capsule || !revoke(&ref, a[0]))
		return sbi_error(SBI_ERR_INVALID_PARAM);
	return sbi_value(0);
}

/* The number of a grant that is this capsule's, or to it in the life that has ended; 0 otherwise. */
static uint64_t concerns(const struct grant_ref *ref, const struct capsule *capsule)
{
	uint64_t number = 0;

	lock(lock_of(ref));
	if (ref->owner == capsule || ref->grant->peer == capsule_handle(capsule))
		number = atomic_load(&ref->grant->number);
	unlock(lock_of(ref));
	return number;
}

void grants_gone(struct capsule *capsule)
{
	if (capsule->exchange == NULL)
		return;
	for (uint32_t i = 0; i < capsule_count; i++) {
		struct grant_ref ref = {&capsules[i], NULL};

		if (ref.owner->exchange == NULL || !capsule_may(ref.owner, DMFS_PERM_MEMORY_GRANT))
			continue;
		for (unsigned place = 0; place < DIOSIX_GRANTS; place++) {
			ref.grant = &ref.owner->exchange->grants[place];
			revoke(&ref, concerns(&ref, capsule));
		}
	}
}

/* --- the peer's calls --------------------------------------------------------------------------- */

/* Takes the right to a grant that is in this state; whoever gets it ends with done(). */
static int64_t begin(struct vcpu *vcpu, uint64_t number, enum grant_state state, struct grant_ref *ref)
{
	int64_t error = SBI_SUCCESS;
	struct grant *grant;

	if (!find(number, ref))
		return SBI_ERR_INVALID_PARAM;
	grant = ref->grant;
	lock(lock_of(ref));
	if (atomic_load(&grant->number) != number || grant->peer != capsule_handle(vcpu->capsule))
		error = SBI_ERR_INVALID_PARAM;
	else if (grant->doomed || grant->state != state)
		error = SBI_ERR_INVALID_STATE;
	else if (atomic_exchange(&grant->busy, true))
		error = SBI_ERR_TIMEOUT; /* another vCPU of this capsule is at it */
	unlock(lock_of(ref));
	return error;
}

static struct sbi_result done(struct grant_ref *ref, enum grant_state state, struct sbi_result result)
{
	lock(lock_of(ref));
	ref->grant->state = state;
	atomic_store(&ref->grant->busy, false);
	unlock(lock_of(ref));
	return result;
}

static struct sbi_result accept_mapped(struct capsule *peer, struct grant_ref *ref)
{
	ref->grant->slot = take_slot(peer->exchange);
	if (ref->grant->slot == DIOSIX_GRANTS)
		return done(ref, GRANT_OPEN, sbi_error(SBI_ERR_FAILED));
	map(peer, ref->grant);
	return done(ref, GRANT_ACCEPTED,
		    sbi_value(DIOSIX_WINDOW + ref->grant->slot * DIOSIX_GRANT_PAGES * PAGE_SIZE));
}

static void copy(const struct capsule *peer, const struct grant *grant, bool push)
{
	uint64_t len = grant->pages * PAGE_SIZE;
	hpa_t there;

	if (!capsule_memory(peer, grant->copy, len, &there))
		return; /* it was checked when the grant was accepted, and RAM stays where it is */
	if (push)
		memcpy(hpa_ptr(grant->at), hpa_ptr(there), len);
	else
		memcpy(hpa_ptr(there), hpa_ptr(grant->at), len);
}

static struct sbi_result accept_copied(struct capsule *peer, struct grant_ref *ref, gpa_t buffer)
{
	hpa_t there;

	if (buffer.v % PAGE_SIZE != 0 || !capsule_memory(peer, buffer, ref->grant->pages * PAGE_SIZE, &there))
		return done(ref, GRANT_OPEN, sbi_error(SBI_ERR_INVALID_ADDRESS));
	ref->grant->copy = buffer;
	copy(peer, ref->grant, false);
	return done(ref, GRANT_ACCEPTED, sbi_value(buffer.v));
}

struct sbi_result grant_accept(struct vcpu *vcpu, const uint64_t *a)
{
	struct grant_ref ref;
	int64_t error = begin(vcpu, a[0], GRANT_OPEN, &ref);

	if (error != SBI_SUCCESS)
		return sbi_error(error);
	if (ref.grant->pages > a[2])
		return done(&ref, GRANT_OPEN, sbi_error(SBI_ERR_INVALID_PARAM));
	if (arch_features.gstage)
		return accept_mapped(vcpu->capsule, &ref);
	return accept_copied(vcpu->capsule, &ref, gpa(a[1]));
}

struct sbi_result grant_sync(struct vcpu *vcpu, const uint64_t *a)
{
	bool push = a[1] == DIOSIX_SYNC_PUSH;
	struct grant_ref ref;
	int64_t error;

	if (!push && a[1] != DIOSIX_SYNC_PULL)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	error = begin(vcpu, a[0], GRANT_ACCEPTED, &ref);
	if (error != SBI_SUCCESS) /* gone, for all that it can know */
		return sbi_error(error == SBI_ERR_TIMEOUT ? error : SBI_ERR_INVALID_STATE);
	if (push && !ref.grant->writable)
		return done(&ref, GRANT_ACCEPTED, sbi_error(SBI_ERR_DENIED));
	if (!arch_features.gstage)
		copy(vcpu->capsule, ref.grant, push);
	return done(&ref, GRANT_ACCEPTED, sbi_value(0));
}

struct sbi_result grant_release(struct vcpu *vcpu, const uint64_t *a)
{
	struct grant_ref ref;
	int64_t error = begin(vcpu, a[0], GRANT_ACCEPTED, &ref);

	if (error != SBI_SUCCESS)
		return sbi_error(error == SBI_ERR_TIMEOUT ? error : SBI_ERR_INVALID_PARAM);
	unmap(ref.grant);
	return done(&ref, GRANT_RELEASED, sbi_value(0));
}
