/* SPDX-License-Identifier: MIT */
/*
 * Would a board start an image? The library's own checks, which are the board's, and what the
 * hypervisor asks of a board when it makes capsules.
 */
#include "inspect.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/boards.h"
#include "common/diag.h"
#include "common/json.h"
#include "common/size.h"
#include "common/suggest.h"
#include "run/run.h"
#include "sign/seal.h"
#include "unpack.h"

/*
 * What the hypervisor takes for itself, and for each vCPU and the devices of each capsule; more
 * than it is, by a little. To that comes a bit for each page of RAM.
 */
#define HYPERVISOR_RAM (UINT64_C(3) << 20)
#define VCPU_RAM       (UINT64_C(8) << 10)
#define PAGES_A_BYTE   (UINT64_C(8) * 4096)

#define MAX_FINDINGS (9 + 3 * DMFS_MAX_CAPSULES)

struct finding {
	bool good;
	const char *check;   /* a word for programs */
	const char *capsule; /* NULL: of the whole image */
	const char *text;    /* a sentence */
	const char *advice;  /* what to do; NULL when good */
};

struct case_file {
	struct arena arena;
	const struct args *args;
	struct board_facts board;
	struct board_demand demand;
	struct trust_keys trust;
	uint8_t *secret; /* of --unseal, of sodium_malloc(); NULL without */
	struct image_file file;
	struct finding findings[MAX_FINDINGS];
	unsigned count, bad;
};

static void find_good(struct case_file *c, const char *check, const char *capsule, const char *text)
{
	c->findings[c->count++] = (struct finding){true, check, capsule, text, NULL};
}

static void find_bad(struct case_file *c, const char *check, const char *capsule, const char *text,
		     const char *advice)
{
	c->findings[c->count++] = (struct finding){false, check, capsule, text, advice};
	c->bad++;
}

/* --- what the library says -------------------------------------------------------------------- */

static const struct {
	enum dmfs_status status;
	const char *advice;
} advices[] = {
	{DMFS_ERR_UNSIGNED, "sign it: dmfs sign IMAGE --key NAME.key"},
	{DMFS_ERR_UNTRUSTED, "sign it with a key that the board trusts (dmfs sign), or put the "
			     "signer's public key into the board's hypervisor (dmfs bundle)"},
	{DMFS_ERR_SIGNATURE, "image or signature were changed after signing: get it again from who "
			     "made it, or pack and sign it again"},
	{DMFS_ERR_ROLLBACK, "take a newer image, or raise 'rollback' of the manifest and pack it "
			    "again"},
	{DMFS_ERR_BOARD, "add the board to 'boards' of the manifest and pack it again"},
	{DMFS_ERR_SEALED, "name the board's key with --unseal, or let who has another one seal the "
			  "image to it (dmfs reseal)"},
	{DMFS_ERR_HASH, "the file is damaged: get it again, or pack it again"},
	{DMFS_ERR_INFLATE, "the file is damaged: get it again, or pack it again"},
	{DMFS_ERR_TRUNCATED, "the file is not whole: get it again"},
	{DMFS_ERR_MAGIC, "name an image that 'dmfs pack' made"},
};

static void judge(struct case_file *c, const char *check, enum dmfs_status status, const char *good)
{
	const char *advice = "pack it again with this version of dmfs";

	if (status == DMFS_OK) {
		find_good(c, check, NULL, good);
		return;
	}
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
		if (advices[i].status == status)
			advice = advices[i].advice;
	}
	find_bad(c, check, NULL, dmfs_strerror(status), advice);
}

static const char *signers(struct case_file *c)
{
	const struct dmfs_trust *trust = &c->trust.trust;
	const char *text = "signed by";
	char id[KEY_ID_TEXT_LEN];

	for (uint32_t i = 0; i < trust->count; i++) {
		if (c->file.signers >> i & 1)
			text = arena_printf(&c->arena, "%s key %s,", text,
					    key_id_text(id, trust->keys[i]));
	}
	for (uint32_t i = 0; i < c->trust.next.count; i++) {
		if (c->file.signers >> (DMFS_NEXT_SIGNERS + i) & 1)
			text = arena_printf(&c->arena, "%s key %s of the next trust set,", text,
					    key_id_text(id, c->trust.next_keys[i]));
	}
	return arena_printf(&c->arena, "%s %u of %u trusted keys needed", text, trust->threshold,
			    trust->count);
}

