/* SPDX-License-Identifier: MIT */
#include "args.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "size.h"
#include "suggest.h"

const struct option args_common[] = {
	{"quiet", 'q', NULL, 0, "say nothing but errors"},
	{"no-color", 0, NULL, 0, "no colour, as with NO_COLOR in the environment"},
	{"help", 'h', NULL, 0, "show this help"},
	{NULL, 0, NULL, 0, NULL},
};

int args_wrong(const struct command *command, const char *format, ...)
{
	char message[1024];
	va_list list;

	va_start(list, format);
	vsnprintf(message, sizeof(message), format, list);
	va_end(list);
	if (command) {
		diag_error("%s: %s", command->name, message);
		diag_info("'dmfs help %s' shows how it is used", command->name);
	} else {
		diag_error("%s", message);
		diag_info("'dmfs help' lists the commands");
	}
	return STATUS_USAGE;
}

/* The options of a subcommand, then those that all have. */
static const struct option *option_at(const struct command *command, unsigned index)
{
	unsigned i = 0;

	for (const struct option *o = command->options; o && o->name; o++) {
		if (i++ == index)
			return o;
	}
	for (const struct option *o = args_common; o->name; o++) {
		if (i++ == index)
			return o;
	}
	return NULL;
}

static const char *option_name(const void *context, unsigned index)
{
	const struct option *option = option_at(context, index);

	return option ? option->name : NULL;
}

static const struct option *by_name(const struct command *command, const char *name, size_t len)
{
	const struct option *option;

	for (unsigned i = 0; (option = option_at(command, i)) != NULL; i++) {
		if (strlen(option->name) == len && memcmp(option->name, name, len) == 0)
			return option;
	}
	return NULL;
}

static const struct option *by_letter(const struct command *command, char letter)
{
	const struct option *option;

	for (unsigned i = 0; (option = option_at(command, i)) != NULL; i++) {
		if (option->letter == letter && letter)
			return option;
	}
	return NULL;
}

/* One argument of the command line, taken apart. */
struct taken {
	const struct option *option; /* NULL: unknown, or none at all */
	const char *value;           /* NULL: none */
	int width;                   /* how many arguments it is made of; 0: no option */
};

static bool needs_value(const struct option *option)
{
	return option->value && !(option->flags & OPTION_OPTIONAL);
}

/*
 * Takes apart what stands at argv[at]. A short option's value may be attached or follow;
 * short options are not run together, so that "-Cdir" can only mean one thing.
 */
static struct taken take(const struct command *command, int argc, char **argv, int at)
{
	struct taken t = {NULL, NULL, 0};
	const char *arg = argv[at];
	const char *equals = strchr(arg, '=');

	if (arg[0] != '-' || arg[1] == '\0')
		return t;
	t.width = 1;
	if (arg[1] == '-') {
		t.option = by_name(command, arg + 2,
				   equals ? (size_t)(equals - arg - 2) : strlen(arg + 2));
		t.value = equals ? equals + 1 : NULL;
	} else {
		t.option = by_letter(command, arg[1]);
		t.value = arg[2] ? arg + 2 : NULL;
	}
	if (t.option && needs_value(t.option) && !t.value && at + 1 < argc) {
		t.value = argv[at + 1];
		t.width = 2;
	}
	return t;
}

static void say_unknown(const struct command *command, const char *arg)
{
	bool is_long = arg[1] == '-';
	char word[64];
	const char *near;

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(arg + 2, "="), arg + 2);
	near = is_long ? suggest(word, option_name, command) : NULL;
	args_wrong(command, "unknown option '%s'%s%s%s", arg, near ? "; did you mean '--" : "",
		   near ? near : "", near ? "'?" : "");
}

static bool check_taken(const struct command *command, const char *arg, const struct taken *t)
{
	if (!t->option)
		say_unknown(command, arg);
	else if (needs_value(t->option) && !t->value)
		args_wrong(command, "--%s needs a value, %s", t->option->name, t->option->value);
	else if (!t->option->value && t->value)
		args_wrong(command, "--%s takes no value", t->option->name);
	else
		return true;
	return false;
}

