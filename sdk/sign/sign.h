/* SPDX-License-Identifier: MIT */
/*
 * Subcommands about keys and signatures; each returns an exit status.
 */
#ifndef SIGN_SIGN_H
#define SIGN_SIGN_H

#include "common/args.h"

int keygen_command(const struct args *args);
int protect_command(const struct args *args);
int sign_command(const struct args *args);
int digest_command(const struct args *args);
int attach_command(const struct args *args);

#endif
