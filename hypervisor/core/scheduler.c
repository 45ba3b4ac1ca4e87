/* SPDX-License-Identifier: MIT */
#include "scheduler.h"

#include "arch/guest.h"
#include "arch/hart.h"
#include "board_io.h"
#include "capsule.h"

/* How long a vCPU runs while others of its hart are ready. */
#define SLICE_MS 10u

/*
 * A priority is passed over this many times in favour of a higher one before it has its turn, so
 * that none starves.
 */
static const uint32_t patience[PRIORITIES] = {16, 4, 0};

static uint64_t slice_ticks(void)
{
	return board.timebase_hz / 1000 * SLICE_MS;
}

void sched_init_hart(struct hart *hart)
{
	struct run_queue *queue = &hart->queue;

	for (unsigned i = 0; i < PRIORITIES; i++)
		list_init(&queue->ready[i]);
	list_init(&queue->waiting);
	hart->slice_end = UINT64_MAX;
}

bool sched_place(struct vcpu *vcpu, uint64_t affinity)
{
	struct hart *best = NULL;

	for (uint32_t i = 0; i < hart_count; i++) {
		struct hart *hart = harts[i];

		if (affinity != 0 && (hart->id >= 64 || !(affinity >> hart->id & 1)))
			continue;
		if (best == NULL || hart->queue.homed < best->queue.homed)
			best = hart;
	}
	if (best == NULL)
		return false;
	best->queue.homed++;
	vcpu->home = best;
	return true;
}

/* The queue's lock is held. */
static void make_ready(struct run_queue *queue, struct vcpu *vcpu)
{
	if (vcpu->run == VCPU_WAITING)
		list_remove(&vcpu->node);
	vcpu->run = VCPU_READY;
	list_add_tail(&queue->ready[vcpu->capsule->config.priority], &vcpu->node);
	queue->ready_count++;
}

static void ready(struct vcpu *vcpu, bool even_if_off)
{
	struct hart *home = vcpu->home;
	bool woken = false;

	lock(&home->queue.lock);
	if (vcpu->run == VCPU_WAITING || (vcpu->run == VCPU_OFF && even_if_off)) {
		make_ready(&home->queue, vcpu);
		woken = true;
	}
	unlock(&home->queue.lock);
	if (!woken)
		return;
	if (home == this_hart())
		sched_reconsider();
	else
		hart_kick(home);
}

void sched_ready(struct vcpu *vcpu)
{
	ready(vcpu, true);
}

void sched_ready_if_waiting(struct vcpu *vcpu)
{
	ready(vcpu, false);
}

/* Does somebody of a higher priority wait? The queue's lock is held. */
static bool is_outranked(const struct run_queue *queue, const struct vcpu *vcpu)
{
	for (unsigned i = vcpu->capsule->config.priority + 1; i < PRIORITIES; i++)
		if (!list_empty(&queue->ready[i]))
			return true;
	return false;
}

void sched_reconsider(void)
{
	struct hart *hart = this_hart();
	struct vcpu *vcpu = hart->current;

	if (vcpu == NULL)
		return;
	lock(&hart->queue.lock);
	if (!hart->patient_turn && is_outranked(&hart->queue, vcpu))
		hart->resched = true;
	else if (hart->queue.ready_count != 0 && hart->slice_end == UINT64_MAX)
		hart->slice_end = arch_time() + slice_ticks();
	unlock(&hart->queue.lock);
	sched_program_timer();
}

/* The next ready vCPU, off its list; NULL when there is none. The queue's lock is held. */
static struct vcpu *take_ready(struct run_queue *queue)
{
	int chosen = -1;

	for (int i = PRIORITIES - 1; i >= 0; i--) {
		if (list_empty(&queue->ready[i])) {
			queue->credit[i] = 0;
			continue;
		}
		if (chosen < 0)
			chosen = i;
		else if (++queue->credit[i] > patience[i])
			chosen = i;
	}
	if (chosen < 0)
		return NULL;
	queue->credit[chosen] = 0;

	struct vcpu *vcpu = list_entry(queue->ready[chosen].next, struct vcpu, node);

	list_remove(&vcpu->node);
	queue->ready_count--;
	return vcpu;
}

/* Makes `vcpu` the hart's current one. Saving and loading is left out when it never left. */
static void switch_to(struct hart *hart, struct vcpu *vcpu)
{
	if (hart->loaded == vcpu)
		return;
	if (hart->loaded != NULL)
		arch_vcpu_save(hart->loaded);
	arch_vcpu_load(vcpu);
	hart->loaded = vcpu;
}

/*
 * A vCPU that leaves keeps its state in the hart until another is loaded, but its deadline has to be
 * known to the hart's timer.
 */
static void note_deadline(struct vcpu *vcpu)
{
	vcpu->deadline = arch_deadline(vcpu);
}

