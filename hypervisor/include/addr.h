/* SPDX-License-Identifier: MIT */
/*
 * Addresses, a type for each space, so that the compiler tells them apart: host-physical (what the
 * board's bus sees), guest-physical (what a capsule's bus would see) and guest-virtual.
 */
#ifndef ADDR_H
#define ADDR_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_SIZE  UINT64_C(4096)
#define PAGE_SHIFT 12u

typedef struct {
	uint64_t v;
} hpa_t;
typedef struct {
	uint64_t v;
} gpa_t;
typedef struct {
	uint64_t v;
} gva_t;

static inline hpa_t hpa(uint64_t v)
{
	return (hpa_t){v};
}

static inline gpa_t gpa(uint64_t v)
{
	return (gpa_t){v};
}

/* No address that anything is at. */
#define GPA_NOWHERE gpa(UINT64_MAX)

static inline gva_t gva(uint64_t v)
{
	return (gva_t){v};
}

/* The hypervisor runs untranslated, so host-physical memory is directly addressable. */
static inline void *hpa_ptr(hpa_t a)
{
	return (void *)(uintptr_t)a.v;
}

static inline hpa_t ptr_hpa(const void *p)
{
	return (hpa_t){(uintptr_t)p};
}

static inline uint64_t align_up(uint64_t v, uint64_t unit)
{
	return (v + unit - 1) & ~(unit - 1);
}

static inline uint64_t align_down(uint64_t v, uint64_t unit)
{
	return v & ~(unit - 1);
}

/* Does [base, base + size) contain [start, start + len)? Sums may not wrap for the answer to be yes. */
static inline bool range_contains(uint64_t base, uint64_t size, uint64_t start, uint64_t len)
{
	return start >= base && len <= size && start - base <= size - len;
}

#endif
