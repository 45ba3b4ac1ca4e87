/* SPDX-License-Identifier: MIT */
#include "image.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/json.h"

int image_refused(const char *path, enum dmfs_status status)
{
	if (status == DMFS_ERR_SPACE) {
		diag_error("out of memory");
		return STATUS_FAILED;
	}
	diag_error("'%s' is refused: %s", path, dmfs_strerror(status));
	return STATUS_REFUSED;
}

/* What helps when no trusted key signed: the keys that the signatures name. */
static void say_signers(const struct image_file *file)
{
	struct dmfs_image image;
	char id[KEY_ID_TEXT_LEN];

	if (dmfs_open_unverified(&image, file->bytes.data, file->bytes.len, true) != DMFS_OK)
		return;
	for (uint32_t i = 0; i < image.extent.signatures; i++)
		diag_info("it carries a signature by key %s",
			  key_id_text(id, dmfs_signature_key(&image, i)));
}

static void say_trusted(const struct dmfs_trust *trust)
{
	char id[KEY_ID_TEXT_LEN];

	for (uint32_t i = 0; i < trust->count; i++)
		diag_info("trusted is key %s", key_id_text(id, trust->keys[i]));
}

int image_file_read(struct image_file *file, const char *path, const struct dmfs_trust *trust)
{
	enum dmfs_status opened;
	int status;

	memset(file, 0, sizeof(*file));
	file->path = path;
	status = file_read_or_say(path, FILE_LIMIT, &file->bytes);
	if (status != STATUS_DONE)
		return status;
	if (trust)
		opened = dmfs_open_verified(&file->image, file->bytes.data, file->bytes.len, true,
					    trust, &file->signers);
	else
		opened =
			dmfs_open_unverified(&file->image, file->bytes.data, file->bytes.len, true);
	file->verified = trust != NULL;
	if (opened == DMFS_OK)
		return STATUS_DONE;
	file->refused = opened;
	status = image_refused(path, opened);
	if (opened == DMFS_ERR_UNTRUSTED) {
		say_signers(file);
		say_trusted(trust);
	}
	image_file_free(file);
	return status;
}

void image_file_free(struct image_file *file)
{
	sodium_free(file->content_key);
	file->content_key = NULL;
	free(file->bytes.data);
	file->bytes = (struct bytes){NULL, 0};
}

/* --- what was written ------------------------------------------------------------------------ */

bool image_json_possible(const struct args *args, const char *path)
{
	if (!args_has(args, "json") || strcmp(path, "-") != 0)
		return true;
	args_wrong(args->command, "--json and an image both want standard output");
	return false;
}

static void print_json(const char *command, const struct image_file *file)
{
	const struct dmfs_image *image = &file->image;
	struct json json = {.out = stdout};
	char id[KEY_ID_TEXT_LEN];
	uint64_t raw = 0;

	for (uint32_t i = 0; i < image->objects; i++)
		raw += dmfs_object(image, i).raw_len;
	json_begin_result(&json, command);
	json_text(&json, "image", file->path);
	json_number(&json, "image_len", image->extent.image_len);
	json_number(&json, "raw_len", raw);
	json_number(&json, "objects", image->objects);
	json_number(&json, "capsules", image->capsules);
	json_begin_array(&json, "signed_by");
	for (uint32_t i = 0; i < image->extent.signatures; i++)
		json_text(&json, NULL, key_id_text(id, dmfs_signature_key(image, i)));
	json_end_array(&json);
	json_end_object(&json);
}

int image_tell_json(const struct args *args, const char *path)
{
	struct image_file file;
	int status;

	if (!args_has(args, "json"))
		return STATUS_DONE;
	status = image_file_read(&file, path, NULL);
	if (status != STATUS_DONE)
		return status;
	print_json(args->command->name, &file);
	image_file_free(&file);
	return STATUS_DONE;
}
