/* SPDX-License-Identifier: MIT */
/*
 * What a conformance guest is written on. It runs in S-mode without translation, finds its vCPUs by asking for them,
 * compares what calls do with what the specification says, and prints "sbi: TOPIC: ok" or "sbi: TOPIC: WRONG: ...".
 * It is loaded 2 MiB into its RAM_SIZE of RAM, wherever that is; nothing relocates pointers in static data.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAM_SIZE UINT64_C(0x400000) /* as in the manifest of test_sbi.py */
#define PAGE	 4096u
#define MOST_CPUS 4u

/* One vCPU; tp points to its own. start.S knows the layout up to `frame`. */
struct cpu {
	uint64_t id;
	uint64_t stack;
	uint64_t cause, tval, pc; /* of the last exception */
	uint64_t taken[16];	  /* interrupts, by number */
	uint64_t saved[2];
	struct {
		uint64_t a0, satp, sstatus;
	} start;	/* what it found when it was last started or resumed */
	uint64_t frame;
	void (*job)(struct cpu *cpu);
	uint64_t argument, result, done; /* between a job and who has given it */
};
_Static_assert(offsetof(struct cpu, taken) == 40, "start.S");
_Static_assert(offsetof(struct cpu, start) == 184, "start.S");
_Static_assert(offsetof(struct cpu, frame) == 208, "start.S");

extern volatile struct cpu cpus[MOST_CPUS];
extern uint64_t cpu_count; /* of this guest, all of which have numbers below */

static inline volatile struct cpu *this_cpu(void)
{
	volatile struct cpu *cpu;

	__asm__ volatile("mv %0, tp" : "=r"(cpu));
	return cpu;
}

#define csr_read(csr)                                                                              \
	({                                                                                         \
		uint64_t csr_;                                                                     \
		__asm__ volatile("csrr %0, " #csr : "=r"(csr_)::"memory");                         \
		csr_;                                                                              \
	})
#define csr_write(csr, value) __asm__ volatile("csrw " #csr ", %0" ::"r"((uint64_t)(value)) : "memory")
#define csr_set(csr, bits)    __asm__ volatile("csrs " #csr ", %0" ::"r"((uint64_t)(bits)) : "memory")
#define csr_clear(csr, bits)  __asm__ volatile("csrc " #csr ", %0" ::"r"((uint64_t)(bits)) : "memory")

#define IRQ_SOFT  1
#define IRQ_TIMER 5
#define BIT(n)	  (UINT64_C(1) << (n))
#define SSTATUS_SIE BIT(1)
#define ALL UINT64_MAX

#define BASE   0x10
#define TIME   0x54494d45
#define IPI    0x735049
#define RFENCE 0x52464e43
#define HSM    0x48534d
#define SRST   0x53525354
#define DBCN   0x4442434e
#define PMU    0x504d55
#define SUSP   0x53555350
#define FWFT   0x46574654
#define SSE    0x535345

#define SUCCESS		  0
#define FAILED		  (-1)
#define NOT_SUPPORTED	  (-2)
#define INVALID_PARAM	  (-3)
#define DENIED		  (-4)
#define INVALID_ADDRESS	  (-5)
#define ALREADY_AVAILABLE (-6)
#define ALREADY_STARTED	  (-7)
#define ALREADY_STOPPED	  (-8)
#define NO_SHMEM	  (-9)
#define INVALID_STATE	  (-10)
#define BAD_RANGE	  (-11)
#define DENIED_LOCKED	  (-14)

enum { STARTED, STOPPED, START_PENDING, STOP_PENDING, SUSPENDED };

struct sbi {
	int64_t error;
	uint64_t value;
};

struct sbi sbi_(uint64_t extension, uint64_t function, const uint64_t a[6]);
#define sbi(extension, function, ...) sbi_(extension, function, (const uint64_t[6]){__VA_ARGS__})
#define error_of(...) (sbi(__VA_ARGS__).error)

/* The topic of the checks that follow, and the verdict on it. */
void topic(const char *name);
void verdict(void);
/* `got` has to be `want`; `where` helps to find which of several it was. Returns whether it is. */
bool expect(const char *what, uint64_t where, uint64_t got, uint64_t want);
#define expect_error(what, where, want, ...) expect(what, where, (uint64_t)error_of(__VA_ARGS__), (uint64_t)(want))

void print(const char *text);
uint64_t ram_base(void);
uint64_t now(void);

/* Turns the interrupt on or off in sie; the rest of sie is off. */
void enable_only(uint64_t bits);
/* Lets enabled interrupts be taken for a moment. */
void take_interrupts(void);
/* Waits until the vCPU's HSM state is this. */
void await_state(uint64_t id, uint64_t state);
/* Starts the vCPU, which does `job` and stops itself; waits until it is done; both. */
void start_job(uint64_t id, void (*job)(struct cpu *cpu), uint64_t argument);
void await_job(uint64_t id);
int64_t suspend_away(uint64_t extension, uint64_t function, uint64_t type);
void cpu_entry(void);

/* One for each extension. */
void check_base(void);
void check_time(void);
void check_ipi(void);
void check_rfence(void);
void check_hsm(void);
void check_dbcn(void);
void check_pmu(void);
void check_susp(void);
void check_fwft(void);
void check_sse(void);
void check_legacy(void);

void main(void);
_Noreturn void end(void);

#endif
