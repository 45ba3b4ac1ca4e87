/* SPDX-License-Identifier: MIT */
/*
 * The user's terminal as the keyboard of something else.
 */
#ifndef COMMON_TERMINAL_H
#define COMMON_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

struct raw_terminal {
	bool raw; /* standard input is a terminal, and has been made raw */
	struct termios before;
};

/*
 * Makes standard input raw if it is a terminal that this program may touch: from the background that would stop it. Output
 * still gets its carriage returns, so that messages can be shown.
 */
void raw_terminal_begin(struct raw_terminal *terminal);

/* As it was before. errno stays. */
void raw_terminal_end(const struct raw_terminal *terminal);

/* Is there input to be had from standard input? Not from a terminal of which this is in the background. */
bool terminal_has_input(void);

/* Writes all of it, waiting where the descriptor does not. False with errno. */
bool write_all(int fd, const void *data, size_t len);

#endif
