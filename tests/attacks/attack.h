/* SPDX-License-Identifier: MIT */
/*
 * What an attack guest is written on. Each tries what its file is named after, compares what it gets with
 * what the specification names, prints "attack NAME: held" or "attack NAME: BROKEN: ..." and shuts down.
 *
 * A guest is loaded 2 MiB into its RAM_SIZE of RAM, wherever that is, and runs in S-mode without
 * translation. It must not have pointers in static data: nothing relocates them.
 */
#ifndef ATTACK_H
#define ATTACK_H

/* struct vcpu, for assembly */
#define VCPU_CAUSE  0
#define VCPU_TVAL   8
#define VCPU_PC	    16
#define VCPU_STATUS 24
#define VCPU_T1	    32
#define VCPU_T2	    40
#define VCPU_ENTRY  48
#define VCPU_SIZE   16384

#define SBI_TIME   0x54494d45
#define SBI_IPI	   0x735049
#define SBI_RFENCE 0x52464e43
#define SBI_HSM	   0x48534d
#define SBI_SRST   0x53525354
#define SBI_DBCN   0x4442434e

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAM_SIZE    UINT64_C(0x400000) /* as in the manifest of test_isolation.py */
#define RAM_DEFAULT UINT64_C(0x80000000)
#define PAGE        UINT64_C(4096)

#define UART_BASE UINT64_C(0x10000000)
#define UART_SIZE UINT64_C(0x100)
#define PLIC_BASE UINT64_C(0x0c000000)
#define PLIC_SIZE UINT64_C(0x600000)

/* Causes (privileged specification 1.12, table 4.2). */
#define FETCH_ACCESS 1u
#define ILLEGAL	     2u
#define BREAKPOINT   3u
#define LOAD_ACCESS  5u
#define STORE_ACCESS 7u
#define FETCH_PAGE   12u
#define LOAD_PAGE    13u
#define STORE_PAGE   15u
#define NO_TRAP	     UINT64_MAX

/* What a vCPU has of its own; its stack grows down from the end. */
struct vcpu {
	volatile struct trap {
		uint64_t cause, tval, pc, status;
	} trap; /* the last one; start.S writes it */
	uint64_t saved[2];
	void (*entry)(void);
	char stack[VCPU_SIZE - 56];
};
#define MAX_VCPUS 4
extern struct vcpu vcpus[MAX_VCPUS];

register struct vcpu *self __asm__("tp");
#define trap (self->trap)

/* Starts a vCPU of this guest by hart_start, whose error it returns. It stops when `entry` returns. */
int64_t start_vcpu(unsigned id, void (*entry)(void));
static inline unsigned my_id(void)
{
	return (unsigned)(self - vcpus);
}

/* Is the word part of the command line that the manifest gives this guest? */
bool told(const char *word);

/* Where this guest's RAM begins, and whether the board isolates it by two-stage translation. */
uint64_t ram_base(void);
bool is_gstage(void);

/* Runs the assembly with operands and yields the cause of the trap it met, NO_TRAP without one. */
#define TRY(code, ...)                                                                             \
	({                                                                                         \
		trap.cause = NO_TRAP;                                                              \
		__asm__ volatile(".option push\n.option norvc\n" code "\n.option pop" __VA_ARGS__);\
		trap.cause;                                                                        \
	})
#define TRY_READ_FROM(code, address) TRY(code, ::"r"(address) : "t3", "memory")

static inline uint64_t try_load(uint64_t at)
{
	return TRY_READ_FROM("lbu t3, 0(%0)", at);
}

static inline uint64_t try_store(uint64_t at)
{
	return TRY_READ_FROM("sb zero, 0(%0)", at);
}

void jump_to(uint64_t at);
void run_as_user(const void *code);

static inline uint64_t try_execute(uint64_t at)
{
	trap.cause = NO_TRAP;
	jump_to(at);
	return trap.cause;
}

/* Says that the attack has succeeded unless `got` is what the specification wants. Returns whether it is. */
bool expect(const char *what, uint64_t where, uint64_t got, uint64_t want);

/* An address that must not be reachable in any of the three ways; tval has to name it. */
void expect_unreachable(const char *what, uint64_t at);

struct sbi_result {
	int64_t error;
	uint64_t value;
};
struct sbi_result sbi(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3);

#define SBI_NOT_SUPPORTED     (-2)
#define SBI_INVALID_PARAM     (-3)
#define SBI_INVALID_ADDRESS   (-5)
#define SBI_ALREADY_AVAILABLE (-6)

static inline uint64_t ticks(void)
{
	uint64_t now;

	__asm__ volatile("rdtime %0" : "=r"(now));
	return now;
}

/* The next of a series that looks random and is the same each time (xorshift64*). */
uint64_t next_random(uint64_t *state);

void print(const char *text);
void print_hex(uint64_t value);

/* The next byte of input; waits for it. */
char read_byte(void);
bool has_byte(char *byte);

_Noreturn void shut_down(void);

/* storm-the-hypervisor.c changes its storm at each multiple of so much time; demand-its-share.c measures each. */
#define STORM_TICKS 400000u /* 40 ms of both boards' clock: two slices for each of two guests */
#define STORMS	    10u
static inline unsigned storm_at(uint64_t now)
{
	return (unsigned)(now / STORM_TICKS % STORMS);
}

/* For start.S. */
extern char vcpu_begin[], trap_entry[];
void attack_main(const char *tree);

/*
 * What attacks. When it returns the verdict is printed and the guest shut down. Told to "wait" it begins when a byte of
 * input has come, and waits for another before it shuts down.
 */
void main(void);

#endif
#endif
