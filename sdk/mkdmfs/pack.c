/* SPDX-License-Identifier: MIT */
#include "pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "check.h"
#include "common/boards.h"
#include "common/diag.h"
#include "common/json.h"
#include "common/file.h"
#include "common/progress.h"
#include "common/size.h"
#include "common/suggest.h"
#include "dtgen/dtgen.h"
#include "plan.h"
#include "sign/image.h"
#include "sign/keys.h"
#include "sign/seal.h"
#include "sign/signer.h"

/* The time for the image: SOURCE_DATE_EPOCH or none, so that the clock never decides bytes. */
static bool read_epoch(uint64_t *created)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");

	if (!text || !*text || number_parse(text, created))
		return true;
	diag_error("SOURCE_DATE_EPOCH is '%s', not a number of seconds", text);
	return false;
}

static int read_options(const struct args *args, struct dmfs_write_plan *write)
{
	uint64_t threads = 0, level = 0, chunk = 0;
	bool is_signed = args_has(args, "key") || args_has(args, "signer");

	if (is_signed == args_has(args, "unsigned"))
		return args_wrong(
			args->command,
			is_signed
				? "--unsigned and --key or --signer contradict each other"
				: "sign with --key NAME.key ('dmfs keygen NAME' makes one), or say "
				  "--unsigned");
	if (!args_number(args, "jobs", 1, 1024, &threads) ||
	    !args_number(args, "level", 1, 12, &level) ||
	    !args_size(args, "chunk", DMFS_MIN_CHUNK_LEN, DMFS_MAX_CHUNK_LEN, &chunk))
		return STATUS_USAGE;
	if (args_has(args, "cache-size") && !args_has(args, "cache"))
		return args_wrong(args->command, "--cache-size says nothing without --cache");
	if (chunk & (chunk - 1))
		return args_wrong(args->command, "--chunk has to be a power of two");
	if (!read_epoch(&write->created))
		return STATUS_USAGE;
	write->threads = (unsigned)threads;
	write->level = (int)level;
	write->chunk_len = (uint32_t)chunk;
	return STATUS_DONE;
}

static int write_failed(struct plan *plan, const char *path, enum dmfs_status status)
{
	int error = errno;

	/* Whatever happened: when what was packed is not what was asked for, that is why. */
	if (plan_has_changed(plan))
		return STATUS_FAILED;
	errno = error;
	if (status == DMFS_ERR_SPACE)
		return diag_file("write", path, errno ? errno : ENOMEM);
	diag_error("the image cannot be made: %s", dmfs_strerror(status));
	return STATUS_REFUSED;
}

static void tell(const struct plan *plan, const char *path, uint64_t image_len, uint32_t keys)
{
	char raw_text[24], image_text[24];
	uint64_t raw = 0;

	for (uint32_t i = 0; i < plan->write.object_count; i++)
		raw += plan->objects[i].raw_len;
	diag_info("%s: %s from %s, %u object%s, %u capsule%s, %u signature%s", path,
		  size_text(image_text, image_len), size_text(raw_text, raw),
		  plan->write.object_count, plan->write.object_count == 1 ? "" : "s",
		  plan->write.capsule_count, plan->write.capsule_count == 1 ? "" : "s", keys,
		  keys == 1 ? "" : "s");
}

/* What the helpers of --signer are to dmfs_write(). */
struct signers {
	const struct args *args;
	int status; /* what was said about the first that failed; STATUS_DONE */
};

static enum dmfs_status ask_signer(void *context, uint32_t index, const void *region, uint64_t len,
				   uint8_t key[DMFS_PUBLIC_KEY_LEN],
				   uint8_t signature[DMFS_SIGNATURE_LEN])
{
	struct signers *signers = context;
	uint8_t answer[SIGNER_ANSWER_LEN];

	signers->status = signer_run(signers->args, index, region, len, answer);
	memcpy(key, answer, DMFS_PUBLIC_KEY_LEN);
	memcpy(signature, answer + DMFS_PUBLIC_KEY_LEN, DMFS_SIGNATURE_LEN);
	return signers->status == STATUS_DONE ? DMFS_OK : DMFS_ERR_UNSIGNED;
}

