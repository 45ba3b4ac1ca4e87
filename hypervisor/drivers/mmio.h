/* SPDX-License-Identifier: MIT */
/* Accesses to device registers of the board, in program order among themselves. */
#ifndef MMIO_H
#define MMIO_H

#include <stdint.h>

/* What is in memory before it and what devices see after it keep their order, and the other way round. */
static inline void mmio_fence(void)
{
#ifdef __riscv
	__asm__ volatile("fence iorw, iorw" ::: "memory");
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* unit tests, on a host */
#endif
}

static inline uint32_t mmio_read32(uint64_t at)
{
	return *(volatile uint32_t *)(uintptr_t)at;
}

static inline void mmio_write32(uint64_t at, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)at = value;
}

static inline uint64_t mmio_read64(uint64_t at)
{
	return *(volatile uint64_t *)(uintptr_t)at;
}

static inline void mmio_write64(uint64_t at, uint64_t value)
{
	*(volatile uint64_t *)(uintptr_t)at = value;
}

static inline uint8_t mmio_read8(uint64_t at)
{
	return *(volatile uint8_t *)(uintptr_t)at;
}

static inline void mmio_write8(uint64_t at, uint8_t value)
{
	*(volatile uint8_t *)(uintptr_t)at = value;
}

#endif
