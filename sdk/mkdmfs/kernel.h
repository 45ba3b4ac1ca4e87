/* SPDX-License-Identifier: MIT */
/*
 * What a kernel or program file is: ELF64 for RISC-V, Linux Image (also as gzip or with EFI stub or
 * inside a compressed EFI program), or raw bytes. The result is its memory image.
 */
#ifndef MKDMFS_KERNEL_H
#define MKDMFS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most that a kernel takes in memory, or its file; what claims more is damaged. */
#define KERNEL_MAX_LEN (UINT64_C(1) << 30)

struct kernel {
	const uint8_t *data; /* the memory image's first len bytes */
	uint64_t len;
	uint64_t mem_len; /* what it takes in memory, at least len */
	bool relocatable; /* runs at any address that keeps its offset within 2 MiB */
	bool placed;      /* `load` is an address; otherwise a distance from the start of RAM */
	uint64_t load;
	uint64_t entry_offset; /* of the first instruction from the load address */
	uint8_t *owned;        /* what kernel_free() frees; `data` may point into it */
};

/* Room for the sentence that says why a file is no kernel. */
#define KERNEL_WHY_LEN 256

/*
 * Recognises the `len` bytes at `data`, which have to stay as long as *kernel is used. False with a
 * sentence in `why`.
 */
bool kernel_read(struct kernel *kernel, const uint8_t *data, size_t len, char why[KERNEL_WHY_LEN]);

/* The bytes as they are, for the address `load`. False when they say themselves where they go. */
bool kernel_raw(struct kernel *kernel, const uint8_t *data, size_t len, uint64_t load,
		char why[KERNEL_WHY_LEN]);

void kernel_free(struct kernel *kernel);

#endif
