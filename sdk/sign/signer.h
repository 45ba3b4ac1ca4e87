/* SPDX-License-Identifier: MIT */
/*
 * Keys that are elsewhere: each --signer COMMAND is a helper that makes one signature (docs/keys.md
 * has its protocol).
 */
#ifndef SIGN_SIGNER_H
#define SIGN_SIGNER_H

#include "common/args.h"
#include "dmfs.h"

/* What a helper has to write: the public key, then the signature. */
#define SIGNER_ANSWER_LEN (DMFS_PUBLIC_KEY_LEN + DMFS_SIGNATURE_LEN)

/*
 * Runs --signer number `index` over the len bytes at `region`. STATUS_DONE with its answer, which
 * nobody has checked yet, or another STATUS_... after a message.
 */
int signer_run(const struct args *args, unsigned index, const void *region, uint64_t len,
	       uint8_t answer[SIGNER_ANSWER_LEN]);

#endif