static void check_contents(struct case_file *c)
{
	struct unpack_failure failure;
	struct dmfs_object object;

	if (unpack_quietly(&c->file, 0, c->file.image.chunks, -1, "checking", &failure)) {
		find_good(c, "contents", NULL,
			  c->file.image.encrypted && !c->file.content_key
				  ? "every byte of it, encrypted or not, is what was signed"
				  : "every byte of it is what was signed");
		return;
	}
	if (failure.error) {
		find_bad(c, "contents", NULL, strerror(failure.error), "try again");
		return;
	}
	object = unpack_object_of(&c->file.image, failure.chunk);
	find_bad(c, "contents", NULL,
		 arena_printf(&c->arena, "object %.*s: %s", (int)object.name.len, object.name.data,
			      dmfs_strerror(failure.status)),
		 "the file is damaged: get it again, or pack it again");
}

static void check_encryption(struct case_file *c)
{
	struct image_file *file = &c->file;
	enum dmfs_status status = DMFS_ERR_SEALED;

	if (!file->image.encrypted)
		return;
	if (c->secret)
		file->content_key = sodium_malloc(DMFS_CONTENT_KEY_LEN);
	if (file->content_key)
		status = dmfs_unseal(&file->image, c->secret, file->content_key);
	if (status != DMFS_OK) {
		sodium_free(file->content_key);
		file->content_key = NULL;
	}
	judge(c, "encryption", status, "the board's key decrypts it");
}

static void check_image(struct case_file *c)
{
	const struct dmfs_image *image = &c->file.image;
	const char *compatible = c->demand.compatible;
	enum dmfs_status status = dmfs_check_signatures(image, &c->trust.trust, &c->file.signers);

	judge(c, "signatures", status, status == DMFS_OK ? signers(c) : NULL);
	status = dmfs_check_rollback(image, c->demand.rollback);
	judge(c, "rollback", status,
	      arena_printf(&c->arena, "its rollback index %" PRIu64 " is at least %" PRIu64,
			   image->rollback, c->demand.rollback));
	/* The rollback index has been judged. */
	judge(c, "board", dmfs_check_board(image, &compatible, 1, 0),
	      arena_printf(&c->arena, "it is made for %s, or for any board", compatible));
	check_encryption(c);
	check_contents(c);
}

/* --- what the board has ----------------------------------------------------------------------- */

static void check_memory(struct case_file *c)
{
	const struct dmfs_image *image = &c->file.image;
	uint64_t own = HYPERVISOR_RAM + c->board.ram_len / PAGES_A_BYTE + image->extent.image_len;
	uint64_t capsules = 0;
	char need_text[24], have_text[24], own_text[24];
	const char *text;
	bool fits;

	for (uint32_t i = 0; i < image->capsules; i++) {
		struct dmfs_capsule capsule = dmfs_capsule(image, i);

		capsules += capsule.memory;
		own += (capsule.cpus + 1) * VCPU_RAM;
	}
	/* While the image is copied to where nobody else writes, it is there twice. */
	fits = own + image->extent.image_len <= c->board.ram_len &&
	       capsules <= (c->board.ram_len - own) / DMFS_MEMORY_UNIT * DMFS_MEMORY_UNIT;
	text = arena_printf(&c->arena,
			    "capsules need %s, image and hypervisor %s; the board has %s",
			    size_text(need_text, capsules), size_text(own_text, own),
			    size_text(have_text, c->board.ram_len));
	if (fits)
		find_good(c, "memory", NULL, text);
	else
		find_bad(c, "memory", NULL, text,
			 "lower 'memory' in the manifest, take capsules out, or take a board with "
			 "more RAM");
}

static const char *hart_list(struct case_file *c, uint64_t harts)
{
	const char *text = "";

	for (unsigned i = 0; i < 64; i++) {
		if (harts >> i & 1)
			text = arena_printf(&c->arena, "%s%s%u", text, *text ? ", " : "", i);
	}
	return text;
}

