/* SPDX-License-Identifier: MIT */
#include "common/json.h"

#include <sodium.h>
#include <string.h>

#include "inspect.h"

static void print_string(struct json *json, const char *key, struct dmfs_str s)
{
	json_bytes(json, key, s.data, s.len);
}

static void print_signatures(struct json *json, const struct image_file *file,
			     const struct trust_keys *trust)
{
	json_begin_array(json, "signatures");
	for (uint32_t i = 0; i < file->image.extent.signatures; i++) {
		const uint8_t *key = dmfs_signature_key(&file->image, i);
		char id[KEY_ID_TEXT_LEN], hex[2 * DMFS_PUBLIC_KEY_LEN + 1];

		json_begin_object(json, NULL);
		json_text(json, "key_id", key_id_text(id, key));
		json_text(json, "public_key",
			  sodium_bin2hex(hex, sizeof(hex), key, DMFS_PUBLIC_KEY_LEN));
		json_bool(json, "trusted", inspect_is_trusted(file, trust, key));
		json_end_object(json);
	}
	json_end_array(json);
}

static void print_properties(struct json *json, const struct dmfs_image *image)
{
	json_begin_array(json, "boards");
	for (uint32_t i = 0; i < image->properties; i++) {
		struct dmfs_property property = dmfs_property(image, i);

		if (dmfs_str_is(property.key, "board"))
			print_string(json, NULL, property.value);
	}
	json_end_array(json);
	json_begin_array(json, "properties");
	for (uint32_t i = 0; i < image->properties; i++) {
		struct dmfs_property property = dmfs_property(image, i);

		json_begin_object(json, NULL);
		json_number(json, "owner", property.owner);
		print_string(json, "key", property.key);
		print_string(json, "value", property.value);
		json_end_object(json);
	}
	json_end_array(json);
}

static void print_objects(struct json *json, const struct dmfs_image *image)
{
	json_begin_array(json, "objects");
	for (uint32_t i = 0; i < image->objects; i++) {
		struct dmfs_object object = dmfs_object(image, i);
		char hash[INSPECT_HASH_TEXT_LEN];

		json_begin_object(json, NULL);
		print_string(json, "name", object.name);
		json_text(json, "type", dmfs_object_type_name(object.type));
		json_bool(json, "encrypted", object.flags & DMFS_OBJECT_ENCRYPTED);
		json_number(json, "raw_len", object.raw_len);
		json_number(json, "mem_len", object.mem_len);
		json_number(json, "stored_len", inspect_stored_len(image, &object));
		json_number(json, "chunks", object.chunk_count);
		json_text(json, "hash", inspect_hash(hash, image, &object));
		json_end_object(json);
	}
	json_end_array(json);
}

static void print_loaded(struct json *json, const struct dmfs_image *image, const char *key,
			 uint32_t object, uint64_t address)
{
	if (object == DMFS_NONE) {
		json_text(json, key, NULL);
		return;
	}
	json_begin_object(json, key);
	print_string(json, "object", dmfs_object(image, object).name);
	json_address(json, "load", address);
	json_end_object(json);
}

static void print_sets(struct json *json, const struct dmfs_capsule *capsule)
{
	json_begin_array(json, "affinity");
	for (unsigned i = 0; i < 64; i++) {
		if (capsule->affinity >> i & 1)
			json_number(json, NULL, i);
	}
	json_end_array(json);
	json_begin_array(json, "permissions");
	for (unsigned i = 0; i < DMFS_PERM_COUNT; i++) {
		if (capsule->permissions >> i & 1)
			json_text(json, NULL, dmfs_permission_name(i));
	}
	json_end_array(json);
}

static void print_capsule(struct json *json, const struct dmfs_image *image,
			  const struct dmfs_capsule *capsule)
{
	json_begin_object(json, NULL);
	print_string(json, "name", capsule->name);
	json_text(json, "kind", capsule->kind == DMFS_GUEST ? "guest" : "service");
	json_number(json, "memory", capsule->memory);
	json_number(json, "cpus", capsule->cpus);
	json_text(json, "priority", dmfs_priority_name(capsule->priority));
	json_text(json, "restart", dmfs_restart_name(capsule->restart));
	json_number(json, "restart_limit", capsule->restart_limit);
	json_number(json, "cpu_limit", capsule->cpu_limit);
	print_sets(json, capsule);
	print_loaded(json, image, "kernel", capsule->kernel, capsule->kernel_load);
	json_address(json, "entry", capsule->entry);
	json_bool(json, "relocatable", capsule->flags & DMFS_CAPSULE_RELOCATABLE);
	print_loaded(json, image, "initrd", capsule->initrd, capsule->initrd_load);
	print_loaded(json, image, "devicetree", capsule->devicetree, capsule->devicetree_load);
	print_string(json, "cmdline", capsule->cmdline);
	json_end_object(json);
}

void inspect_print_json(const struct image_file *file, const struct trust_keys *trust)
{
	const struct dmfs_image *image = &file->image;
	struct json json = {.out = stdout};

	json_begin_result(&json, "inspect");
	print_string(&json, "name", image->name);
	print_string(&json, "version", image->version);
	json_number(&json, "rollback", image->rollback);
	json_number(&json, "created", image->created);
	json_number(&json, "image_len", image->extent.image_len);
	json_number(&json, "chunk_len", image->chunk_len);
	json_bool(&json, "verified", file->verified);
	print_signatures(&json, file, trust);
	print_properties(&json, image);
	print_objects(&json, image);
	json_begin_array(&json, "capsules");
	for (uint32_t i = 0; i < image->capsules; i++) {
		struct dmfs_capsule capsule = dmfs_capsule(image, i);

		print_capsule(&json, image, &capsule);
	}
	json_end_array(&json);
	json_end_object(&json);
}
