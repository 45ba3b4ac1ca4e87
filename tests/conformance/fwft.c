/* SPDX-License-Identifier: MIT */
#include "guest.h"

enum { SET, GET };
enum { MISALIGNED, LANDING_PAD, SHADOW_STACK, DOUBLE_TRAP, PTE_AD_UPDATING, POINTER_MASKING };
#define LOCK 1

static void set_and_get(uint64_t feature, uint64_t value)
{
	expect_error("setting it", value, SUCCESS, FWFT, SET, feature, value, 0);
	expect("getting it", value, sbi(FWFT, GET, feature).value, value);
}

static void try_feature(uint64_t feature)
{
	expect("off at the start", feature, sbi(FWFT, GET, feature).value, 0);
	expect_error("a value of 2", feature, INVALID_PARAM, FWFT, SET, feature, 2, 0);
	expect_error("a value beyond 32 bits", feature, INVALID_PARAM, FWFT, SET, feature, BIT(32), 0);
	expect_error("a flag that is reserved", feature, INVALID_PARAM, FWFT, SET, feature, 0, 2);
	expect_error("a flag beyond 32 bits", feature, INVALID_PARAM, FWFT, SET, feature, 0, BIT(32));
	set_and_get(feature, 0);
	set_and_get(feature, 1);
	set_and_get(BIT(32) | feature, 0); /* a feature has 32 bits */
	expect_error("locking it", feature, SUCCESS, FWFT, SET, feature, 1, LOCK);
	for (uint64_t value = 0; value <= 1; value++)
		for (uint64_t flags = 0; flags <= LOCK; flags++)
			expect_error("what is locked", feature, DENIED_LOCKED, FWFT, SET, feature, value, flags);
	expect("still what it was", feature, sbi(FWFT, GET, feature).value, 1);
}

#define LOAD_MISALIGNED	 4
#define STORE_MISALIGNED 6
#define MISALIGNED_LOADS 0xf0000u /* the firmware event */

/* Atomic operations have to be aligned on every hart: one that loads and one that stores as well. */
static void misaligned_accesses(uint64_t at)
{
	volatile struct cpu *cpu = this_cpu();

	cpu->cause = 0;
	__asm__ volatile(".option push\n.option norvc\nlr.d t3, (%0)\n.option pop" ::"r"(at) : "t3", "memory");
	expect("a misaligned load", at, cpu->cause, LOAD_MISALIGNED);
	expect("where", at, cpu->tval, at);
	cpu->cause = 0;
	__asm__ volatile(".option push\n.option norvc\namoadd.d zero, zero, (%0)\n.option pop" ::"r"(at) : "memory");
	/* With -icount QEMU takes it for a load followed by a store. */
	expect("a misaligned store", cpu->cause, cpu->cause == STORE_MISALIGNED || cpu->cause == LOAD_MISALIGNED, 1);
	expect("where", at, cpu->tval, at);
}

/* Delegated, the trap of a load does not come by the firmware. */
static void delegated_traps(void)
{
	static uint64_t words[2];
	uint64_t counter = sbi(PMU, 2, 0, 0x3ffff, 6, MISALIGNED_LOADS, 0).value;

	set_and_get(MISALIGNED, 1);
	misaligned_accesses((uintptr_t)words + 1);
	expect("what the firmware saw of it", counter, sbi(PMU, 5, counter).value, 0);
	sbi(PMU, 4, counter, 1, 1);
	set_and_get(MISALIGNED, 0);
}

static void on_another(struct cpu *cpu)
{
	cpu->result = (uint64_t)sbi(FWFT, SET, MISALIGNED, 1, LOCK).error; /* locked until it starts again */
}

void check_fwft(void)
{
	static const uint64_t reserved[] = {6, 0x3fffffff, 0x40000000, 0x80000000, 0xbfffffff, 0xc0000000, 0xffffffff};
	static const uint64_t named[] = {LANDING_PAD, SHADOW_STACK, DOUBLE_TRAP, POINTER_MASKING};

	topic("fwft");
	for (unsigned i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		expect_error("getting what is reserved", reserved[i], DENIED, FWFT, GET, reserved[i]);
		expect_error("setting what is reserved", reserved[i], DENIED, FWFT, SET, reserved[i], 1, 0);
	}
	for (unsigned i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		expect_error("getting what the hart lacks", named[i], NOT_SUPPORTED, FWFT, GET, named[i]);
		expect_error("setting what the hart lacks", named[i], NOT_SUPPORTED, FWFT, SET, named[i], 1, 0);
	}
	delegated_traps();
	try_feature(MISALIGNED);
	if (sbi(FWFT, GET, PTE_AD_UPDATING).error == SUCCESS)
		try_feature(PTE_AD_UPDATING);
	else
		expect_error("a feature that the hart lacks", PTE_AD_UPDATING, NOT_SUPPORTED, FWFT, SET, PTE_AD_UPDATING, 1, 0);
	for (uint64_t id = 1; id < cpu_count; id++)
		for (unsigned round = 0; round < 2; round++) {
			start_job(id, on_another, 0);
			await_job(id);
			expect("setting another's own", id, cpus[id].result, SUCCESS);
		}
	verdict();
}
