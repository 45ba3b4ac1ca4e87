/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/args.h"
#include "common/diag.h"
#include "common/suggest.h"
#include "ctl/ctl.h"
#include "dmfsinspect/inspect.h"
#include "mkdmfs/pack.h"
#include "run/bundle.h"
#include "run/run.h"
#include "sign/seal.h"
#include "sign/sign.h"
#include "sign/trust_set.h"

/* clang-format off: tables */
#define END                            \
	{                              \
		NULL, 0, NULL, 0, NULL \
	}
#define TRUST                                                                                 \
	{                                                                                     \
		"trust", 0, "NAME.pub", OPTION_MANY, "a key that is trusted; may be repeated" \
	}
#define TRUST_SET                                                                                  \
	{                                                                                          \
		"trust-set", 0, "FILE", 0, "keys to come ('dmfs trust'), which are enough as well" \
	}
#define THRESHOLD                                                                          \
	{                                                                                  \
		"threshold", 0, "M", 0, "so many trusted keys must have signed; default 1" \
	}
#define ROLLBACK                                                                              \
	{                                                                                     \
		"rollback", 0, "N", 0, "refuse images with a lower rollback index; default 0" \
	}
#define SECRET                                                                                    \
	{                                                                                         \
		"key", 'k', "NAME.key", OPTION_MANY, "sign with this secret key; may be repeated" \
	}

#define SIGNER                                                                                     \
	{"signer", 0, "COMMAND", OPTION_MANY, "have this helper sign; may be repeated"},           \
	{                                                                                          \
		"signer-timeout", 0, "SECONDS", 0, "how long a helper may take; default 120"       \
	}
#define PASSPHRASE                                                                                 \
	{"passphrase-file", 0, "FILE", 0, "passphrases of protected keys, a line each"},           \
	{                                                                                          \
		"passphrase-fd", 0, "N", 0, "the same, from an open descriptor"                    \
	}

#define RECIPIENT                                                                                   \
	{                                                                                          \
		"recipient", 0, "NAME.pub", OPTION_MANY,                                           \
			"encrypt to this key ('keygen --seal'); may be repeated"                   \
	}
#define UNSEAL                                                                                      \
	{                                                                                          \
		"unseal", 0, "NAME.key", 0, "the key to decrypt with ('keygen --seal')"            \
	}

#define JSON                                                \
	{                                                   \
		"json", 0, NULL, 0, "print JSON, for programs" \
	}

static const struct option no_options[] = {END};

static const struct option init_options[] = {JSON, END};

static const struct option keygen_options[] = {
	{"seal", 0, NULL, 0, "keys that images are encrypted to, instead of signed by"},
	{"passphrase", 'p', NULL, 0, "protect the secret key with a passphrase"},
	PASSPHRASE,
	JSON,
	END,
};

static const struct option protect_options[] = {
	{"remove", 0, NULL, 0, "store the key without a passphrase"},
	PASSPHRASE,
	END,
};

static const struct option pack_options[] = {
	{"output", 'o', "IMAGE", OPTION_REQUIRED, "the image to write, '-' for standard output"},
	SECRET,
	SIGNER,
	PASSPHRASE,
	{"unsigned", 0, NULL, 0, "leave it unsigned, to be signed elsewhere"},
	RECIPIENT,
	{"content-key-file", 0, "FILE", 0, "make the content key from this; default a random one"},
	{"jobs", 'j', "N", 0, "compress on N processors; default all"},
	{"level", 'l', "L", 0, "compress from 1, fast, to 12, small; default 10"},
	{"chunk", 0, "SIZE", 0, "compress in chunks of this size, 4K to 1M; default 256K"},
	{"cache", 0, "DIR", 0, "keep what was compressed there, and use what is there"},
	{"cache-size", 0, "SIZE", 0, "the most that it keeps, the latest used; default 4G"},
	JSON,
	END,
};

static const struct option check_options[] = {
	{"board", 'b', "BOARD", OPTION_MANY,
	 "check against this board or FILE.dtb; default those that it names"},
	END,
};

static const struct option inspect_options[] = {
	JSON,
	{"html", 0, "FILE", 0, "write a page for browsers, with pictures to scale"},
	TRUST,
	THRESHOLD,
	TRUST_SET,
	END,
};

static const struct option diff_options[] = {JSON, END};

static const struct option sbom_options[] = {TRUST, THRESHOLD, TRUST_SET, UNSEAL, PASSPHRASE, END};

