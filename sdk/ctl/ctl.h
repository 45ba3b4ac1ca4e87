/* SPDX-License-Identifier: MIT */
/*
 * `dmfs ctl`: drives a board over its control port.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include "common/args.h"
#include "link.h"

/* An exit status. */
int ctl_command(const struct args *args);

/* The name of command number `index` of the port, or NULL after the last; a suggest_candidate. */
const char *ctl_command_name(const void *context, unsigned index);

/* `log`: prints what the board has, and with --follow what comes. A STATUS_... */
int ctl_log(struct link *link, const struct args *args, const char *capsule);

/* `attach`: the terminal, or whatever standard input and output are, for a capsule. A STATUS_... */
int ctl_attach(struct link *link, const struct args *args, const char *capsule);

#endif
