/* SPDX-License-Identifier: MIT */
/* What makes a terminal answer: its answer would come as if it had been typed. */
#ifndef CONSOLE_QUESTIONS_H
#define CONSOLE_QUESTIONS_H

#include "screen.h"

/* How many bytes the question at `at` has that is complete before `end`; 0 where there is none. */
size_t question_at(const struct screen *screen, uint64_t at, uint64_t end);
/* screen_run() without the questions before `end`: `*at` goes over those. */
size_t questions_pass(const struct screen *screen, uint64_t *at, uint64_t end, const uint8_t **bytes);

#endif