static bool check_counts(const struct args *args)
{
	const struct command *command = args->command;

	for (const struct option *o = command->options; o && o->name; o++) {
		unsigned count = args_count(args, o->name);

		if (count > 1 && !(o->flags & OPTION_MANY)) {
			args_wrong(command, "--%s is given %u times", o->name, count);
			return false;
		}
		if (count == 0 && (o->flags & OPTION_REQUIRED)) {
			args_wrong(command, "--%s %s is missing", o->name, o->value);
			return false;
		}
	}
	if (args->operand_count < command->min_operands) {
		args_wrong(command, "an argument is missing: dmfs %s %s", command->name,
			   command->synopsis);
		return false;
	}
	if (args->operand_count > command->max_operands) {
		args_wrong(command, "'%s' is one argument too many",
			   args->operands[command->max_operands]);
		return false;
	}
	return true;
}

bool args_parse(struct args *args, const struct command *command, int argc, char **argv)
{
	static char *none[] = {NULL};
	char **operands = calloc((size_t)argc + 1, sizeof(*operands));
	int at = 0;

	*args = (struct args){command, argc, argv, operands, 0, none};
	if (!operands) {
		diag_error("out of memory");
		return false;
	}
	while (at < argc && strcmp(argv[at], "--") != 0) {
		struct taken t = take(command, argc, argv, at);

		if (t.width == 0)
			operands[args->operand_count++] = argv[at++];
		else if (!check_taken(command, argv[at], &t))
			return false;
		else
			at += t.width;
	}
	args->argc = at;
	if (at < argc && command->passes_rest)
		args->rest = argv + at + 1;
	else
		for (at++; at < argc; at++)
			operands[args->operand_count++] = argv[at];
	return args_has(args, "help") || check_counts(args);
}

/* Looks for value number `index` of an option; its argument is walked again, which is cheap. */
static bool find(const struct args *args, const char *name, unsigned index, const char **value)
{
	const struct option *wanted = by_name(args->command, name, strlen(name));
	unsigned seen = 0;

	/* An option that no table has is a mistake of this program's. */
	if (!wanted)
		abort();
	for (int at = 0; at < args->argc;) {
		struct taken t = take(args->command, args->argc, args->argv, at);

		if (t.width && t.option == wanted && seen++ == index) {
			*value = t.value;
			return true;
		}
		at += t.width ? t.width : 1;
	}
	return false;
}

bool args_has(const struct args *args, const char *name)
{
	const char *value;

	return find(args, name, 0, &value);
}

const char *args_value(const struct args *args, const char *name, unsigned index)
{
	const char *value = NULL;

	return find(args, name, index, &value) ? value : NULL;
}

unsigned args_count(const struct args *args, const char *name)
{
	const char *value;
	unsigned count = 0;

	while (find(args, name, count, &value))
		count++;
	return count;
}

static bool in_range(const struct args *args, const char *name, bool parsed, uint64_t value,
		     uint64_t min, uint64_t max, const char *text)
{
	if (parsed && value >= min && value <= max)
		return true;
	args_wrong(args->command,
		   "--%s has to be a number from %" PRIu64 " to %" PRIu64 ", not '%s'", name, min,
		   max, text);
	return false;
}

bool args_number(const struct args *args, const char *name, uint64_t min, uint64_t max,
		 uint64_t *number)
{
	const char *text = args_value(args, name, 0);
	uint64_t value = 0;
	bool parsed;

	if (!text)
		return true;
	parsed = number_parse(text, &value);
	if (!in_range(args, name, parsed, value, min, max, text))
		return false;
	*number = value;
	return true;
}

bool args_size(const struct args *args, const char *name, uint64_t min, uint64_t max,
	       uint64_t *number)
{
	const char *text = args_value(args, name, 0);
	char least[24], most[24];
	uint64_t value = 0;

	if (!text)
		return true;
	if (!size_parse(text, &value) || value < min || value > max) {
		args_wrong(args->command,
			   "--%s has to be a size from %s to %s, such as 512M, not '%s'", name,
			   size_text(least, min), size_text(most, max), text);
		return false;
	}
	*number = value;
	return true;
}
