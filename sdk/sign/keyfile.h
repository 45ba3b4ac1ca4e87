/* SPDX-License-Identifier: MIT */
/*
 * One key in one file (docs/keys.md): a line of text, a prefix that says what it is and hexadecimal
 * digits. All functions return a STATUS_..., after a message when it is not STATUS_DONE. Secrets
 * are handled in memory that is locked and wiped, and nowhere else.
 */
#ifndef SIGN_KEYFILE_H
#define SIGN_KEYFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "passphrase.h"

#define KEY_LEN 32u /* of a public key, and of the secret that one is made from */

enum key_type {
	KEY_SIGNING, /* Ed25519; the secret is the seed of RFC 8032 */
	KEY_SEALING, /* X25519; the secret is the scalar of RFC 7748, before it is clamped */
};

int keyfile_read_public(const char *path, enum key_type type, uint8_t key[KEY_LEN]);

/* `secret` should be of sodium_malloc(). A protected key takes the next of the passphrases. */
int keyfile_read_secret(const char *path, enum key_type type, struct passphrases *passphrases,
			uint8_t secret[KEY_LEN]);

/* Makes the file, which may not exist. */
int keyfile_write_public(const char *path, enum key_type type, const uint8_t key[KEY_LEN]);

/* With mode 0600; protected by `passphrase`, unless it is NULL. */
int keyfile_write_secret(const char *path, enum key_type type, const struct passphrase *passphrase,
			 const uint8_t secret[KEY_LEN]);

/* What the secret key at `path` is: its type, and whether a passphrase protects it. */
int keyfile_identify(const char *path, enum key_type *type, bool *protected);

/* "no memory to hold a secret in"; always STATUS_FAILED. */
int keyfile_no_memory(void);

#endif