static void check_harts(struct case_file *c, const struct dmfs_capsule *capsule, const char *name)
{
	uint64_t harts =
		(capsule->affinity ? capsule->affinity : UINT64_MAX) & c->board.guest_harts;

	if (harts)
		find_good(c, "harts", name,
			  arena_printf(&c->arena, "may run on hart %s", hart_list(c, harts)));
	else if (c->board.guest_harts)
		find_bad(c, "harts", name,
			 arena_printf(&c->arena, "wants hart %s only; those for guests are %s",
				      hart_list(c, capsule->affinity),
				      hart_list(c, c->board.guest_harts)),
			 "change or drop 'affinity' in the manifest");
	else
		find_bad(c, "harts", name, "no hart of this board can run guests",
			 "take a board whose harts have an S-mode with translation");
}

/* Without H a guest sees its RAM where it is, and at the RAM's start the hypervisor is. */
static void check_address(struct case_file *c, const struct dmfs_capsule *capsule, const char *name)
{
	uint64_t end = c->board.ram_base + c->board.ram_len;
	bool there = c->board.ram_base + HYPERVISOR_RAM <= DMFS_GUEST_RAM_BASE &&
		     DMFS_GUEST_RAM_BASE <= end && capsule->memory <= end - DMFS_GUEST_RAM_BASE;

	if (c->board.has_h)
		find_good(c, "address", name, "sees its RAM at 0x80000000, by the H extension");
	else if (capsule->flags & DMFS_CAPSULE_RELOCATABLE)
		find_good(c, "address", name, "its kernel runs at any address");
	else if (there)
		find_good(c, "address", name, "its kernel's one address is in the board's RAM");
	else
		find_bad(c, "address", name,
			 "its kernel runs at one address only, which a board without the H "
			 "extension cannot give it",
			 "build the kernel position independent ('relocatable: true' says that it "
			 "is), or take a board with the H extension");
}

/* Where the number of entries is known; a device tree does not say it. */
static void check_pmp(struct case_file *c)
{
	unsigned needed = board_pmp_needed(&c->board);
	const char *text;

	if (!c->board.pmp_entries)
		return;
	text = arena_printf(&c->arena, "each hart has %u PMP entries; %u are needed",
			    c->board.pmp_entries, needed);
	if (c->board.pmp_entries >= needed)
		find_good(c, "pmp", NULL, text);
	else
		find_bad(c, "pmp", NULL, text, "take a board whose harts have more PMP entries");
}

static void check_board(struct case_file *c)
{
	check_memory(c);
	check_pmp(c);
	for (uint32_t i = 0; i < c->file.image.capsules; i++) {
		struct dmfs_capsule capsule = dmfs_capsule(&c->file.image, i);
		const char *name = arena_copy(&c->arena, capsule.name.data, capsule.name.len);

		check_harts(c, &capsule, name);
		check_address(c, &capsule, name);
	}
}

/* --- telling ---------------------------------------------------------------------------------- */

static void print_case(struct case_file *c)
{
	char ram[24];

	diag_put_clean(stdout, c->file.path, strlen(c->file.path));
	printf(" on %s: %s, %s RAM, harts for guests: %s, %s H extension\n", c->board.name,
	       c->board.compatible, size_text(ram, c->board.ram_len),
	       hart_list(c, c->board.guest_harts), c->board.has_h ? "with" : "without");
	for (unsigned i = 0; i < c->count; i++) {
		const struct finding *f = &c->findings[i];
		const char *line = f->capsule
					   ? arena_printf(&c->arena, "%s: %s", f->capsule, f->text)
					   : f->text;

		inspect_print_field(f->good ? "  ok  " : "  NO  ", f->check, line, strlen(line));
		if (f->advice)
			inspect_print_field("      ", "  what to do", f->advice, strlen(f->advice));
	}
	if (c->bad)
		printf("%s would not start it: %u reason%s\n", c->board.name, c->bad,
		       c->bad == 1 ? "" : "s");
	else
		printf("%s would start it\n", c->board.name);
}

