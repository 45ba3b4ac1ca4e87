/* SPDX-License-Identifier: MIT */
#include "schema.h"

#include "common/boards.h"
#include "common/json.h"

#define IMAGE(field)   offsetof(struct manifest, image.field)
#define CAPSULE(field) offsetof(struct manifest_capsule, field)
#define KERNEL(field)  offsetof(struct manifest_kernel, field)

/* libdmfs' words have 32-bit indices or `unsigned`, which is the same. */
static const char *priority_word(unsigned index)
{
	return dmfs_priority_name(index);
}

static const char *restart_word(unsigned index)
{
	return dmfs_restart_name(index);
}

/* clang-format off: tables */
static const struct key image_keys[] = {
	{"name", VALUE_NAME, true, IMAGE(name), .max = DMFS_MAX_NAME_LEN,
	 .about = "Name of the image: letters a to z, digits, '.', '_' and '-'."},
	{"version", VALUE_TEXT, false, IMAGE(version), .max = 63,
	 .about = "Version for people, such as \"1.0.0\"."},
	{"rollback", VALUE_NUMBER, false, IMAGE(rollback), .max = UINT64_MAX,
	 .about = "Rollback index: a board refuses images below its own. Default 0."},
	{"boards", VALUE_BOARDS, false, IMAGE(boards), .max = DMFS_MAX_VALUE_LEN,
	 .about = "Boards that the image is for: short names, or compatible strings of the device "
		  "tree's root. Default any."},
	{.name = NULL},
};

static const struct key kernel_keys[] = {
	{"file", VALUE_FILE, true, KERNEL(file), .about = "The file."},
	{"load", VALUE_SIZE, false, KERNEL(load), .max = UINT64_MAX,
	 .about = "Take the file as raw bytes that belong at this guest-physical address."},
	{"relocatable", VALUE_BOOL, false, KERNEL(relocatable),
	 .about =
		 "Whether it runs at any address that keeps its offset within 2 MiB. Default: what "
		 "the file says of itself."},
	{.name = NULL},
};

static const struct key devicetree_keys[] = {
	{"overlay", VALUE_FILE, true, CAPSULE(overlay),
	 .about = "An overlay for the generated device tree: compiled (.dtbo), or source (.dtso), "
		  "which dtc compiles."},
	{.name = NULL},
};

#define COMMON_KEYS                                                                                \
	{"cpus",                                                                                   \
	 VALUE_NUMBER,                                                                             \
	 false,                                                                                    \
	 CAPSULE(cpus),                                                                            \
	 .min = 1,                                                                                 \
	 .max = DMFS_MAX_VCPUS,                                                                    \
	 .about = "Virtual CPUs. Default 1."},                                                     \
		{"priority",                                                                       \
		 VALUE_WORD,                                                                       \
		 false,                                                                            \
		 CAPSULE(priority),                                                                \
		 .words = priority_word,                                                           \
		 .about = "Scheduling priority. Default normal."},                                 \
		{"affinity", VALUE_BITS,                                                           \
		 false,      CAPSULE(affinity),                                                    \
		 .max = 63,  .about = "Numbers of the harts that it may run on. Default any."},    \
		{"cpu_limit",                                                                      \
		 VALUE_PERCENT,                                                                    \
		 false,                                                                            \
		 CAPSULE(cpu_limit),                                                               \
		 .min = 1,                                                                         \
		 .max = 100,                                                                       \
		 .about =                                                                          \
			 "The most that each vCPU gets, in percent of a hart. Default no limit."}, \
		{"restart",                                                                        \
		 VALUE_WORD,                                                                       \
		 false,                                                                            \
		 CAPSULE(restart),                                                                 \
		 .words = restart_word,                                                            \
		 .about = "Whether to start it again when it has ended. Default never."},          \
		{"restart_limit",                                                                  \
		 VALUE_NUMBER,                                                                     \
		 false,                                                                            \
		 CAPSULE(restart_limit),                                                           \
		 .max = UINT32_MAX,                                                                \
		 .about = "How many restarts in a row are tried when each life is shorter than "   \
			  "10 s; 0 for no limit. Default 10."},                                    \
		{"encrypt", VALUE_BOOL, false, CAPSULE(encrypt),                                   \
		 .about = "Encrypt what it is loaded from, to 'dmfs pack --recipient'. Default no."}, \
	{                                                                                          \
		"permissions", VALUE_WORDS, false, CAPSULE(permissions),                           \
			.words = dmfs_permission_name,                                             \
			.about = "What it may do beyond running. Default nothing."                 \
	}

