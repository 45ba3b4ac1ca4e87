/* SPDX-License-Identifier: MIT */
#include "vcpu.h"

#include "arch/guest.h"
#include "arch/hart.h"
#include "board_io.h"
#include "capsule.h"
#include "scheduler.h"

struct hart *harts[MAX_HARTS];
uint32_t hart_count;

void hart_kick(struct hart *hart)
{
	board_kick(hart->board);
}

void hart_kick_others(void)
{
	for (uint32_t i = 0; i < hart_count; i++)
		if (harts[i] != this_hart())
			hart_kick(harts[i]);
}

void hart_nap(void)
{
	arch_sleep();
	board_clear_kick(this_hart());
}

void hart_set_timer(uint64_t when)
{
	struct hart *hart = this_hart();

	if (hart->timer_set == when)
		return;
	hart->timer_set = when;
	board_set_timer(hart->board, when);
}

void vcpu_post(struct vcpu *vcpu, uint32_t requests)
{
	atomic_fetch_or(&vcpu->requests, requests);
	if (vcpu == this_hart()->current)
		return; /* served on the way back into the guest */
	/* In this order: its home stays the same while it is in the guest, and is another's to change before. */
	if (atomic_load(&vcpu->arch.run_seq) & 1)
		hart_kick(vcpu->home);
	else
		sched_wake(vcpu);
}

void vcpu_await_exit(struct vcpu *vcpu)
{
	uint64_t seq = atomic_load(&vcpu->arch.run_seq);

	/*
	 * Even: it is outside, and serves its requests before it goes in again. So is the caller's own, so
	 * two that wait for each other do not wait for long.
	 */
	while ((seq & 1) && atomic_load(&vcpu->arch.run_seq) == seq)
		;
}

static void serve_fence(struct vcpu *vcpu)
{
	struct fence_range range;

	lock(&vcpu->fence_lock);
	range = vcpu->fence;
	vcpu->fence.size = 0;
	unlock(&vcpu->fence_lock);
	arch_sfence(&range);
}

static void serve_timer(struct vcpu *vcpu)
{
	if (arch_features.sstc || vcpu->deadline > arch_time())
		return;
	vcpu->deadline = UINT64_MAX;
	arch_set_irq(vcpu, ARCH_IRQ_TIMER, true);
	sched_program_timer();
}

bool vcpu_serve(struct vcpu *vcpu)
{
	uint32_t requests;

	if (atomic_load(&vcpu->requests) & REQUEST_HALT)
		return false;
	requests = atomic_exchange(&vcpu->requests, 0);
	if (sbi_pmu_counts_events(vcpu))
		sbi_pmu_received(vcpu, requests);
	if (requests & REQUEST_SOFT_IRQ)
		arch_set_irq(vcpu, ARCH_IRQ_SOFT, true);
	if (requests & REQUEST_LINES)
		arch_set_irq(vcpu, ARCH_IRQ_EXTERNAL, atomic_load(&vcpu->external));
	if (requests & REQUEST_FENCE_I)
		arch_fence_i();
	if (requests & REQUEST_SFENCE)
		serve_fence(vcpu);
	if (requests & REQUEST_SPACE)
		arch_fence_space();
	if (requests & REQUEST_TIMER)
		serve_timer(vcpu);
	if (requests & REQUEST_EVENT)
		sbi_sse_deliver(vcpu);
	if (requests & REQUEST_HALT) { /* came between the two reads: keep it */
		atomic_fetch_or(&vcpu->requests, REQUEST_HALT);
		return false;
	}
	return true;
}

void vcpu_add_fence(struct vcpu *vcpu, const struct fence_range *range)
{
	struct fence_range *pending = &vcpu->fence;

	lock(&vcpu->fence_lock);
	if (pending->size == 0)
		*pending = *range;
	else if (pending->start != range->start || pending->size != range->size ||
		 pending->asid != range->asid)
		*pending = (struct fence_range){.size = UINT64_MAX, .asid = UINT64_MAX};
	unlock(&vcpu->fence_lock);
}

bool vcpu_start(struct vcpu *vcpu, uint64_t pc, uint64_t arg)
{
	uint32_t stopped = HSM_STOPPED;

	if (!atomic_compare_exchange_strong(&vcpu->hsm, &stopped, HSM_START_PENDING))
		return false;
	arch_vcpu_reset(vcpu, pc, vcpu->id, arg);
	vcpu->deadline = UINT64_MAX;
	vcpu->sbi = (struct sbi_state){0};
	atomic_store(&vcpu->requests, REQUEST_LINES);
	atomic_fetch_add(&vcpu->capsule->live, 1);
	atomic_store(&vcpu->hsm, HSM_STARTED);
	/* A capsule that began to stop meanwhile has asked before the line above, or asks now. */
	if (atomic_load(&vcpu->capsule->state) != CAPSULE_RUNNING)
		atomic_fetch_or(&vcpu->requests, REQUEST_HALT);
	sched_start(vcpu);
	return true;
}
