/* SPDX-License-Identifier: MIT */
#include "guest.h"

#define STACK_SIZE 4096u

extern const char image_start[];

volatile struct cpu cpus[MOST_CPUS];
uint64_t cpu_count;

static uint8_t stacks[MOST_CPUS][STACK_SIZE] __attribute__((aligned(16)));
static const char *the_topic;
static unsigned wrong;

struct sbi sbi_(uint64_t extension, uint64_t function, const uint64_t a[6])
{
	register uint64_t a0 __asm__("a0") = a[0], a1 __asm__("a1") = a[1], a2 __asm__("a2") = a[2],
			  a3 __asm__("a3") = a[3], a4 __asm__("a4") = a[4], a5 __asm__("a5") = a[5],
			  a6 __asm__("a6") = function, a7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a6), "r"(a7) : "memory");
	return (struct sbi){(int64_t)a0, a1};
}

uint64_t ram_base(void)
{
	return (uintptr_t)image_start - 0x200000;
}

uint64_t now(void)
{
	return csr_read(time);
}

void print(const char *text)
{
	size_t len = 0;

	while (text[len] != '\0')
		len++;
	while (len != 0) {
		uint64_t done = sbi(DBCN, 0, len, (uintptr_t)text, 0).value;

		text += done;
		len -= done;
	}
}

static void print_hex(uint64_t value)
{
	char text[19] = "0x";
	unsigned at = 2;

	for (int shift = 60; shift >= 0; shift -= 4)
		if (value >> shift != 0 || shift == 0)
			text[at++] = "0123456789abcdef"[value >> shift & 15];
	text[at] = '\0';
	print(text);
}

void topic(const char *name)
{
	the_topic = name;
	wrong = 0;
}

void verdict(void)
{
	if (wrong != 0)
		return;
	print("sbi: ");
	print(the_topic);
	print(": ok\n");
}

bool expect(const char *what, uint64_t where, uint64_t got, uint64_t want)
{
	if (got == want)
		return true;
	wrong++;
	print("sbi: ");
	print(the_topic);
	print(": WRONG: ");
	print(what);
	print(" (");
	print_hex(where);
	print(") gives ");
	print_hex(got);
	print(", not ");
	print_hex(want);
	print("\n");
	return false;
}

void enable_only(uint64_t bits)
{
	csr_write(sie, bits);
}

void take_interrupts(void)
{
	csr_set(sstatus, SSTATUS_SIE);
	__asm__ volatile("nop");
	csr_clear(sstatus, SSTATUS_SIE);
}

void await_state(uint64_t id, uint64_t state)
{
	while (sbi(HSM, 2, id).value != state)
		;
}

/* Where a started vCPU comes to, by cpu_entry. */
_Noreturn void cpu_entered(struct cpu *cpu);
_Noreturn void cpu_entered(struct cpu *cpu)
{
	cpu->job(cpu);
	__atomic_store_n(&cpu->done, 1, __ATOMIC_SEQ_CST);
	sbi(HSM, 1, 0);
	for (;;)
		;
}

void start_job(uint64_t id, void (*job)(struct cpu *cpu), uint64_t argument)
{
	volatile struct cpu *cpu = &cpus[id];

	cpu->id = id;
	cpu->stack = (uintptr_t)stacks[id] + STACK_SIZE;
	cpu->job = job;
	cpu->argument = argument;
	cpu->done = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	expect_error("starting a vCPU", id, SUCCESS, HSM, 0, id, (uintptr_t)cpu_entry, (uintptr_t)cpu);
}

void await_job(uint64_t id)
{
	while (__atomic_load_n(&cpus[id].done, __ATOMIC_SEQ_CST) == 0)
		;
	await_state(id, STOPPED);
}

void end(void)
{
	sbi(SRST, 0, 0, 0);
	for (;;)
		;
}

/* The compiler may call these. */
void *memset(void *to, int value, size_t len);
void *memset(void *to, int value, size_t len)
{
	volatile char *at = to;

	while (len-- != 0)
		*at++ = (char)value;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
	volatile char *at = to;
	const char *source = from;

	while (len-- != 0)
		*at++ = *source++;
	return to;
}
