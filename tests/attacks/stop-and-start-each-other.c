/* SPDX-License-Identifier: MIT */
/*
 * vCPUs start, stop and suspend as fast as they can, and send each other IPIs and fences meanwhile, whatever state the
 * other is in. No start may be lost or happen twice. Told to be "four" with as many vCPUs, otherwise with two.
 */
#include "attack.h"

#define ROUNDS	      2000
#define STARTS	      20
#define STOPPED	      1
#define NON_RETENTIVE 0x80000000u

static unsigned vcpu_count = 2;
static _Atomic uint64_t started[MAX_VCPUS], resumed[MAX_VCPUS], entered[MAX_VCPUS];
static _Atomic bool ends;

static void worker(void);

static void try_to_start(unsigned id)
{
	int64_t error = start_vcpu(id, worker);

	if (error == 0)
		started[id]++;
	else
		expect("the error of a start", id, (uint64_t)error, (uint64_t)SBI_ALREADY_AVAILABLE);
}

static void disturb(uint64_t *state)
{
	uint64_t random = next_random(state) >> 16, mask = random >> 8 & ((UINT64_C(1) << vcpu_count) - 1);
	unsigned id = 1 + (unsigned)(random >> 16) % (vcpu_count - 1);

	switch (random % 6) {
	case 0:
		if (!ends && id != my_id())
			try_to_start(id);
		break;
	case 1:
		expect("an IPI", mask, (uint64_t)sbi(SBI_IPI, 0, mask, 0, 0, 0).error, 0);
		break;
	case 2:
		expect("a fence.i", mask, (uint64_t)sbi(SBI_RFENCE, 0, mask, 0, 0, 0).error, 0);
		break;
	case 3:
		expect("a fence", mask, (uint64_t)sbi(SBI_RFENCE, 1, mask, 0, random << 12, 8 * PAGE).error, 0);
		break;
	case 4:
		expect("a fence of everything", 0, (uint64_t)sbi(SBI_RFENCE, 2, 0, UINT64_MAX, 0, 0).error, 0);
		break;
	default:
		expect("a state", id, sbi(SBI_HSM, 2, id, 0, 0, 0).value <= 6, true);
		break;
	}
}

/* Each time it is started; it stops when this returns. */
static void worker(void)
{
	uint64_t state = ++entered[my_id()] * 4 + my_id() + 1;

	__asm__ volatile("csrsi sie, 2");
	while (next_random(&state) >> 62 != 0)
		disturb(&state);
	__asm__ volatile("csrci sip, 2");
	switch (ends ? 0 : next_random(&state) >> 62) {
	case 1:
		sbi(SBI_HSM, 3, 0, 0, 0, 0);
		break;
	case 2:
		resumed[my_id()]++;
		sbi(SBI_HSM, 3, NON_RETENTIVE, (uintptr_t)vcpu_begin, (uintptr_t)self, 0);
		expect("the way back from a suspend that keeps nothing", my_id(), 1, 0);
		break;
	}
}

static bool all_started(void)
{
	for (unsigned id = 1; id < vcpu_count; id++)
		if (started[id] < STARTS)
			return false;
	return true;
}

void main(void)
{
	uint64_t state = 42;

	if (told("four"))
		vcpu_count = 4;
	/* However busy their harts are, each has to have its turns. */
	for (unsigned i = 0; i < ROUNDS || !all_started(); i++) {
		try_to_start(1 + i % (vcpu_count - 1));
		disturb(&state);
		sbi(SBI_IPI, 0, 0, UINT64_MAX, 0, 0);
	}
	ends = true;
	for (unsigned id = 1; id < vcpu_count; id++) {
		while (sbi(SBI_HSM, 2, id, 0, 0, 0).value != STOPPED)
			sbi(SBI_IPI, 0, 0, UINT64_MAX, 0, 0);
		expect("how often it was entered", id, entered[id], started[id] + resumed[id]);
	}
}
