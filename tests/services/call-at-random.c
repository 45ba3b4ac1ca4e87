/* SPDX-License-Identifier: MIT */
/*
 * Two vCPUs make calls of the service ABI with arguments at random: what each takes, and corners of what there is. Two such
 * guests do so side by side, to each other and to a "victim", which does the same and is killed, started and restarted
 * meanwhile. Each call returns, with an error that the ABI has, and with nothing written but the buffer. The bystander, capsule
 * 0, is left alone where a call may do something to it. As these take what others print, the exit status says how many
 * expectations were not met.
 */
#include "attack.h"
#include "service_abi.h"

#define ROUNDS	 10000u
#define VCPUS	 2u
#define VICTIM	 3u /* its index; the attackers' are 1 and 2 */
#define CAPSULES 4u
#define KNOWN	 16u

/* Free memory of this guest: for each vCPU 256 KiB that others may write to, and pages that nobody may. */
#define SHARED	 (ram_base() + 0x100000 + my_id() * 0x40000)
#define GUARDED	 (ram_base() + 0x1c0000 + my_id() * GUARD)
#define GUARD	 (2 * PAGE) /* a buffer of the most bytes fits, if it begins in the first half */
#define SENTINEL UINT64_C(0xa5c3a5c3a5c3a5c3)
#define LONGEST	 512u

enum kind { NONE, JUNK, ADDRESS, LEN, INDEX, VICTIMS, HANDLE, ROLE, NUMBER, PAGES, BIT };

static const struct {
	uint8_t kinds[4];
	bool fills; /* writes to a buffer, which is its first ADDRESS */
} takes[DIOSIX_CALL_COUNT] = {
	[DIOSIX_CALL_REGISTER] = {{ROLE}, false},
	[DIOSIX_CALL_PROVIDER] = {{ROLE}, false},
	[DIOSIX_CALL_FIND] = {{ADDRESS, LEN}, false},
	[DIOSIX_CALL_LOG_READ] = {{JUNK, ADDRESS, LEN}, true},
	[DIOSIX_CALL_BOARD_INFO] = {{ADDRESS, LEN}, true},
	[DIOSIX_CALL_CAPSULE_INFO] = {{INDEX, ADDRESS, LEN}, true},
	[DIOSIX_CALL_CAPSULE_STATS] = {{INDEX, ADDRESS, LEN}, true},
	[DIOSIX_CALL_CAPSULE_START] = {{VICTIMS}, false},
	[DIOSIX_CALL_CAPSULE_STOP] = {{VICTIMS}, false},
	[DIOSIX_CALL_CAPSULE_KILL] = {{VICTIMS}, false},
	[DIOSIX_CALL_CAPSULE_RESTART] = {{VICTIMS}, false},
	[DIOSIX_CALL_CAPSULE_FOCUS] = {{INDEX}, false},
	[DIOSIX_CALL_CONSOLE_OUTPUT] = {{ADDRESS, LEN}, true},
	[DIOSIX_CALL_CONSOLE_FEED] = {{VICTIMS, ADDRESS, LEN}, false},
	[DIOSIX_CALL_CONSOLE_READ] = {{ADDRESS, LEN}, true},
	[DIOSIX_CALL_CONSOLE_WRITE] = {{ADDRESS, LEN}, false},
	[DIOSIX_CALL_CONTROL_READ] = {{ADDRESS, LEN}, true},
	[DIOSIX_CALL_CONTROL_WRITE] = {{ADDRESS, LEN}, false},
	[DIOSIX_CALL_MESSAGE_SEND] = {{HANDLE, ADDRESS, LEN}, false},
	[DIOSIX_CALL_MESSAGE_RECEIVE] = {{ADDRESS, LEN}, true},
	[DIOSIX_CALL_GRANT] = {{HANDLE, ADDRESS, PAGES, BIT}, false},
	[DIOSIX_CALL_REVOKE] = {{NUMBER}, false},
	[DIOSIX_CALL_ACCEPT] = {{NUMBER, ADDRESS, PAGES}, false},
	[DIOSIX_CALL_SYNC] = {{NUMBER, BIT}, false},
	[DIOSIX_CALL_RELEASE] = {{NUMBER}, false},
	[DIOSIX_CALL_FILE_FIND] = {{ADDRESS, LEN}, false},
	[DIOSIX_CALL_FILE_SIZE] = {{JUNK}, false},
	[DIOSIX_CALL_FILE_READ] = {{JUNK, JUNK, ADDRESS, LEN}, true},
};

