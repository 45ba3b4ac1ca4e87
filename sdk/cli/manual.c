/* SPDX-License-Identifier: MIT */
/* Manual pages in the man(7) macros. */
#include <stdio.h>
#include <string.h>

#include "commands.h"

/* Text as it is: no character of it is a request or an escape, and '-' can be copied from the page.
 */
static void put(const char *text)
{
	bool fresh = true;

	for (; *text; text++) {
		if (fresh && (*text == '.' || *text == '\''))
			fputs("\\&", stdout);
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else if (*text == '\'')
			fputs("\\(aq", stdout);
		else
			putchar(*text);
		fresh = *text == '\n';
	}
}

/* Paragraphs, between which the text has an empty line. */
static void put_paragraphs(const char *text)
{
	for (;;) {
		const char *end = strstr(text, "\n\n");
		char part[2048];

		snprintf(part, sizeof(part), "%.*s", end ? (int)(end - text) : (int)strlen(text),
			 text);
		put(part);
		putchar('\n');
		if (!end)
			return;
		fputs(".PP\n", stdout);
		text = end + 2;
	}
}

static void put_title(const char *name)
{
	printf(".\\\" Made by 'dmfs help --man' from the table of the command's help.\n.TH ");
	for (; *name; name++)
		putchar(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name);
	fputs(" 1 " DIOSIX_RELEASE_DATE " \"dmfs " DIOSIX_VERSION "\" \"Diosix\"\n.SH NAME\n",
	      stdout);
}

static void put_option(const struct option *option)
{
	fputs(".TP\n", stdout);
	if (option->letter)
		printf("\\fB\\-%c\\fR, ", option->letter);
	fputs("\\fB\\-\\-", stdout);
	put(option->name);
	fputs("\\fR", stdout);
	if (option->value) {
		bool optional = option->flags & OPTION_OPTIONAL;

		fputs(optional ? "[=\\fI" : " \\fI", stdout);
		put(option->value);
		fputs(optional ? "\\fR]" : "\\fR", stdout);
	}
	putchar('\n');
	put(option->help);
	putchar('\n');
}

static void put_command(const struct command *command)
{
	char name[64];

	snprintf(name, sizeof(name), "dmfs-%s", command->name);
	put_title(name);
	put(name);
	fputs(" \\- ", stdout);
	put(command->summary);
	printf("\n.SH SYNOPSIS\n\\fBdmfs %s\\fR ", command->name);
	put(command->synopsis);
	fputs("\n.SH DESCRIPTION\n", stdout);
	put_paragraphs(command->about);
	fputs(".SH OPTIONS\n", stdout);
	for (const struct option *option = command->options; option->name; option++)
		put_option(option);
	for (const struct option *option = args_common; option->name; option++)
		put_option(option);
	fputs(".SH SEE ALSO\n.BR dmfs (1)\n", stdout);
}

static void put_overview(void)
{
	unsigned count;
	const struct command *commands = cli_commands(&count);

	put_title("dmfs");
	fputs("dmfs \\- ", stdout);
	put("makes, signs, looks into and boots images for the Diosix hypervisor");
	fputs("\n.SH SYNOPSIS\n\\fBdmfs\\fR \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]\n"
	      ".SH DESCRIPTION\n",
	      stdout);
	put_paragraphs(cli_purpose);
	fputs(".SH COMMANDS\n", stdout);
	for (unsigned i = 0; i < count; i++) {
		printf(".TP\n\\fBdmfs\\-%s\\fR(1)\n", commands[i].name);
		put(commands[i].summary);
		putchar('\n');
	}
	fputs(".SH NOTES\n", stdout);
	put_paragraphs(cli_notes);
	fputs(".SH EXIT STATUS\n", stdout);
	put_paragraphs(cli_statuses);
	fputs(".SH ENVIRONMENT\n.TP\n\\fBSOURCE_DATE_EPOCH\\fR\n"
	      "The time, in seconds since 1970, that is written into images and documents.\n"
	      ".TP\n\\fBNO_COLOR\\fR\nNo colour, as with \\fB\\-\\-no\\-color\\fR.\n"
	      ".TP\n\\fBTERM\\fR\nA terminal that is \\(lqdumb\\(rq gets neither colour nor "
	      "progress.\n",
	      stdout);
}

void manual_print(const struct command *command)
{
	if (command)
		put_command(command);
	else
		put_overview();
}
