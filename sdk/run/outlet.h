/* SPDX-License-Identifier: MIT */
/*
 * Output to a file that may take its time: a terminal that was stopped, a pipe that nobody reads. A thread waits for that
 * file, so that nobody else has to.
 */
#ifndef OUTLET_H
#define OUTLET_H

#include <pthread.h>
#include <stdbool.h>

struct outlet {
	int in;	  /* a pipe, non-blocking: what is written there goes out */
	int over; /* readable when all has gone out, or nothing more can */
	int error; /* errno of that; 0 for none. Not before it is over */

	int from, ended; /* the thread's */
	int to;
	pthread_t thread;
};

/* Begins; `to` stays the caller's. False with errno. */
bool outlet_open(struct outlet *outlet, int to);

/* Nothing more comes: it is over when what there is has gone out. */
void outlet_end(struct outlet *outlet);

/*
 * Frees it. One that is not over is given up: its thread, and what is the thread's, goes when the program ends or the file
 * takes all; `outlet` stays valid until then.
 */
void outlet_close(struct outlet *outlet, bool is_over);

#endif
