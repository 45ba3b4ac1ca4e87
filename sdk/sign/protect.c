/* SPDX-License-Identifier: MIT */
/* dmfs protect: a passphrase for a secret key that is there, or none any more. */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/diag.h"
#include "keyfile.h"
#include "sign.h"

/* The key as a whole under another name first: whatever happens, one of the two is there. */
static int replace(const char *path, enum key_type type, const struct passphrase *passphrase,
		   const uint8_t *secret)
{
	char *beside = NULL;
	int status;

	if (asprintf(&beside, "%s.new", path) < 0)
		return keyfile_no_memory();
	status = keyfile_write_secret(beside, type, passphrase, secret);
	if (status == STATUS_DONE && rename(beside, path) < 0) {
		status = diag_file("replace", path, errno);
		unlink(beside);
	}
	free(beside);
	return status;
}

static int protect(const char *path, enum key_type type, bool remove,
		   struct passphrases *passphrases, uint8_t *secret)
{
	const struct passphrase *passphrase = NULL;
	int status = keyfile_read_secret(path, type, passphrases, secret);

	if (status == STATUS_DONE && !remove)
		status = passphrases_choose(passphrases, path, &passphrase);
	return status == STATUS_DONE ? replace(path, type, passphrase, secret) : status;
}

int protect_command(const struct args *args)
{
	const char *path = args->operands[0];
	bool remove = args_has(args, "remove"), is_protected;
	struct passphrases passphrases;
	enum key_type type;
	uint8_t *secret;
	int status = keyfile_identify(path, &type, &is_protected);

	if (status == STATUS_DONE && is_protected != remove) {
		diag_error(remove ? "'%s' has no passphrase"
				  : "'%s' has a passphrase already; --remove takes it away",
			   path);
		status = STATUS_REFUSED;
	}
	if (status != STATUS_DONE)
		return status;
	secret = sodium_malloc(KEY_LEN);
	if (!secret)
		return keyfile_no_memory();
	passphrases_init(&passphrases, args);
	status = protect(path, type, remove, &passphrases, secret);
	passphrases_free(&passphrases);
	sodium_free(secret);
	if (status == STATUS_DONE)
		diag_info("%s: %s", path,
			  remove ? "has no passphrase any more" : "is protected by its passphrase");
	return status;
}
