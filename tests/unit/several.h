/* SPDX-License-Identifier: MIT */
/* Three capsules for unit tests of the service ABI: vCPU 0 of capsule i runs on hart i. */
#ifndef SEVERAL_H
#define SEVERAL_H

#include "sbi_guest.h"

#include "exchange.h"
#include "roles.h"

#define SEVERAL 3u
#define BIT_OF(PERMISSION) (UINT64_C(1) << DMFS_PERM_##PERMISSION)
#define ABI(function, ...) call(DIOSIX_EXTENSION, DIOSIX_CALL_##function, __VA_ARGS__)

static struct exchange exchanges[SEVERAL];

/* Calls are capsule `i`'s from here on. */
static inline void as(unsigned i)
{
	fake_self = &fake_harts[i];
	if (fake_self->current == NULL || fake_self->resched)
		self = sched_pick();
	self = fake_self->current;
	vcpu_serve(self);
	capsule = self->capsule;
	assert_int_equal(capsule->index, i);
}

static inline int setup_several(void **state)
{
	fake_reset(SEVERAL);
	fake_capsule(1, SIZE);
	fake_more_capsules(SEVERAL, 1);
	memset(exchanges, 0, sizeof(exchanges));
	for (unsigned i = 0; i < SEVERAL; i++) {
		capsules[i].config.permissions = (UINT64_C(1) << DMFS_PERM_COUNT) - 1;
		capsules[i].config.restart = DMFS_RESTART_ALWAYS;
		capsules[i].exchange = &exchanges[i];
		exchange_init(&exchanges[i]);
	}
	capsules_start();
	for (unsigned i = SEVERAL; i-- > 0;) /* on their harts, where no other takes them over */
		as(i);
	return 0;
}

/* The life of capsule `i` ends, and its next begins. */
static inline void restart(unsigned i)
{
	as(i);
	capsule_stop(self, STOP_REBOOT, "");
	fake_run();
}

static inline int teardown_several(void **state)
{
	jmp_buf end;

	fake.end = &end;
	if (setjmp(end) != 0)
		return 0;
	for (unsigned i = 0; i < SEVERAL; i++)
		capsules[i].config.restart = DMFS_RESTART_NEVER;
	for (unsigned i = 0; i < SEVERAL; i++) {
		if (atomic_load(&capsules[i].state) == CAPSULE_STOPPED)
			continue;
		as(i);
		capsule_stop(self, STOP_SHUTDOWN, "");
		fake_run();
	}
	return -1;
}

static inline uint64_t handle_of(unsigned i)
{
	return capsule_handle(&capsules[i]);
}

static inline char *memory_of(unsigned i)
{
	return hpa_ptr(capsules[i].memory.host);
}

#define test_several(function) cmocka_unit_test_setup_teardown(function, setup_several, teardown_several)

#endif