static const struct option explain_options[] = {
	{"board", 'b', "BOARD", OPTION_REQUIRED, "the board, by its short name, or FILE.dtb"},
	{"trust", 0, "NAME.pub", OPTION_MANY | OPTION_REQUIRED,
	 "a key that the board trusts; may be repeated"},
	THRESHOLD,
	TRUST_SET,
	ROLLBACK,
	UNSEAL,
	PASSPHRASE,
	{"isolation", 'i', "HOW", 0, "auto (default), gstage or pmp"},
	{"harts", 0, "N", 0, "harts that run guests; default all, or as run starts it"},
	{"memory", 'm', "SIZE", 0, "RAM of the board; default its own, or as run starts it"},
	JSON,
	END,
};

static const struct option verify_options[] = {
	TRUST,
	THRESHOLD,
	TRUST_SET,
	{"board", 'b', "BOARD", 0, "refuse images that are not for this board"},
	ROLLBACK,
	UNSEAL,
	PASSPHRASE,
	JSON,
	END,
};

static const struct option sign_options[] = {
	SECRET,
	SIGNER,
	PASSPHRASE,
	{"output", 'o', "FILE", 0, "write the result there; default over IMAGE"},
	JSON,
	END,
};

static const struct option reseal_options[] = {
	{"unseal", 0, "NAME.key", OPTION_REQUIRED, "the key of one of the present recipients"},
	{"recipient", 0, "NAME.pub", OPTION_MANY | OPTION_REQUIRED,
	 "seal to this key, and to no others; may be repeated"},
	PASSPHRASE,
	{"output", 'o', "FILE", 0, "write the result there; default over IMAGE"},
	JSON,
	END,
};

static const struct option digest_options[] = {
	{"output", 'o', "FILE", 0, "write there; default standard output"},
	{"json", 0, NULL, 0, "print its length and hashes as JSON instead"},
	END,
};

static const struct option attach_options[] = {
	{"pub", 'p', "NAME.pub", OPTION_REQUIRED, "the public key of who signed"},
	{"signature", 's', "FILE", OPTION_REQUIRED, "the signature, 64 raw bytes"},
	{"output", 'o', "FILE", 0, "write the result there; default over IMAGE"},
	JSON,
	END,
};

static const struct option extract_options[] = {
	{"directory", 'C', "DIR", 0, "the folder to extract to, created if need be; default '.'"},
	TRUST,
	THRESHOLD,
	TRUST_SET,
	UNSEAL,
	PASSPHRASE,
	JSON,
	END,
};

static const struct option trust_options[] = {
	{"version", 0, "N", 0, "new: the set's number, higher than that of the set before"},
	TRUST,
	THRESHOLD,
	{"output", 'o', "FILE", 0, "sign: write the result there; default over FILE"},
	SECRET,
	SIGNER,
	PASSPHRASE,
	END,
};

static const struct option dtgen_options[] = {
	{"output", 'o', "FILE", 0, "write there; default standard output"},
	{"format", 'f', "FORMAT", 0, "dtb (default with -o) or dts (default without)"},
	JSON,
	END,
};

static const struct option bundle_options[] = {
	TRUST,    THRESHOLD,
	TRUST_SET,
	ROLLBACK, UNSEAL,
	PASSPHRASE, {"output", 'o', "OUT", OPTION_REQUIRED, "the hypervisor to write"},
	JSON,
	END,
};

static const struct option run_options[] = {
	TRUST,
	THRESHOLD,
	TRUST_SET,
	ROLLBACK,
	UNSEAL,
	PASSPHRASE,
	{"board", 'b', "BOARD", 0, "virt (default) or sifive_u"},
	{"isolation", 'i', "HOW", 0, "auto (default), gstage or pmp"},
	{"harts", 0, "N", 0, "harts that run guests; default 2, on sifive_u 4"},
	{"memory", 'm', "SIZE", 0, "RAM of the board; default 1G"},
	{"timeout", 't', "SECONDS", 0, "end it after so long, with status 124"},
	{"flash", 0, "FILE", 0, "flash memory that keeps the rollback index; made if need be"},
	{"log", 0, "FILE", 0, "append the console's output there as well"},
	{"control", 0, "SOCKET", 0, "the control port, for 'dmfs ctl', as a socket of this name"},
	{"gdb", 0, "PORT", OPTION_OPTIONAL, "let debuggers attach; default on a free TCP port"},
	{"gdb-wait", 0, NULL, 0, "with --gdb: begin when a debugger says so"},
	{"hypervisor", 0, "FILE", 0, "the hypervisor; default diosix.elf beside dmfs"},
	END,
};

