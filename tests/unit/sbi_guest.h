/* SPDX-License-Identifier: MIT */
/* A guest for unit tests that makes SBI calls: registers in, registers and what happened out. */
#ifndef SBI_GUEST_H
#define SBI_GUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "console.h"
#include "fake.h"
#include "machine.h"
#include "sbi.h"
#include "scheduler.h"

#define BASE   0x10
#define TIME   0x54494d45
#define IPI    0x735049
#define RFENCE 0x52464e43
#define HSM    0x48534d
#define SRST   0x53525354
#define DBCN   0x4442434e
#define PMU    0x504d55
#define SUSP   0x53555350
#define FWFT   0x46574654
#define SSE    0x535345

#define RAM  DMFS_GUEST_RAM_BASE
#define SIZE 0x10000u
#define ALL  UINT64_MAX
#define CPUS 3
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct capsule *capsule;
static struct vcpu *self;

static inline void enter(unsigned hart)
{
	fake_self = &fake_harts[hart];
	self = sched_pick();
	vcpu_serve(self);
}

/* vCPU 0 runs on hart 0; 1 lives on hart 1, 2 on hart 0, both stopped. */
static inline int setup(void **state)
{
	fake_reset(2);
	capsule = fake_capsule(CPUS, SIZE);
	capsules_start();
	memset(fake.ports[0].output, 0, fake.ports[0].output_len);
	fake.ports[0].output_len = 0;
	enter(0);
	return 0;
}

/* The last capsule of all ends the board: none may be left over for the next test. */
static inline int teardown(void **state)
{
	jmp_buf end;

	fake.end = &end;
	if (setjmp(end) != 0 || atomic_load(&capsule->state) == CAPSULE_STOPPED)
		return 0;
	capsule->config.restart = DMFS_RESTART_NEVER;
	capsule_stop(self, STOP_SHUTDOWN, "");
	for (unsigned i = hart_count; i-- > 0;) {
		fake_self = &fake_harts[i];
		fake_run();
	}
	return -1;
}

#define call(extension, function, ...) call_(extension, function, (const uint64_t[6]){__VA_ARGS__})

static inline int64_t call_(uint64_t extension, uint64_t function, const uint64_t arguments[6])
{
	for (unsigned i = 0; i < 6; i++)
		self->arch.x[10 + i] = arguments[i];
	self->arch.x[16] = function;
	self->arch.x[17] = extension;
	guest_call(self);
	return (int64_t)self->arch.x[10];
}

static inline uint64_t value(void)
{
	return self->arch.x[11];
}

static inline uint32_t requests(unsigned vcpu)
{
	return atomic_load(&capsule->vcpus[vcpu].requests);
}

static inline char *memory(void)
{
	return hpa_ptr(capsule->memory.host);
}

/* Arguments and the error that the specification names for them. */
struct sbi_case {
	uint64_t extension, function;
	uint64_t arguments[6];
	int64_t error;
};

static inline void check_cases(const struct sbi_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (call_(cases[i].extension, cases[i].function, cases[i].arguments) != cases[i].error)
			fail_msg("case %zu: error %ld, not %ld", i, (long)self->arch.x[10], (long)cases[i].error);
}

#endif
