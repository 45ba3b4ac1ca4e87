/* SPDX-License-Identifier: MIT */
/* The service ABI, docs/service-abi.md: who may call what stands in one table, sdk/capsule/service_abi.h. */
#include <stdio.h>

#include "exchange.h"
#include "files.h"
#include "roles.h"
#include "console.h"
#include "line.h"
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

/* --- the console and the second port ----------------------------------------------------------- */

/* As much of a buffer as one call may read or write; false when any of that is not the capsule's. */
static bool batch(const struct vcpu *vcpu, uint64_t at, uint64_t *len, char **bytes)
{
	hpa_t where;

	if (*len > DIOSIX_BATCH_LEN)
		*len = DIOSIX_BATCH_LEN;
	if (!capsule_memory(vcpu->capsule, gpa(at), *len, &where))
		return false;
	*bytes = hpa_ptr(where);
	return true;
}

static struct sbi_result done(int64_t n)
{
	return n < 0 ? sbi_error(SBI_ERR_INVALID_STATE) : sbi_value((uint64_t)n);
}

static struct sbi_result capsule_focus(struct vcpu *vcpu, const uint64_t *a)
{
	if (a[0] >= capsule_count)
		return sbi_error(SBI_ERR_BAD_RANGE);
	console_set_focus(&capsules[a[0]]);
	return sbi_value(0);
}

static struct sbi_result console_output(struct vcpu *vcpu, const uint64_t *a)
{
	uint64_t len = a[1];
	char *bytes;

	if (!batch(vcpu, a[0], &len, &bytes))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	return done(console_take_output(vcpu->capsule, bytes, len));
}

static struct sbi_result console_feed_(struct vcpu *vcpu, const uint64_t *a)
{
	uint64_t len = a[2];
	char *bytes;

	if (a[0] >= capsule_count)
		return sbi_error(SBI_ERR_BAD_RANGE);
	if (!batch(vcpu, a[1], &len, &bytes))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	return done(console_feed(vcpu->capsule, &capsules[a[0]], bytes, len));
}

typedef int64_t (*line_function)(struct line *line, const struct capsule *capsule, char *bytes, size_t len);

static struct sbi_result port(struct vcpu *vcpu, const uint64_t *a, enum board_port which, line_function transfer)
{
	uint64_t len = a[1];
	char *bytes;

	if (which == PORT_CONTROL && !board_has_control())
		return sbi_error(SBI_ERR_NOT_SUPPORTED);
	if (!batch(vcpu, a[0], &len, &bytes))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	return done(transfer(&lines[which], vcpu->capsule, bytes, len));
}

static struct sbi_result console_read_(struct vcpu *vcpu, const uint64_t *a)
{
	return port(vcpu, a, PORT_CONSOLE, line_read);
}

static struct sbi_result console_write_(struct vcpu *vcpu, const uint64_t *a)
{
	return port(vcpu, a, PORT_CONSOLE, line_write);
}

static struct sbi_result control_read(struct vcpu *vcpu, const uint64_t *a)
{
	return port(vcpu, a, PORT_CONTROL, line_read);
}

static struct sbi_result control_write(struct vcpu *vcpu, const uint64_t *a)
{
	return port(vcpu, a, PORT_CONTROL, line_write);
}

/* --- its files -------------------------------------------------------------------------------- */

static struct sbi_result file_find(struct vcpu *vcpu, const uint64_t *a)
{
	uint32_t file;
	hpa_t name;

	if (a[1] > DMFS_MAX_FILE_NAME_LEN)
		return sbi_error(SBI_ERR_FAILED);
	if (!capsule_memory(vcpu->capsule, gpa(a[0]), a[1], &name))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	file = files_find(vcpu->capsule, (struct dmfs_str){hpa_ptr(name), (uint32_t)a[1]});
	return file != DMFS_NONE ? sbi_value(file) : sbi_error(SBI_ERR_FAILED);
}

static struct sbi_result file_size(struct vcpu *vcpu, const uint64_t *a)
{
	uint64_t len = files_len(vcpu->capsule, a[0]);

	return len != 0 ? sbi_value(len) : sbi_error(SBI_ERR_INVALID_PARAM);
}

static struct sbi_result file_read(struct vcpu *vcpu, const uint64_t *a)
{
	struct file_piece piece;
	hpa_t to;

	if (files_len(vcpu->capsule, a[0]) == 0)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	piece = files_piece(a[0], a[1], a[3]);
	if (!capsule_memory(vcpu->capsule, gpa(a[2]), piece.len, &to))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	return files_copy(&piece, hpa_ptr(to)) ? sbi_value(piece.len) : sbi_error(SBI_ERR_FAILED);
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
	[DIOSIX_CALL_CAPSULE_FOCUS] = capsule_focus,
	[DIOSIX_CALL_CONSOLE_OUTPUT] = console_output,
	[DIOSIX_CALL_CONSOLE_FEED] = console_feed_,
	[DIOSIX_CALL_CONSOLE_READ] = console_read_,
	[DIOSIX_CALL_CONSOLE_WRITE] = console_write_,
	[DIOSIX_CALL_CONTROL_READ] = control_read,
	[DIOSIX_CALL_CONTROL_WRITE] = control_write,
	[DIOSIX_CALL_MESSAGE_SEND] = message_send,
	[DIOSIX_CALL_MESSAGE_RECEIVE] = message_receive,
	[DIOSIX_CALL_GRANT] = grant_make,
	[DIOSIX_CALL_REVOKE] = grant_revoke,
	[DIOSIX_CALL_ACCEPT] = grant_accept,
	[DIOSIX_CALL_SYNC] = grant_sync,
	[DIOSIX_CALL_RELEASE] = grant_release,
	[DIOSIX_CALL_FILE_FIND] = file_find,
	[DIOSIX_CALL_FILE_SIZE] = file_size,
	[DIOSIX_CALL_FILE_READ] = file_read,
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
