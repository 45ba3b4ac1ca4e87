/* SPDX-License-Identifier: MIT */
/*
 * Tries each call of the service ABI, by its own table, and each role. What it found is its exit status, which is in the
 * log whoever has the console: bits 0 to 35 the calls that were denied, by number, 36 to 39 the roles; from 40 on the calls that
 * are not there, in the order of those that need a permission. Both for a call that was denied with some arguments only. One
 * that needs no permission has the one bit for both. Told to be the "victim" it just sleeps.
 */
#include "attack.h"
#include "service_abi.h"

#define DENIED (-4)
#define ROLES_AT 36
#define ABSENT_AT 40

#define IS(a, b) (__builtin_strcmp(a, b) == 0)
#define HAS_TWO_BITS(number, NAME, name, PERMISSION) +!(IS(#PERMISSION, "ANYBODY") || IS(#PERMISSION, "ROLE"))
_Static_assert(DIOSIX_CALL_COUNT <= ROLES_AT && ROLES_AT + DIOSIX_ROLES <= ABSENT_AT, "all of it is in a word");
_Static_assert(ABSENT_AT + DIOSIX_CALLS(HAS_TWO_BITS) <= 64, "this too");

static char buffer[512] __attribute__((aligned(4096)));

static int64_t try(unsigned number, const uint64_t a[4])
{
	return sbi(DIOSIX_EXTENSION, number, a[0], a[1], a[2], a[3]).error;
}

/* With zeros, and with what each kind of call takes: the victim has index 0. */
static uint64_t outcome(unsigned number, unsigned absent_at)
{
	uint64_t at = (uintptr_t)buffer, me = sbi(DIOSIX_EXTENSION, DIOSIX_CALL_SELF, 0, 0, 0, 0).value, result = 0;
	const uint64_t forms[][4] = {
		{0, 0, 0, 0}, {at, sizeof(buffer), 0, 0}, {0, at, sizeof(buffer), 0}, {me, at, 64, 0}, {me, at, 1, 1},
	};
	unsigned count = sizeof(forms) / sizeof(forms[0]), denied = 0;

	for (unsigned i = 0; i < count; i++) {
		int64_t error = try(number, forms[i]);

		denied += error == DENIED;
		if (error == SBI_NOT_SUPPORTED)
			result |= UINT64_C(1) << absent_at;
	}
	if (denied != 0)
		result |= UINT64_C(1) << number;
	if (denied != 0 && denied != count)
		result |= UINT64_C(1) << absent_at;
	return result;
}

#define TRY_CALL(number, NAME, name, PERMISSION)                                       \
	if ((number) != DIOSIX_CALL_EXIT && (number) != DIOSIX_CALL_REGISTER)          \
		found |= outcome(number, IS(#PERMISSION, "ANYBODY") ? (number) : absent_at++);

void main(void)
{
	unsigned absent_at = ABSENT_AT;
	uint64_t found = 0;

	while (told("victim"))
		__asm__ volatile("wfi");
	DIOSIX_CALLS(TRY_CALL)
	for (uint64_t role = 0; role < DIOSIX_ROLES; role++)
		if (try(DIOSIX_CALL_REGISTER, (const uint64_t[4]){role}) == DENIED)
			found |= UINT64_C(1) << (ROLES_AT + role);
	sbi(DIOSIX_EXTENSION, DIOSIX_CALL_EXIT, found, 0, 0, 0);
}