static void idle(struct hart *hart)
{
	uint32_t pending;

	sched_program_timer();
	arch_sleep();
	pending = arch_pending();
	if (pending & ARCH_PENDING_KICK)
		board_clear_kick(hart);
	if (pending & ARCH_PENDING_TIMER)
		sched_timer();
	if (pending & ARCH_PENDING_EXTERNAL)
		board_external_interrupt();
}

/* The current vCPU goes to the end of its queue. */
static void yield(void)
{
	struct hart *hart = this_hart();
	struct vcpu *vcpu = hart->current;

	note_deadline(vcpu);
	lock(&hart->queue.lock);
	make_ready(&hart->queue, vcpu);
	hart->current = NULL;
	unlock(&hart->queue.lock);
}

struct vcpu *sched_pick(void)
{
	struct hart *hart = this_hart();
	struct run_queue *queue = &hart->queue;
	struct vcpu *vcpu;

	if (hart->current != NULL)
		yield();
	for (;;) {
		hart->resched = false;
		lock(&queue->lock);
		vcpu = take_ready(queue);
		if (vcpu != NULL) {
			vcpu->run = VCPU_RUNNING;
			hart->current = vcpu;
			hart->patient_turn = is_outranked(queue, vcpu);
		}
		unlock(&queue->lock);
		if (vcpu != NULL)
			break;
		idle(hart);
	}
	if (atomic_load(&vcpu->hsm) == HSM_SUSPENDED)
		atomic_store(&vcpu->hsm, HSM_STARTED);
	switch_to(hart, vcpu);
	hart->slice_end = queue->ready_count != 0 ? arch_time() + slice_ticks() : UINT64_MAX;
	sched_program_timer();
	return vcpu;
}

void sched_wait(void)
{
	struct hart *hart = this_hart();
	struct vcpu *vcpu = hart->current;

	if (arch_interrupt_waits(vcpu))
		return;
	note_deadline(vcpu);
	lock(&hart->queue.lock);
	if (atomic_load(&vcpu->requests) == 0 && vcpu->deadline > arch_time()) {
		vcpu->run = VCPU_WAITING;
		list_add_tail(&hart->queue.waiting, &vcpu->node);
		hart->current = NULL;
	}
	unlock(&hart->queue.lock);
}

void sched_suspend(void)
{
	struct hart *hart = this_hart();
	struct vcpu *vcpu = hart->current;

	atomic_store(&vcpu->hsm, HSM_SUSPENDED);
	sched_wait();
	if (hart->current == vcpu) /* there was something to wake for */
		atomic_store(&vcpu->hsm, HSM_STARTED);
}

void sched_retire(void)
{
	struct hart *hart = this_hart();
	struct vcpu *vcpu = hart->current;

	lock(&hart->queue.lock);
	vcpu->run = VCPU_OFF;
	hart->current = NULL;
	hart->loaded = NULL; /* what is in the hart is nobody's any more */
	unlock(&hart->queue.lock);
}

/* Wakes sleepers whose deadline has passed. The queue's lock is held. */
static void wake_due(struct hart *hart, uint64_t now)
{
	struct run_queue *queue = &hart->queue;

	for (struct list *node = queue->waiting.next, *next; node != &queue->waiting; node = next) {
		struct vcpu *vcpu = list_entry(node, struct vcpu, node);

		next = node->next;
		if (vcpu->deadline > now)
			continue;
		atomic_fetch_or(&vcpu->requests, REQUEST_TIMER);
		make_ready(queue, vcpu);
	}
}

void sched_timer(void)
{
	struct hart *hart = this_hart();
	struct vcpu *vcpu = hart->current;
	uint64_t now = arch_time();

	lock(&hart->queue.lock);
	wake_due(hart, now);
	unlock(&hart->queue.lock);
	if (vcpu != NULL && !arch_features.sstc && vcpu->deadline <= now)
		atomic_fetch_or(&vcpu->requests, REQUEST_TIMER);
	if (now >= hart->slice_end)
		hart->resched = true;
	/* The comparator has to move on, or the interrupt stays. */
	hart->timer_set = 0;
	if (vcpu != NULL && !hart->resched)
		sched_reconsider();
	else
		sched_program_timer();
}

void sched_program_timer(void)
{
	struct hart *hart = this_hart();
	struct vcpu *vcpu = hart->current;
	uint64_t when = hart->resched || vcpu == NULL ? UINT64_MAX : hart->slice_end;

	if (vcpu != NULL && !arch_features.sstc && vcpu->deadline < when &&
	    !(atomic_load(&vcpu->requests) & REQUEST_TIMER))
		when = vcpu->deadline;
	lock(&hart->queue.lock);
	list_for_each(node, &hart->queue.waiting)
	{
		struct vcpu *sleeper = list_entry(node, struct vcpu, node);

		if (sleeper->deadline < when)
			when = sleeper->deadline;
	}
	unlock(&hart->queue.lock);
	hart_set_timer(when);
}
