/* SPDX-License-Identifier: MIT */
#include "keys.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/diag.h"
#include "trust_set.h"

const char *key_id_text(char text[KEY_ID_TEXT_LEN], const uint8_t key[DMFS_PUBLIC_KEY_LEN])
{
	uint8_t id[DMFS_KEY_ID_LEN];

	dmfs_key_id(id, key);
	return sodium_bin2hex(text, KEY_ID_TEXT_LEN, id, sizeof(id));
}

/* --- reading --------------------------------------------------------------------------------- */

static int read_secret(const char *path, struct passphrases *passphrases,
		       uint8_t key[DMFS_SECRET_KEY_LEN])
{
	uint8_t public_key[DMFS_PUBLIC_KEY_LEN];
	uint8_t *seed = sodium_malloc(KEY_LEN);
	int status = STATUS_FAILED;

	if (seed)
		status = keyfile_read_secret(path, KEY_SIGNING, passphrases, seed);
	else
		keyfile_no_memory();
	if (status == STATUS_DONE)
		crypto_sign_seed_keypair(public_key, key, seed);
	sodium_free(seed);
	return status;
}

/* Reads key number i, and sees that it is none of those before it. */
static int read_next(struct secret_keys *secret, const struct args *args,
		     struct passphrases *passphrases, unsigned i)
{
	const char *path = args_value(args, "key", i);
	int status = read_secret(path, passphrases, secret->keys[i]);

	for (unsigned j = 0; status == STATUS_DONE && j < i; j++)
		if (sodium_memcmp(secret->keys[i], secret->keys[j], DMFS_SECRET_KEY_LEN) == 0)
			status = args_wrong(args->command, "'%s' and '%s' are the same key",
					    args_value(args, "key", j), path);
	return status;
}

int secret_keys_read(struct secret_keys *secret, const struct args *args)
{
	unsigned count = args_count(args, "key"), sum = count + args_count(args, "signer");
	struct passphrases passphrases;
	int status = STATUS_DONE;

	*secret = (struct secret_keys){NULL, 0};
	if (sum > DMFS_MAX_SIGNATURES)
		return args_wrong(args->command, "%u keys; an image has at most %u signatures", sum,
				  DMFS_MAX_SIGNATURES);
	if (count == 0)
		return STATUS_DONE;
	/* sodium_malloc() locks what it gives, and sodium_free() wipes it. */
	secret->keys = sodium_allocarray(count, DMFS_SECRET_KEY_LEN);
	if (!secret->keys)
		return keyfile_no_memory();
	passphrases_init(&passphrases, args);
	for (unsigned i = 0; i < count && status == STATUS_DONE; i++)
		status = read_next(secret, args, &passphrases, i);
	passphrases_free(&passphrases);
	secret->count = count;
	if (status != STATUS_DONE)
		secret_keys_free(secret);
	return status;
}

void secret_keys_free(struct secret_keys *secret)
{
	sodium_free(secret->keys);
	*secret = (struct secret_keys){NULL, 0};
}

int trust_keys_read_alone(struct trust_keys *trust, const struct args *args)
{
	unsigned count = args_count(args, "trust");
	uint64_t threshold = 1;

	if (count == 0 || count > DMFS_MAX_ANCHORS)
		return args_wrong(args->command,
				  count ? "%u --trust; at most %u are possible"
					: "--trust NAME.pub is missing",
				  count, DMFS_MAX_ANCHORS);
	if (!args_number(args, "threshold", 1, count, &threshold))
		return STATUS_USAGE;
	for (unsigned i = 0; i < count; i++) {
		int status = keyfile_read_public(args_value(args, "trust", i), KEY_SIGNING,
						 trust->keys[i]);

		if (status != STATUS_DONE)
			return status;
		for (unsigned j = 0; j < i; j++) {
			if (memcmp(trust->keys[i], trust->keys[j], DMFS_PUBLIC_KEY_LEN) == 0)
				return args_wrong(args->command, "'%s' and '%s' are the same key",
						  args_value(args, "trust", j),
						  args_value(args, "trust", i));
		}
	}
	trust->trust = (struct dmfs_trust){(const uint8_t(*)[DMFS_PUBLIC_KEY_LEN])trust->keys,
					   count, (uint32_t)threshold, NULL};
	return STATUS_DONE;
}

int trust_keys_read(struct trust_keys *trust, const struct args *args)
{
	int status = trust_keys_read_alone(trust, args);

	return status == STATUS_DONE ? trust_set_add(trust, args) : status;
}

/* --- making ---------------------------------------------------------------------------------- */

static void make_pair(enum key_type type, uint8_t public_key[KEY_LEN], uint8_t secret[KEY_LEN])
{
	uint8_t pair[crypto_sign_SECRETKEYBYTES];

	if (type == KEY_SEALING) {
		crypto_box_keypair(public_key, secret);
		return;
	}
	randombytes_buf(secret, KEY_LEN);
	crypto_sign_seed_keypair(public_key, pair, secret);
	sodium_memzero(pair, sizeof(pair));
}

static int generate(const char *secret_path, const char *public_path, enum key_type type,
		    const struct passphrase *passphrase)
{
	uint8_t public_key[KEY_LEN];
	uint8_t *secret = sodium_malloc(KEY_LEN);
	char id[KEY_ID_TEXT_LEN];
	int status;

	if (!secret)
		return keyfile_no_memory();
	make_pair(type, public_key, secret);
	status = keyfile_write_secret(secret_path, type, passphrase, secret);
	if (status == STATUS_DONE) {
		status = keyfile_write_public(public_path, type, public_key);
		if (status != STATUS_DONE)
			unlink(secret_path);
	}
	sodium_free(secret);
	if (status == STATUS_DONE)
		diag_info("%s is secret: keep it; %s goes to who %s; key id %s", secret_path,
			  public_path, type == KEY_SIGNING ? "verifies" : "encrypts",
			  key_id_text(id, public_key));
	return status;
}

int key_generate(const char *path_prefix, enum key_type type, struct passphrases *passphrases)
{
	char *secret_path = NULL, *public_path = NULL;
	const struct passphrase *passphrase = NULL;
	int status = STATUS_FAILED;

	if (asprintf(&secret_path, "%s.key", path_prefix) >= 0 &&
	    asprintf(&public_path, "%s.pub", path_prefix) >= 0) {
		status = STATUS_DONE;
		if (passphrases)
			status = passphrases_choose(passphrases, secret_path, &passphrase);
		if (status == STATUS_DONE)
			status = generate(secret_path, public_path, type, passphrase);
	}
	free(public_path);
	free(secret_path);
	return status;
}
