/* SPDX-License-Identifier: MIT */
/* Completions for bash, zsh and fish. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "common/boards.h"
#include "ctl/ctl.h"

/* Options whose value is one of some words. The first that fits counts. */
static const struct {
	const char *command; /* NULL: any */
	const char *option;
	const char *words; /* NULL: the boards that have short names */
} choices[] = {
	{"run", "board", "virt sifive_u"},      {NULL, "board", NULL},
	{NULL, "isolation", "auto gstage pmp"}, {NULL, "format", "dtb dts"},
	{NULL, "completion", "bash zsh fish"},
};

/* What can stand for the option's value, in `text`; "" when that is a file or a number. */
static const char *words_of(char *text, size_t len, const struct command *command,
			    const struct option *option)
{
	const char *board;

	*text = '\0';
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		if (strcmp(choices[i].option, option->name) != 0 ||
		    (choices[i].command && strcmp(choices[i].command, command->name) != 0))
			continue;
		if (choices[i].words)
			return choices[i].words;
		for (unsigned b = 0; (board = board_short_name(NULL, b)) != NULL; b++) {
			size_t at = strlen(text);

			snprintf(text + at, len - at, "%s%s", at ? " " : "", board);
		}
		return text;
	}
	return text;
}

/* What stands after the socket of `ctl`. */
static void put_ctl_words(void)
{
	const char *word;

	for (unsigned i = 0; (word = ctl_command_name(NULL, i)) != NULL; i++)
		printf("%s%s", i ? " " : "", word);
}

/* Calls `print` for each option of a subcommand, those that all have included. */
static void each_option(const struct command *command,
			void (*print)(const struct command *, const struct option *))
{
	for (const struct option *option = command->options; option->name; option++)
		print(command, option);
	for (const struct option *option = args_common; option->name; option++)
		print(command, option);
}

