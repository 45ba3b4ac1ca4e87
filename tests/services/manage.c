/* SPDX-License-Identifier: MIT */
/*
 * Kills, restarts and starts the other capsules a thousand times, at random and whatever state they are in; then it makes
 * each of them run once more, kills it, and ends. No operation may do anything but what its state allows.
 */
#include "attack.h"
#include "service_abi.h"

#define ROUNDS	1000u
#define OTHERS	3u
#define INVALID_STATE (-10)

static struct diosix_capsule_info info;

static int64_t operate(enum diosix_call function, uint64_t index)
{
	return sbi(DIOSIX_EXTENSION, function, index, 0, 0, 0).error;
}

static uint32_t state_of(uint64_t index)
{
	struct sbi_result result = sbi(DIOSIX_EXTENSION, DIOSIX_CALL_CAPSULE_INFO, index, (uintptr_t)&info, sizeof(info), 0);

	expect("the error of capsule_info", index, (uint64_t)result.error, 0);
	expect("what capsule_info writes", index, result.value, sizeof(info));
	return info.state;
}

/* Sleeps for a tenth of a millisecond at a time: the others need the hart. */
static void await(uint64_t index, uint32_t state)
{
	while (state_of(index) != state) {
		sbi(SBI_TIME, 0, ticks() + 1000, 0, 0, 0);
		__asm__ volatile("csrs sie, %0\nwfi\ncsrc sie, %0" ::"r"(0x20));
	}
	sbi(SBI_TIME, 0, UINT64_MAX, 0, 0, 0);
}

/* Brings it back, whether it runs, is on its way, or has stopped. */
static void revive(uint64_t index)
{
	while (operate(DIOSIX_CALL_CAPSULE_RESTART, index) != 0) {
		int64_t error = operate(DIOSIX_CALL_CAPSULE_START, index);

		if (error == 0)
			break;
		expect("the error of a start", index, (uint64_t)error, (uint64_t)INVALID_STATE);
	}
}

static void disturb(uint64_t index, uint64_t random)
{
	static const uint8_t functions[] = {DIOSIX_CALL_CAPSULE_KILL, DIOSIX_CALL_CAPSULE_RESTART, DIOSIX_CALL_CAPSULE_START};
	int64_t error = operate(functions[random % 3], index);

	if (error != 0)
		expect("the error of an operation", random % 3, (uint64_t)error, (uint64_t)INVALID_STATE);
	/* Half the time it may get where it is to go. */
	if (random & 16)
		return;
	if (functions[random % 3] == DIOSIX_CALL_CAPSULE_KILL) {
		await(index, DIOSIX_STATE_STOPPED);
		expect("the error of a second kill", index, (uint64_t)operate(DIOSIX_CALL_CAPSULE_KILL, index),
		       (uint64_t)INVALID_STATE);
	} else {
		revive(index);
	}
}

void main(void)
{
	uint64_t state = 42, random;

	for (unsigned i = 0; i < ROUNDS; i++) {
		random = next_random(&state) >> 16;
		disturb(1 + (random >> 8) % OTHERS, random);
	}
	for (uint64_t index = 1; index <= OTHERS; index++) {
		revive(index);
		operate(DIOSIX_CALL_CAPSULE_KILL, index);
		await(index, DIOSIX_STATE_STOPPED);
		expect("how its last life ended", index, info.last_end, DIOSIX_END_KILLED);
		expect("that it was started often", index, info.starts > ROUNDS / OTHERS / 8, true);
	}
	expect("the error of an index too high", 0, (uint64_t)operate(DIOSIX_CALL_CAPSULE_KILL, 1 + OTHERS), (uint64_t)-11);
}