static int write_plan(struct plan *plan, const char *path, const struct secret_keys *secret,
		      const struct args *args)
{
	struct signers signers = {args, STATUS_DONE};
	struct progress progress = {.doing = "packing"};
	struct output output;
	enum dmfs_status written;
	off_t image_len;
	int status = output_open(&output, path);

	if (status != STATUS_DONE)
		return status;
	plan->write.progress = progress_update;
	plan->write.progress_context = &progress;
	plan->write.signer_count = args_count(args, "signer");
	plan->write.signer = ask_signer;
	plan->write.signer_context = &signers;
	errno = 0;
	written = dmfs_write(output.stream, &plan->write,
			     (const uint8_t(*)[DMFS_SECRET_KEY_LEN])secret->keys, secret->count);
	progress_end(&progress);
	if (signers.status != STATUS_DONE)
		status = signers.status;
	else if (written != DMFS_OK)
		status = write_failed(plan, output.name, written);
	else if (plan_has_changed(plan))
		status = STATUS_FAILED;
	if (status != STATUS_DONE) {
		output_discard(&output);
		return status;
	}
	fseeko(output.stream, 0, SEEK_END);
	image_len = ftello(output.stream);
	status = output_commit(&output);
	if (status == STATUS_DONE)
		tell(plan, path, (uint64_t)image_len,
		     secret->count + plan->write.signer_count);
	return status;
}

static int write_with_cache(struct plan *plan, const char *path, const struct secret_keys *secret,
			    const struct args *args)
{
	const char *folder = args_value(args, "cache", 0);
	uint64_t limit = CACHE_DEFAULT_LIMIT;
	struct cache cache;
	int status;

	if (!folder)
		return write_plan(plan, path, secret, args);
	if (!args_size(args, "cache-size", 1 << 20, UINT64_MAX, &limit))
		return STATUS_USAGE;
	status = cache_open(&cache, folder, limit);
	if (status != STATUS_DONE)
		return status;
	plan->write.cache = &cache.calls;
	status = write_plan(plan, path, secret, args);
	cache_close(&cache);
	return status;
}

/* Encryption takes both: the manifest says what, the command line to whom. */
static int set_recipients(struct plan *plan, const struct recipients *recipients)
{
	if (plan->encrypts && recipients->count == 0)
		diag_error("the manifest has parts to be encrypted; say to whom with --recipient "
			   "NAME.pub ('dmfs keygen --seal NAME' makes one)");
	else if (!plan->encrypts && recipients->count != 0)
		diag_error("nothing in the manifest is to be encrypted; say 'encrypt: true' for a "
			   "guest, or leave out --recipient");
	plan->write.recipients = (const uint8_t(*)[KEY_LEN])recipients->keys;
	plan->write.recipient_count = recipients->count;
	plan->write.content_key = recipients->content_key;
	return plan->encrypts == (recipients->count != 0) ? STATUS_DONE : STATUS_REFUSED;
}

int pack_command(const struct args *args)
{
	const char *path = args_value(args, "output", 0);
	struct dmfs_write_plan options = {0};
	struct recipients recipients;
	struct secret_keys secret;
	struct plan plan;
	int status = read_options(args, &options);

	if (status != STATUS_DONE)
		return status;
	if (!image_json_possible(args, path))
		return STATUS_USAGE;
	if (binary_on_terminal(path))
		return STATUS_USAGE;
	status = recipients_read(&recipients, args);
	if (status != STATUS_DONE)
		return status;
	status = content_key_make(&recipients, args);
	if (status == STATUS_DONE)
		status = secret_keys_read(&secret, args);
	if (status != STATUS_DONE) {
		recipients_free(&recipients);
		return status;
	}
	status = plan_make(&plan, args->operands[0]);
	plan.write.threads = options.threads;
	plan.write.level = options.level;
	plan.write.chunk_len = options.chunk_len;
	plan.write.created = options.created;
	if (status == STATUS_DONE) {
		check_consoles(&plan);
		check_named_boards(&plan, false);
		status = plan.report.errors ? STATUS_REFUSED : STATUS_DONE;
	}
	if (status == STATUS_DONE)
		status = set_recipients(&plan, &recipients);
	if (status == STATUS_DONE)
		status = write_with_cache(&plan, path, &secret, args);
	plan_free(&plan);
	recipients_free(&recipients);
	secret_keys_free(&secret);
	return status == STATUS_DONE ? image_tell_json(args, path) : status;
}

/* --- dmfs check, dmfs boards ----------------------------------------------------------------- */

static int check_given_boards(struct plan *plan, const struct args *args)
{
	const char *name;

	for (unsigned i = 0; (name = args_value(args, "board", i)) != NULL; i++) {
		struct board_facts board;
		int status = board_choose(&board, &plan->arena, args, name);

		if (status != STATUS_DONE)
			return status;
		check_board(plan, &board, (struct diag_place){0, 0, 0});
	}
	return STATUS_DONE;
}