static bool is_victim;
static _Atomic unsigned finished, broken;
static _Atomic uint64_t known[KNOWN]; /* numbers of grants, own ones and others' */

static bool check(const char *what, uint64_t where, uint64_t got, uint64_t want)
{
	bool met = expect(what, where, got, want);

	broken += !met;
	return met;
}

/* --- arguments ----------------------------------------------------------------------------------- */

static uint64_t junk(uint64_t *state)
{
	const uint64_t corners[] = {
		0, 1, 2, 7, 63, 64, 65, 127, 128, 255, 256, 4095, 4096, 4097, 0x7fffffff, 0x80000000, 0xffffffff,
		UINT64_C(1) << 32, UINT64_C(1) << 52, UINT64_C(1) << 63, UINT64_MAX - 4095, UINT64_MAX - 1, UINT64_MAX,
	};
	uint64_t random = next_random(state) >> 16;

	return random % 16 == 0 ? next_random(state) : corners[random / 16 % (sizeof(corners) / sizeof(corners[0]))];
}

static uint64_t address(uint64_t *state, bool fills)
{
	const uint64_t edges[] = {
		ram_base() - PAGE, ram_base() - 1, ram_base() + RAM_SIZE - PAGE, ram_base() + RAM_SIZE - 8,
		ram_base() + RAM_SIZE - 1, ram_base() + RAM_SIZE, DIOSIX_WINDOW, DIOSIX_WINDOW + 8 * 64 * PAGE - 8,
		RAM_DEFAULT - PAGE, RAM_DEFAULT + 0x4000000, UART_BASE, PLIC_BASE, 0x2000000, UINT64_MAX - PAGE + 1,
	};
	uint64_t random = next_random(state) >> 16;

	switch (random % 8) {
	case 0:
		return edges[random / 8 % (sizeof(edges) / sizeof(edges[0]))];
	case 1:
		return SHARED + random / 8 % 512;
	case 2:
		return SHARED;
	default: /* so that what comes behind the buffer can be looked at */
		return fills ? GUARDED + random / 8 % 64 * 8 : SHARED;
	}
}

static uint64_t number(uint64_t *state)
{
	uint64_t random = next_random(state) >> 16, number = known[random % KNOWN];

	/* Mostly as it is; or of another owner, place or time. */
	switch (random / KNOWN % 8) {
	case 0:
		return number ^ (random >> 24 & 7);
	case 1:
		return number ^ (random >> 24 & 15) << 8;
	case 2:
		return number + 0x10000;
	default:
		return number;
	}
}

static uint64_t argument(uint64_t *state, enum kind kind, bool fills)
{
	uint64_t random = next_random(state) >> 16;

	if (kind != ADDRESS && random % 8 == 0)
		return junk(state);
	random /= 8;
	switch (kind) {
	case ADDRESS:
		return address(state, fills);
	case LEN:
		return random % LONGEST;
	case INDEX:
		return random % CAPSULES;
	case VICTIMS:
		return VICTIM;
	case HANDLE:
		return DIOSIX_HANDLE(random % CAPSULES, random / CAPSULES % 4 != 0 ? 1 : random / 16 % 64);
	case ROLE:
		return random % DIOSIX_ROLES;
	case NUMBER:
		return number(state);
	case PAGES:
		return random % 4 == 0 ? DIOSIX_GRANT_PAGES : 1 + random / 4 % 4;
	case BIT:
		return random % 2;
	default:
		return junk(state);
	}
}

/* --- calls --------------------------------------------------------------------------------------- */

static void fill(uint64_t at, uint64_t end)
{
	for (; at < end; at += 8)
		*(volatile uint64_t *)at = SENTINEL;
}

/* Nothing was written before the buffer, and no more than the call says. */
static void look_around(unsigned call, uint64_t at, uint64_t written)
{
	uint64_t end = at + (written + 7) / 8 * 8;

	for (uint64_t word = GUARDED; word < GUARDED + GUARD; word += 8)
		if (word < at || word >= end)
			if (!check("memory around the buffer", call, *(volatile uint64_t *)word, SENTINEL))
				break;
	fill(at, end);
}

static bool is_guarded(uint64_t at, uint64_t len)
{
	return at >= GUARDED && at < GUARDED + GUARD && len <= GUARDED + GUARD - at;
}

