/* SPDX-License-Identifier: MIT */
#include "sign.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/json.h"
#include "image.h"
#include "signer.h"

static int print_key_json(const char *name, enum key_type type)
{
	char id[KEY_ID_TEXT_LEN], hex[2 * DMFS_PUBLIC_KEY_LEN + 1], path[4096];
	struct json json = {.out = stdout};
	uint8_t key[DMFS_PUBLIC_KEY_LEN];
	int status;

	snprintf(path, sizeof(path), "%s.pub", name);
	status = keyfile_read_public(path, type, key);
	if (status != STATUS_DONE)
		return status;
	json_begin_result(&json, "keygen");
	json_text(&json, "public_file", path);
	json_text(&json, "key_id", key_id_text(id, key));
	json_text(&json, "public_key", sodium_bin2hex(hex, sizeof(hex), key, sizeof(key)));
	json_end_object(&json);
	return STATUS_DONE;
}

int keygen_command(const struct args *args)
{
	enum key_type type = args_has(args, "seal") ? KEY_SEALING : KEY_SIGNING;
	struct passphrases passphrases;
	int status;

	passphrases_init(&passphrases, args);
	status = key_generate(args->operands[0], type,
			      args_has(args, "passphrase") ? &passphrases : NULL);
	passphrases_free(&passphrases);
	return status == STATUS_DONE && args_has(args, "json")
		       ? print_key_json(args->operands[0], type)
		       : status;
}

/* Where the result goes: -o, or over the image. */
static const char *target(const struct args *args)
{
	const char *path = args_value(args, "output", 0);

	return path ? path : args->operands[0];
}

/* Adds a signature, checked first, and tells. */
static int add(const struct args *args, struct bytes *bytes, const uint8_t *key,
	       const uint8_t *signature)
{
	uint64_t len = bytes->len;
	enum dmfs_status status = dmfs_attach_signature(&bytes->data, &len, key, signature);
	char id[KEY_ID_TEXT_LEN];

	bytes->len = len;
	key_id_text(id, key);
	if (status == DMFS_ERR_SIGNATURE)
		diag_error("the signature is not one of '%s' by key %s", args->operands[0], id);
	else if (status == DMFS_ERR_KEY_TWICE)
		diag_error("'%s' is signed by key %s already", args->operands[0], id);
	else if (status != DMFS_OK)
		return image_refused(args->operands[0], status);
	else
		diag_info("%s: signed by key %s", target(args), id);
	return status == DMFS_OK ? STATUS_DONE : STATUS_REFUSED;
}

static int sign_with(const struct args *args, struct image_file *file, const uint8_t *secret)
{
	uint8_t signature[DMFS_SIGNATURE_LEN];

	crypto_sign_detached(signature, NULL, file->bytes.data, file->image.extent.signed_len,
			     secret);
	return add(args, &file->bytes, secret + DMFS_SECRET_KEY_LEN - DMFS_PUBLIC_KEY_LEN,
		   signature);
}

static int sign_elsewhere(const struct args *args, struct image_file *file, unsigned index)
{
	uint8_t answer[SIGNER_ANSWER_LEN];
	int status = signer_run(args, index, file->bytes.data, file->image.extent.signed_len, answer);

	if (status != STATUS_DONE)
		return status;
	return add(args, &file->bytes, answer, answer + DMFS_PUBLIC_KEY_LEN);
}

static int sign_all(const struct args *args, struct image_file *file,
		    const struct secret_keys *secret)
{
	int status = STATUS_DONE;

	for (uint32_t i = 0; i < secret->count && status == STATUS_DONE; i++)
		status = sign_with(args, file, secret->keys[i]);
	for (unsigned i = 0; i < args_count(args, "signer") && status == STATUS_DONE; i++)
		status = sign_elsewhere(args, file, i);
	return status;
}