static const struct option ctl_options[] = {
	{"follow", 'f', NULL, 0, "log: go on with what comes"},
	{"grace", 0, "SECONDS", 0, "stop: kill it when it has not stopped by then; default 10"},
	{"timeout", 't', "SECONDS", 0, "give up when an answer takes longer; default 30"},
	{"json", 0, NULL, 0, "print the board's result as JSON, for programs"},
	END,
};

static const struct option help_options[] = {
	{"man", 0, NULL, 0, "print the manual page, as roff for man(1)"},
	{"completion", 0, "SHELL", 0, "print completions for bash, zsh or fish"},
	END,
};

static int help_command(const struct args *args);

static const struct command commands[] = {
	{"init", "a project that packs and runs: manifest, guest, key", "[DIR]",
	 "Writes manifest.yaml with comments and its JSON Schema, a small guest (hello.elf) with its\n"
	 "sources, the key pair dev.key and dev.pub, and in a folder that is named also .gitignore.\n"
	 "Nothing is overwritten.",
	 init_options, 0, 1, false, init_command},
	{"keygen", "a new key pair", "NAME [OPTIONS]",
	 "Makes NAME.key, the secret key that signs images (mode 0600), and NAME.pub, the public "
	 "key\n"
	 "that verifies them. Neither may exist. With --seal they are keys that images are\n"
	 "encrypted to: NAME.pub goes to who packs, NAME.key to the boards.",
	 keygen_options, 1, 1, false, keygen_command},
	{"protect", "set or remove the passphrase of a secret key", "NAME.key",
	 "Passphrases are read from the file or descriptor that is named, from the file that\n"
	 "DMFS_PASSPHRASE_FILE names, or from the terminal: for --remove the present one, otherwise "
	 "a\n"
	 "new one.",
	 protect_options, 1, 1, false, protect_command},
	{"pack", "make an image from a manifest", "MANIFEST -o IMAGE --key NAME.key [OPTIONS]",
	 "Reads the manifest, compresses what it names and writes one image, signed by each key. "
	 "The\n"
	 "image appears under its name only when it is complete. The same inputs give the same "
	 "bytes;\n"
	 "the image's time is SOURCE_DATE_EPOCH, or none.",
	 pack_options, 1, 1, false, pack_command},
	{"check", "find what is wrong with a manifest", "MANIFEST [--board BOARD]",
	 "Does all that 'dmfs pack' does before it writes an image: reads the manifest and what it\n"
	 "names, and looks for what boards do not have: memory, harts, PMP entries, RAM where a kernel\n"
	 "has to be. Warns of what may be meant, such as a console that is not the device tree's.",
	 check_options, 1, 1, false, check_command},
	{"boards", "list the boards that are known", "",
	 "By their short names. RAM and harts that depend on how a board is started, or that are not\n"
	 "known, are '-'. 'none' isolates nothing: no hart there can run guests.",
	 no_options, 0, 0, false, boards_command},
	{"inspect", "show what is in an image", "IMAGE [OPTIONS]",
	 "Without --trust nothing is verified, and what is shown is what the file claims.",
	 inspect_options, 1, 1, false, inspect_command},
	{"verify", "check an image as a board does", "IMAGE --trust NAME.pub [OPTIONS]",
	 "Checks the signatures, the structure and every byte of the contents. A board is one of\n"
	 "'dmfs boards', or a compatible string of its device tree.",
	 verify_options, 1, 1, false, verify_command},
	{"sign", "add a signature", "IMAGE --key NAME.key [OPTIONS]",
	 "An image may carry up to 16 signatures, by distinct keys.", sign_options, 1, 1, false,
	 sign_command},
	{"trust", "change which keys are trusted", "new|sign|show FILE [OPTIONS]",
	 "A trust set is a file with keys, a threshold and a version. 'new' makes it from --version, "
	 "--trust\n"
	 "and --threshold, 'sign' adds signatures: of enough of the keys before it, and of its own. "
	 "'bundle',\n"
	 "'run' and 'verify' then take it with --trust-set.",
	 trust_options, 2, 2, false, trust_command},
	{"digest", "write the bytes that a signature is made of", "IMAGE [-o FILE]",
	 "For keys that never touch this machine: sign these bytes with pure Ed25519 (RFC 8032)\n"
	 "wherever the key is, and add the signature with 'dmfs attach'.",
	 digest_options, 1, 1, false, digest_command},
	{"attach", "add a signature that was made elsewhere",
	 "IMAGE --pub NAME.pub --signature FILE", "The signature is checked first.", attach_options,
	 1, 1, false, attach_command},
	{"reseal", "change to whom an image is encrypted",
	 "IMAGE --unseal NAME.key --recipient NAME.pub [OPTIONS]",
	 "Seals the content key to other keys. The contents and the signatures stay as they are: who\n"
	 "could decrypt the image before can still decrypt the copies that they have.",
	 reseal_options, 1, 1, false, reseal_command},
	{"extract", "unpack objects of an image", "IMAGE [OBJECT...] [-C DIR]",
	 "Unpacks the named objects, or all, each to a file of its name. Files are not "
	 "overwritten.\n"
	 "The contents are checked against the image's hashes; with --trust the image is verified.",
	 extract_options, 1, 1025, false, extract_command},
	{"diff", "compare two images", "IMAGE IMAGE",
	 "Prints a line for each difference: '-' only in the first, '+' only in the second,\n"
	 "'~' changed. Exit status 0 when there is none, 1 when there is one. Neither image is\n"
	 "verified.",
	 diff_options, 2, 2, false, diff_command},
	{"explain", "would a board start an image, and if not, why",
	 "IMAGE --board BOARD --trust NAME.pub [OPTIONS]",
	 "Makes the checks that the board makes, all of them, and says of each that fails what to "
	 "do.\n"
	 "Exit status 0 when the board would start the image, 1 when not.",
	 explain_options, 1, 1, false, explain_command},
	{"sbom", "list what an image is made of, as SPDX", "IMAGE [OPTIONS]",
	 "Prints an SPDX 2.3 document in JSON, with the hashes of what each object unpacks to. "
	 "Equal\n"
	 "images give equal documents; its time is SOURCE_DATE_EPOCH, or else the image's.",
	 sbom_options, 1, 1, false, sbom_command},
	{"dtgen", "show the device tree that a guest gets", "MANIFEST GUEST [OPTIONS]",
	 "GUEST may be a service as well. The board fills in what only it knows.", dtgen_options, 2,
	 2, false, dtgen_command},
	{"schema", "print the JSON Schema of manifests", "",
	 "For editors that complete and check YAML.", no_options, 0, 0, false, schema_command},
	{"bundle", "put trusted keys into a hypervisor",
	 "HYPERVISOR --trust NAME.pub -o OUT [OPTIONS]",
	 "Writes a copy of the hypervisor that takes images signed by the trusted keys. As built "
	 "it\n"
	 "takes none.",
	 bundle_options, 1, 1, false, bundle_command},
	{"run", "boot an image on an emulated board",
	 "IMAGE --trust NAME.pub [OPTIONS] [-- QEMU ARGUMENTS]",
	 "Gives a copy of the hypervisor the trusted keys and boots the image on QEMU. The "
	 "terminal is\n"
	 "the board's console; Ctrl-a x ends, Ctrl-a a is a Ctrl-a.\n\n"
	 "Exit status: 0 all guests have shut down, 1 the image was refused or a guest crashed "
	 "for\n"
	 "good, 124 the time limit is over, 130 ended by Ctrl-a x.",
	 run_options, 1, 1, true, run_command},
	{"ctl", "drive a board from outside", "SOCKET COMMAND [CAPSULE] [OPTIONS]",
	 "SOCKET is the control port of a board, as 'dmfs run --control SOCKET' makes it; a console\n"
	 "service in the image answers there. COMMAND is\n\n"
	 "  list, stats, image     the capsules, their counters, what was verified by which keys\n"
	 "  log                    what the hypervisor said\n"
	 "  start, restart, kill   CAPSULE, at once\n"
	 "  stop                   CAPSULE is asked first, and killed if need be\n"
	 "  focus, permissions     of CAPSULE: give it the board's terminal; what it may do\n"
	 "  attach                 CAPSULE's console here; Ctrl-] then '.' or q detaches\n\n"
	 "Exit status: 0 done, 1 the board refuses, 2 wrong usage, 3 there is no such socket, or the\n"
	 "connection is lost.",
	 ctl_options, 2, 3, false, ctl_command},
	{"help", "explain a command", "[COMMAND]", "Without a command, lists them.", help_options, 0,
	 1, false, help_command},
};

