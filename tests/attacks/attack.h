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
#define LOAD_ACCESS  5u
#define STORE_ACCESS 7u
#define FETCH_PAGE   12u
#define LOAD_PAGE    13u
#define STORE_PAGE   15u
#define NO_TRAP	     UINT64_MAX

/* The last trap; start.S writes it. */
struct trap {
	uint64_t cause, tval, pc, status;
};
extern volatile struct trap trap;

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

#define SBI_TIME   UINT64_C(0x54494d45)
#define SBI_IPI	   UINT64_C(0x735049)
#define SBI_RFENCE UINT64_C(0x52464e43)
#define SBI_HSM	   UINT64_C(0x48534d)
#define SBI_SRST   UINT64_C(0x53525354)
#define SBI_DBCN   UINT64_C(0x4442434e)

#define SBI_NOT_SUPPORTED     (-2)
#define SBI_INVALID_PARAM     (-3)
#define SBI_INVALID_ADDRESS   (-5)
#define SBI_ALREADY_AVAILABLE (-6)

void print(const char *text);
void print_hex(uint64_t value);

/* The next byte of input; waits for it. */
char read_byte(void);
bool has_byte(char *byte);

/* Prints the verdict and shuts down. start.S calls it when main() returns. */
_Noreturn void attack_end(void);
_Noreturn void shut_down(void);

void main(void);

#endif
