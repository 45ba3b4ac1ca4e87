/* SPDX-License-Identifier: MIT */
#include "guest.h"

#define RETENTIVE     0x00000000u
#define NON_RETENTIVE 0x80000000u

static void do_nothing(struct cpu *cpu)
{
	(void)cpu;
}

static void spin(struct cpu *cpu)
{
	volatile struct cpu *me = cpu;

	while (me->argument != 0)
		;
}

static void check_start_registers(const volatile struct cpu *cpu)
{
	expect("a0 at a start", cpu->id, cpu->start.a0, cpu->id);
	expect("satp at a start", cpu->id, cpu->start.satp, 0);
	expect("sstatus.SIE at a start", cpu->id, cpu->start.sstatus & SSTATUS_SIE, 0);
}

/* Both suspends, until an IPI; cpu->argument is the type of suspend. */
static void sleep_until_ipi(struct cpu *cpu)
{
	enable_only(BIT(IRQ_SOFT));
	csr_set(sstatus, SSTATUS_SIE);
	if ((uint32_t)cpu->argument == RETENTIVE)
		cpu->result = (uint64_t)sbi(HSM, 3, cpu->argument, 0, 0).error;
	else
		cpu->result = (uint64_t)suspend_away(HSM, 3, cpu->argument);
	csr_clear(sstatus, SSTATUS_SIE);
	enable_only(0);
}

static void suspends(uint64_t id, uint64_t type)
{
	bool retentive = (uint32_t)type == RETENTIVE;

	start_job(id, sleep_until_ipi, type);
	await_state(id, SUSPENDED);
	expect_error("starting one that is suspended", id, ALREADY_AVAILABLE, HSM, 0, id, (uintptr_t)cpu_entry, 0);
	expect_error("waking it", id, SUCCESS, IPI, 0, 1, id);
	await_job(id);
	expect("how it came back", type, cpus[id].result, retentive ? SUCCESS : 1);
	if (!retentive)
		check_start_registers(&cpus[id]);
}

static void starts_and_stops(uint64_t id)
{
	expect("one that was not started", id, sbi(HSM, 2, id).value, STOPPED);
	start_job(id, spin, 1);
	await_state(id, STARTED);
	expect_error("starting it again", id, ALREADY_AVAILABLE, HSM, 0, id, (uintptr_t)cpu_entry, 0);
	cpus[id].argument = 0;
	await_job(id);
	check_start_registers(&cpus[id]);
	start_job(id, do_nothing, 0);
	await_job(id);
}

static void refuses(void)
{
	static const uint64_t nobody[] = {MOST_CPUS, 64, UINT64_C(1) << 32, UINT64_C(1) << 63, ALL};
	static const uint32_t types[] = {1, 0x0fffffff, 0x10000000, 0x7fffffff, 0x80000001, 0x8fffffff, 0x90000000,
					 0xffffffff};
	const uint64_t outside[] = {0, ram_base() - 2, ram_base() + RAM_SIZE, UINT64_C(1) << 63, ALL - 1};

	for (unsigned i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		expect_error("starting nobody", nobody[i], INVALID_PARAM, HSM, 0, nobody[i], (uintptr_t)cpu_entry, 0);
		expect_error("the state of nobody", nobody[i], INVALID_PARAM, HSM, 2, nobody[i]);
	}
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		expect_error("a type of suspend", types[i], INVALID_PARAM, HSM, 3, types[i], (uintptr_t)cpu_entry, 0);
	for (unsigned i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		if (cpu_count > 1)
			expect_error("starting outside", outside[i], INVALID_ADDRESS, HSM, 0, 1, outside[i], 0);
		expect_error("resuming outside", outside[i], INVALID_ADDRESS, HSM, 3, NON_RETENTIVE, outside[i], 0);
	}
	expect_error("starting oneself", 0, ALREADY_AVAILABLE, HSM, 0, 0, (uintptr_t)cpu_entry, 0);
}

/* Its own, until the timer. */
static void suspends_itself(uint64_t type)
{
	volatile struct cpu *cpu = this_cpu();
	uint64_t when = now() + 20000;

	sbi(TIME, 0, when);
	enable_only(BIT(IRQ_TIMER));
	if ((uint32_t)type == RETENTIVE)
		expect_error("a suspend until the timer", type, SUCCESS, HSM, 3, type, 0, 0);
	else
		expect("a suspend until the timer", type, (uint64_t)suspend_away(HSM, 3, type), 1);
	expect("how long", type, now() >= when, 1);
	if ((uint32_t)type != RETENTIVE)
		check_start_registers(cpu);
	take_interrupts();
	sbi(TIME, 0, ALL);
	enable_only(0);
}

void check_hsm(void)
{
	topic("hsm");
	expect("this one", 0, sbi(HSM, 2, 0).value, STARTED);
	refuses();
	for (uint64_t high = 0; high <= 1; high++) { /* a type has 32 bits */
		suspends_itself(high << 63 | RETENTIVE);
		suspends_itself(high << 63 | NON_RETENTIVE);
	}
	for (uint64_t id = 1; id < cpu_count; id++) {
		starts_and_stops(id);
		for (uint64_t high = 0; high <= 1; high++) {
			suspends(id, high << 63 | RETENTIVE);
			suspends(id, high << 63 | NON_RETENTIVE);
		}
	}
	verdict();
}
