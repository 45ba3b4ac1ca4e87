/* SPDX-License-Identifier: MIT */
/*
 * The board's one console, shared by the hypervisor's log and every capsule. With one capsule its output
 * passes as it is; with several each line begins with the capsule's name, and input goes to the one in
 * focus. What cannot go out at once waits in a ring of its capsule's. A service that is the console's provider
 * (docs/service-abi.md) takes all of it over.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service_abi.h"

struct capsule;

/* Finds both serial ports; is there a second one? */
void console_init(void);
bool board_has_control(void);

/* Prints one line of the log (log.h), newline added, never mixed with another's. */
void console_line(enum diosix_level level, const char *text, size_t len);

/* From here on nobody is waited for: the hart that panics has the console. */
void console_panic(void);

/* The console is the hypervisor's again, and all that waits goes out before it returns, unless the line is dead. */
void console_end(void);

/* Bytes of a banner, as they are. */
void console_banner(const char *text, size_t len);

/*
 * Output of a capsule: takes as much as there is room for, and returns how much. console_print() is for what cannot be
 * held back: what there is no room for is lost, and counted. The caller holds no lock.
 */
size_t console_write(struct capsule *capsule, const char *text, size_t len);
void console_print(struct capsule *capsule, char c);

/* A capsule's life begins, what the log says of that is said; it is over: ends its unfinished line. */
void console_begin_life(struct capsule *capsule);
void console_gone(struct capsule *capsule);

/* It is started anew: what it had not read when it stopped is not for this life. */
void console_forget_input(struct capsule *capsule);

/* Input for a capsule: takes up to `len` bytes, returns how many. */
size_t console_read(struct capsule *capsule, char *text, size_t len);

/* The line's interrupt: what has come, and room. Ctrl-] and a digit change the focus. The caller holds no lock. */
void console_interrupt(void);

/* --- the provider, docs/service-abi.md ------------------------------------------------------------ */

/*
 * Who has the console from now on; NULL for the hypervisor, which goes on with what waits. And who has the second port
 * (core/line.c). The caller holds no lock but the one of roles.
 */
void console_set_provider(struct capsule *capsule);
void control_set_provider(struct capsule *capsule);

/* The capsule has read the lines of the log before this one. What the provider has not read is printed when it ends. */
void console_log_read(const struct capsule *capsule, uint64_t next);

/* Input goes to it; and the index of the one that it goes to. The caller holds no lock. */
void console_set_focus(struct capsule *capsule);
uint32_t console_focus(void);

/*
 * For the provider, with results as line_read()'s: records of output (struct diosix_output) into `buffer`, aligned to 8
 * bytes, of `len`; bytes of input for a capsule, -1 also when that has stopped.
 */
int64_t console_take_output(const struct capsule *provider, char *buffer, size_t len);
int64_t console_feed(const struct capsule *provider, struct capsule *capsule, const char *bytes, size_t len);

#endif
