/* SPDX-License-Identifier: MIT */
/* What the runtime's files share; programs include diosix.h alone. */
#ifndef CAPSULE_RUNTIME_H
#define CAPSULE_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "offsets.h"
#include "words.h"

/* SBI specification 3.0: extensions and their functions. */
enum sbi_extension {
	SBI_TIME = 0x54494d45,
	SBI_HSM = 0x48534d,
	SBI_SRST = 0x53525354,
	SBI_DBCN = 0x4442434e,
};
enum { SBI_DBCN_WRITE, SBI_DBCN_READ };

struct sbi_result {
	int64_t error;
	uint64_t value;
};

#ifdef __riscv /* machine.c is tested on a host */
static inline struct sbi_result sbi_call(uint64_t extension, uint64_t function, uint64_t arg0, uint64_t arg1, uint64_t arg2,
					 uint64_t arg3)
{
	register uint64_t a0 __asm__("a0") = arg0;
	register uint64_t a1 __asm__("a1") = arg1;
	register uint64_t a2 __asm__("a2") = arg2;
	register uint64_t a3 __asm__("a3") = arg3;
	register uint64_t a6 __asm__("a6") = function;
	register uint64_t a7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a6), "r"(a7) : "memory");
	return (struct sbi_result){(int64_t)a0, a0 == 0 ? a1 : 0};
}
#endif

#define csr_read(csr)                                            \
	({                                                       \
		uint64_t csr_value;                              \
		__asm__ volatile("csrr %0, " #csr : "=r"(csr_value)); \
		csr_value;                                       \
	})
#define csr_write(csr, value) __asm__ volatile("csrw " #csr ", %0" : : "r"((uint64_t)(value)) : "memory")
#define csr_set(csr, bits)    __asm__ volatile("csrs " #csr ", %0" : : "r"((uint64_t)(bits)) : "memory")
#define csr_clear(csr, bits)  __asm__ volatile("csrc " #csr ", %0" : : "r"((uint64_t)(bits)) : "memory")

/* Privileged architecture, section 4.1.3: bits of sie and sip. */
#define SUPERVISOR_TIMER    (1u << 5)
#define SUPERVISOR_EXTERNAL (1u << 9)

#define PLIC	     0x0c000000u
#define UART	     0x10000000u
#define UART_IRQ     10u
#define SOURCE(irq)  (1u << (irq))
#define GRANT_WINDOW 0x60000000u
#define MEGAPAGE     (2u << 20)

/* Where link.ld puts things. */
extern char __image_start[], __text_end[], __constants_end[], __guard_page[], __stack_bottom[], __stack_top[], __image_end[];
/* What thread-local variables begin with, and those of the boot vCPU. */
extern char __thread_start[], __thread_data_end[], __thread_first[], __thread_first_end[];

/* --- machine.c: what the device tree says */

struct machine {
	uint64_t boot_hart;
	uint64_t timebase; /* ticks of the time CSR a second */
	uint64_t ram, ram_end;
	uint64_t heap_end; /* RAM below it and above the program is free */
	char *name;	   /* of the capsule */
	char *arguments;   /* /chosen bootargs; copies that may be changed */
};
extern struct machine machine;

/* Fills in `machine`. A tree without memory or timebase gives what QEMU's `virt` has. */
void machine_read(uint64_t hart, const void *tree);

/* --- memory.c */

/* Takes `count` pages from the end of what malloc has not had, cleared; NULL when there are not so many. */
void *memory_take_pages(size_t count);

/* --- console.c */

/* Writes all that waits to be written. */
void console_flush(void);

/* --- wait.c */

/*
 * The boot vCPU sleeps until the deadline, or until one of these sources of the PLIC (bits) is pending: only those that the caller
 * sees to before it comes again, or it would not sleep.
 */
void wait_for_interrupt(uint64_t deadline, uint32_t sources);

/* --- vcpu.c: what a further vCPU starts from, at the end of its stack */

struct vcpu_start {
	uint64_t stack;	 /* its first stack pointer */
	uint64_t thread; /* its thread-local variables */
	uint64_t satp;
	void (*entry)(void *);
	void *arg;
};
_Static_assert(offsetof(struct vcpu_start, stack) == VCPU_START_STACK, "start.S");
_Static_assert(offsetof(struct vcpu_start, thread) == VCPU_START_THREAD, "start.S");
_Static_assert(offsetof(struct vcpu_start, satp) == VCPU_START_SATP, "start.S");

void vcpu_begin(void); /* start.S */

#endif
