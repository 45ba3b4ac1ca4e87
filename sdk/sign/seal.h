/* SPDX-License-Identifier: MIT */
/*
 * Encryption as the command line has it: --recipient, --content-key-file, --unseal. All functions
 * return a STATUS_..., after a message when it is not STATUS_DONE.
 */
#ifndef SIGN_SEAL_H
#define SIGN_SEAL_H

#include "image.h"

/* To whom, and under which key; free with recipients_free(). */
struct recipients {
	uint8_t (*keys)[KEY_LEN]; /* DMFS_MAX_SEALED_KEYS */
	uint32_t count;
	uint8_t *content_key; /* of sodium_malloc(); NULL until content_key_make() */
};

/* Every --recipient. */
int recipients_read(struct recipients *recipients, const struct args *args);
/* That of --content-key-file, otherwise a random one. */
int content_key_make(struct recipients *recipients, const struct args *args);
void recipients_free(struct recipients *recipients);

/* The secret key of --unseal, or NULL in *secret without it; of sodium_malloc(). */
int unseal_key_read(uint8_t **secret, const struct args *args);

/* Unseals the image's content key with that of --unseal, if both are there. */
int image_file_unseal(struct image_file *file, const struct args *args);

int reseal_command(const struct args *args);

#endif
