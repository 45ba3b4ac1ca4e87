/* SPDX-License-Identifier: MIT */
/*
 * Ticket spinlock: harts get it in the order in which they came, so none starves. Held for a few
 * dozen instructions; interrupts are never taken in the hypervisor, so there is nothing to mask.
 * The order in which locks nest stands in docs/hypervisor.md.
 */
#ifndef LOCK_H
#define LOCK_H

#include <stdatomic.h>
#include <stdint.h>

struct lock {
	_Atomic uint32_t next;
	_Atomic uint32_t serving;
};

static inline void lock(struct lock *l)
{
	uint32_t mine = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed);

	while (atomic_load_explicit(&l->serving, memory_order_acquire) != mine)
		;
}

static inline void unlock(struct lock *l)
{
	uint32_t mine = atomic_load_explicit(&l->serving, memory_order_relaxed);

	atomic_store_explicit(&l->serving, mine + 1, memory_order_release);
}

#endif