int sign_command(const struct args *args)
{
	struct secret_keys secret;
	struct image_file file;
	int status;

	if (!args_has(args, "key") && !args_has(args, "signer"))
		return args_wrong(args->command, "--key NAME.key or --signer COMMAND is missing");
	if (binary_on_terminal(target(args)) || !image_json_possible(args, target(args)))
		return STATUS_USAGE;
	status = secret_keys_read(&secret, args);
	if (status != STATUS_DONE)
		return status;
	status = image_file_read(&file, args->operands[0], NULL);
	if (status == STATUS_DONE) {
		status = sign_all(args, &file, &secret);
		if (status == STATUS_DONE)
			status = file_write(target(args), file.bytes.data, file.bytes.len);
		image_file_free(&file);
	}
	secret_keys_free(&secret);
	return status == STATUS_DONE ? image_tell_json(args, target(args)) : status;
}

/* What there is to sign, for programs: its length and hashes, so that it can be compared elsewhere.
 */
static void print_digest_json(const struct image_file *file)
{
	struct json json = {.out = stdout};
	uint64_t len = file->image.extent.signed_len;
	char hex[2 * crypto_hash_sha256_BYTES + 1];
	uint8_t hash[crypto_hash_sha256_BYTES];

	json_begin_result(&json, "digest");
	json_text(&json, "image", file->path);
	json_number(&json, "signed_len", len);
	crypto_hash_sha256(hash, file->bytes.data, len);
	json_text(&json, "sha256", sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)));
	crypto_generichash(hash, sizeof(hash), file->bytes.data, len, NULL, 0);
	json_text(&json, "blake2b_256", sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)));
	json_end_object(&json);
}

int digest_command(const struct args *args)
{
	bool json = args_has(args, "json");
	const char *out = args_value(args, "output", 0);
	struct image_file file;
	int status;

	if (json && out && strcmp(out, "-") == 0)
		return args_wrong(args->command, "--json and -o - both want standard output");
	if (!json && binary_on_terminal(out ? out : "-"))
		return STATUS_USAGE;
	status = image_file_read(&file, args->operands[0], NULL);
	if (status != STATUS_DONE)
		return status;
	if (json)
		print_digest_json(&file);
	if (!json || out)
		status = file_write(out ? out : "-", file.bytes.data, file.image.extent.signed_len);
	image_file_free(&file);
	return status;
}

/* The raw bytes of a detached signature. */
static int read_signature(const char *path, uint8_t signature[DMFS_SIGNATURE_LEN])
{
	struct bytes bytes;
	int status = file_read_or_say(path, FILE_LIMIT, &bytes);

	if (status != STATUS_DONE)
		return status;
	if (bytes.len == DMFS_SIGNATURE_LEN) {
		memcpy(signature, bytes.data, DMFS_SIGNATURE_LEN);
	} else {
		diag_error("'%s' has %zu bytes; an Ed25519 signature is %u raw bytes", path,
			   bytes.len, DMFS_SIGNATURE_LEN);
		status = STATUS_REFUSED;
	}
	free(bytes.data);
	return status;
}

int attach_command(const struct args *args)
{
	uint8_t key[DMFS_PUBLIC_KEY_LEN], signature[DMFS_SIGNATURE_LEN];
	struct image_file file;
	int status;

	if (binary_on_terminal(target(args)) || !image_json_possible(args, target(args)))
		return STATUS_USAGE;
	status = keyfile_read_public(args_value(args, "pub", 0), KEY_SIGNING, key);
	if (status == STATUS_DONE)
		status = read_signature(args_value(args, "signature", 0), signature);
	if (status == STATUS_DONE)
		status = image_file_read(&file, args->operands[0], NULL);
	if (status != STATUS_DONE)
		return status;
	status = add(args, &file.bytes, key, signature);
	if (status == STATUS_DONE)
		status = file_write(target(args), file.bytes.data, file.bytes.len);
	image_file_free(&file);
	return status == STATUS_DONE ? image_tell_json(args, target(args)) : status;
}
