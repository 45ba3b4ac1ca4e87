/* SPDX-License-Identifier: MIT */
/* Strings of an image, and the words for its numbers. */
#include <string.h>

#include "internal.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

bool dmfs_str_is(struct dmfs_str s, const char *text)
{
	for (uint32_t i = 0; i < s.len; i++)
		if (text[i] == '\0' || text[i] != s.data[i])
			return false;
	return text[s.len] == '\0';
}

bool dmfs_str_equal(struct dmfs_str a, struct dmfs_str b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool dmfs_str_is_name(struct dmfs_str s, uint32_t max)
{
	if (s.len == 0 || s.len > max || !is_letter_or_digit(s.data[0]))
		return false;
	for (uint32_t i = 1; i < s.len; i++) {
		char c = s.data[i];

		if (!is_letter_or_digit(c) && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

bool dmfs_str_is_printable(struct dmfs_str s, uint32_t max)
{
	if (s.len > max)
		return false;
	for (uint32_t i = 0; i < s.len; i++)
		if (s.data[i] < ' ' || s.data[i] > '~')
			return false;
	return true;
}

static const char *const permission_names[DMFS_PERM_COUNT] = {
	[DMFS_PERM_SERVICE_CONSOLE] = "service_console",
	[DMFS_PERM_SERVICE_STORAGE] = "service_storage",
	[DMFS_PERM_SERVICE_NETWORK] = "service_network",
	[DMFS_PERM_SERVICE_CONTROL] = "service_control",
	[DMFS_PERM_CONSOLE_READ] = "console_read",
	[DMFS_PERM_CONSOLE_WRITE] = "console_write",
	[DMFS_PERM_HV_LOG_READ] = "hv_log_read",
	[DMFS_PERM_HV_STATS_READ] = "hv_stats_read",
	[DMFS_PERM_CAPSULE_LIST] = "capsule_list",
	[DMFS_PERM_CAPSULE_START] = "capsule_start",
	[DMFS_PERM_CAPSULE_STOP] = "capsule_stop",
	[DMFS_PERM_CAPSULE_RESTART] = "capsule_restart",
	[DMFS_PERM_CAPSULE_FOCUS] = "capsule_focus",
	[DMFS_PERM_MESSAGE_SEND] = "message_send",
	[DMFS_PERM_MESSAGE_RECEIVE] = "message_receive",
	[DMFS_PERM_MEMORY_GRANT] = "memory_grant",
};

static const char *const object_type_names[] = {
	[DMFS_OBJECT_KERNEL] = "kernel",         [DMFS_OBJECT_INITRD] = "initrd",
	[DMFS_OBJECT_DEVICETREE] = "devicetree", [DMFS_OBJECT_BANNER] = "banner",
	[DMFS_OBJECT_PROGRAM] = "program",       [DMFS_OBJECT_FILE] = "file",
	[DMFS_OBJECT_DISK] = "disk",
};

static const char *const priority_names[] = {
	[DMFS_PRIORITY_LOW] = "low",
	[DMFS_PRIORITY_NORMAL] = "normal",
	[DMFS_PRIORITY_HIGH] = "high",
};

static const char *const restart_names[] = {
	[DMFS_RESTART_NEVER] = "never",
	[DMFS_RESTART_ON_CRASH] = "on-crash",
	[DMFS_RESTART_ALWAYS] = "always",
};

const char *dmfs_permission_name(unsigned bit)
{
	return bit < COUNT_OF(permission_names) ? permission_names[bit] : NULL;
}

const char *dmfs_object_type_name(uint32_t type)
{
	return type < COUNT_OF(object_type_names) ? object_type_names[type] : NULL;
}

const char *dmfs_priority_name(uint32_t priority)
{
	return priority < COUNT_OF(priority_names) ? priority_names[priority] : NULL;
}

const char *dmfs_restart_name(uint32_t restart)
{
	return restart < COUNT_OF(restart_names) ? restart_names[restart] : NULL;
}
