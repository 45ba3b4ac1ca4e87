/* SPDX-License-Identifier: MIT */
#include "inspect.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/diag.h"
#include "common/size.h"

#define COLUMNS       100u
#define LABEL_COLUMNS 14u

int inspect_read(struct image_file *file, const struct args *args, const char *path,
		 struct trust_keys *trust)
{
	bool wanted = args_has(args, "trust");
	int status = STATUS_DONE;

	if (!wanted && args_has(args, "threshold"))
		return args_wrong(args->command, "--threshold says nothing without --trust");
	if (wanted)
		status = trust_keys_read(trust, args);
	return status == STATUS_DONE ? image_file_read(file, path, wanted ? &trust->trust : NULL)
				     : status;
}

uint64_t inspect_stored_len(const struct dmfs_image *image, const struct dmfs_object *object)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < object->chunk_count; i++)
		sum += dmfs_chunk(image, object->first_chunk + i).stored_len;
	return sum;
}

const char *inspect_hash(char text[INSPECT_HASH_TEXT_LEN], const struct dmfs_image *image,
			 const struct dmfs_object *object)
{
	crypto_generichash_state state;
	uint8_t hash[DMFS_HASH_LEN];

	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	for (uint32_t i = 0; i < object->chunk_count; i++)
		crypto_generichash_update(&state, dmfs_chunk(image, object->first_chunk + i).hash,
					  DMFS_HASH_LEN);
	crypto_generichash_final(&state, hash, sizeof(hash));
	return sodium_bin2hex(text, INSPECT_HASH_TEXT_LEN, hash, (INSPECT_HASH_TEXT_LEN - 1) / 2);
}

const char *inspect_time(char *buf, uint64_t seconds)
{
	time_t when = (time_t)seconds;
	struct tm tm;

	if (seconds == 0 || seconds > UINT32_MAX * UINT64_C(50) || !gmtime_r(&when, &tm))
		return seconds ? "out of range" : "no time";
	strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf;
}

bool inspect_is_trusted(const struct image_file *file, const struct trust_keys *trust,
			const uint8_t *key)
{
	if (!file->verified)
		return false;
	for (uint32_t i = 0; i < trust->trust.count; i++) {
		if (file->signers >> i & 1 && memcmp(trust->keys[i], key, DMFS_PUBLIC_KEY_LEN) == 0)
			return true;
	}
	for (uint32_t i = 0; i < trust->next.count; i++) {
		if (file->signers >> (DMFS_NEXT_SIGNERS + i) & 1 &&
		    memcmp(trust->next_keys[i], key, DMFS_PUBLIC_KEY_LEN) == 0)
			return true;
	}
	return false;
}

/* --- the table ------------------------------------------------------------------------------- */

void inspect_print_field(const char *indent, const char *label, const char *text, size_t len)
{
	size_t room = COLUMNS - strlen(indent) - LABEL_COLUMNS;

	printf("%s%-*s", indent, (int)LABEL_COLUMNS, label);
	while (len > room) {
		size_t cut = room;

		while (cut > 0 && text[cut] != ' ')
			cut--;
		if (cut == 0)
			cut = room;
		diag_put_clean(stdout, text, cut);
		printf("\n%*s", (int)(COLUMNS - room), "");
		text += cut;
		len -= cut;
		while (len > 0 && *text == ' ') {
			text++;
			len--;
		}
	}
	diag_put_clean(stdout, text, len);
	putchar('\n');
}

static void print_text(const char *indent, const char *label, const char *text)
{
	inspect_print_field(indent, label, text, strlen(text));
}

static void print_boards(const struct dmfs_image *image)
{
	const char *label = "boards";

	for (uint32_t i = 0; i < image->properties; i++) {
		struct dmfs_property property = dmfs_property(image, i);

		if (!dmfs_str_is(property.key, "board"))
			continue;
		inspect_print_field("  ", label, property.value.data, property.value.len);
		label = "";
	}
	if (*label)
		print_text("  ", label, "any");
}

static void print_properties(const struct dmfs_image *image)
{
	for (uint32_t i = 0; i < image->properties; i++) {
		struct dmfs_property property = dmfs_property(image, i);
		char label[DMFS_MAX_NAME_LEN + 1];

		if (dmfs_str_is(property.key, "board"))
			continue;
		snprintf(label, sizeof(label), "%.*s", (int)property.key.len, property.key.data);
		inspect_print_field("  ", label, property.value.data, property.value.len);
	}
}

static void print_signatures(const struct image_file *file, const struct trust_keys *trust)
{
	const struct dmfs_image *image = &file->image;
	char line[64], id[KEY_ID_TEXT_LEN];

	for (uint32_t i = 0; i < image->extent.signatures; i++) {
		const uint8_t *key = dmfs_signature_key(image, i);

		snprintf(line, sizeof(line), "key %s%s", key_id_text(id, key),
			 inspect_is_trusted(file, trust, key) ? ", trusted, holds"
							      : ", not checked");
		print_text("  ", i ? "" : "signatures", line);
	}
	if (image->extent.signatures == 0)
		print_text("  ", "signatures", "none: no board takes this image");
	print_text("  ", "verified",
		   file->verified
			   ? "yes, by the trusted keys; contents are checked by 'dmfs verify'"
			   : "NO: nothing was verified, this is what the file claims (--trust "
			     "NAME.pub verifies)");
}

