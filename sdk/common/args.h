/* SPDX-License-Identifier: MIT */
/*
 * The command line: what a subcommand takes, as a table, and what it was given.
 */
#ifndef COMMON_ARGS_H
#define COMMON_ARGS_H

#include <stdbool.h>
#include <stdint.h>

struct args;

struct option {
	const char *name;  /* without the dashes; NULL ends a table */
	char letter;       /* short form, or 0 */
	const char *value; /* what its value is called, "FILE"; NULL: it takes none */
	unsigned flags;    /* OPTION_... */
	const char *help;  /* one line */
};

#define OPTION_MANY     (1u << 0) /* may be given more than once */
#define OPTION_REQUIRED (1u << 1)
#define OPTION_OPTIONAL (1u << 2) /* its value may be left out: --name or --name=VALUE */

struct command {
	const char *name;
	const char *summary;  /* one line, for the list */
	const char *synopsis; /* what follows the name */
	const char *about;    /* paragraphs, for its own help */
	const struct option *options;
	unsigned min_operands, max_operands;
	bool passes_rest; /* what follows "--" is for another program */
	int (*run)(const struct args *args);
};

/* Options that every subcommand takes. */
extern const struct option args_common[];

struct args {
	const struct command *command;
	int argc; /* of the arguments after the subcommand's name */
	char **argv;
	char **operands;
	unsigned operand_count;
	char **rest; /* NULL-terminated */
};

/*
 * Checks the arguments after the subcommand's name against its table. False after a message: a
 * usage error. args->operands is to be freed in either case.
 */
bool args_parse(struct args *args, const struct command *command, int argc, char **argv);

/* Was the option given? `name` has to be in the table. */
bool args_has(const struct args *args, const char *name);

/* Value number `index` of the option, NULL when it was not given so often. */
const char *args_value(const struct args *args, const char *name, unsigned index);

/* How often it was given. */
unsigned args_count(const struct args *args, const char *name);

/*
 * The value as a number from min to max, `*number` untouched when it was not given. False after a
 * message. args_size() takes K, M and G.
 */
bool args_number(const struct args *args, const char *name, uint64_t min, uint64_t max,
		 uint64_t *number);
bool args_size(const struct args *args, const char *name, uint64_t min, uint64_t max,
	       uint64_t *number);

/* "dmfs: error: pack: ..." and where help is; always STATUS_USAGE. */
int args_wrong(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