/* clang-format on */

const char cli_purpose[] = "Makes, signs, looks into and boots images for the Diosix hypervisor.";
const char cli_notes[] =
	"'dmfs help COMMAND' says more, 'dmfs --version' prints the version. '-' stands for\n"
	"standard input or output where a file is expected.";
const char cli_statuses[] =
	"Exit status: 0 done, 1 refused or invalid, 2 wrong usage, 3 a file or the system failed.";

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char *command_name(const void *context, unsigned index)
{
	return index < COMMANDS ? commands[index].name : NULL;
}

const struct command *cli_commands(unsigned *count)
{
	*count = COMMANDS;
	return commands;
}

/* The subcommand of this name; NULL after a usage error. */
static const struct command *find_command(const char *name)
{
	char hint[96];
	const char *near;

	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	near = suggest_hint(hint, sizeof(hint), name, command_name, NULL);
	args_wrong(NULL, "unknown command '%s'%s%s", name, near ? "; " : "", near ? near : "");
	return NULL;
}

/* --- help ------------------------------------------------------------------------------------ */

static void print_overview(FILE *out)
{
	fprintf(out, "usage: dmfs COMMAND [ARGUMENTS]\n\n%s\n\n", cli_purpose);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\n%s\n\n%s\n", cli_notes, cli_statuses);
}

