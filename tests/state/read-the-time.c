/* SPDX-License-Identifier: MIT */
/* Reads the time by every instruction that can, in both modes, as the hart or the hypervisor gives it. */
#include "units.h"

#define SCOUNTEREN 0x106
#define ECALL_U	   8u
#define COUNTER_TM (1u << 1)

#define READ_BY(code)                                                                              \
	({                                                                                         \
		uint64_t time_ = 0;                                                                \
		trap.cause = NO_TRAP;                                                              \
		__asm__ volatile(code : "+r"(time_)::"memory");                                    \
		expect(code, 0, trap.cause, NO_TRAP);                                              \
		time_;                                                                             \
	})

/* In assembly, as user mode has to find nothing but code there. */
__asm__(".text\n.balign 4\nuser_reads:\n.option push\n.option norvc\n"
	"csrrs zero, time, zero\ncsrrc zero, time, zero\ncsrrsi zero, time, 0\ncsrrci zero, time, 0\necall\n.option pop");
extern const char user_reads[];

static void in_user_mode(uint64_t counters, uint64_t cause, uint64_t offset)
{
	CSR_WRITE(SCOUNTEREN, counters);
	run_as_user(user_reads);
	expect("the end of user mode", counters, trap.cause, cause);
	expect("where it ended", counters, trap.pc, (uintptr_t)user_reads + offset);
}

void main(void)
{
	uint64_t times[5];

	times[0] = READ_BY("csrrs %0, time, zero");
	times[1] = READ_BY("csrrc %0, time, zero");
	times[2] = READ_BY("csrrsi %0, time, 0");
	times[3] = READ_BY("csrrci %0, time, 0");
	times[4] = READ_BY("rdtime %0");
	for (unsigned i = 1; i < 5; i++)
		expect("time that goes on", i, times[i] >= times[i - 1] && times[i] - times[i - 1] < 100000000, 1);
	READ_BY("csrrs zero, time, zero; mv %0, zero");
	/* The CSR is one to read only. */
	expect("csrrw", 0, TRY("csrrw zero, time, zero", ::: "memory"), ILLEGAL);
	expect("csrrs of a register", 0, TRY("li t3, 1\ncsrrs zero, time, t3", ::: "t3"), ILLEGAL);
	expect("csrrci of a bit", 0, TRY("csrrci zero, time, 1", ::: "memory"), ILLEGAL);
	in_user_mode(COUNTER_TM, ECALL_U, 16);
	in_user_mode(0, ILLEGAL, 0);
}