static void print_head(const struct image_file *file, const struct trust_keys *trust)
{
	const struct dmfs_image *image = &file->image;
	char line[96], size[24], chunk[24], when[32];

	printf("%.*s %.*s\n", (int)image->name.len, image->name.data, (int)image->version.len,
	       image->version.data);
	snprintf(line, sizeof(line), "%" PRIu64, image->rollback);
	print_text("  ", "rollback", line);
	print_text("  ", "created", inspect_time(when, image->created));
	snprintf(line, sizeof(line), "%s in %u chunks of %s",
		 size_text(size, image->extent.image_len), image->chunks,
		 size_text(chunk, image->chunk_len));
	print_text("  ", "size", line);
	print_boards(image);
	print_properties(image);
	print_signatures(file, trust);
}

static void print_objects(const struct dmfs_image *image)
{
	printf("\n%-40s %-10s %8s %8s %6s  %s\n", "object", "type", "raw", "stored", "ratio",
	       "hash");
	for (uint32_t i = 0; i < image->objects; i++) {
		struct dmfs_object object = dmfs_object(image, i);
		uint64_t stored = inspect_stored_len(image, &object);
		char raw_text[24], stored_text[24], hash[INSPECT_HASH_TEXT_LEN];

		/* A longer name gets a line of its own. */
		printf("%.*s", (int)object.name.len, object.name.data);
		if (object.name.len > 40)
			printf("\n%40s", "");
		else
			printf("%*s", (int)(40 - object.name.len), "");
		printf(" %-10s %8s %8s %5.1f%%  %s\n", dmfs_object_type_name(object.type),
		       size_text(raw_text, object.raw_len), size_text(stored_text, stored),
		       100.0 * (double)stored / (double)object.raw_len,
		       inspect_hash(hash, image, &object));
	}
	if (!image->encrypted)
		return;
	for (uint32_t i = 0; i < image->objects; i++) {
		struct dmfs_object object = dmfs_object(image, i);

		if (object.flags & DMFS_OBJECT_ENCRYPTED)
			printf("encrypted: %.*s\n", (int)object.name.len, object.name.data);
	}
	printf("encrypted to %u key%s\n", image->extent.sealed_keys,
	       image->extent.sealed_keys == 1 ? "" : "s");
}

/* Words for the bits that are set, with commas; `word` NULL: their numbers. */
static void print_bits(const char *label, uint64_t bits, const char *(*word)(unsigned),
		       const char *none)
{
	char text[512];
	size_t at = 0;

	for (unsigned i = 0; i < 64; i++) {
		if (!(bits >> i & 1) || at >= sizeof(text))
			continue;
		if (word)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", at ? ", " : "",
					       word(i));
		else
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u", at ? ", " : "",
					       i);
	}
	print_text("  ", label, at ? text : none);
}

static void print_loaded(const struct dmfs_image *image, const char *label, uint32_t index,
			 uint64_t address, const char *more)
{
	struct dmfs_object object = dmfs_object(image, index);
	char line[128];

	snprintf(line, sizeof(line), "%.*s at 0x%" PRIx64 "%s", (int)object.name.len,
		 object.name.data, address, more);
	print_text("  ", label, line);
}

static void print_capsule(const struct dmfs_image *image, const struct dmfs_capsule *capsule)
{
	char line[128], memory[24];

	printf("\n%s %.*s\n", capsule->kind == DMFS_GUEST ? "guest" : "service",
	       (int)capsule->name.len, capsule->name.data);
	snprintf(line, sizeof(line), "%s memory, %u vCPU%s, priority %s, restart %s",
		 size_text(memory, capsule->memory), capsule->cpus, capsule->cpus == 1 ? "" : "s",
		 dmfs_priority_name(capsule->priority), dmfs_restart_name(capsule->restart));
	print_text("  ", "resources", line);
	if (capsule->cpu_limit) {
		snprintf(line, sizeof(line), "%u percent of a hart for each vCPU",
			 capsule->cpu_limit);
		print_text("  ", "limit", line);
	}
	print_bits("harts", capsule->affinity, NULL, "any");
	print_bits("permissions", capsule->permissions, dmfs_permission_name, "none");
	snprintf(line, sizeof(line), ", entry 0x%" PRIx64 "%s", capsule->entry,
		 capsule->flags & DMFS_CAPSULE_RELOCATABLE ? ", relocatable" : "");
	print_loaded(image, capsule->kind == DMFS_GUEST ? "kernel" : "program", capsule->kernel,
		     capsule->kernel_load, line);
	if (capsule->initrd != DMFS_NONE)
		print_loaded(image, "initrd", capsule->initrd, capsule->initrd_load, "");
	print_loaded(image, "devicetree", capsule->devicetree, capsule->devicetree_load, "");
	if (capsule->cmdline.len)
		inspect_print_field("  ", "cmdline", capsule->cmdline.data, capsule->cmdline.len);
}

int inspect_command(const struct args *args)
{
	const char *page = args_value(args, "html", 0);
	struct trust_keys trust;
	struct image_file file;
	int status;

	if (page && strcmp(page, "-") == 0 && args_has(args, "json"))
		return args_wrong(args->command, "--json and --html - both want standard output");
	status = inspect_read(&file, args, args->operands[0], &trust);
	if (status != STATUS_DONE)
		return status;
	if (page)
		status = inspect_write_html(page, &file, &trust);
	if (args_has(args, "json")) {
		inspect_print_json(&file, &trust);
	} else if (!page) {
		print_head(&file, &trust);
		print_objects(&file.image);
		for (uint32_t i = 0; i < file.image.capsules; i++) {
			struct dmfs_capsule capsule = dmfs_capsule(&file.image, i);

			print_capsule(&file.image, &capsule);
		}
	}
	image_file_free(&file);
	return status;
}
