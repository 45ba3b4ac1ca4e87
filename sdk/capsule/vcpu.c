/* SPDX-License-Identifier: MIT */
/* Further vCPUs, through the SBI's hart state management. */
#include <string.h>

#include "diosix.h"
#include "runtime.h"

#define STACK_LEAST 1024

enum { SBI_HSM_START, SBI_HSM_STOP };

_Noreturn void vcpu_main(struct vcpu_start *start);

int64_t diosix_start_vcpu(unsigned id, void (*entry)(void *), void *arg, void *stack, size_t size)
{
	size_t thread_len = (size_t)(__thread_first_end - __thread_first);
	uint64_t top = ((uint64_t)stack + size) & ~(uint64_t)15, thread = (top - thread_len) & ~(uint64_t)15;
	struct vcpu_start *start = (struct vcpu_start *)((thread - sizeof(*start)) & ~(uint64_t)15);

	if (size < STACK_LEAST + thread_len || (uint64_t)stack % 16 != 0)
		return DIOSIX_INVALID;
	memset((void *)thread, 0, thread_len);
	memcpy((void *)thread, __thread_start, (size_t)(__thread_data_end - __thread_start));
	*start = (struct vcpu_start){(uint64_t)start, thread, csr_read(satp), entry, arg};
	return sbi_call(SBI_HSM, SBI_HSM_START, id, (uint64_t)vcpu_begin, diosix_physical(start), 0).error;
}

/* Called by start.S. */
_Noreturn void vcpu_main(struct vcpu_start *start)
{
	start->entry(start->arg);
	for (;;)
		sbi_call(SBI_HSM, SBI_HSM_STOP, 0, 0, 0, 0);
}