static void tell_checked(const struct plan *plan, unsigned boards)
{
	const struct report *report = &plan->report;

	if (report->errors)
		return;
	diag_info("%s: nothing is wrong%s, checked against %u board%s", report->source.path,
		  report->warnings ? " but what is warned of" : "", boards, boards == 1 ? "" : "s");
}

int check_command(const struct args *args)
{
	unsigned boards = args_count(args, "board");
	struct plan plan;
	int status = plan_make(&plan, args->operands[0]);

	if (status == STATUS_DONE) {
		check_consoles(&plan);
		if (boards)
			status = check_given_boards(&plan, args);
		else
			boards = check_named_boards(&plan, true);
	}
	if (status == STATUS_DONE) {
		tell_checked(&plan, boards);
		status = plan.report.errors ? STATUS_REFUSED : STATUS_DONE;
	}
	plan_free(&plan);
	return status;
}

int boards_command(const struct args *args)
{
	const struct board_facts *board;

	printf("%-24s %-34s %6s %5s %s\n", "board", "", "RAM", "harts", "isolation");
	for (unsigned i = 0; (board = board_at(i)) != NULL; i++) {
		int harts = __builtin_popcountll(board->guest_harts);
		char ram[24] = "-", count[24] = "-";

		if (board->ram_len)
			size_text(ram, board->ram_len);
		if (board->guest_harts != UINT64_MAX)
			snprintf(count, sizeof(count), "%d", harts);
		printf("%-24s %-34s %6s %5s %s\n", board->name, board->title, ram, count,
		       board->has_h ? "gstage" : harts ? "pmp" : "none");
	}
	return STATUS_DONE;
}

/* --- dmfs dtgen ------------------------------------------------------------------------------ */

static int write_tree(const struct dmfs_write_object *tree, const char *path, bool source)
{
	char *text;
	int status;

	if (!source)
		return file_write(path, tree->data, tree->raw_len);
	text = dtgen_to_source(tree->data);
	if (!text) {
		diag_error("out of memory");
		return STATUS_FAILED;
	}
	status = file_write(path, text, strlen(text));
	free(text);
	return status;
}

static const char *capsule_name(const void *context, unsigned index)
{
	const struct plan *plan = context;

	/* Names of a plan are the manifest's, which are terminated. */
	return index < plan->write.capsule_count ? plan->capsules[index].name.data : NULL;
}

static int write_tree_of(const struct plan *plan, const char *guest, const char *path, bool source)
{
	const char *near;
	char hint[96];

	for (uint32_t i = 0; i < plan->write.capsule_count; i++) {
		const struct dmfs_capsule *capsule = &plan->capsules[i];

		if (dmfs_str_is(capsule->name, guest))
			return write_tree(&plan->objects[capsule->devicetree], path, source);
	}
	near = suggest_hint(hint, sizeof(hint), guest, capsule_name, plan);
	diag_error("the manifest has no guest or service '%s'%s%s", guest, near ? "; " : "",
		   near ? near : "");
	return STATUS_REFUSED;
}

static void print_tree_json(const struct args *args, const char *path, bool source)
{
	struct json json = {.out = stdout};

	json_begin_result(&json, "dtgen");
	json_text(&json, "manifest", args->operands[0]);
	json_text(&json, "guest", args->operands[1]);
	json_text(&json, "output", path);
	json_text(&json, "format", source ? "dts" : "dtb");
	json_end_object(&json);
}

int dtgen_command(const struct args *args)
{
	const char *path = args_value(args, "output", 0), *format = args_value(args, "format", 0);
	bool source = format ? strcmp(format, "dts") == 0 : !path;
	struct plan plan;
	int status;

	if (format && !source && strcmp(format, "dtb") != 0)
		return args_wrong(args->command, "--format is dtb or dts, not '%s'", format);
	path = path ? path : "-";
	if (!source && binary_on_terminal(path))
		return STATUS_USAGE;
	if (args_has(args, "json") && strcmp(path, "-") == 0)
		return args_wrong(args->command, "--json and the tree both want standard output");
	status = plan_make(&plan, args->operands[0]);
	if (status == STATUS_DONE)
		status = write_tree_of(&plan, args->operands[1], path, source);
	plan_free(&plan);
	if (status == STATUS_DONE && args_has(args, "json"))
		print_tree_json(args, path, source);
	return status;
}

int schema_command(const struct args *args)
{
	manifest_print_schema(stdout);
	return STATUS_DONE;
}
