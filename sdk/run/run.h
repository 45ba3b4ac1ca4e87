/* SPDX-License-Identifier: MIT */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "common/args.h"

/* Boots an image on an emulated board; an exit status. */
int run_command(const struct args *args);

#endif
