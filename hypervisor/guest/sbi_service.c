/* SPDX-License-Identifier: MIT */
/* The service ABI, docs/service-abi.md: who may call what stands in one table, sdk/capsule/service_abi.h. */
#include <stdio.h>

#include "exchange.h"
#include "roles.h"
#include "manage.h"
#include "sbi.h"
#include "scheduler.h"
#include "service_abi.h"

/* --- itself --------------------------------------------------------------------------------- */

static struct sbi_result version(struct vcpu *vcpu, const uint64_t *a)
{
	return sbi_value(DIOSIX_ABI_VERSION);
}

static struct sbi_result yield(struct vcpu *vcpu, const uint64_t *a)
{
	sched_give_way();
	return sbi_value(0);
}

static struct sbi_result exit_(struct vcpu *vcpu, const uint64_t *a)
{
	char why[48];

	if (a[0] == 0) {
		capsule_stop(vcpu, STOP_SHUTDOWN, "");
	} else {
		snprintf(why, sizeof(why), "it exited with status %ld", (long)a[0]);
		capsule_crash(vcpu, why);
	}
	return sbi_error(SBI_ERR_FAILED); /* never seen */
}

static struct sbi_result self(struct vcpu *vcpu, const uint64_t *a)
{
	return sbi_value(capsule_handle(vcpu->capsule));
}

static struct sbi_result events(struct vcpu *vcpu, const uint64_t *a)
{
	return sbi_value(machine_take_events(vcpu->capsule));
}

/* --- others ---------------------------------------------------------------------------------- */

static struct sbi_result register_(struct vcpu *vcpu, const uint64_t *a)
{
	if (a[0] >= DIOSIX_ROLES)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	return role_take((enum diosix_role)a[0], vcpu->capsule) ? sbi_value(0) : sbi_error(SBI_ERR_ALREADY_AVAILABLE);
}

static struct sbi_result provider(struct vcpu *vcpu, const uint64_t *a)
{
	uint64_t handle = a[0] < DIOSIX_ROLES ? role_provider((enum diosix_role)a[0]) : 0;

	return handle != 0 ? sbi_value(handle) : sbi_error(SBI_ERR_FAILED);
}

static struct sbi_result find(struct vcpu *vcpu, const uint64_t *a)
{
	const struct capsule *found;
	hpa_t name;

	if (a[1] > DMFS_MAX_CAPSULE_NAME_LEN)
		return sbi_error(SBI_ERR_FAILED);
	if (!capsule_memory(vcpu->capsule, gpa(a[0]), a[1], &name))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	found = capsule_find(hpa_ptr(name), a[1]);
	return found != NULL ? sbi_value(capsule_handle(found)) : sbi_error(SBI_ERR_FAILED);
}

/* --- who may call what ------------------------------------------------------------------------ */

enum { ANYBODY = DMFS_PERM_COUNT, ROLE };

/* Names of the header's table that are no permissions stand for themselves. */
#define DMFS_PERM_ANYBODY ANYBODY
#define DMFS_PERM_ROLE	  ROLE

static const uint8_t needs[DIOSIX_CALL_COUNT] = {
#define NEEDS(number, NAME, name, PERMISSION) [number] = DMFS_PERM_##PERMISSION,
	DIOSIX_CALLS(NEEDS)
#undef NEEDS
};

static bool permits(const struct vcpu *vcpu, uint64_t function, const uint64_t *a)
{
	uint64_t permission = needs[function];

	if (permission == ANYBODY)
		return true;
	if (permission == ROLE) {
		if (a[0] >= DIOSIX_ROLES)
			return true; /* the call says what is wrong with it */
		permission = DMFS_PERM_SERVICE_CONSOLE + a[0];
	}
	return capsule_may(vcpu->capsule, (enum dmfs_permission)permission);
}

static const sbi_function functions[DIOSIX_CALL_COUNT] = {
	[DIOSIX_CALL_VERSION] = version,
	[DIOSIX_CALL_YIELD] = yield,
	[DIOSIX_CALL_EXIT] = exit_,
	[DIOSIX_CALL_SELF] = self,
	[DIOSIX_CALL_EVENTS] = events,
	[DIOSIX_CALL_REGISTER] = register_,
	[DIOSIX_CALL_PROVIDER] = provider,
	[DIOSIX_CALL_FIND] = find,
	[DIOSIX_CALL_MESSAGE_SEND] = message_send,
	[DIOSIX_CALL_MESSAGE_RECEIVE] = message_receive,
	[DIOSIX_CALL_GRANT] = grant_make,
	[DIOSIX_CALL_REVOKE] = grant_revoke,
	[DIOSIX_CALL_ACCEPT] = grant_accept,
	[DIOSIX_CALL_SYNC] = grant_sync,
	[DIOSIX_CALL_RELEASE] = grant_release,
	[DIOSIX_CALL_LOG_READ] = manage_log_read,
	[DIOSIX_CALL_BOARD_INFO] = manage_board_info,
	[DIOSIX_CALL_CAPSULE_INFO] = manage_capsule_info,
	[DIOSIX_CALL_CAPSULE_STATS] = manage_capsule_stats,
	[DIOSIX_CALL_CAPSULE_START] = manage_capsule_start,
	[DIOSIX_CALL_CAPSULE_STOP] = manage_capsule_stop,
	[DIOSIX_CALL_CAPSULE_KILL] = manage_capsule_kill,
	[DIOSIX_CALL_CAPSULE_RESTART] = manage_capsule_restart,
};

const struct sbi_extension sbi_service = {
	.id = DIOSIX_EXTENSION,
	.count = DIOSIX_CALL_COUNT,
	.functions = functions,
	.permits = permits,
	.version = DIOSIX_ABI_VERSION,
};
