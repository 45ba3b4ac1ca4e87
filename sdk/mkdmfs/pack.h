/* SPDX-License-Identifier: MIT */
/*
 * Subcommands about manifests; each returns an exit status.
 */
#ifndef MKDMFS_PACK_H
#define MKDMFS_PACK_H

#include "common/args.h"

int init_command(const struct args *args);
int pack_command(const struct args *args);
int check_command(const struct args *args);
int boards_command(const struct args *args);
int dtgen_command(const struct args *args);
int schema_command(const struct args *args);

#endif
