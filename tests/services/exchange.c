/* SPDX-License-Identifier: MIT */
/*
 * Two that exchange messages and pages. The "owner" asks 5000 times, the "peer" answers each; on the way the owner grants pages
 * and takes them back, also while the peer writes to them as fast as it can. The peer crashes in its first three lives,
 * with pages accepted; the owner notices and finds it again.
 */
#include "attack.h"
#include "service_abi.h"

#define QUESTIONS   5000u
#define LIVES	    3u /* of the peer that end in a crash */
#define INVALID_STATE (-10)
#define BUSY	      (-12)
#define PAGES	    3u

enum { PLAIN, READ, SPIN, CRASH };

struct note {
	uint64_t what, number, grant;
};

static volatile uint64_t shared[PAGES * 512] __attribute__((aligned(4096)));
static uint64_t copy[PAGES * 512] __attribute__((aligned(4096)));
static struct {
	struct diosix_message header;
	struct note note;
} in;
static struct note out;
static uint64_t peer;

#define ABI(NAME, ...) sbi4(DIOSIX_CALL_##NAME, (const uint64_t[4]){__VA_ARGS__})

static struct sbi_result sbi4(unsigned number, const uint64_t a[4])
{
	return sbi(DIOSIX_EXTENSION, number, a[0], a[1], a[2], a[3]);
}

static int64_t send(uint64_t to, uint64_t what, uint64_t number, uint64_t grant)
{
	int64_t error;

	out = (struct note){what, number, grant};
	while ((error = ABI(MESSAGE_SEND, to, (uintptr_t)&out, sizeof(out)).error) == BUSY)
		ABI(YIELD, 0);
	return error;
}

static bool receive(void)
{
	struct sbi_result result = ABI(MESSAGE_RECEIVE, (uintptr_t)&in, sizeof(in));

	expect("receiving", 0, (uint64_t)result.error, 0);
	if (result.value == 0)
		return false;
	return expect("bytes of a message", 0, result.value, sizeof(in));
}

/* --- the peer ------------------------------------------------------------------------------------ */

static volatile uint64_t *accepted(uint64_t grant)
{
	struct sbi_result result = ABI(ACCEPT, grant, (uintptr_t)copy, PAGES);

	expect("accepting", grant, (uint64_t)result.error, 0);
	return (volatile uint64_t *)(uintptr_t)result.value;
}

static void read_and_write(void)
{
	volatile uint64_t *at = accepted(in.note.grant);

	for (unsigned i = 0; i < PAGES * 512; i++)
		if (!expect("a granted word", i, at[i], in.note.number + i))
			break;
	at[PAGES * 512 - 1] = ~in.note.number;
	expect("pushing", 0, (uint64_t)ABI(SYNC, in.note.grant, DIOSIX_SYNC_PUSH).error, 0);
	if (in.note.number % 3 != 0)
		return; /* the owner takes it back */
	expect("releasing", 0, (uint64_t)ABI(RELEASE, in.note.grant).error, 0);
	if (is_gstage())
		expect("what was released", 0, try_load((uintptr_t)at), LOAD_ACCESS);
	expect("accepting what was released", 0, (uint64_t)ABI(ACCEPT, in.note.grant, (uintptr_t)copy, PAGES).error,
	       (uint64_t)INVALID_STATE);
}

/* Writes until it cannot any more: the last thing that it learns from there. */
static void spin(void)
{
	volatile uint64_t *at = accepted(in.note.grant);
	uint64_t n = 1;

	if (is_gstage()) {
		while (TRY("sd %1, 0(%0)", ::"r"(at), "r"(n++) : "memory") == NO_TRAP)
			;
		expect("the store that ended it", 0, trap.cause, STORE_ACCESS);
		expect("a load after it", 0, try_load((uintptr_t)at), LOAD_ACCESS);
	} else {
		do
			at[0] = n++;
		while (ABI(SYNC, in.note.grant, DIOSIX_SYNC_PUSH).error == 0);
	}
	expect("syncing what was revoked", 0, (uint64_t)ABI(SYNC, in.note.grant, DIOSIX_SYNC_PULL).error,
	       (uint64_t)INVALID_STATE);
}