#define DISKS                                                                                      \
	{                                                                                          \
		"disks", VALUE_FILES, false, CAPSULE(disks),                                       \
			.about = "Disk images, which are carried for the storage service."         \
	}

static const struct key guest_keys[] = {
	{"name", VALUE_NAME, true, CAPSULE(name), .max = DMFS_MAX_CAPSULE_NAME_LEN,
	 .about = "Name, unique among guests and services."},
	{"kernel", VALUE_KERNEL, true, CAPSULE(kernel), .keys = kernel_keys,
	 .about = "ELF or Linux Image (plain, gzip'ed or with EFI stub), or a mapping."},
	{"initrd", VALUE_SOME_FILES, false, CAPSULE(initrd),
	 .about = "Initial RAM disk, taken as it is, or a list of them, one after the other."},
	DISKS,
	{"cmdline", VALUE_CMDLINE, false, CAPSULE(cmdline), .max = DMFS_MAX_VALUE_LEN,
	 .about = "Kernel command line."},
	{"memory", VALUE_MEMORY, true, CAPSULE(memory), .min = DMFS_MEMORY_UNIT,
	 .max = DMFS_MAX_RAW_LEN, .about = "RAM, a multiple of 2M, such as 256M."},
	COMMON_KEYS,
	{"devicetree", VALUE_MAPPING, false, 0, .keys = devicetree_keys,
	 .about = "Changes to the generated device tree."},
	{.name = NULL},
};

static const struct key service_keys[] = {
	{"name", VALUE_NAME, true, CAPSULE(name), .max = DMFS_MAX_CAPSULE_NAME_LEN,
	 .about = "Name, unique among guests and services."},
	{"program", VALUE_KERNEL, true, CAPSULE(kernel), .keys = kernel_keys,
	 .about = "The program, an ELF, or a mapping."},
	{"cmdline", VALUE_CMDLINE, false, CAPSULE(cmdline), .max = DMFS_MAX_VALUE_LEN,
	 .about = "Arguments."},
	{"memory", VALUE_MEMORY, false, CAPSULE(memory), .min = DMFS_MEMORY_UNIT,
	 .max = DMFS_MAX_RAW_LEN, .about = "RAM, a multiple of 2M. Default 8M."},
	COMMON_KEYS,
	DISKS,
	{"files", VALUE_NAMED_FILES, false, CAPSULE(files), .max = DMFS_MAX_FILE_NAME_LEN,
	 .about = "Files that it can ask for, by names that are given here."},
	{.name = NULL},
};

const struct key schema_manifest[] = {
	{"dmfs", VALUE_NUMBER, true, offsetof(struct manifest, schema), .min = MANIFEST_VERSION,
	 .max = MANIFEST_VERSION, .about = "Version of the manifest's schema."},
	{"image", VALUE_MAPPING, true, 0, .keys = image_keys, .about = "The image itself."},
	{"banners", VALUE_FILES, false, offsetof(struct manifest, banners),
	 .about = "Text files that are printed at boot, in this order."},
	{"guests", VALUE_CAPSULES, false, offsetof(struct manifest, guests), .keys = guest_keys,
	 .about = "Virtual machines that run somebody's system."},
	{"services", VALUE_CAPSULES, false, offsetof(struct manifest, services),
	 .keys = service_keys, .about = "Capsules that offer something to others."},
	{.name = NULL},
};

/* clang-format on */

/* --- printing it ----------------------------------------------------------------------------- */

static void print_keys(struct json *json, const struct key *keys);

static void print_strings(struct json *json, const char *type, const char *key, const char *value)
{
	json_text(json, "type", type);
	if (key)
		json_text(json, key, value);
}

static void print_words(struct json *json, const char *(*words)(unsigned))
{
	json_begin_array(json, "enum");
	for (unsigned i = 0; words(i); i++)
		json_text(json, NULL, words(i));
	json_end_array(json);
}

static void print_either(struct json *json, const char *first, const char *pattern)
{
	json_begin_array(json, "anyOf");
	json_begin_object(json, NULL);
	json_text(json, "type", first);
	json_end_object(json);
	json_begin_object(json, NULL);
	print_strings(json, "string", "pattern", pattern);
	json_end_object(json);
	json_end_array(json);
}

static void print_kernel(struct json *json, const struct key *keys)
{
	json_begin_array(json, "anyOf");
	json_begin_object(json, NULL);
	json_text(json, "type", "string");
	json_end_object(json);
	json_begin_object(json, NULL);
	print_keys(json, keys);
	json_end_object(json);
	json_end_array(json);
}