static void print_option(const struct option *option)
{
	char left[64];

	if (option->flags & OPTION_OPTIONAL)
		snprintf(left, sizeof(left), "--%s[=%s]", option->name, option->value);
	else
		snprintf(left, sizeof(left), "--%s%s%s", option->name, option->value ? " " : "",
			 option->value ? option->value : "");
	if (option->letter)
		printf("  -%c, %-21s %s\n", option->letter, left, option->help);
	else
		printf("      %-21s %s\n", left, option->help);
}

static void print_help(const struct command *command)
{
	printf("usage: dmfs %s%s%s\n\n%s\n\n", command->name, *command->synopsis ? " " : "",
	       command->synopsis, command->about);
	for (const struct option *option = command->options; option->name; option++)
		print_option(option);
	for (const struct option *option = args_common; option->name; option++)
		print_option(option);
}

static int help_command(const struct args *args)
{
	const char *shell = args_value(args, "completion", 0);
	const struct command *command = NULL;

	if (shell && !completion_print(shell))
		return args_wrong(args->command, "--completion is bash, zsh or fish, not '%s'",
				  shell);
	if (shell)
		return STATUS_DONE;
	if (args->operand_count)
		command = find_command(args->operands[0]);
	if (args->operand_count && !command)
		return STATUS_USAGE;
	if (args_has(args, "man"))
		manual_print(command);
	else if (command)
		print_help(command);
	else
		print_overview(stdout);
	return STATUS_DONE;
}

/* --- dispatch -------------------------------------------------------------------------------- */

static int run_subcommand(const struct command *command, int argc, char **argv)
{
	struct args args;
	int status;

	if (!args_parse(&args, command, argc, argv)) {
		status = STATUS_USAGE;
	} else {
		if (args_has(&args, "no-color"))
			diag_no_color();
		if (args_has(&args, "quiet"))
			diag_quiet();
		if (args_has(&args, "help"))
			print_help(command);
		status = args_has(&args, "help") ? STATUS_DONE : command->run(&args);
	}
	free(args.operands);
	return status;
}

/* What precedes the subcommand. Returns the index of the first argument that is not of these, -1
 * when all is done. */
static int global_options(int argc, char **argv)
{
	int at = 1;

	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--version") == 0 || strcmp(argv[at], "-V") == 0) {
			puts("dmfs " DIOSIX_VERSION);
			return -1;
		}
		if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
			print_overview(stdout);
			return -1;
		}
		if (strcmp(argv[at], "--no-color") == 0)
			diag_no_color();
		else if (strcmp(argv[at], "--quiet") == 0 || strcmp(argv[at], "-q") == 0)
			diag_quiet();
		else
			break;
	}
	return at;
}

static int dispatch(int argc, char **argv)
{
	int at = global_options(argc, argv);
	const struct command *command;

	if (at < 0)
		return STATUS_DONE;
	if (at == argc) {
		print_overview(stderr);
		return STATUS_USAGE;
	}
	if (argv[at][0] == '-')
		return args_wrong(NULL, "unknown option '%s'", argv[at]);
	command = find_command(argv[at]);
	return command ? run_subcommand(command, argc - at - 1, argv + at + 1) : STATUS_USAGE;
}

int cli_run(int argc, char **argv)
{
	int status;

	if (sodium_init() < 0) {
		diag_error("libsodium cannot be used on this machine");
		return STATUS_FAILED;
	}
	status = dispatch(argc, argv);
	/* What was printed must have arrived: a full disk is a failure. */
	errno = 0;
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == STATUS_DONE)
		status = diag_file("write", "standard output", errno ? errno : ENOSPC);
	return status;
}
