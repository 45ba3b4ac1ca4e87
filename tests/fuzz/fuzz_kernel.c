/* SPDX-License-Identifier: MIT */
/* Any bytes as a kernel file: a sentence or a memory image whose every byte is there. */
#include <stdlib.h>

#include "mkdmfs/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char why[KERNEL_WHY_LEN] = "";
	struct kernel kernel;
	volatile uint8_t sum = 0;

	if (!kernel_read(&kernel, data, len, why)) {
		if (why[0] == '\0')
			abort();
		return 0;
	}
	if (kernel.len == 0 || kernel.mem_len < kernel.len || kernel.entry_offset >= kernel.mem_len)
		abort();
	for (uint64_t i = 0; i < kernel.len; i += 61)
		sum = (uint8_t)(sum + kernel.data[i]);
	sum = (uint8_t)(sum + kernel.data[kernel.len - 1]);
	kernel_free(&kernel);
	return 0;
}
