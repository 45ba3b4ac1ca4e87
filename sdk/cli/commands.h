/* SPDX-License-Identifier: MIT */
/*
 * The `dmfs` command: its table of subcommands, from which help, manual pages and completions for
 * shells are made, so that they cannot differ.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "common/args.h"

/* Runs the command line of main(); returns the exit status. */
int cli_run(int argc, char **argv);

/* The subcommands, and what is said of all of them. */
const struct command *cli_commands(unsigned *count);
extern const char cli_purpose[], cli_notes[], cli_statuses[];

/* The manual page of a subcommand, or of all with NULL, as roff on standard output. */
void manual_print(const struct command *command);

/* Completions for a shell on standard output; false when the shell is unknown. */
bool completion_print(const char *shell);

#endif