/* Text between single quotes of a shell, with `special` characters after a backslash. */
static void put_quoted(const char *text, const char *special, const char *quote)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs(quote, stdout);
		else if (strchr(special, *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

/* --- bash ------------------------------------------------------------------------------------- */

static void bash_word(const struct command *command, const struct option *option)
{
	printf("--%s ", option->name);
	if (option->letter)
		printf("-%c ", option->letter);
}

static void bash_value(const struct command *command, const struct option *option)
{
	char text[256];
	const char *words = words_of(text, sizeof(text), command, option);

	if (!option->value || option->flags & OPTION_OPTIONAL)
		return;
	printf("\t%s,--%s", command->name, option->name);
	if (option->letter)
		printf("|%s,-%c", command->name, option->letter);
	if (*words)
		printf(") words='%s' ;;\n", words);
	else
		printf(") files=1 ;;\n");
}

static void bash(const struct command *commands, unsigned count)
{
	fputs("# bash completion for dmfs; made by 'dmfs help --completion bash'\n_dmfs()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal command='' words='' files='' i\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\t[[ ${COMP_WORDS[i]} == -* ]] || { command=${COMP_WORDS[i]}; break; }\n"
	      "\tdone\n\tcase $command,$prev in\n",
	      stdout);
	for (unsigned i = 0; i < count; i++)
		each_option(&commands[i], bash_value);
	fputs("\t*) case $command in\n\t\t'') words='", stdout);
	for (unsigned i = 0; i < count; i++)
		printf("%s ", commands[i].name);
	fputs("--help --version --quiet --no-color' ;;\n", stdout);
	for (unsigned i = 0; i < count; i++) {
		printf("\t\t%s) [[ $cur == -* ]] && words='", commands[i].name);
		each_option(&commands[i], bash_word);
		fputs("' ;;\n", stdout);
	}
	fputs("\t\tesac\n\t\t[[ $words ]] || files=1\n"
	      "\t\tif [[ $command == help && $cur != -* ]]; then files=''; words='",
	      stdout);
	for (unsigned i = 0; i < count; i++)
		printf("%s ", commands[i].name);
	fputs("'; fi\n"
	      "\t\tif [[ $command == ctl && $prev != ctl && $cur != -* ]]; then files=''; words='",
	      stdout);
	put_ctl_words();
	fputs("'; fi ;;\n\tesac\n\tCOMPREPLY=()\n\tif [[ $files ]]; then\n"
	      "\t\tcompopt -o filenames 2>/dev/null\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n\telse\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n\tfi\n}\n"
	      "complete -F _dmfs dmfs\n",
	      stdout);
}

/* --- zsh -------------------------------------------------------------------------------------- */

static void zsh_option(const struct command *command, const struct option *option)
{
	char text[256];
	const char *words = words_of(text, sizeof(text), command, option);
	const char *many = option->flags & OPTION_MANY ? "*" : "";
	const char *assign = option->flags & OPTION_OPTIONAL ? "=-" : "=";
	const char *colon = option->flags & OPTION_OPTIONAL ? "::" : ":";

	/* One specification for each form: those of letters and those of names differ in how the
	 * value is attached. */
	for (unsigned form = 0; form < 2; form++) {
		if (form == 0 && !option->letter)
			continue;
		if (form == 0)
			printf(" \\\n\t\t\t'%s-%c%s[", many, option->letter,
			       option->value ? "+" : "");
		else
			printf(" \\\n\t\t\t'%s--%s%s[", many, option->name,
			       option->value ? assign : "");
		put_quoted(option->help, "[]", "'\\''");
		putchar(']');
		if (option->value && *words)
			printf("%s%s:(%s)", colon, option->value, words);
		else if (option->value)
			printf("%s%s:_files", colon, option->value);
		putchar('\'');
	}
}

static void zsh_ctl(void)
{
	fputs(" \\\n\t\t\t'1:socket:_files' '2:command:(", stdout);
	put_ctl_words();
	fputs(")' '3:capsule:' ;;\n", stdout);
}

static void zsh(const struct command *commands, unsigned count)
{
	fputs("#compdef dmfs\n# zsh completion for dmfs; made by 'dmfs help --completion zsh'\n"
	      "_dmfs() {\n\tlocal -a commands\n\tcommands=(\n",
	      stdout);
	for (unsigned i = 0; i < count; i++) {
		printf("\t\t'%s:", commands[i].name);
		put_quoted(commands[i].summary, ":", "'\\''");
		fputs("'\n", stdout);
	}
	fputs("\t)\n\tif (( CURRENT == 2 )); then\n"
	      "\t\t_describe -t commands 'dmfs command' commands\n\t\treturn\n\tfi\n"
	      "\tlocal command=$words[2]\n\tshift words\n\t(( CURRENT-- ))\n"
	      "\tcase $command in\n",
	      stdout);
	for (unsigned i = 0; i < count; i++) {
		printf("\t%s)\n\t\t_arguments -s", commands[i].name);
		each_option(&commands[i], zsh_option);
		if (strcmp(commands[i].name, "help") == 0)
			fputs(" \\\n\t\t\t'1:command:(${commands%%:*})' ;;\n", stdout);
		else if (strcmp(commands[i].name, "ctl") == 0)
			zsh_ctl();
		else
			fputs(" \\\n\t\t\t'*:file:_files' ;;\n", stdout);
	}
	fputs("\tesac\n}\n_dmfs \"$@\"\n", stdout);
}

/* --- fish ------------------------------------------------------------------------------------- */

static void fish_option(const struct command *command, const struct option *option)
{
	char text[256];
	const char *words = words_of(text, sizeof(text), command, option);

	printf("complete -c dmfs -n '__fish_seen_subcommand_from %s' -l %s", command->name,
	       option->name);
	if (option->letter)
		printf(" -s %c", option->letter);
	if (*words)
		printf(" -x -a '%s'", words);
	else if (option->value && !(option->flags & OPTION_OPTIONAL))
		fputs(" -r", stdout);
	fputs(" -d '", stdout);
	put_quoted(option->help, "\\", "\\'");
	fputs("'\n", stdout);
}

static void fish(const struct command *commands, unsigned count)
{
	fputs("# fish completion for dmfs; made by 'dmfs help --completion fish'\n", stdout);
	for (unsigned i = 0; i < count; i++) {
		printf("complete -c dmfs -f -n __fish_use_subcommand -a %s -d '", commands[i].name);
		put_quoted(commands[i].summary, "\\", "\\'");
		fputs("'\n", stdout);
	}
	for (unsigned i = 0; i < count; i++)
		each_option(&commands[i], fish_option);
	fputs("complete -c dmfs -n '__fish_seen_subcommand_from ctl' -a '", stdout);
	put_ctl_words();
	fputs("'\n", stdout);
}

bool completion_print(const char *shell)
{
	static const struct {
		const char *name;
		void (*print)(const struct command *, unsigned);
	} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
	unsigned count;
	const struct command *commands = cli_commands(&count);

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i].name, shell) == 0) {
			shells[i].print(commands, count);
			return true;
		}
	}
	return false;
}
