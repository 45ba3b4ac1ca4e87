/* SPDX-License-Identifier: MIT */
/*
 * The keys of a command line: those that sign, those that are trusted.
 */
#ifndef SIGN_KEYS_H
#define SIGN_KEYS_H

#include "common/args.h"
#include "dmfs.h"
#include "dmfs_write.h"
#include "keyfile.h"

/* Secret keys in memory that is locked and wiped; free with secret_keys_free(). */
struct secret_keys {
	uint8_t (*keys)[DMFS_SECRET_KEY_LEN];
	uint32_t count;
};

/* Trust anchors, as --trust and --threshold give them. */
struct trust_keys {
	uint8_t keys[DMFS_MAX_ANCHORS][DMFS_PUBLIC_KEY_LEN];
	struct dmfs_trust trust; /* points to `keys`, and to `next` with --trust-set */
	uint8_t next_keys[DMFS_MAX_ANCHORS][DMFS_PUBLIC_KEY_LEN];
	struct dmfs_trust next;
	uint64_t next_version;
};

/* All of these return a STATUS_..., after a message when it is not STATUS_DONE. */

/* Every --key of the command line; there may be --signer as well, which are only counted. */
int secret_keys_read(struct secret_keys *secret, const struct args *args);
void secret_keys_free(struct secret_keys *secret);

/*
 * Every --trust, the --threshold, 1 unless given, and the --trust-set that they have signed. No
 * --trust is a usage error.
 */
int trust_keys_read(struct trust_keys *trust, const struct args *args);
/* The same without --trust-set. */
int trust_keys_read_alone(struct trust_keys *trust, const struct args *args);

/*
 * Makes PATH_PREFIX.key and PATH_PREFIX.pub, neither of which may exist. The secret one is
 * protected by a passphrase unless `passphrases` is NULL.
 */
int key_generate(const char *path_prefix, enum key_type type, struct passphrases *passphrases);

/* The key's id as people see it: 16 hexadecimal digits and a zero. */
#define KEY_ID_TEXT_LEN (2 * DMFS_KEY_ID_LEN + 1)
const char *key_id_text(char text[KEY_ID_TEXT_LEN], const uint8_t key[DMFS_PUBLIC_KEY_LEN]);

#endif
