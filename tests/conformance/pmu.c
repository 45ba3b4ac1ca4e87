/* SPDX-License-Identifier: MIT */
#include "guest.h"

enum { NUM, INFO, CONFIG, START, STOP, FW_READ, FW_READ_HI, SET_SHMEM, EVENT_INFO };

#define CLEAR_VALUE 2
#define AUTO_START  4
#define SET_INIT    1
#define SNAPSHOT    2
#define RESET	    1
#define CYCLES	     1
#define INSTRUCTIONS 2
#define FIRMWARE(code) (0xf0000u + (code))
#define ILLEGAL	      FIRMWARE(4)
#define SET_TIMER     FIRMWARE(5)
#define IPI_SENT      FIRMWARE(6)
#define IPI_RECEIVED  FIRMWARE(7)
#define FENCE_I_SENT  FIRMWARE(8)
#define FENCE_I_RECEIVED FIRMWARE(9)

static uint64_t shmem[PAGE / 8] __attribute__((aligned(4096)));
static uint64_t every;

static uint64_t begin(uint64_t event)
{
	struct sbi result = sbi(PMU, CONFIG, 0, every, CLEAR_VALUE | AUTO_START, event, 0);

	expect("a counter for the event", event, (uint64_t)result.error, SUCCESS);
	return result.value;
}

static void finish(uint64_t counter)
{
	expect_error("stopping", counter, SUCCESS, PMU, STOP, counter, 1, RESET);
}

static uint64_t read(uint64_t counter)
{
	return sbi(PMU, FW_READ, counter).value;
}

static void infos(void)
{
	uint64_t count = sbi(PMU, NUM, 0).value, hardware = 0, firmware = 0;

	every = BIT(count) - 1;
	for (uint64_t i = 0; i < count; i++) {
		struct sbi result = sbi(PMU, INFO, i);

		expect("what a counter is", i, (uint64_t)result.error, SUCCESS);
		if (result.value >> 63)
			firmware++;
		else
			hardware += (result.value & 0xfff) == 0xc00 || (result.value & 0xfff) == 0xc02;
	}
	expect("hardware counters", 0, hardware, 2);
	expect("firmware counters", 0, firmware, count - 2);
	expect_error("one beyond", count, INVALID_PARAM, PMU, INFO, count);
	expect_error("reading one beyond", count, INVALID_PARAM, PMU, FW_READ, count);
	expect_error("finding one beyond", count, INVALID_PARAM, PMU, CONFIG, count, 1, 0, CYCLES, 0);
	expect_error("starting one beyond", count, INVALID_PARAM, PMU, START, 0, BIT(count), 0, 0);
	expect_error("stopping one beyond", count, INVALID_PARAM, PMU, STOP, count - 1, 2, 0);
	expect_error("an event that is not there", 3, NOT_SUPPORTED, PMU, CONFIG, 0, every, 0, 3, 0);
}

#define counter_value(event) ((event) == CYCLES ? csr_read(cycle) : csr_read(instret))

static void hardware(uint64_t event)
{
	uint64_t counter = begin(event), before, after;

	before = counter_value(event);
	for (volatile unsigned i = 0; i < 10000; i++)
		;
	after = counter_value(event);
	expect("counting", event, after > before, 1);
	expect("not a firmware counter", event, (uint64_t)error_of(PMU, FW_READ, counter), (uint64_t)INVALID_PARAM);
	expect_error("starting it again", event, ALREADY_STARTED, PMU, START, counter, 1, 0, 0);
	expect_error("stopping it", event, SUCCESS, PMU, STOP, counter, 1, 0);
	expect_error("stopping it again", event, ALREADY_STOPPED, PMU, STOP, counter, 1, 0);
	expect_error("from a value on", event, SUCCESS, PMU, START, counter, 1, SET_INIT, UINT64_C(1) << 60);
	expect("its value", event, counter_value(event) >> 60, 1);
	finish(counter);
	expect_error("its event is forgotten", event, INVALID_PARAM, PMU, START, counter, 1, 0, 0);
}

/* Stopped, it stays as it is: on harts that can stop it. */
static void stands_still(uint64_t event)
{
	uint64_t counter = begin(event), value;

	expect_error("stopping it", event, SUCCESS, PMU, STOP, counter, 1, 0);
	value = counter_value(event);
	for (volatile unsigned i = 0; i < 1000; i++)
		;
	if (counter_value(event) != value)
		print("sbi: counters cannot be stopped here\n");
	expect_error("forgetting it", event, ALREADY_STOPPED, PMU, STOP, counter, 1, RESET);
}