static void print_some_files(struct json *json)
{
	json_begin_array(json, "anyOf");
	json_begin_object(json, NULL);
	json_text(json, "type", "string");
	json_end_object(json);
	json_begin_object(json, NULL);
	json_text(json, "type", "array");
	json_begin_object(json, "items");
	json_text(json, "type", "string");
	json_end_object(json);
	json_end_object(json);
	json_end_array(json);
}

static void print_files(struct json *json, enum value_kind kind)
{
	if (kind == VALUE_SOME_FILES) {
		print_some_files(json);
		return;
	}
	json_text(json, "type", kind == VALUE_NAMED_FILES ? "object" : "string");
	if (kind == VALUE_NAMED_FILES) {
		json_begin_object(json, "additionalProperties");
		json_text(json, "type", "string");
		json_end_object(json);
	}
}

static void print_range(struct json *json, const struct key *key)
{
	json_text(json, "type", "integer");
	json_number(json, "minimum", key->min);
	json_number(json, "maximum", key->max);
}

static const char *board_word(unsigned index)
{
	return board_short_name(NULL, index);
}

static void print_board(struct json *json)
{
	json_begin_array(json, "anyOf");
	json_begin_object(json, NULL);
	print_words(json, board_word);
	json_end_object(json);
	json_begin_object(json, NULL);
	print_strings(json, "string", "pattern", ",");
	json_end_object(json);
	json_end_array(json);
}

static void print_items(struct json *json, const struct key *key)
{
	json_text(json, "type", "array");
	json_begin_object(json, "items");
	if (key->kind == VALUE_WORDS)
		print_words(json, key->words);
	else if (key->kind == VALUE_BITS)
		print_range(json, key);
	else if (key->kind == VALUE_BOARDS)
		print_board(json);
	else if (key->kind == VALUE_CAPSULES)
		print_keys(json, key->keys);
	else
		json_text(json, "type", "string");
	json_end_object(json);
	if (key->kind == VALUE_WORDS || key->kind == VALUE_BITS || key->kind == VALUE_BOARDS)
		json_bool(json, "uniqueItems", true);
}

#define NAME_PATTERN "^[a-z0-9][a-z0-9._-]*$"
#define SIZE_PATTERN "^(0x[0-9a-fA-F]+|[0-9]+)([KMG](iB)?)?$"

static void print_value(struct json *json, const struct key *key)
{
	json_begin_object(json, key->name);
	json_text(json, "description", key->about);
	switch (key->kind) {
	case VALUE_NAME:
		print_strings(json, "string", "pattern", NAME_PATTERN);
		json_number(json, "maxLength", key->max);
		break;
	case VALUE_TEXT:
	case VALUE_CMDLINE:
		json_text(json, "type", "string");
		json_number(json, "maxLength", key->max);
		break;
	case VALUE_FILE:
	case VALUE_SOME_FILES:
	case VALUE_NAMED_FILES:
		print_files(json, key->kind);
		break;
	case VALUE_NUMBER:
		print_range(json, key);
		break;
	case VALUE_PERCENT:
		print_either(json, "integer", "^([1-9][0-9]?|100)%?$");
		break;
	case VALUE_SIZE:
	case VALUE_MEMORY:
		print_either(json, "integer", SIZE_PATTERN);
		break;
	case VALUE_BOOL:
		json_text(json, "type", "boolean");
		break;
	case VALUE_WORD:
		print_words(json, key->words);
		break;
	case VALUE_MAPPING:
		print_keys(json, key->keys);
		break;
	case VALUE_KERNEL:
		print_kernel(json, key->keys);
		break;
	default:
		print_items(json, key);
	}
	json_end_object(json);
}

static void print_keys(struct json *json, const struct key *keys)
{
	json_text(json, "type", "object");
	json_bool(json, "additionalProperties", false);
	json_begin_array(json, "required");
	for (const struct key *key = keys; key->name; key++) {
		if (key->required)
			json_text(json, NULL, key->name);
	}
	json_end_array(json);
	json_begin_object(json, "properties");
	for (const struct key *key = keys; key->name; key++)
		print_value(json, key);
	json_end_object(json);
}

void manifest_print_schema(FILE *out)
{
	struct json json = {.out = out};

	json_begin_object(&json, NULL);
	json_text(&json, "$schema", "http://json-schema.org/draft-07/schema#");
	json_text(&json, "title", "Manifest of a DMFS image");
	print_keys(&json, schema_manifest);
	json_end_object(&json);
}
