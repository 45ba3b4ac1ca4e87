/* SPDX-License-Identifier: MIT */
/*
 * A board that is not there, so that core/ and guest/ run in tests on a host: what they do to it is kept here, and
 * what they are to find a test puts here. Guests are not translated: a guest-virtual address is a guest-physical one.
 */
#ifndef FAKE_H
#define FAKE_H

#include <setjmp.h>
#include <stdbool.h>

#include "arch/guest.h"
#include "arch/hart.h"
#include "board_io.h"
#include "capsule.h"
#include "hart.h"

#define FAKE_HARTS 4u

struct fake_port {
	char output[65536];
	unsigned output_len;
	unsigned asked;		/* how often it was to send something */
	const char *input;	/* a C string */
	bool limited;		/* takes only as many bytes as `room` says */
	unsigned room;
	uint32_t irq;		/* 0: none */
	bool input_on, room_on; /* interrupts */
};

struct fake {
	uint64_t time;		      /* what arch_time() returns; arch_sleep() moves it to the hart's timer */
	uint64_t timer[FAKE_HARTS];   /* comparators */
	bool kicked[FAKE_HARTS];      /* software interrupts */
	void (*asleep)(void);	      /* what others do while a hart sleeps */
	unsigned loads;		      /* vCPUs put on a hart */
	struct fence_range fence;     /* the last one */
	uint64_t switches;	      /* that there are, bits by enum arch_switch */
	struct fake_port ports[BOARD_PORTS];
	uint64_t unreadable, unwritable; /* pages that fault in the guest's own table; 0: none */
	bool reload_fails;	      /* loader_complete() does */
	bool no_memory;		      /* arch_space_create() fails */
	unsigned reloads, scrubs;     /* that were begun */
	unsigned chore_pieces;	      /* what each of them takes */
	unsigned unpacked;	      /* chunks, by unpack_chunk(), which writes their index into the first word */
	bool unpack_fails;
	bool ended, success;	      /* board_end() was called, with this */
	jmp_buf *end;		      /* where it goes then */
};

extern struct fake fake;
extern struct hart fake_harts[FAKE_HARTS];
extern struct hart *fake_self; /* whose code runs */

/* All of it as new: `count` harts with numbers from 0, the first one running. */
void fake_reset(unsigned count);

/* The one capsule (capsules[0]): `cpus` stopped vCPUs, homes in turn, `size` bytes of RAM at DMFS_GUEST_RAM_BASE. */
struct capsule *fake_capsule(unsigned cpus, uint64_t size);

/* More of them: `count`, with numbers for names. All but the first have a MiB of RAM and at most 4 vCPUs. */
#define FAKE_CAPSULES 4u
void fake_more_capsules(unsigned count, unsigned cpus);

/*
 * What arch/riscv does on the hart that runs until it enters a guest, which is true, or until nobody there has
 * anything to do any more.
 */
bool fake_run(void);

#endif
