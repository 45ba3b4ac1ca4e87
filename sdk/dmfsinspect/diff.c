/* SPDX-License-Identifier: MIT */
#include "inspect.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/diag.h"
#include "common/json.h"
#include "common/size.h"

/*
 * An image as a list of facts, "guest linux", "memory", "256M". Two images are compared by
 * comparing their facts, so that whatever is described here is compared too.
 */
struct fact {
	const char *item, *field, *value;
};

struct facts {
	struct arena *arena;
	struct fact *list;
	unsigned count, room;
};

static void add(struct facts *facts, const char *item, const char *field, const char *value)
{
	if (facts->count == facts->room) {
		struct fact *more;

		facts->room = facts->room ? 2 * facts->room : 256;
		more = arena_alloc(facts->arena, facts->room * sizeof(*more));
		if (facts->count)
			memcpy(more, facts->list, facts->count * sizeof(*more));
		facts->list = more;
	}
	facts->list[facts->count++] = (struct fact){item, field, value};
}

static void add_number(struct facts *facts, const char *item, const char *field, uint64_t value)
{
	add(facts, item, field, arena_printf(facts->arena, "%" PRIu64, value));
}

static void add_address(struct facts *facts, const char *item, const char *field, uint64_t value)
{
	add(facts, item, field, arena_printf(facts->arena, "0x%" PRIx64, value));
}

static const char *text_of(struct facts *facts, struct dmfs_str s)
{
	return arena_copy(facts->arena, s.data, s.len);
}

static const char *size_of(struct facts *facts, uint64_t bytes)
{
	char buf[24];

	size_text(buf, bytes);
	/* Exact, also where the short form rounds. */
	return strchr(buf, '.') ? arena_printf(facts->arena, "%" PRIu64 "B", bytes)
				: arena_printf(facts->arena, "%s", buf);
}

static void add_image(struct facts *facts, const struct dmfs_image *image)
{
	char id[KEY_ID_TEXT_LEN], when[32];

	add(facts, "image", "name", text_of(facts, image->name));
	add(facts, "image", "version", text_of(facts, image->version));
	add_number(facts, "image", "rollback", image->rollback);
	add(facts, "image", "created",
	    arena_printf(facts->arena, "%s", inspect_time(when, image->created)));
	add(facts, "image", "chunk length", size_of(facts, image->chunk_len));
	for (uint32_t i = 0; i < image->properties; i++) {
		struct dmfs_property p = dmfs_property(image, i);

		add(facts,
		    arena_printf(facts->arena, "property %u %s=%s", p.owner, text_of(facts, p.key),
				 text_of(facts, p.value)),
		    "", "");
	}
	for (uint32_t i = 0; i < image->extent.signatures; i++)
		add(facts,
		    arena_printf(facts->arena, "signature %s",
				 key_id_text(id, dmfs_signature_key(image, i))),
		    "", "");
}

static void add_object(struct facts *facts, const struct dmfs_image *image,
		       const struct dmfs_object *object)
{
	const char *item = arena_printf(facts->arena, "object %s", text_of(facts, object->name));
	char hash[INSPECT_HASH_TEXT_LEN];

	add(facts, item, "", "");
	add(facts, item, "type", dmfs_object_type_name(object->type));
	add(facts, item, "length", size_of(facts, object->raw_len));
	add(facts, item, "length in memory", size_of(facts, object->mem_len));
	add(facts, item, "stored bytes",
	    arena_printf(facts->arena, "%s", inspect_hash(hash, image, object)));
}

static const char *object_name(struct facts *facts, const struct dmfs_image *image, uint32_t index)
{
	return index == DMFS_NONE ? "none" : text_of(facts, dmfs_object(image, index).name);
}

static const char *words_of(struct facts *facts, uint64_t bits, const char *(*word)(unsigned))
{
	const char *text = "";

	for (unsigned i = 0; i < 64; i++) {
		if (!(bits >> i & 1))
			continue;
		text = word ? arena_printf(facts->arena, "%s%s%s", text, *text ? ", " : "", word(i))
			    : arena_printf(facts->arena, "%s%s%u", text, *text ? ", " : "", i);
	}
	return *text ? text : "none";
}

static void add_capsule(struct facts *facts, const struct dmfs_image *image,
			const struct dmfs_capsule *c)
{
	const char *item =
		arena_printf(facts->arena, "%s %s", c->kind == DMFS_GUEST ? "guest" : "service",
			     text_of(facts, c->name));

	add(facts, item, "", "");
	add(facts, item, "memory", size_of(facts, c->memory));
	add_number(facts, item, "cpus", c->cpus);
	add_number(facts, item, "cpu_limit", c->cpu_limit);
	add(facts, item, "priority", dmfs_priority_name(c->priority));
	add(facts, item, "restart", dmfs_restart_name(c->restart));
	add_number(facts, item, "restart_limit", c->restart_limit);
	add(facts, item, "affinity", c->affinity ? words_of(facts, c->affinity, NULL) : "any");
	add(facts, item, "permissions", words_of(facts, c->permissions, dmfs_permission_name));
	add(facts, item, "relocatable", c->flags & DMFS_CAPSULE_RELOCATABLE ? "yes" : "no");
	add(facts, item, "kernel", object_name(facts, image, c->kernel));
	add(facts, item, "initrd", object_name(facts, image, c->initrd));
	add(facts, item, "devicetree", object_name(facts, image, c->devicetree));
	add_address(facts, item, "entry", c->entry);
	add_address(facts, item, "kernel address", c->kernel_load);
	add_address(facts, item, "initrd address", c->initrd_load);
	add_address(facts, item, "devicetree address", c->devicetree_load);
	add(facts, item, "cmdline", arena_printf(facts->arena, "'%s'", text_of(facts, c->cmdline)));
}