/* The victim does not end others, and nobody ends those that are to go on. */
static bool is_allowed(unsigned call, const uint64_t *a)
{
	switch (call) {
	case DIOSIX_CALL_EXIT:
		return false;
	case DIOSIX_CALL_CAPSULE_START:
	case DIOSIX_CALL_CAPSULE_STOP:
	case DIOSIX_CALL_CAPSULE_KILL:
	case DIOSIX_CALL_CAPSULE_RESTART:
		return !is_victim && a[0] >= VICTIM;
	case DIOSIX_CALL_CONSOLE_FEED:
		return a[0] >= VICTIM;
	case DIOSIX_CALL_CONSOLE_WRITE: /* what others see is to stay readable */
		return a[0] - ram_base() >= RAM_SIZE;
	default:
		return true;
	}
}

/* Pages of another's that are there, or are not any more. */
static void touch(uint64_t at)
{
	uint64_t cause = try_load(at);

	if (cause != NO_TRAP)
		check("a load from the window", at, cause, LOAD_ACCESS);
	cause = try_store(at);
	if (cause != NO_TRAP)
		check("a store to the window", at, cause, STORE_ACCESS);
}

static void learn(unsigned call, uint64_t *state, const uint64_t *a, const struct sbi_result *result)
{
	uint64_t place = (next_random(state) >> 16) % KNOWN;

	if (call == DIOSIX_CALL_GRANT) {
		known[place] = result->value;
		/* Half of the time its peer hears of it. */
		*(volatile uint64_t *)SHARED = result->value;
		if (place & 1)
			sbi(DIOSIX_EXTENSION, DIOSIX_CALL_MESSAGE_SEND, a[0], SHARED, 8, 0);
	} else if (call == DIOSIX_CALL_MESSAGE_RECEIVE && result->value >= sizeof(struct diosix_message) + 8 && a[0] % 8 == 0) {
		known[place] = *(volatile uint64_t *)(a[0] + sizeof(struct diosix_message));
	} else if (call == DIOSIX_CALL_ACCEPT && result->value - DIOSIX_WINDOW < 8 * 64 * PAGE) {
		touch(result->value);
	}
}

static void make_call(unsigned call, uint64_t *state)
{
	bool fills = call < DIOSIX_CALL_COUNT && takes[call].fills;
	struct sbi_result result;
	uint64_t a[4] = {0};
	unsigned at = 0;

	while (fills && takes[call].kinds[at] != ADDRESS)
		at++;
	for (unsigned i = 0; i < 4; i++)
		a[i] = argument(state, call < DIOSIX_CALL_COUNT ? takes[call].kinds[i] : JUNK, fills);
	if (!is_allowed(call, a))
		return;
	trap.cause = NO_TRAP;
	result = sbi(DIOSIX_EXTENSION, call, a[0], a[1], a[2], a[3]);
	check("the trap of a call", call, trap.cause, NO_TRAP);
	check("the error of a call", call, result.error <= 0 && result.error >= -14, true);
	if (fills && result.error == 0) {
		check("bytes written", call, result.value <= a[at + 1] && result.value <= DIOSIX_BATCH_LEN, true);
		if (is_guarded(a[at], result.value))
			look_around(call, a[at], result.value);
	}
	if (result.error == 0)
		learn(call, state, a, &result);
	/* What is wrong with it is found before anything is written. */
	else if (fills && is_guarded(a[at], 0))
		look_around(call, a[at], 0);
}

static void call_at_random(void)
{
	uint64_t state = UINT64_C(0x123456789abcdef1) * (my_id() + 1) ^ ticks();

	fill(GUARDED, GUARDED + GUARD);
	for (unsigned i = 0; is_victim || i < ROUNDS; i++)
		make_call((next_random(&state) >> 16) % (DIOSIX_CALL_COUNT + 2), &state);
	finished++;
}

void main(void)
{
	is_victim = told("victim");
	check("starting a vCPU", 1, (uint64_t)start_vcpu(1, call_at_random), 0);
	call_at_random();
	while (finished != VCPUS)
		sbi(DIOSIX_EXTENSION, DIOSIX_CALL_YIELD, 0, 0, 0, 0);
	/* Whoever ends last leaves no victim behind. */
	sbi(DIOSIX_EXTENSION, DIOSIX_CALL_CAPSULE_KILL, VICTIM, 0, 0, 0);
	sbi(DIOSIX_EXTENSION, DIOSIX_CALL_EXIT, broken, 0, 0, 0);
}