static void firmware(void)
{
	uint64_t timers = begin(SET_TIMER), illegal = begin(ILLEGAL), sent = begin(IPI_SENT);
	uint64_t received = begin(IPI_RECEIVED), fences = begin(FENCE_I_SENT), fenced = begin(FENCE_I_RECEIVED);

	for (unsigned i = 0; i < 3; i++)
		sbi(TIME, 0, ALL);
	for (unsigned i = 0; i < 2; i++)
		__asm__ volatile(".word 0xffffffff"); /* no instruction at all */
	for (unsigned i = 0; i < 4; i++)
		sbi(IPI, 0, 1, 0);
	csr_clear(sip, BIT(IRQ_SOFT));
	sbi(RFENCE, 0, 0, ALL);
	expect("timers set", timers, read(timers), 3);
	expect("illegal instructions", illegal, read(illegal), 2);
	expect("IPIs sent", sent, read(sent), 4);
	expect("IPIs received", received, read(received), 4);
	expect("fences sent", fences, read(fences), cpu_count);
	expect("fences received", fenced, read(fenced), 1);
	expect("the upper half", timers, sbi(PMU, FW_READ_HI, timers).value, 0);
	expect_error("stopping it", timers, SUCCESS, PMU, STOP, timers, 1, 0);
	sbi(TIME, 0, ALL);
	expect("timers set meanwhile", timers, read(timers), 3);
	expect_error("from a value on", timers, SUCCESS, PMU, START, timers, 1, SET_INIT, 1000);
	sbi(TIME, 0, ALL);
	expect("timers set since", timers, read(timers), 1001);
	expect_error("all at once", 0, SUCCESS, PMU, STOP, 0,
		     BIT(timers) | BIT(illegal) | BIT(sent) | BIT(received) | BIT(fences) | BIT(fenced), RESET);
}

static void snapshots(void)
{
	uint64_t counter;

	expect_error("memory that is not a page", 0, INVALID_PARAM, PMU, SET_SHMEM, (uintptr_t)shmem + 8, 0, 0);
	expect_error("memory with flags", 0, INVALID_PARAM, PMU, SET_SHMEM, (uintptr_t)shmem, 0, 1);
	expect_error("memory that is not there", 0, INVALID_ADDRESS, PMU, SET_SHMEM, ram_base() + RAM_SIZE, 0, 0);
	counter = begin(SET_TIMER);
	expect_error("without memory", 0, NO_SHMEM, PMU, STOP, counter, 1, SNAPSHOT);
	expect_error("memory", 0, SUCCESS, PMU, SET_SHMEM, (uintptr_t)shmem, 0, 0);
	sbi(TIME, 0, ALL);
	expect_error("a snapshot", 0, SUCCESS, PMU, STOP, counter, 1, SNAPSHOT | RESET);
	expect("what it has", 0, ((volatile uint64_t *)shmem)[1], 1);
	expect_error("no memory any more", 0, SUCCESS, PMU, SET_SHMEM, ALL, ALL, 0);
}

static void events(void)
{
	volatile uint32_t *entry = (volatile uint32_t *)shmem;

	entry[0] = CYCLES;
	entry[4] = 3;
	entry[8] = SET_TIMER;
	expect_error("what can be counted", 0, SUCCESS, PMU, EVENT_INFO, (uintptr_t)shmem, 0, 3, 0);
	expect("cycles", 0, entry[1], 1);
	expect("references of the cache", 0, entry[5], 0);
	expect("timers", 0, entry[9], 1);
	entry[4] = 0x40000;
	expect_error("what is no event", 0, INVALID_PARAM, PMU, EVENT_INFO, (uintptr_t)shmem, 0, 3, 0);
	expect_error("outside", 0, INVALID_ADDRESS, PMU, EVENT_INFO, ram_base() + RAM_SIZE, 0, 1, 0);
}

static void on_another(struct cpu *cpu)
{
	uint64_t counter = begin(SET_TIMER);

	sbi(TIME, 0, ALL);
	cpu->result = read(counter);
}

/* QEMU counts instructions with -icount alone, and its host's time without. */
static bool counts_instructions(void)
{
	uint64_t before = csr_read(instret), counted;

	__asm__ volatile(".rept 1000\nnop\n.endr");
	counted = csr_read(instret) - before;
	return counted >= 1000 && counted < 1100;
}

static void spin(struct cpu *cpu)
{
	volatile struct cpu *me = cpu;

	while (me->argument != 0)
		;
}

/* While a vCPU sleeps its counters do, whatever another one on its hart does meanwhile. */
static void sleeps(const char *what)
{
	uint64_t ticks = 20000, when = now() + ticks, counts = csr_read(cycle), instructions = csr_read(instret);

	sbi(TIME, 0, when);
	enable_only(BIT(IRQ_TIMER));
	expect_error("a suspend", ticks, SUCCESS, HSM, 3, 0, 0, 0);
	counts = csr_read(cycle) - counts;
	instructions = csr_read(instret) - instructions;
	expect(what, when, now() >= when, 1);
	/* A tick is the time of 100 instructions. */
	expect(what, counts, counts < ticks * 100 / 20, 1);
	expect(what, instructions, instructions < ticks * 100 / 20, 1);
	take_interrupts();
	sbi(TIME, 0, ALL);
	enable_only(0);
}

static void own_time(void)
{
	sleeps("a sleep while the hart sleeps");
	if (cpu_count > 1) {
		start_job(1, spin, 1);
		await_state(1, STARTED);
		sleeps("a sleep while another runs");
		cpus[1].argument = 0;
		await_job(1);
	}
	print("sbi: own time was checked\n");
}

void check_pmu(void)
{
	topic("pmu");
	infos();
	hardware(CYCLES);
	hardware(INSTRUCTIONS);
	stands_still(CYCLES);
	stands_still(INSTRUCTIONS);
	firmware();
	snapshots();
	events();
	for (uint64_t id = 1; id < cpu_count; id++) {
		uint64_t mine = begin(SET_TIMER);

		start_job(id, on_another, 0);
		await_job(id);
		expect("another's count", id, cpus[id].result, 1);
		expect("one's own meanwhile", id, read(mine), 0);
		finish(mine);
	}
	begin(CYCLES);
	begin(INSTRUCTIONS);
	if (counts_instructions())
		own_time();
	verdict();
}
