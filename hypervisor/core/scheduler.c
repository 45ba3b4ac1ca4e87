/* SPDX-License-Identifier: MIT */
#include "scheduler.h"

#include "arch/guest.h"
#include "arch/hart.h"
#include "bits.h"
#include "board_io.h"
#include "capsule.h"

/* How long a vCPU runs while others of its hart are ready. */
#define SLICE_MS 10u

/* A vCPU with a limit may run for its part of every such time. */
#define PERIOD_MS 50u
#define MOST_PERIODS 1000u /* a debt is forgotten after as many */

/* So many are looked at to find one for another hart: the queue's lock is not held for longer. */
#define MOST_LOOKED_AT 32u

/*
 * A priority is passed over this many times in favour of a higher one before it has its turn, so
 * that none starves.
 */
static const uint32_t patience[PRIORITIES] = {16, 4, 0};

/* Harts with nothing to do, by index: they are asleep, or look once more for something to do. */
static _Atomic uint64_t idle_harts;

static uint64_t ticks(uint32_t ms)
{
	return board.timebase_hz / 1000 * ms;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void sched_init_hart(struct hart *hart)
{
	struct run_queue *queue = &hart->queue;

	for (unsigned i = 0; i < PRIORITIES; i++) {
		list_init(&queue->woken[i]);
		list_init(&queue->ready[i]);
	}
	list_init(&queue->waiting);
	hart->slice_end = hart->budget_end = hart->horizon = UINT64_MAX;
}

bool sched_place(struct vcpu *vcpu, uint64_t affinity)
{
	struct hart *best = NULL;

	vcpu->allowed = 0;
	for (uint32_t i = 0; i < hart_count; i++) {
		struct hart *hart = harts[i];

		if (affinity != 0 && (hart->id >= 64 || !(affinity >> hart->id & 1)))
			continue;
		vcpu->allowed |= UINT64_C(1) << i;
		if (best == NULL || hart->queue.homed < best->queue.homed)
			best = hart;
	}
	if (best == NULL)
		return false;
	best->queue.homed++;
	vcpu->home = best;
	return true;
}

/* --- queues. In all of this the lock of the queue is held. -------------------------------------- */

static void make_ready(struct run_queue *queue, struct vcpu *vcpu, struct list *before)
{
	vcpu->run = VCPU_READY;
	list_add_tail(before, &vcpu->node);
	queue->ready_count++;
}

/* A new turn, after all others of its priority. */
static void to_the_end(struct run_queue *queue, struct vcpu *vcpu)
{
	vcpu->slice_left = ticks(SLICE_MS);
	make_ready(queue, vcpu, &queue->ready[vcpu->capsule->config.priority]);
}

/* The turn that it was in goes on, before all others but those that have just woken. */
static void to_the_front(struct run_queue *queue, struct vcpu *vcpu)
{
	make_ready(queue, vcpu, queue->ready[vcpu->capsule->config.priority].next);
}

/*
 * One that sleeps keeps what is left of its turn, and has it as soon as it wakes: those that sleep most of the time
 * are served at once, and none gets more than its turn.
 */
static void wake(struct run_queue *queue, struct vcpu *vcpu)
{
	list_remove(&vcpu->node);
	if (vcpu->slice_left != 0)
		make_ready(queue, vcpu, &queue->woken[vcpu->capsule->config.priority]);
	else
		to_the_end(queue, vcpu);
}

static void put_to_sleep(struct run_queue *queue, struct vcpu *vcpu, enum vcpu_run as, uint64_t until)
{
	struct list *after = queue->waiting.prev;

	while (after != &queue->waiting && list_entry(after, struct vcpu, node)->wake > until)
		after = after->prev;
	vcpu->run = as;
	vcpu->wake = until;
	list_add_tail(after->next, &vcpu->node);
}

static void wake_due(struct hart *hart, uint64_t now)
{
	struct run_queue *queue = &hart->queue;

	while (!list_empty(&queue->waiting)) {
		struct vcpu *vcpu = list_entry(queue->waiting.next, struct vcpu, node);

		if (vcpu->wake > now)
			return;
		if (vcpu->run == VCPU_WAITING)
			atomic_fetch_or(&vcpu->requests, REQUEST_TIMER);
		wake(queue, vcpu);
	}
}

static bool nobody_of(const struct run_queue *queue, unsigned priority)
{
	return list_empty(&queue->woken[priority]) && list_empty(&queue->ready[priority]);
}

/* Is there somebody who need not wait for the vCPU's turn to end? */
static bool is_outranked(const struct run_queue *queue, const struct vcpu *vcpu)
{
	uint32_t priority = vcpu->capsule->config.priority;

	for (unsigned i = priority + 1; i < PRIORITIES; i++)
		if (!nobody_of(queue, i))
			return true;
	return !list_empty(&queue->woken[priority]);
}

/* The next ready vCPU, off its list; NULL when there is none. */
static struct vcpu *take_ready(struct run_queue *queue)
{
	int chosen = -1;

	for (int i = PRIORITIES - 1; i >= 0; i--) {
		if (nobody_of(queue, (unsigned)i)) {
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

	struct list *list = list_empty(&queue->woken[chosen]) ? &queue->ready[chosen] : &queue->woken[chosen];
	struct vcpu *vcpu = list_entry(list->next, struct vcpu, node);

	list_remove(&vcpu->node);
	queue->ready_count--;
	return vcpu;
}

/* --- shares of a hart --------------------------------------------------------------------------- */

static bool is_limited(const struct vcpu *vcpu)
{
	return vcpu->capsule->config.cpu_limit != 0;
}

/* What it ran too long in one period it has less in the next; what it did not use is gone. */
static void refill(struct vcpu *vcpu, uint64_t now)
{
	int64_t share = (int64_t)(ticks(PERIOD_MS) * vcpu->capsule->config.cpu_limit / 100);
	uint64_t periods;

	if (now < vcpu->period_end)
		return;
	periods = (now - vcpu->period_end) / ticks(PERIOD_MS) + 1;
	vcpu->period_end += periods * ticks(PERIOD_MS);
	vcpu->budget += (int64_t)earlier(periods, MOST_PERIODS) * share;
	if (vcpu->budget > share)
		vcpu->budget = share;
}

/* Takes the ready vCPU off its list that is next, and pauses those that have had their share. */
static struct vcpu *take_entitled(struct run_queue *queue, uint64_t now)
{
	struct vcpu *vcpu;

	while ((vcpu = take_ready(queue)) != NULL && is_limited(vcpu)) {
		refill(vcpu, now);
		if (vcpu->budget > 0 || atomic_load(&vcpu->requests) & REQUEST_HALT)
			break;
		put_to_sleep(queue, vcpu, VCPU_PAUSED, vcpu->period_end);
	}
	return vcpu;
}

/* The current vCPU has been on the hart until now. */
static void account(struct hart *hart, struct vcpu *vcpu, uint64_t now)
{
	uint64_t ran = now - hart->since;

	vcpu->ran += ran;
	if (is_limited(vcpu))
		vcpu->budget -= (int64_t)ran;
	if (hart->slice_end != UINT64_MAX)
		vcpu->slice_left = hart->slice_end > now ? hart->slice_end - now : 0;
	hart->since = now;
}

/* --- the hart's timer ----------------------------------------------------------------------------- */

/*
 * When the hart is needed for other reasons than its current vCPU's deadline. To be called when one of these has changed,
 * with the lock of its queue; one that another hart has woken meanwhile makes it too early at worst.
 */
static void find_horizon(struct hart *hart)
{
	const struct run_queue *queue = &hart->queue;

	hart->horizon = UINT64_MAX;
	if (hart->current != NULL && !hart->resched)
		hart->horizon = earlier(hart->slice_end, hart->budget_end);
	if (!list_empty(&queue->waiting))
		hart->horizon = earlier(hart->horizon, list_entry(queue->waiting.next, struct vcpu, node)->wake);
}

void sched_program_timer(void)
{
	struct hart *hart = this_hart();
	struct vcpu *vcpu = hart->current;
	uint64_t when = hart->horizon;

	if (vcpu != NULL && !arch_features.sstc && !(atomic_load(&vcpu->requests) & REQUEST_TIMER))
		when = earlier(when, vcpu->deadline);
	hart_set_timer(when);
}

/* --- waking ------------------------------------------------------------------------------------- */

/* One of the idle harts, if any of them may run it, is to come and take it. */
static void call_idle_hart(uint64_t allowed)
{
	uint64_t candidates = atomic_load(&idle_harts) & allowed, one = candidates & -candidates;

	if (one != 0 && atomic_fetch_and(&idle_harts, ~one) & one)
		hart_kick(harts[lowest_bit(one)]);
}

/* The vCPU may be taken over by another hart at any time, but not while its home's lock is held. */
static struct hart *lock_home(struct vcpu *vcpu)
{
	for (;;) {
		struct hart *home = vcpu->home;

		lock(&home->queue.lock);
		if (home == vcpu->home)
			return home;
		unlock(&home->queue.lock);
	}
}

/* Somebody has come to that hart's queue. */
static void tell(struct hart *home, uint64_t allowed)
{
	if (home == this_hart())
		sched_reconsider();
	else
		hart_kick(home);
	if (home->current != NULL)
		call_idle_hart(allowed);
}

void sched_start(struct vcpu *vcpu)
{
	struct hart *home = lock_home(vcpu);

	to_the_end(&home->queue, vcpu);
	unlock(&home->queue.lock);
	tell(home, vcpu->allowed);
}

void sched_start_at(struct vcpu *vcpu, uint64_t when)
{
	struct hart *home = lock_home(vcpu);

	vcpu->slice_left = 0;
	put_to_sleep(&home->queue, vcpu, VCPU_PAUSED, when);
	unlock(&home->queue.lock);
	if (home == this_hart())
		sched_reconsider();
	else
		hart_kick(home);
}

void sched_wake(struct vcpu *vcpu)
{
	struct hart *home = lock_home(vcpu);
	bool halts = atomic_load(&vcpu->requests) & REQUEST_HALT;
	bool woken = vcpu->run == VCPU_WAITING || (vcpu->run == VCPU_PAUSED && halts);

	if (woken)
		wake(&home->queue, vcpu);
	unlock(&home->queue.lock);
	if (woken)
		tell(home, vcpu->allowed);
}

/* Is the current vCPU to make room, now or at the end of a turn? The queue's lock is held. */
static void reconsider(struct hart *hart)
{
	struct vcpu *vcpu = hart->current;

	if (vcpu != NULL && !hart->patient_turn && is_outranked(&hart->queue, vcpu))
		hart->resched = true;
	else if (vcpu != NULL && hart->queue.ready_count != 0 && hart->slice_end == UINT64_MAX)
		hart->slice_end = arch_time() + ticks(SLICE_MS);
	find_horizon(hart);
}

void sched_reconsider(void)
{
	struct hart *hart = this_hart();

	lock(&hart->queue.lock);
	reconsider(hart);
	unlock(&hart->queue.lock);
	sched_program_timer();
}

/* --- choosing ----------------------------------------------------------------------------------- */

/*
 * A ready vCPU that one of these harts could take over, of the highest priority that has one: its state must be in
 * memory. The queue's lock is held.
 */
static struct vcpu *find_for(const struct run_queue *queue, uint64_t mask)
{
	unsigned looked_at = 0;

	for (unsigned i = 2 * PRIORITIES; i-- > 0;) {
		const struct list *list = i & 1 ? &queue->woken[i / 2] : &queue->ready[i / 2];

		list_for_each(node, list)
		{
			struct vcpu *vcpu = list_entry(node, struct vcpu, node);

			if (vcpu->allowed & mask && atomic_load(&vcpu->loaded_on) == NULL)
				return vcpu;
			if (++looked_at == MOST_LOOKED_AT)
				return NULL;
		}
	}
	return NULL;
}

/* Takes over a vCPU that waits for its turn on another hart: it is in this one's queue then. */
static bool steal_from(struct hart *hart, struct hart *victim)
{
	struct vcpu *vcpu;

	if (victim->queue.ready_count == 0)
		return false;
	lock(&victim->queue.lock);
	vcpu = find_for(&victim->queue, UINT64_C(1) << hart->index);
	if (vcpu != NULL) {
		list_remove(&vcpu->node);
		victim->queue.ready_count--;
		vcpu->run = VCPU_RUNNING; /* on its way: nobody else touches it */
		vcpu->home = hart;
	}
	unlock(&victim->queue.lock);
	if (vcpu == NULL)
		return false;
	lock(&hart->queue.lock);
	to_the_end(&hart->queue, vcpu);
	unlock(&hart->queue.lock);
	return true;
}

static bool steal(struct hart *hart)
{
	for (uint32_t i = 1; i < hart_count; i++)
		if (steal_from(hart, harts[(hart->index + i) % hart_count]))
			return true;
	return false;
}

/* More are ready here than this hart can run: an idle one that came too early may come again. */
static void offer(struct hart *hart)
{
	uint64_t idle = atomic_load(&idle_harts);
	const struct vcpu *vcpu;

	if (idle == 0 || hart->queue.ready_count == 0)
		return;
	lock(&hart->queue.lock);
	vcpu = find_for(&hart->queue, idle);
	if (vcpu != NULL)
		call_idle_hart(vcpu->allowed);
	unlock(&hart->queue.lock);
}

static void unload(struct hart *hart)
{
	struct vcpu *vcpu = hart->loaded;

	if (vcpu == NULL)
		return;
	arch_vcpu_save(vcpu);
	hart->loaded = NULL;
	atomic_store(&vcpu->loaded_on, NULL);
}

/* Makes the hart's state that of `vcpu`. Saving and loading is left out when it never left. */
static void switch_to(struct hart *hart, struct vcpu *vcpu)
{
	if (hart->loaded == vcpu)
		return;
	unload(hart);
	if (atomic_load(&vcpu->requests) & REQUEST_CHORE)
		return; /* it does not enter the guest */
	arch_vcpu_load(vcpu);
	hart->loaded = vcpu;
	atomic_store(&vcpu->loaded_on, hart);
}

void sched_poll(void)
{
	uint32_t pending = arch_pending();

	if (pending & ARCH_PENDING_KICK) {
		board_clear_kick(this_hart());
		sched_reconsider();
	}
	if (pending & ARCH_PENDING_TIMER)
		sched_timer();
	if (pending & ARCH_PENDING_EXTERNAL)
		board_external_interrupt();
}

/* The current vCPU makes room: for those before it if its turn is not over, for all if it is. */
static void yield(struct hart *hart, uint64_t now)
{
	struct vcpu *vcpu = hart->current;

	/* It keeps its state in the hart until another is loaded, but the hart's timer has to know its deadline. */
	vcpu->deadline = arch_deadline(vcpu);
	account(hart, vcpu, now);
	hart->current = NULL;
	if (vcpu->slice_left != 0)
		to_the_front(&hart->queue, vcpu);
	else
		to_the_end(&hart->queue, vcpu);
}

/* The next one from this hart's own queue; NULL when there is none. */
static struct vcpu *choose(struct hart *hart)
{
	struct run_queue *queue = &hart->queue;
	uint64_t now = arch_time();
	struct vcpu *vcpu;

	hart->resched = false;
	lock(&queue->lock);
	if (hart->current != NULL)
		yield(hart, now);
	vcpu = take_entitled(queue, now);
	if (vcpu != NULL) {
		vcpu->run = VCPU_RUNNING;
		hart->current = vcpu;
		hart->patient_turn = is_outranked(queue, vcpu);
		hart->since = now;
		hart->slice_end = queue->ready_count != 0 ? now + vcpu->slice_left : UINT64_MAX;
		hart->budget_end = is_limited(vcpu) ? now + (uint64_t)vcpu->budget : UINT64_MAX;
	}
	find_horizon(hart);
	unlock(&queue->lock);
	if (vcpu != NULL && !arch_features.sstc && vcpu->deadline <= now)
		atomic_fetch_or(&vcpu->requests, REQUEST_TIMER);
	return vcpu;
}

/*
 * Nothing to do: says so, so that others call this hart when they have something, and looks once more, for what they
 * had before it said so; then it sleeps.
 */
static struct vcpu *wait_for_work(struct hart *hart)
{
	uint64_t self = UINT64_C(1) << hart->index;
	struct vcpu *vcpu;

	atomic_fetch_or(&idle_harts, self);
	if (!steal(hart)) {
		sched_program_timer();
		arch_sleep();
		sched_poll();
	}
	vcpu = choose(hart);
	atomic_fetch_and(&idle_harts, ~self);
	return vcpu;
}

struct vcpu *sched_pick(void)
{
	struct hart *hart = this_hart();
	struct vcpu *vcpu = choose(hart);

	if (vcpu == NULL && steal(hart))
		vcpu = choose(hart);
	while (vcpu == NULL)
		vcpu = wait_for_work(hart);
	if (atomic_load(&vcpu->hsm) == HSM_SUSPENDED)
		atomic_store(&vcpu->hsm, HSM_STARTED);
	switch_to(hart, vcpu);
	offer(hart);
	sched_program_timer();
	return vcpu;
}

/* --- leaving ------------------------------------------------------------------------------------ */

void sched_wait(void)
{
	struct hart *hart = this_hart();
	struct vcpu *vcpu = hart->current;
	uint64_t now;

	if (arch_interrupt_waits(vcpu))
		return;
	now = arch_time();
	vcpu->deadline = arch_deadline(vcpu);
	lock(&hart->queue.lock);
	if (atomic_load(&vcpu->requests) == 0 && vcpu->deadline > now) {
		account(hart, vcpu, now);
		put_to_sleep(&hart->queue, vcpu, VCPU_WAITING, vcpu->deadline);
		hart->current = NULL;
	}
	unlock(&hart->queue.lock);
}

void sched_give_way(void)
{
	struct hart *hart = this_hart();

	lock(&hart->queue.lock);
	if (hart->slice_end != UINT64_MAX) {
		hart->slice_end = arch_time();
		hart->resched = true;
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
	account(hart, vcpu, arch_time());
	vcpu->run = VCPU_OFF;
	hart->current = NULL;
	hart->loaded = NULL; /* what is in the hart is nobody's any more */
	atomic_store(&vcpu->loaded_on, NULL);
	unlock(&hart->queue.lock);
}

uint64_t sched_ran(struct vcpu *vcpu)
{
	struct hart *home = lock_home(vcpu);
	uint64_t ran = vcpu->ran, now = arch_time();

	if (home->current == vcpu && now > home->since)
		ran += now - home->since;
	unlock(&home->queue.lock);
	return ran;
}

/* --- time --------------------------------------------------------------------------------------- */

void sched_timer(void)
{
	struct hart *hart = this_hart();
	struct vcpu *vcpu = hart->current;
	uint64_t now = arch_time();

	if (vcpu != NULL && !arch_features.sstc && vcpu->deadline <= now)
		atomic_fetch_or(&vcpu->requests, REQUEST_TIMER);
	lock(&hart->queue.lock);
	wake_due(hart, now);
	if (now >= earlier(hart->slice_end, hart->budget_end))
		hart->resched = true;
	reconsider(hart);
	unlock(&hart->queue.lock);
	/* The comparator has to move on, or the interrupt stays. */
	hart->timer_set = 0;
	sched_program_timer();
}
