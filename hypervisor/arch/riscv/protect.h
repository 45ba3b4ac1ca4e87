/* SPDX-License-Identifier: MIT */
/*
 * This hart's PMP entries (privileged specification 1.12, section 3.7). On every hart: entry 0 locks
 * the guard page below the hart's stack. In `gstage` mode: 1 and 2 lock the hypervisor's text to read and
 * execute, for M-mode as well; 3 hides its data from lower modes; 4 opens the rest, which the G-stage fences. In `pmp` mode: 1 and
 * 2 are the window of the capsule that runs. There text is not locked: without Smepmp a locked entry would
 * open it to the guest.
 */
#ifndef PROTECT_H
#define PROTECT_H

#include <stdint.h>

void protect_guard(uintptr_t page);
void protect_gstage(void);
void protect_pmp(void);
/* Bounds as in pmpaddr: bytes / 4. */
void protect_open(uint64_t low, uint64_t high);

#endif
