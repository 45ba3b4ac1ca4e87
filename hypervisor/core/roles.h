/* SPDX-License-Identifier: MIT */
/* Who offers what to other capsules, and who is meant by a name or a handle (docs/service-abi.md). */
#ifndef ROLES_H
#define ROLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service_abi.h"

struct capsule;

/*
 * Of all of the following that change who has a role: the caller holds no lock. The console is told of its own and of the
 * control's, then all capsules that have a doorbell.
 */

/* The capsule takes a role; false when another one has it. */
bool role_take(enum diosix_role role, struct capsule *capsule);

/* The capsule has the role no more, if it had it in the life that the handle names. */
void role_drop(enum diosix_role role, uint64_t handle);

/* Its life is over, its vCPUs have retired: nor any other. */
void roles_gone(struct capsule *capsule);

/* The provider's handle, 0 when there is none; and what a capsule provides, bits by enum diosix_role. */
uint64_t role_provider(enum diosix_role role);
uint32_t roles_of(const struct capsule *capsule);

/* Has any role a provider? */
bool roles_any(void);

/* The running capsule of that name that may receive messages, NULL when there is none. */
struct capsule *capsule_find(const char *name, size_t len);

/* The capsule whose present life the handle names, and which runs; NULL otherwise. */
struct capsule *capsule_by_handle(uint64_t handle);

#endif
