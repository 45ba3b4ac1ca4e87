/* SPDX-License-Identifier: MIT */
#include "guest.h"

/* Takes interrupts until it has had as many IPIs as it was told. */
static void await_ipis(struct cpu *cpu)
{
	volatile struct cpu *me = cpu;

	me->taken[IRQ_SOFT] = 0;
	enable_only(BIT(IRQ_SOFT));
	me->result = 1; /* ready */
	while (me->taken[IRQ_SOFT] < me->argument)
		take_interrupts();
	enable_only(0);
}

static void send_to_others(uint64_t mask, uint64_t base, uint64_t reached)
{
	for (uint64_t id = 1; id < cpu_count; id++) {
		cpus[id].result = 0;
		if (reached >> id & 1)
			start_job(id, await_ipis, 1);
	}
	for (uint64_t id = 1; id < cpu_count; id++)
		while ((reached >> id & 1) && cpus[id].result == 0)
			;
	expect_error("sending", mask, SUCCESS, IPI, 0, mask, base);
	for (uint64_t id = 1; id < cpu_count; id++)
		if (reached >> id & 1)
			await_job(id); /* which ends when it has had it */
}

static void to_oneself(uint64_t mask, uint64_t base)
{
	volatile struct cpu *cpu = this_cpu();
	uint64_t taken = cpu->taken[IRQ_SOFT];

	expect_error("sending to oneself", mask, SUCCESS, IPI, 0, mask, base);
	enable_only(BIT(IRQ_SOFT));
	take_interrupts();
	expect("it comes, once", mask, cpu->taken[IRQ_SOFT], taken + 1);
	take_interrupts();
	expect("and not again", mask, cpu->taken[IRQ_SOFT], taken + 1);
	enable_only(0);
}

void check_ipi(void)
{
	uint64_t all = BIT(cpu_count) - 1;

	topic("ipi");
	to_oneself(1, 0);
	to_oneself(0, ALL);
	to_oneself(ALL, ALL);
	for (uint64_t id = 1; id < cpu_count; id++) {
		send_to_others(BIT(id), 0, BIT(id));
		send_to_others(1, id, BIT(id));
		send_to_others(BIT(id) | 1, 0, BIT(id));
	}
	send_to_others(all, 0, all);
	send_to_others(0, ALL, all);
	csr_clear(sip, BIT(IRQ_SOFT));
	expect_error("to nobody", 0, SUCCESS, IPI, 0, 0, 0);
	if (cpu_count > 1)
		expect_error("to nobody", 1, SUCCESS, IPI, 0, 0, 1);
	expect_error("to one beyond the last", 0, INVALID_PARAM, IPI, 0, 2, cpu_count - 1);
	expect_error("to one beyond the last", 1, INVALID_PARAM, IPI, 0, 1, cpu_count);
	expect_error("to one beyond the last", 2, INVALID_PARAM, IPI, 0, all | BIT(cpu_count), 0);
	expect_error("to one beyond all", 3, INVALID_PARAM, IPI, 0, 1, ALL - 1);
	enable_only(BIT(IRQ_SOFT));
	uint64_t taken = this_cpu()->taken[IRQ_SOFT];
	take_interrupts();
	expect("what is refused is not sent", 0, this_cpu()->taken[IRQ_SOFT], taken);
	enable_only(0);
	verdict();
}
