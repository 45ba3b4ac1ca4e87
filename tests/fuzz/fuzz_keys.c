/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a key file, secret or public: a key or a sentence. A file that is taken says its key
 * in hexadecimal, so the key can be found in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sodium.h>

#include "common/diag.h"
#include "sign/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static char path[64];
static int file;

/* Messages of this program go nowhere; the fuzzer writes to a descriptor of its own. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static char nowhere[4096];

	file = memfd_create("key", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	stderr = fmemopen(nowhere, sizeof(nowhere), "w");
	/* A terminal would be asked for the passphrases of protected keys. */
	setenv("DMFS_PASSPHRASE_FILE", "/dev/null", 1);
	return file < 0 || !stderr || sodium_init() < 0 ? -1 : 0;
}

/* Does the text have these 32 bytes in hexadecimal, in large or small letters? */
static bool says(const uint8_t *data, size_t len, const uint8_t *key)
{
	const uint8_t *blank = memchr(data, ' ', len); /* the prefix ends with it */
	uint8_t found[32];
	size_t got;

	return blank && data + len - blank > 64 &&
	       sodium_hex2bin(found, sizeof(found), (const char *)blank + 1, 64, NULL, &got, NULL) == 0 &&
	       got == 32 && memcmp(found, key, 32) == 0;
}

static void read_secret(const uint8_t *data, size_t len)
{
	static const struct option options[] = {
		{"key", 'k', "NAME.key", OPTION_MANY, ""},
		{"signer", 0, "COMMAND", OPTION_MANY, ""},
		{"passphrase-file", 0, "FILE", 0, ""},
		{"passphrase-fd", 0, "N", 0, ""},
		{.name = NULL},
	};
	static const struct command command = {.name = "sign", .synopsis = "", .options = options};
	char option[] = "--key";
	char *argv[] = {option, path, NULL};
	struct args args;
	struct secret_keys secret;

	if (args_parse(&args, &command, 2, argv)) {
		if (secret_keys_read(&secret, &args) == STATUS_DONE) {
			/* libsodium's secret key begins with the seed. */
			if (secret.count != 1 || !says(data, len, secret.keys[0]))
				abort();
			secret_keys_free(&secret);
		}
	}
	free(args.operands);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t key[DMFS_PUBLIC_KEY_LEN];

	if (ftruncate(file, 0) != 0 || pwrite(file, data, len, 0) != (ssize_t)len)
		abort();
	rewind(stderr);
	if (keyfile_read_public(path, KEY_SIGNING, key) == STATUS_DONE && !says(data, len, key))
		abort();
	read_secret(data, len);
	return 0;
}
