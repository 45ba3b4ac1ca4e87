/* SPDX-License-Identifier: MIT */
#include "guest.h"

static void spin(struct cpu *cpu)
{
	volatile struct cpu *me = cpu;

	while (me->argument != 0)
		;
}

static void suspends(uint64_t type)
{
	volatile struct cpu *cpu = this_cpu();
	uint64_t when = now() + 20000;

	sbi(TIME, 0, when);
	enable_only(BIT(IRQ_TIMER));
	expect("a suspend to RAM", type, (uint64_t)suspend_away(SUSP, 0, type), 1);
	expect("how long", type, now() >= when, 1);
	expect("a0 at the resume", type, cpu->start.a0, cpu->id);
	expect("satp at the resume", type, cpu->start.satp, 0);
	expect("sstatus.SIE at the resume", type, cpu->start.sstatus & SSTATUS_SIE, 0);
	take_interrupts();
	sbi(TIME, 0, ALL);
	enable_only(0);
}

void check_susp(void)
{
	static const uint64_t types[] = {1, 0x7fffffff, 0x80000000, 0xffffffff};
	const uint64_t outside[] = {0, ram_base() - 2, ram_base() + RAM_SIZE, ALL - 1};

	topic("susp");
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		expect_error("a type of sleep", types[i], INVALID_PARAM, SUSP, 0, types[i], (uintptr_t)cpu_entry, 0);
	for (unsigned i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		expect_error("resuming outside", outside[i], INVALID_ADDRESS, SUSP, 0, 0, outside[i], 0);
	for (uint64_t id = 1; id < cpu_count; id++) {
		start_job(id, spin, 1);
		await_state(id, STARTED);
		expect_error("while another runs", id, DENIED, SUSP, 0, 0, (uintptr_t)cpu_entry, 0);
		cpus[id].argument = 0;
		await_job(id);
	}
	suspends(0);
	suspends(UINT64_C(1) << 32); /* a type has 32 bits */
	verdict();
}
