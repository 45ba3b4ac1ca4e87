/* SPDX-License-Identifier: MIT */
/*
 * Trust sets: the keys that are to be trusted from now on, signed by enough of those before (docs/keys.md).
 */
#ifndef SIGN_TRUST_SET_H
#define SIGN_TRUST_SET_H

#include "keys.h"

/*
 * Reads --trust-set, if it is given, into trust->next: a set is taken that enough of trust->keys
 * signed, and enough of its own. A STATUS_..., after a message when it is not STATUS_DONE.
 */
int trust_set_add(struct trust_keys *trust, const struct args *args);

int trust_command(const struct args *args);

#endif
