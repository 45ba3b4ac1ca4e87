/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include <stdio.h>
#include <string.h>

#include "common/diag.h"
#include "common/suggest.h"
#include "show.h"

#define DEFAULT_TIMEOUT 30u /* seconds */
#define DEFAULT_GRACE   10u
#define MAX_SECONDS     100000u

struct ctl {
	const char *name;
	bool of_capsule; /* it takes a capsule's name */
	bool kills_late; /* it is done after --grace at the latest */
	/* What people see of a result, unless `run` does all there is to do. */
	void (*show)(const char *capsule, const json_t *result);
	int (*run)(struct link *link, const struct args *args, const char *capsule);
	const char *option; /* one that this alone takes; NULL */
};

static const struct ctl ctls[] = {
	{"list", false, false, show_list, NULL, NULL},
	{"start", true, false, show_state, NULL, NULL},
	{"stop", true, true, show_state, NULL, "grace"},
	{"kill", true, false, show_state, NULL, NULL},
	{"restart", true, false, show_state, NULL, NULL},
	{"stats", false, false, show_stats, NULL, NULL},
	{"log", false, false, NULL, ctl_log, "follow"},
	{"attach", true, false, NULL, ctl_attach, NULL},
	{"focus", true, false, show_focus, NULL, NULL},
	{"permissions", true, false, show_words, NULL, NULL},
	{"image", false, false, show_image, NULL, NULL},
};

#define CTLS (sizeof(ctls) / sizeof(ctls[0]))

const char *ctl_command_name(const void *context, unsigned index)
{
	return index < CTLS ? ctls[index].name : NULL;
}

/* --- what is wanted -------------------------------------------------------------------------- */

static const struct ctl *find(const struct args *args, const char *name)
{
	const char *near;
	char hint[96];

	for (size_t i = 0; i < CTLS; i++) {
		if (strcmp(ctls[i].name, name) == 0)
			return &ctls[i];
	}
	near = suggest_hint(hint, sizeof(hint), name, ctl_command_name, NULL);
	args_wrong(args->command, "the board knows no command '%s'%s%s", name, near ? "; " : "",
		   near ? near : "");
	return NULL;
}

/* The table's command; NULL after a usage error. */
static const struct ctl *choose(const struct args *args)
{
	const struct ctl *ctl = find(args, args->operands[1]);

	if (!ctl)
		return NULL;
	if (ctl->of_capsule != (args->operand_count == 3)) {
		args_wrong(args->command, "'%s' takes %s", ctl->name,
			   ctl->of_capsule ? "the name of a capsule" : "no capsule");
		return NULL;
	}
	for (size_t i = 0; i < CTLS; i++) {
		if (&ctls[i] != ctl && ctls[i].option && args_has(args, ctls[i].option)) {
			args_wrong(args->command, "--%s is for '%s' only", ctls[i].option,
				   ctls[i].name);
			return NULL;
		}
	}
	return ctl;
}

/* --- doing it -------------------------------------------------------------------------------- */

static int greet(struct link *link)
{
	json_t *result;
	int status = link_ask(link, "hello", NULL, 0, &result);
	const json_t *protocol = json_object_get(result, "protocol");

	if (status == STATUS_DONE && json_integer_value(protocol) != CONTROL_PROTOCOL) {
		diag_error("the board at '%s' speaks another version of the protocol than %d",
			   link->path, CONTROL_PROTOCOL);
		status = STATUS_FAILED;
	}
	json_decref(result);
	return status;
}

static int ask_and_show(struct link *link, const struct ctl *ctl, const struct args *args,
			const char *capsule, unsigned grace_ms)
{
	json_t *members = json_object(), *result;
	int status;

	if (capsule)
		json_object_set_new(members, "capsule", json_string(capsule));
	if (grace_ms)
		json_object_set_new(members, "timeout_ms", json_integer(grace_ms));
	status = link_ask(link, ctl->name, members, (int)grace_ms, &result);
	if (status != STATUS_DONE)
		return status;
	if (args_has(args, "json")) {
		json_dumpf(result, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
		putchar('\n');
	} else {
		ctl->show(capsule, result);
	}
	json_decref(result);
	return STATUS_DONE;
}

int ctl_command(const struct args *args)
{
	const char *capsule = args->operand_count == 3 ? args->operands[2] : NULL;
	uint64_t timeout = DEFAULT_TIMEOUT, grace = DEFAULT_GRACE;
	const struct ctl *ctl = choose(args);
	struct link link;
	int status;

	if (!ctl || !args_number(args, "timeout", 1, MAX_SECONDS, &timeout) ||
	    !args_number(args, "grace", 1, MAX_SECONDS, &grace))
		return STATUS_USAGE;
	status = link_open(&link, args->operands[0], (int)timeout * 1000);
	if (status == STATUS_DONE)
		status = greet(&link);
	if (status == STATUS_DONE && ctl->run)
		status = ctl->run(&link, args, capsule);
	else if (status == STATUS_DONE)
		status = ask_and_show(&link, ctl, args, capsule,
				      ctl->kills_late ? (unsigned)grace * 1000 : 0);
	link_close(&link);
	return status;
}
