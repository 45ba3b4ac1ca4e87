/* SPDX-License-Identifier: MIT */
/* From start.S to main, and the ways out of a program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "diosix.h"
#include "runtime.h"

int main(int argc, char **argv);

_Noreturn void runtime_main(uint64_t hart, const void *tree);
_Noreturn void runtime_trap(uint64_t cause, uint64_t pc, uint64_t value, uint64_t stack);
_Noreturn void runtime_crash(void);

/* What a program that has crashed exits with. */
#define STATUS_CRASH 255

struct diosix_result diosix_call(enum diosix_call function, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	struct sbi_result result = sbi_call(DIOSIX_EXTENSION, function, a0, a1, a2, a3);

	return (struct diosix_result){result.error, result.value};
}

/* Virtual addresses are physical ones, whether or not diosix_vm_on() has been called: see vm.c. */
uint64_t diosix_physical(const volatile void *at)
{
	return (uint64_t)at;
}

uint64_t diosix_timebase(void)
{
	return machine.timebase;
}

_Noreturn void runtime_main(uint64_t hart, const void *tree)
{
	size_t words, max;
	char **argv;

	memcpy(__thread_first, __thread_start, (size_t)(__thread_data_end - __thread_start));
	machine_read(hart, tree);
	/* A word and a blank are two characters; the name, and the NULL at the end. */
	max = strlen(machine.arguments) / 2 + 1;
	argv = calloc(max + 2, sizeof(*argv));
	if (!argv)
		diosix_exit(STATUS_CRASH);
	argv[0] = machine.name;
	words = args_split(machine.arguments, argv + 1, max);
	diosix_exit(main((int)words + 1, argv));
}

static _Noreturn void end(int status)
{
	diosix_call(DIOSIX_CALL_EXIT, (uint64_t)status, 0, 0, 0);
	/* Other firmware: SBI system reset, shutdown, with "system failure" for the reason of a crash. */
	sbi_call(SBI_SRST, 0, 0, status != 0, 0, 0);
	for (;;)
		__asm__ volatile("wfi");
}

_Noreturn void diosix_exit(int status)
{
	console_flush();
	end(status);
}

/* What picolibc's exit() and abort() end in. */
void _exit(int status)
{
	diosix_exit(status);
}

/* Privileged architecture, table 4.2. */
static const char *const causes[] = {
	"instruction address misaligned", "instruction access fault", "illegal instruction", "breakpoint",
	"load address misaligned", "load access fault", "store address misaligned", "store access fault",
	"environment call", "environment call", "", "", "instruction page fault", "load page fault", "", "store page fault",
};

/* Called by start.S on a stack of its own. */
_Noreturn void runtime_trap(uint64_t cause, uint64_t pc, uint64_t value, uint64_t stack)
{
	const char *name = cause < sizeof(causes) / sizeof(causes[0]) ? causes[cause] : "";
	bool overflow = value >= (uint64_t)__guard_page && value < (uint64_t)__stack_bottom && cause >= 12;
	char line[160];

	snprintf(line, sizeof(line), "crash: %s%s (cause %lu) at pc %#lx, tval %#lx, sp %#lx\n",
		 overflow ? "stack overflow, " : "", name, cause, pc, value, stack);
	fputs(line, stderr);
	diosix_exit(STATUS_CRASH);
}

/* A trap while one is reported. */
_Noreturn void runtime_crash(void)
{
	end(STATUS_CRASH);
}
