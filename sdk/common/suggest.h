/* SPDX-License-Identifier: MIT */
/*
 * "Did you mean": the nearest of some words to one that is unknown.
 */
#ifndef COMMON_SUGGEST_H
#define COMMON_SUGGEST_H

#include <stddef.h>

/* The candidate with this index, or NULL after the last. */
typedef const char *(*suggest_candidate)(const void *context, unsigned index);

/*
 * The candidate nearest to `word`, or NULL when none is near: at most a third of its letters have
 * to be put in, taken out, replaced or swapped. Upper and lower case count as the same.
 */
const char *suggest(const char *word, suggest_candidate candidate, const void *context);

/*
 * The hint that goes with it, "did you mean '...'?", in `buf`; NULL when there is none.
 */
const char *suggest_hint(char *buf, size_t len, const char *word, suggest_candidate candidate,
			 const void *context);

#endif
