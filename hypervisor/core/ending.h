/* SPDX-License-Identifier: MIT */
/*
 * The board's end: when the last of the capsules that it is there for has stopped, and nobody is left who could want one
 * started again. Who offers something to others is asked to stop first, for a console to show its last lines; the board
 * ends when no role has a provider, or 3 seconds later.
 */
#ifndef ENDING_H
#define ENDING_H

#include <stdbool.h>

struct capsule;
struct vcpu;

/* A board begins. */
void ending_reset(void);

/* It ends, or somebody is finding out whether: no capsule is started. Who starts one asks when its state says so already. */
bool board_is_ending(void);

/* The same for good: no life of any capsule begins. */
bool board_must_end(void);

/* A capsule's memory has been cleared: keeps what matters of how it ended. */
void ending_note(const struct capsule *capsule);

/* A capsule has stopped, or was not started: ends the board if it is over. The caller holds no lock. */
void ending_check(void);

/* A life is over: ends the board if that is ending, and this was the last provider. */
void ending_goes_on(void);

/* Has this vCPU a chore that is not its capsule's, to end the board when its time comes? */
bool ending_watches(const struct vcpu *vcpu);
void ending_time_is_over(void);

#endif
