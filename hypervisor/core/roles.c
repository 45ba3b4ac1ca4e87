/* SPDX-License-Identifier: MIT */
#include "roles.h"

#include <string.h>

#include "capsule.h"
#include "console.h"
#include "lock.h"

/* Handles; written under the lock, so that who has to know of a role hears of its changes in their order. */
static _Atomic uint64_t providers[DIOSIX_ROLES];
static struct lock roles_lock;

/* Those that somebody in the hypervisor has to know. */
static void (*const told[DIOSIX_ROLES])(struct capsule *provider) = {
	[DIOSIX_ROLE_CONSOLE] = console_set_provider,
	[DIOSIX_ROLE_CONTROL] = control_set_provider,
};

static void tell_all(void)
{
	for (uint32_t i = 0; i < capsule_count; i++)
		capsule_post_events(&capsules[i], DIOSIX_EVENT_PROVIDERS);
}

/* Gives the role to `next`, NULL for nobody, if it is the one of the handle `from`. Returns whose it was. */
static uint64_t pass(enum diosix_role role, uint64_t from, struct capsule *next)
{
	uint64_t was;

	lock(&roles_lock);
	was = atomic_load(&providers[role]);
	if (was == from) {
		atomic_store(&providers[role], next != NULL ? capsule_handle(next) : 0);
		if (told[role] != NULL)
			told[role](next);
	}
	unlock(&roles_lock);
	if (was == from)
		tell_all();
	return was;
}

bool role_take(enum diosix_role role, struct capsule *capsule)
{
	uint64_t was = pass(role, 0, capsule);

	return was == 0 || was == capsule_handle(capsule);
}

void role_drop(enum diosix_role role, uint64_t handle)
{
	pass(role, handle, NULL);
}

void roles_gone(struct capsule *capsule)
{
	for (unsigned role = 0; role < DIOSIX_ROLES; role++)
		role_drop(role, capsule_handle(capsule));
}

uint64_t role_provider(enum diosix_role role)
{
	return atomic_load(&providers[role]);
}

bool roles_any(void)
{
	for (unsigned role = 0; role < DIOSIX_ROLES; role++)
		if (role_provider(role) != 0)
			return true;
	return false;
}

uint32_t roles_of(const struct capsule *capsule)
{
	uint32_t roles = 0;

	for (unsigned role = 0; role < DIOSIX_ROLES; role++)
		if (role_provider(role) == capsule_handle(capsule))
			roles |= 1u << role;
	return roles;
}

struct capsule *capsule_find(const char *name, size_t len)
{
	for (uint32_t i = 0; i < capsule_count; i++) {
		struct capsule *capsule = &capsules[i];

		if (strlen(capsule->name) == len && memcmp(capsule->name, name, len) == 0)
			return atomic_load(&capsule->state) == CAPSULE_RUNNING &&
					       capsule_may(capsule, DMFS_PERM_MESSAGE_RECEIVE) ?
				       capsule :
				       NULL;
	}
	return NULL;
}

struct capsule *capsule_by_handle(uint64_t handle)
{
	uint32_t index = DIOSIX_HANDLE_INDEX(handle);

	if (index >= capsule_count || atomic_load(&capsules[index].state) != CAPSULE_RUNNING)
		return NULL;
	return capsule_handle(&capsules[index]) == handle ? &capsules[index] : NULL;
}
