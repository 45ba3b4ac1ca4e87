/* SPDX-License-Identifier: MIT */
#include "image.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"

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
