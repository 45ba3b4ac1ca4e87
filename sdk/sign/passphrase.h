/* SPDX-License-Identifier: MIT */
/*
 * Passphrases of secret keys: from --passphrase-fd, --passphrase-file, the file that
 * DMFS_PASSPHRASE_FILE names, or the terminal; never from the command line, which everybody can
 * read.
 */
#ifndef SIGN_PASSPHRASE_H
#define SIGN_PASSPHRASE_H

#include <stddef.h>

#include "common/args.h"

#define PASSPHRASE_MAX 1024u

struct passphrase {
	size_t len;
	char text[PASSPHRASE_MAX];
};

/* Where they come from. A file or descriptor has one on each line, in the order of the keys that need one. */
struct passphrases {
	const struct args *args;
	struct passphrase *current; /* of sodium_malloc() */
	char *text, *next;          /* of a file: what was read, and the line that comes next */
	size_t text_len;
};

void passphrases_init(struct passphrases *passphrases, const struct args *args);
void passphrases_free(struct passphrases *passphrases);

/*
 * The next one, for the key at `path`; *out stays until the next call. passphrases_choose() is for
 * a new key: it asks twice where it asks. A STATUS_..., after a message when it is not STATUS_DONE.
 */
int passphrases_next(struct passphrases *passphrases, const char *path,
		     const struct passphrase **out);
int passphrases_choose(struct passphrases *passphrases, const char *path,
		       const struct passphrase **out);

#endif
