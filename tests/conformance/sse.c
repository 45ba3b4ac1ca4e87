/* SPDX-License-Identifier: MIT */
#include "guest.h"

enum { READ, WRITE, REGISTER, UNREGISTER, ENABLE, DISABLE, COMPLETE, INJECT, UNMASK, MASK };
enum { ATTR_STATUS, PRIORITY, CONFIG, PREFERRED, ENTRY_PC, ENTRY_ARG, SEPC, FLAGS, A6, A7, ATTRS };
enum { UNUSED, REGISTERED, ENABLED, RUNNING, PENDING = 4, INJECTABLE = 8 };

#define LOCAL  0xffff0000u
#define GLOBAL 0xffff8000u
#define SSTATUS_SPIE BIT(5)
#define SSTATUS_SPP  BIT(8)

/* The argument of an event's handler; start.S uses the first two. */
struct event {
	uint64_t stack, sp;
	uint64_t id;
	uint64_t handled, hart;	 /* how often, and where the last time */
	uint64_t status, a6, a7; /* what it found then */
	uint64_t also;		 /* another event that it injects */
	uint64_t also_status;	 /* what became of that one meanwhile */
};

static volatile struct event events[MOST_CPUS + 1]; /* one for each vCPU, and the global one */
static uint8_t stacks[MOST_CPUS + 1][2048] __attribute__((aligned(16)));

void event_entry(void);
void event_handler(volatile struct event *event, uint64_t hart);

static uint64_t attr(uint64_t event, unsigned number)
{
	uint64_t value = ALL;

	expect_error("reading an attribute", number, SUCCESS, SSE, READ, event, number, 1, (uintptr_t)&value, 0);
	return value;
}

static int64_t set_attr(uint64_t event, unsigned number, uint64_t value)
{
	return error_of(SSE, WRITE, event, number, 1, (uintptr_t)&value, 0);
}

void event_handler(volatile struct event *event, uint64_t hart)
{
	event->hart = hart;
	event->status = attr(event->id, ATTR_STATUS);
	event->a6 = attr(event->id, A6);
	event->a7 = attr(event->id, A7);
	if (event->also != 0) {
		sbi(SSE, INJECT, event->also, hart);
		event->also_status = attr(event->also, ATTR_STATUS);
	}
	event->handled++;
}

static volatile struct event *prepare(uint64_t id, unsigned slot)
{
	volatile struct event *event = &events[slot];

	*event = (struct event){.stack = (uintptr_t)stacks[slot] + sizeof(stacks[slot]), .id = id};
	expect_error("registering", id, SUCCESS, SSE, REGISTER, id, (uintptr_t)event_entry, (uintptr_t)event);
	expect_error("enabling", id, SUCCESS, SSE, ENABLE, id);
	return event;
}

static void give_back(uint64_t id)
{
	expect_error("disabling", id, SUCCESS, SSE, DISABLE, id);
	expect_error("unregistering", id, SUCCESS, SSE, UNREGISTER, id);
}

static void identifiers(void)
{
	static const uint32_t no_source[] = {0, 1, 0x8000, 0x10000, 0x100000, 0x108000};
	static const uint32_t reserved[] = {2, 0x3fff, 0x8001, 0x20000, 0xffff0001, 0xffffbfff};
	uint64_t value = 0;

	for (unsigned i = 0; i < 6; i++)
		for (unsigned n = 0; n < 2; n++) {
			uint64_t id = n != 0 ? reserved[i] : no_source[i];
			int64_t want = n != 0 ? INVALID_PARAM : NOT_SUPPORTED;

			expect_error("reading of it", id, want, SSE, READ, id, PRIORITY, 1, (uintptr_t)&value, 0);
			expect_error("writing of it", id, want, SSE, WRITE, id, PRIORITY, 1, (uintptr_t)&value, 0);
			expect_error("registering it", id, want, SSE, REGISTER, id, (uintptr_t)event_entry, 0);
			for (uint64_t function = UNREGISTER; function <= DISABLE; function++)
				expect_error("a call for it", id, want, SSE, function, id);
			expect_error("injecting it", id, want, SSE, INJECT, id, 0);
		}
}

