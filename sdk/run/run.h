/* SPDX-License-Identifier: MIT */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "common/args.h"

/* Boots an image on an emulated board; an exit status. */
int run_command(const struct args *args);

/* What it starts a board with, unless told otherwise; false for a board that it does not emulate. */
bool run_defaults(const char *board, uint64_t *guest_harts, uint64_t *memory);

#endif
