/* SPDX-License-Identifier: MIT */
#ifndef CAPSULE_WORDS_H
#define CAPSULE_WORDS_H

#include <stddef.h>

/*
 * Splits a command line at blanks, in place: quotes, single or double, keep blanks and are removed. Returns how many words it has
 * put into `words`, at most `max`. A quote that is not closed ends with the text.
 */
size_t args_split(char *text, char **words, size_t max);

#endif
