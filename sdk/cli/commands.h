/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

/* Does what the command line says; returns the program's exit status. */
int cli_run(int argc, char **argv);

#endif
