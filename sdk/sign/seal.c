/* SPDX-License-Identifier: MIT */
#include "seal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"

/* As much randomness as a content key has to have been made from. */
#define CONTENT_SECRET_MIN 32u

/* The content key is a hash of the file, so that any random bytes do. */
static int derive(uint8_t *content_key, const char *path)
{
	static const char domain[] = "DIOSIX DMFS CONTENT KEY V1";
	crypto_generichash_state state;
	struct bytes bytes;
	int status = file_read_or_say(path, 1 << 20, &bytes);

	if (status != STATUS_DONE)
		return status;
	if (bytes.len < CONTENT_SECRET_MIN) {
		diag_error("'%s' has %zu bytes; a content key is made from %u random ones at least", path,
			   bytes.len, CONTENT_SECRET_MIN);
		status = STATUS_REFUSED;
	}
	crypto_generichash_init(&state, NULL, 0, DMFS_CONTENT_KEY_LEN);
	crypto_generichash_update(&state, (const uint8_t *)domain, sizeof(domain) - 1);
	crypto_generichash_update(&state, bytes.data, bytes.len);
	crypto_generichash_final(&state, content_key, DMFS_CONTENT_KEY_LEN);
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(bytes.data, bytes.len);
	free(bytes.data);
	return status;
}

int recipients_read(struct recipients *r, const struct args *args)
{
	unsigned count = args_count(args, "recipient");
	int status = STATUS_DONE;

	*r = (struct recipients){.count = count};
	if (count > DMFS_MAX_SEALED_KEYS)
		return args_wrong(args->command, "%u --recipient; at most %u are possible", count,
				  DMFS_MAX_SEALED_KEYS);
	r->keys = sodium_allocarray(DMFS_MAX_SEALED_KEYS, KEY_LEN);
	if (!r->keys)
		status = keyfile_no_memory();
	for (unsigned i = 0; i < count && status == STATUS_DONE; i++) {
		const char *name = args_value(args, "recipient", i);

		status = keyfile_read_public(name, KEY_SEALING, r->keys[i]);
		for (unsigned j = 0; status == STATUS_DONE && j < i; j++)
			if (memcmp(r->keys[i], r->keys[j], KEY_LEN) == 0)
				status = args_wrong(args->command, "'%s' and '%s' are the same key",
						    args_value(args, "recipient", j), name);
	}
	if (status != STATUS_DONE)
		recipients_free(r);
	return status;
}

int content_key_make(struct recipients *r, const struct args *args)
{
	const char *path = args_value(args, "content-key-file", 0);

	if (path && r->count == 0)
		return args_wrong(args->command, "--content-key-file says nothing without --recipient");
	r->content_key = sodium_malloc(DMFS_CONTENT_KEY_LEN);
	if (!r->content_key)
		return keyfile_no_memory();
	if (path)
		return derive(r->content_key, path);
	randombytes_buf(r->content_key, DMFS_CONTENT_KEY_LEN);
	return STATUS_DONE;
}

void recipients_free(struct recipients *r)
{
	sodium_free(r->keys);
	sodium_free(r->content_key);
	*r = (struct recipients){.keys = NULL};
}

static int read_secret(uint8_t **secret, const char *path, const struct args *args)
{
	struct passphrases passphrases;
	int status;

	*secret = sodium_malloc(KEY_LEN);
	if (!*secret)
		return keyfile_no_memory();
	passphrases_init(&passphrases, args);
	status = keyfile_read_secret(path, KEY_SEALING, &passphrases, *secret);
	passphrases_free(&passphrases);
	if (status != STATUS_DONE) {
		sodium_free(*secret);
		*secret = NULL;
	}
	return status;
}

int unseal_key_read(uint8_t **secret, const struct args *args)
{
	const char *path = args_value(args, "unseal", 0);

	*secret = NULL;
	return path ? read_secret(secret, path, args) : STATUS_DONE;
}

int image_file_unseal(struct image_file *file, const struct args *args)
{
	enum dmfs_status unsealed;
	uint8_t *secret;
	int status = unseal_key_read(&secret, args);

	if (status != STATUS_DONE || !secret || !file->image.encrypted) {
		sodium_free(secret);
		return status;
	}
	file->content_key = sodium_malloc(DMFS_CONTENT_KEY_LEN);
	if (!file->content_key) {
		status = keyfile_no_memory();
	} else {
		unsealed = dmfs_unseal(&file->image, secret, file->content_key);
		if (unsealed != DMFS_OK) {
			file->refused = unsealed;
			status = image_refused(file->path, unsealed);
		}
	}
	sodium_free(secret);
	return status;
}

/* --- dmfs reseal ----------------------------------------------------------------------------- */

static int reseal(struct image_file *file, const struct recipients *recipients)
{
	uint64_t len = file->bytes.len;
	enum dmfs_status status;

	if (!file->image.encrypted) {
		diag_error("nothing in '%s' is encrypted", file->path);
		return STATUS_REFUSED;
	}
	status = dmfs_reseal(&file->bytes.data, &len, file->content_key,
			     (const uint8_t(*)[KEY_LEN])recipients->keys, recipients->count);
	file->bytes.len = len;
	return status == DMFS_OK ? STATUS_DONE : image_refused(file->path, status);
}

int reseal_command(const struct args *args)
{
	const char *path = args_value(args, "output", 0);
	struct recipients recipients;
	struct image_file file;
	int status;

	path = path ? path : args->operands[0];
	if (binary_on_terminal(path) || !image_json_possible(args, path))
		return STATUS_USAGE;
	status = recipients_read(&recipients, args);
	if (status != STATUS_DONE)
		return status;
	status = image_file_read(&file, args->operands[0], NULL);
	if (status == STATUS_DONE) {
		status = image_file_unseal(&file, args);
		if (status == STATUS_DONE)
			status = reseal(&file, &recipients);
		if (status == STATUS_DONE)
			status = file_write(path, file.bytes.data, file.bytes.len);
		if (status == STATUS_DONE)
			diag_info("%s: sealed to %u recipient%s", path, recipients.count,
				  recipients.count == 1 ? "" : "s");
		image_file_free(&file);
	}
	recipients_free(&recipients);
	return status == STATUS_DONE ? image_tell_json(args, path) : status;
}
