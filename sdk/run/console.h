/* SPDX-License-Identifier: MIT */
/*
 * Carries the console of an emulated board to and fro: terminal, raw while it lasts, or any other
 * standard input and output.
 */
#ifndef RUN_CONSOLE_H
#define RUN_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "outlet.h"
#include "relay.h"

enum console_end {
	CONSOLE_CLOSED,	 /* the board is gone */
	CONSOLE_ESCAPED, /* Ctrl-a x */
	CONSOLE_TIMEOUT,
	CONSOLE_SIGNAL,	 /* `signal` says which */
	CONSOLE_FAILED,	 /* standard output or the log cannot be written; errno says why */
};

/* The longest line of the hypervisor that is kept whole. */
#define CONSOLE_LINE_LEN 256

struct console {
	int input, output;	/* of the board's serial port; pipes, non-blocking */
	int out;		/* what the board says goes there */
	int signals;		/* signalfd of what ends the program */
	FILE *log;		/* gets the output as well; NULL */
	struct relay *relay;	/* of the second port, carried along */
	unsigned timeout;	/* seconds; 0 none */
	int signal;
	/* The last line that began with "diosix: ", without its end; "" when there was none. */
	char last[CONSOLE_LINE_LEN];

	char line[CONSOLE_LINE_LEN]; /* private from here on */
	size_t line_len;
	bool mid_line; /* the output's last byte ended no line */
	bool escaped;
	bool input_ended;
	uint8_t pending[1024]; /* input that the board has not taken yet */
	size_t pending_len;
	struct outlet *outlet; /* to `out`; what it has not taken yet */
	char passing[4096];
	size_t passing_at, passing_len;
};

/* Blocks the signals that end a program and returns a signalfd for them; -1 with errno. And lets them end it again. */
int console_catch_signals(void);
void console_release_signals(void);

/*
 * Relays until one of the ends. The terminal is as before when it returns, and all that the board has said is in `out`, unless
 * that takes nothing: after the end of the board it is waited for until another of the ends, otherwise for a second.
 */
enum console_end console_relay(struct console *console);

#endif