static void attributes(uint64_t id)
{
	static const uint8_t read_only[] = {ATTR_STATUS, ENTRY_PC, ENTRY_ARG};
	uint64_t values[ATTRS], at = (uintptr_t)values;

	expect_error("all attributes", id, SUCCESS, SSE, READ, id, 0, ATTRS, at, 0);
	expect("the status at first", id, values[0], INJECTABLE);
	for (unsigned i = PRIORITY; i < ATTRS; i++)
		expect("an attribute at first", i, i == PREFERRED ? 0 : attr(id, i), 0);
	for (unsigned i = 0; i < sizeof(read_only); i++)
		expect("one that is for reading", read_only[i], (uint64_t)set_attr(id, read_only[i], 0), (uint64_t)DENIED);
	for (unsigned i = SEPC; i <= A7; i++)
		expect("one of a running event", i, (uint64_t)set_attr(id, i, 0), (uint64_t)INVALID_STATE);
	expect("a priority beyond 32 bits", id, (uint64_t)set_attr(id, PRIORITY, BIT(32)), (uint64_t)INVALID_PARAM);
	expect("a configuration", id, (uint64_t)set_attr(id, CONFIG, ~UINT64_C(1)), (uint64_t)INVALID_PARAM);
	expect("a hart that is not there", id, (uint64_t)set_attr(id, PREFERRED, 0xffffffff),
	       (uint64_t)(id == LOCAL ? DENIED : INVALID_PARAM));
	for (uint64_t function = READ; function <= WRITE; function++) {
		expect_error("no attribute", function, INVALID_PARAM, SSE, function, id, 0, 0, at, 0);
		expect_error("beyond the last", function, BAD_RANGE, SSE, function, id, ATTRS, 1, at, 0);
		expect_error("up to beyond the last", function, BAD_RANGE, SSE, function, id, A7, 2, at, 0);
		expect_error("a bad address", function, INVALID_ADDRESS, SSE, function, id, 0, 1, at + 1, 0);
		expect_error("a high address", function, INVALID_ADDRESS, SSE, function, id, 0, 1, at, 1);
		expect_error("outside", function, INVALID_ADDRESS, SSE, function, id, 0, 1, ram_base() + RAM_SIZE, 0);
	}
}

static void states(uint64_t id)
{
	expect_error("unregistering what is not", id, INVALID_STATE, SSE, UNREGISTER, id);
	expect_error("enabling what is not registered", id, INVALID_STATE, SSE, ENABLE, id);
	expect_error("disabling what is not enabled", id, INVALID_STATE, SSE, DISABLE, id);
	expect_error("an odd handler", id, INVALID_PARAM, SSE, REGISTER, id, 1, 0);
	expect_error("registering", id, SUCCESS, SSE, REGISTER, id, 0, 0);
	expect("its state", id, attr(id, ATTR_STATUS), REGISTERED | INJECTABLE);
	expect_error("registering again", id, INVALID_STATE, SSE, REGISTER, id, 0, 0);
	expect_error("unregistering", id, SUCCESS, SSE, UNREGISTER, id);
	expect("its state", id, attr(id, ATTR_STATUS), UNUSED | INJECTABLE);
}

/* Masked it waits; unmasked it comes at once, and what it interrupts does not notice. */
static void comes(uint64_t id)
{
	volatile struct event *event = prepare(id, 0);
	uint64_t status;

	sbi(SSE, MASK, 0);
	expect_error("injecting", id, SUCCESS, SSE, INJECT, id, 0);
	expect("what is masked", id, event->handled, 0);
	expect("its status", id, attr(id, ATTR_STATUS), ENABLED | PENDING | INJECTABLE);
	csr_write(sepc, 0x1234);
	csr_write(sie, 0);
	csr_clear(sstatus, SSTATUS_SPIE);
	csr_set(sstatus, SSTATUS_SPP | SSTATUS_SIE);
	expect_error("unmasking", id, SUCCESS, SSE, UNMASK, 0);
	status = csr_read(sstatus);
	csr_clear(sstatus, SSTATUS_SIE);
	expect("sepc afterwards", id, csr_read(sepc), 0x1234);
	expect("sstatus afterwards", id, status & (SSTATUS_SPP | SSTATUS_SPIE | SSTATUS_SIE), SSTATUS_SPP | SSTATUS_SIE);
	expect("it came", id, event->handled, 1);
	expect("where", id, event->hart, 0);
	expect("its status then", id, event->status, RUNNING | INJECTABLE);
	expect("a6 then", id, event->a6, UNMASK);
	expect("a7 then", id, event->a7, SSE);
	give_back(id);
	expect("one shot", id, (uint64_t)set_attr(id, CONFIG, 1), SUCCESS);
	prepare(id, 0);
	expect_error("injecting", id, SUCCESS, SSE, INJECT, id, 0);
	expect("it came at once", id, event->handled, 1);
	expect("and is disabled", id, attr(id, ATTR_STATUS), REGISTERED | INJECTABLE);
	expect_error("unregistering", id, SUCCESS, SSE, UNREGISTER, id);
	expect("no more one shot", id, (uint64_t)set_attr(id, CONFIG, 0), SUCCESS);
}