static void describe(struct facts *facts, const struct dmfs_image *image)
{
	add_image(facts, image);
	for (uint32_t i = 0; i < image->objects; i++) {
		struct dmfs_object object = dmfs_object(image, i);

		add_object(facts, image, &object);
	}
	for (uint32_t i = 0; i < image->capsules; i++) {
		struct dmfs_capsule capsule = dmfs_capsule(image, i);

		add_capsule(facts, image, &capsule);
	}
}

static const struct fact *find(const struct facts *facts, const struct fact *wanted)
{
	for (unsigned i = 0; i < facts->count; i++) {
		if (strcmp(facts->list[i].item, wanted->item) == 0 &&
		    strcmp(facts->list[i].field, wanted->field) == 0)
			return &facts->list[i];
	}
	return NULL;
}

static void put(const char *text)
{
	diag_put_clean(stdout, text, strlen(text));
}

/* Where differences go, and how many there were. */
struct report {
	struct json *json; /* NULL: lines for people */
	unsigned count;
};

/* A whole item that only one image has (`was` and `is` NULL), or a field that changed. */
static void tell(struct report *report, char sign, const struct fact *was, const struct fact *is)
{
	static const char *const words[] = {['-'] = "removed", ['+'] = "added", ['~'] = "changed"};
	const char *blank = strchr(was->item, ' ');

	report->count++;
	if (report->json) {
		json_begin_object(report->json, NULL);
		json_text(report->json, "change", words[(unsigned char)sign]);
		json_bytes(report->json, "kind", was->item,
			   blank ? (size_t)(blank - was->item) : strlen(was->item));
		json_text(report->json, "name", blank ? blank + 1 : NULL);
		if (is) {
			json_text(report->json, "field", was->field);
			json_text(report->json, "was", was->value);
			json_text(report->json, "is", is->value);
		}
		json_end_object(report->json);
		return;
	}
	printf("%c ", sign);
	put(was->item);
	if (is) {
		printf(": %s ", was->field);
		put(was->value);
		fputs(" -> ", stdout);
		put(is->value);
	}
	putchar('\n');
}

/* Items that only `a` has. */
static void tell_missing(struct report *report, char sign, const struct facts *a,
			 const struct facts *b)
{
	for (unsigned i = 0; i < a->count; i++) {
		if (!*a->list[i].field && !find(b, &a->list[i]))
			tell(report, sign, &a->list[i], NULL);
	}
}

static void tell_changed(struct report *report, const struct facts *a, const struct facts *b)
{
	for (unsigned i = 0; i < a->count; i++) {
		const struct fact *is = find(b, &a->list[i]);

		if (is && strcmp(a->list[i].value, is->value) != 0)
			tell(report, '~', &a->list[i], is);
	}
}

static unsigned compare(const struct args *args, const struct facts *a, const struct facts *b)
{
	struct json json = {.out = stdout};
	struct report report = {args_has(args, "json") ? &json : NULL, 0};

	if (report.json) {
		json_begin_result(&json, "diff");
		json_text(&json, "first", args->operands[0]);
		json_text(&json, "second", args->operands[1]);
		/* Neither image was verified: these are differences of what the files claim. */
		json_bool(&json, "verified", false);
		json_begin_array(&json, "differences");
	}
	tell_missing(&report, '-', a, b);
	tell_changed(&report, a, b);
	tell_missing(&report, '+', b, a);
	if (report.json) {
		json_end_array(&json);
		json_bool(&json, "same", report.count == 0);
		json_end_object(&json);
	}
	return report.count;
}

int diff_command(const struct args *args)
{
	struct arena arena = {NULL};
	struct facts a = {.arena = &arena}, b = {.arena = &arena};
	struct image_file first, second;
	unsigned differences;
	int status = image_file_read(&first, args->operands[0], NULL);

	if (status != STATUS_DONE)
		return status;
	status = image_file_read(&second, args->operands[1], NULL);
	if (status != STATUS_DONE) {
		image_file_free(&first);
		return status;
	}
	describe(&a, &first.image);
	describe(&b, &second.image);
	differences = compare(args, &a, &b);
	arena_free(&arena);
	image_file_free(&first);
	image_file_free(&second);
	return differences ? STATUS_REFUSED : STATUS_DONE;
}
