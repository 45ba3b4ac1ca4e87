/* SPDX-License-Identifier: MIT */
/*
 * The board's one console, shared by the hypervisor's log and every capsule. With one capsule its output
 * passes as it is; with several each line begins with the capsule's name, and input goes to the one in
 * focus.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service_abi.h"

struct capsule;

void console_init(void);

/* Prints one line of the log (log.h), newline added, never mixed with another's. */
void console_line(enum diosix_level level, const char *text, size_t len);

/* From here on nobody is waited for: the hart that panics has the console. */
void console_panic(void);

/* Bytes of a banner, as they are. */
void console_banner(const char *text, size_t len);

/* Output of a capsule. */
void console_write(struct capsule *capsule, const char *text, size_t len);

/* Ends a capsule's unfinished line, when it stops. */
void console_flush(struct capsule *capsule);

/* Input for a capsule: takes up to `len` bytes, returns how many. */
size_t console_read(struct capsule *capsule, char *text, size_t len);
bool console_has_input(const struct capsule *capsule);

/*
 * Told by core/roles.c: who is the provider of the board's console, and of its second port; NULL for nobody. Changes come in
 * their order; roles' lock is held.
 */
void console_set_provider(struct capsule *provider);
void control_set_provider(struct capsule *provider);

/* Takes what the board's UART has received. Ctrl-] and a digit change the focus. */
void console_receive(void);

#endif