static void print_case_json(struct case_file *c)
{
	struct json json = {.out = stdout};

	json_begin_result(&json, "explain");
	json_text(&json, "image", c->file.path);
	json_text(&json, "board", c->board.name);
	json_text(&json, "compatible", c->board.compatible);
	json_bool(&json, "starts", c->bad == 0);
	json_begin_array(&json, "checks");
	for (unsigned i = 0; i < c->count; i++) {
		const struct finding *f = &c->findings[i];

		json_begin_object(&json, NULL);
		json_text(&json, "check", f->check);
		json_text(&json, "capsule", f->capsule);
		json_bool(&json, "good", f->good);
		json_text(&json, "text", f->text);
		json_text(&json, "advice", f->advice);
		json_end_object(&json);
	}
	json_end_array(&json);
	json_end_object(&json);
}

/* As `dmfs run` has it: a board with H can do without. */
static bool read_isolation(struct case_file *c)
{
	const char *way = args_value(c->args, "isolation", 0);
	bool pmp = way && strcmp(way, "pmp") == 0, gstage = way && strcmp(way, "gstage") == 0;

	if (way && !pmp && !gstage && strcmp(way, "auto") != 0)
		args_wrong(c->args->command, "--isolation is auto, gstage or pmp, not '%s'", way);
	else if (gstage && !c->board.has_h)
		args_wrong(c->args->command, "%s has no H extension, so no isolation by gstage",
			   c->board.name);
	else
		c->board.has_h = c->board.has_h && !pmp;
	return !way || pmp || strcmp(way, "auto") == 0 || (gstage && c->board.has_h);
}

static int read_facts(struct case_file *c)
{
	int status = board_choose(&c->board, &c->arena, c->args, args_value(c->args, "board", 0));
	uint64_t harts = 0;

	if (status != STATUS_DONE)
		return status;
	c->demand.compatible = c->board.compatible;
	run_defaults(c->board.name, &c->board.guest_harts, &c->board.ram_len);
	if (!args_number(c->args, "rollback", 0, UINT64_MAX, &c->demand.rollback) ||
	    !args_size(c->args, "memory", UINT64_C(32) << 20, UINT64_C(1) << 40,
		       &c->board.ram_len) ||
	    !args_number(c->args, "harts", 1, 64, &harts))
		return STATUS_USAGE;
	if (c->board.ram_len == 0)
		return args_wrong(c->args->command,
				  "how much RAM %s has is not known; say --memory", c->board.name);
	/* From the first one on, as boards number them. */
	if (harts && c->board.guest_harts)
		c->board.guest_harts = (harts == 64 ? UINT64_MAX : (UINT64_C(1) << harts) - 1)
				       << __builtin_ctzll(c->board.guest_harts);
	if (!read_isolation(c))
		return STATUS_USAGE;
	return STATUS_DONE;
}

/* Of an image that is not well formed a board may say something else: it looks at signatures first.
 */
static void check_first_words(struct case_file *c, enum dmfs_status structure)
{
	struct dmfs_image image;
	enum dmfs_status status = dmfs_open_verified(&image, c->file.bytes.data, c->file.bytes.len,
						     true, &c->trust.trust, NULL);

	if (status != structure)
		judge(c, "signatures", status, NULL);
}

int explain_command(const struct args *args)
{
	static struct case_file c;
	enum dmfs_status status;
	int done;

	c = (struct case_file){.args = args, .file = {.path = args->operands[0]}};
	done = read_facts(&c);
	if (done == STATUS_DONE)
		done = trust_keys_read(&c.trust, args);
	if (done == STATUS_DONE)
		done = unseal_key_read(&c.secret, args);
	if (done == STATUS_DONE)
		done = file_read_or_say(c.file.path, FILE_LIMIT, &c.file.bytes);
	if (done != STATUS_DONE) {
		sodium_free(c.secret);
		arena_free(&c.arena);
		return done;
	}
	status = dmfs_open_unverified(&c.file.image, c.file.bytes.data, c.file.bytes.len, true);
	judge(&c, "structure", status, "it is a well-formed image");
	if (status == DMFS_OK) {
		check_image(&c);
		check_board(&c);
	} else {
		check_first_words(&c, status);
	}
	if (args_has(args, "json"))
		print_case_json(&c);
	else
		print_case(&c);
	sodium_free(c.secret);
	image_file_free(&c.file);
	arena_free(&c.arena);
	return c.bad ? STATUS_REFUSED : STATUS_DONE;
}
