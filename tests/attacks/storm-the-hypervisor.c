/* SPDX-License-Identifier: MIT */
/*
 * Keeps the hypervisor as busy as it can, in ten ways, one after the other: demand-its-share.c beside it looks whether it
 * has its share. Told to be "two" it does so from two vCPUs, which also aim at each other.
 */
#include "attack.h"

#define SIE_TIMER UINT64_C(0x20)

static volatile bool other_runs;

static uint64_t targets(void)
{
	return other_runs ? 3 : 1;
}

static void calls(void)
{
	sbi(0x10, 3, SBI_HSM, 0, 0, 0);
	sbi(SBI_HSM, 2, 0, 0, 0, 0);
	sbi(SBI_HSM, 0, 0, ram_base(), 0, 0);
	sbi(UINT64_MAX, 0, 0, 0, 0, 0);
}

static void ipis(void)
{
	sbi(SBI_IPI, 0, targets(), 0, 0, 0);
	__asm__ volatile("csrci sip, 2");
	sbi(SBI_IPI, 0, 0, UINT64_MAX, 0, 0);
}

static void fences(void)
{
	sbi(SBI_RFENCE, 0, targets(), 0, 0, 0);
	sbi(SBI_RFENCE, 1, targets(), 0, 0, UINT64_MAX);
	sbi(SBI_RFENCE, 2, targets(), 0, ram_base(), 16 * PAGE);
}

static void devices(void)
{
	try_load(UART_BASE + 5);
	try_store(UART_BASE + 7);
	TRY("sw %1, 0(%0)", ::"r"(PLIC_BASE + 0x2080), "r"(UINT64_MAX) : "memory");
	TRY_READ_FROM("lw t3, 0(%0)", PLIC_BASE + 0x201004);
	TRY_READ_FROM("ld t3, 0(%0)", PLIC_BASE);
}

static void illegal_instructions(void)
{
	TRY(".word 0");
	TRY_READ_FROM("csrr t3, mstatus", 0);
	TRY(".word 0x30200073"); /* mret */
	run_as_user((const void *)(uintptr_t)ram_base());
}

static void output(void)
{
	static const char text[] = "output without end, output without end, output without end......";

	sbi(SBI_DBCN, 0, 64, (uintptr_t)text, 0, 0);
	sbi(SBI_DBCN, 2, '\n', 0, 0, 0);
	*(volatile char *)UART_BASE = '\n';
}

static void wait(void)
{
	__asm__ volatile("csrs sie, %0\nwfi\ncsrc sie, %0" ::"r"(SIE_TIMER));
}

static void timers_due(void)
{
	sbi(SBI_TIME, 0, 0, 0, 0, 0);
	wait();
	sbi(SBI_TIME, 0, UINT64_MAX, 0, 0, 0);
	sbi(SBI_TIME, 0, 1, 0, 0, 0);
	wait();
}

static void short_sleeps(void)
{
	sbi(SBI_TIME, 0, ticks() + 20, 0, 0, 0);
	wait();
}

static void wild_accesses(void)
{
	try_load(ram_base() + RAM_SIZE);
	try_store(ram_base() - 8);
	try_execute(0);
}

static void everything(void)
{
	calls();
	ipis();
	fences();
	devices();
	timers_due();
	short_sleeps();
	illegal_instructions();
}

static void storm(void)
{
	uint64_t end = (ticks() / STORM_TICKS + STORMS + 2) * STORM_TICKS;

	for (uint64_t now = ticks(); now < end; now = ticks())
		switch (storm_at(now)) {
		case 0: calls(); break;
		case 1: ipis(); break;
		case 2: fences(); break;
		case 3: devices(); break;
		case 4: illegal_instructions(); break;
		case 5: output(); break;
		case 6: timers_due(); break;
		case 7: short_sleeps(); break;
		case 8: wild_accesses(); break;
		default: everything(); break;
		}
}

static void other(void)
{
	other_runs = true;
	storm();
}

void main(void)
{
	if (told("two"))
		expect("starting the other", 1, (uint64_t)start_vcpu(1, other), 0);
	storm();
}