static void answer(void)
{
	for (;;) {
		if (!receive()) {
			ABI(YIELD, 0);
			continue;
		}
		if (in.note.what == CRASH && in.note.number == 0)
			return;
		if (in.note.what == CRASH) {
			accepted(in.note.grant);
			ABI(EXIT, 1);
		}
		if (in.note.what == READ)
			read_and_write();
		else if (in.note.what == SPIN)
			spin();
		send(in.header.from, in.note.what, in.note.number, 0);
	}
}

/* --- the owner ----------------------------------------------------------------------------------- */

static void find_peer(void)
{
	static const char name[] = "peer";
	struct sbi_result result;

	while ((result = ABI(FIND, (uintptr_t)name, sizeof(name) - 1)).error != 0)
		ABI(YIELD, 0);
	peer = result.value;
}

static void await_answer(uint64_t number)
{
	while (!receive())
		ABI(YIELD, 0);
	expect("who answers", number, in.header.from, peer);
	expect("the answer", number, in.note.number, number);
}

static uint64_t grant(void)
{
	struct sbi_result result = ABI(GRANT, peer, (uintptr_t)shared, PAGES, DIOSIX_GRANT_WRITE);

	expect("granting", 0, (uint64_t)result.error, 0);
	return result.value;
}

static void revoke(uint64_t number)
{
	expect("revoking", number, (uint64_t)ABI(REVOKE, number).error, 0);
	expect("revoking again", number, (uint64_t)ABI(REVOKE, number).error, (uint64_t)SBI_INVALID_PARAM);
}

static void share(uint64_t number)
{
	uint64_t given = grant();

	for (unsigned i = 0; i < PAGES * 512; i++)
		shared[i] = number + i;
	send(peer, READ, number, given);
	await_answer(number);
	expect("what the peer wrote", number, shared[PAGES * 512 - 1], ~number);
	revoke(given);
}

/* Nothing that the peer writes arrives once revoke has returned. */
static void take_back_while_it_writes(uint64_t number)
{
	uint64_t given = grant();

	shared[0] = 0;
	send(peer, SPIN, number, given);
	while (shared[0] == 0)
		ABI(YIELD, 0);
	revoke(given);
	shared[0] = 0;
	for (unsigned i = 0; i < 20000; i++)
		if (!expect("a word after revoke", number, shared[0], 0))
			break;
	await_answer(number);
	expect("a word after the peer has noticed", number, shared[0], 0);
}

static void make_it_crash(void)
{
	uint64_t before = peer, given = grant();

	send(peer, CRASH, 1, given);
	while (send(peer, PLAIN, 0, 0) == 0)
		ABI(YIELD, 0);
	find_peer();
	expect("an old handle", 0, (uint64_t)send(before, PLAIN, 0, 0), (uint64_t)INVALID_STATE);
	expect("granting to an old handle", 0, (uint64_t)ABI(GRANT, before, (uintptr_t)shared, 1, 0).error,
	       (uint64_t)INVALID_STATE);
	while (ABI(REVOKE, given).error == 0)
		expect("a grant that has outlived its peer", 0, given, 0);
}

static void ask(void)
{
	find_peer();
	for (uint64_t number = 1; number <= QUESTIONS; number++) {
		send(peer, PLAIN, number, 0);
		await_answer(number);
		if (number % 100 == 0)
			share(number);
		if (number % 500 == 0)
			take_back_while_it_writes(number);
		if (number % 1000 == 0 && number <= LIVES * 1000)
			make_it_crash();
	}
	send(peer, CRASH, 0, 0);
}

void main(void)
{
	if (told("owner"))
		ask();
	else
		answer();
}