static void preempts(uint64_t low, uint64_t high, uint64_t priority)
{
	volatile struct event *first, *second;

	set_attr(low, PRIORITY, priority);
	first = prepare(low, 0);
	second = prepare(high, 1);
	first->also = high;
	expect_error("the lower one", low, SUCCESS, SSE, INJECT, low, 0);
	expect("the higher one came", high, second->handled, 1);
	expect("before the lower one was done", high, first->also_status, ENABLED | INJECTABLE);
	expect("which was done", low, first->handled, 1);
	first->also = 0;
	second->also = low;
	expect_error("the higher one", high, SUCCESS, SSE, INJECT, high, 0);
	expect("the lower one waited", low, second->also_status, ENABLED | PENDING | INJECTABLE);
	expect("and came", low, first->handled, 2);
	give_back(low);
	give_back(high);
	set_attr(low, PRIORITY, 0);
}

/* Waits until it has had an event, of its own or the capsule's. */
static void await_event(struct cpu *cpu)
{
	volatile struct cpu *me = cpu;
	volatile struct event *event = &events[MOST_CPUS];

	me->result = (uint64_t)error_of(SSE, UNMASK, 0);
	if (me->argument == LOCAL)
		event = prepare(LOCAL, (unsigned)me->id);
	me->tval = 1; /* ready */
	while (event->handled == 0)
		__asm__ volatile("" ::: "memory");
	if (me->argument == LOCAL)
		give_back(LOCAL);
}

static void comes_to(uint64_t id, uint64_t kind)
{
	volatile struct event *event = &events[kind == LOCAL ? id : MOST_CPUS];

	event->handled = 0;
	cpus[id].tval = 0;
	if (kind == GLOBAL) {
		expect("preferring", id, (uint64_t)set_attr(GLOBAL, PREFERRED, id), SUCCESS);
		prepare(GLOBAL, MOST_CPUS);
	}
	start_job(id, await_event, kind);
	while (cpus[id].tval == 0)
		;
	expect("unmasking on another", id, cpus[id].result, SUCCESS);
	expect_error("injecting for another", id, SUCCESS, SSE, INJECT, kind, id);
	await_job(id);
	expect("it came once", id, event->handled, 1);
	expect("where", id, event->hart, id);
	if (kind == GLOBAL) {
		while ((attr(GLOBAL, ATTR_STATUS) & 3) != ENABLED)
			;
		give_back(GLOBAL);
	}
}

void check_sse(void)
{
	topic("sse");
	expect_error("masking at first", 0, ALREADY_STOPPED, SSE, MASK, 0);
	expect_error("unmasking", 0, SUCCESS, SSE, UNMASK, 0);
	expect_error("unmasking again", 0, ALREADY_STARTED, SSE, UNMASK, 0);
	expect_error("masking", 0, SUCCESS, SSE, MASK, 0);
	expect_error("masking again", 0, ALREADY_STOPPED, SSE, MASK, 0);
	sbi(SSE, UNMASK, 0);
	identifiers();
	expect_error("injecting nowhere", 0, INVALID_PARAM, SSE, INJECT, LOCAL, MOST_CPUS);
	for (unsigned i = 0; i < 2; i++) {
		attributes(i != 0 ? GLOBAL : LOCAL);
		states(i != 0 ? GLOBAL : LOCAL);
		comes(i != 0 ? GLOBAL : LOCAL);
	}
	preempts(GLOBAL, LOCAL, 0); /* the number decides */
	preempts(LOCAL, GLOBAL, 1);
	for (uint64_t id = 1; id < cpu_count; id++) {
		comes_to(id, LOCAL);
		comes_to(id, GLOBAL);
	}
	verdict();
}
