/* SPDX-License-Identifier: MIT */
/* A board for services on the host: diosix_call() answers from what is set here. */
#ifndef FAKE_BOARD_H
#define FAKE_BOARD_H

#include <stdbool.h>

#include "diosix.h"

#define FAKE_CAPSULES 8u
#define FAKE_RING     4096u

struct fake_capsule {
	struct diosix_capsule_info info;
	struct diosix_capsule_stats stats;
	char ring[FAKE_RING]; /* output that waits, as the hypervisor keeps it */
	size_t ring_len;
	uint64_t dropped;
	size_t past; /* so much of it is of the life before */
	uint64_t log, past_log;
	char input[4096]; /* what it was fed */
	size_t input_len, takes;
	bool stubborn; /* does not stop when asked */
};

struct fake_board {
	struct fake_capsule capsules[FAKE_CAPSULES];
	uint32_t count, turn;
	uint64_t denied; /* a bit for each call that is not permitted */
	struct diosix_board_info board;
	char typed[8192]; /* on the line, not yet read */
	size_t typed_len;
	char line[1 << 20]; /* what the line took */
	size_t line_len, line_takes;
	char requests[16384];
	size_t requests_len;
	char answers[1 << 18];
	size_t answers_len, answers_takes;
	struct {
		uint32_t level;
		uint64_t time;
		char text[128];
	} log[1024];
	uint32_t log_count, log_first; /* what was before that is gone */
};
extern struct fake_board fake;

/* A console service without a guest; lines take everything. */
void fake_board_reset(void);
struct fake_capsule *fake_capsule(const char *name, enum diosix_kind kind);
/* A new life, which begins now. */
void fake_start(uint32_t capsule);
/* How much of it had room. */
size_t fake_print(uint32_t capsule, const char *text);
void fake_type(const char *text);
void fake_request(const char *line);
void fake_log(uint32_t level, const char *text);

#endif
