/* SPDX-License-Identifier: MIT */
/*
 * What a capsule written in C calls: the service ABI's calls as functions. docs/service-abi.md says what each does; errors
 * are the SBI's, 0 or negative.
 */
#ifndef DIOSIX_H
#define DIOSIX_H

#include <stddef.h>
#include <stdint.h>

#include "service_abi.h"

struct diosix_result {
	int64_t error; /* DIOSIX_OK, or one of the others */
	uint64_t value;
};

/* SBI specification 3.0, section 3. */
enum diosix_error {
	DIOSIX_OK = 0,
	DIOSIX_FAILED = -1,
	DIOSIX_NOT_SUPPORTED = -2,
	DIOSIX_INVALID = -3,
	DIOSIX_DENIED = -4,
	DIOSIX_INVALID_ADDRESS = -5,
	DIOSIX_ALREADY_AVAILABLE = -6,
	DIOSIX_INVALID_STATE = -10,
	DIOSIX_BAD_RANGE = -11,
	DIOSIX_BUSY = -12, /* SBI_ERR_TIMEOUT: full for now */
};

/* The one way to the hypervisor: implemented by the runtime, and by tests on a host. */
struct diosix_result diosix_call(enum diosix_call function, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3);

/* The physical address of something in this capsule's memory: implemented by the runtime, which knows its page tables. */
uint64_t diosix_physical(const volatile void *at);

static inline struct diosix_result diosix_version(void)
{
	return diosix_call(DIOSIX_CALL_VERSION, 0, 0, 0, 0);
}

static inline void diosix_yield(void)
{
	diosix_call(DIOSIX_CALL_YIELD, 0, 0, 0, 0);
}

_Noreturn void diosix_exit(int status);

static inline uint64_t diosix_self(void)
{
	return diosix_call(DIOSIX_CALL_SELF, 0, 0, 0, 0).value;
}

static inline uint64_t diosix_events(void)
{
	return diosix_call(DIOSIX_CALL_EVENTS, 0, 0, 0, 0).value;
}

static inline struct diosix_result diosix_register(enum diosix_role role)
{
	return diosix_call(DIOSIX_CALL_REGISTER, role, 0, 0, 0);
}

static inline struct diosix_result diosix_provider(enum diosix_role role)
{
	return diosix_call(DIOSIX_CALL_PROVIDER, role, 0, 0, 0);
}

static inline struct diosix_result diosix_find(const char *name, size_t len)
{
	return diosix_call(DIOSIX_CALL_FIND, diosix_physical(name), len, 0, 0);
}

static inline struct diosix_result diosix_log_read(uint64_t from, void *buffer, size_t len)
{
	return diosix_call(DIOSIX_CALL_LOG_READ, from, diosix_physical(buffer), len, 0);
}

static inline struct diosix_result diosix_board_info(struct diosix_board_info *info)
{
	return diosix_call(DIOSIX_CALL_BOARD_INFO, diosix_physical(info), sizeof(*info), 0, 0);
}

static inline struct diosix_result diosix_capsule_info(uint32_t index, struct diosix_capsule_info *info)
{
	return diosix_call(DIOSIX_CALL_CAPSULE_INFO, index, diosix_physical(info), sizeof(*info), 0);
}

static inline struct diosix_result diosix_capsule_stats(uint32_t index, struct diosix_capsule_stats *stats)
{
	return diosix_call(DIOSIX_CALL_CAPSULE_STATS, index, diosix_physical(stats), sizeof(*stats), 0);
}

static inline struct diosix_result diosix_capsule_start(uint32_t index)
{
	return diosix_call(DIOSIX_CALL_CAPSULE_START, index, 0, 0, 0);
}

static inline struct diosix_result diosix_capsule_stop(uint32_t index)
{
	return diosix_call(DIOSIX_CALL_CAPSULE_STOP, index, 0, 0, 0);
}

static inline struct diosix_result diosix_capsule_kill(uint32_t index)
{
	return diosix_call(DIOSIX_CALL_CAPSULE_KILL, index, 0, 0, 0);
}

static inline struct diosix_result diosix_capsule_restart(uint32_t index)
{
	return diosix_call(DIOSIX_CALL_CAPSULE_RESTART, index, 0, 0, 0);
}

static inline struct diosix_result diosix_capsule_focus(uint32_t index)
{
	return diosix_call(DIOSIX_CALL_CAPSULE_FOCUS, index, 0, 0, 0);
}

static inline struct diosix_result diosix_console_output(void *buffer, size_t len)
{
	return diosix_call(DIOSIX_CALL_CONSOLE_OUTPUT, diosix_physical(buffer), len, 0, 0);
}

static inline struct diosix_result diosix_console_feed(uint32_t index, const void *bytes, size_t len)
{
	return diosix_call(DIOSIX_CALL_CONSOLE_FEED, index, diosix_physical(bytes), len, 0);
}

static inline struct diosix_result diosix_console_read(void *buffer, size_t len)
{
	return diosix_call(DIOSIX_CALL_CONSOLE_READ, diosix_physical(buffer), len, 0, 0);
}

static inline struct diosix_result diosix_console_write(const void *bytes, size_t len)
{
	return diosix_call(DIOSIX_CALL_CONSOLE_WRITE, diosix_physical(bytes), len, 0, 0);
}

static inline struct diosix_result diosix_control_read(void *buffer, size_t len)
{
	return diosix_call(DIOSIX_CALL_CONTROL_READ, diosix_physical(buffer), len, 0, 0);
}

static inline struct diosix_result diosix_control_write(const void *bytes, size_t len)
{
	return diosix_call(DIOSIX_CALL_CONTROL_WRITE, diosix_physical(bytes), len, 0, 0);
}

static inline struct diosix_result diosix_message_send(uint64_t to, const void *bytes, size_t len)
{
	return diosix_call(DIOSIX_CALL_MESSAGE_SEND, to, diosix_physical(bytes), len, 0);
}

static inline struct diosix_result diosix_message_receive(void *buffer, size_t len)
{
	return diosix_call(DIOSIX_CALL_MESSAGE_RECEIVE, diosix_physical(buffer), len, 0, 0);
}

/* `pages` pages from `at` on, which is the beginning of one. */
static inline struct diosix_result diosix_grant(uint64_t to, const void *at, size_t pages, unsigned flags)
{
	return diosix_call(DIOSIX_CALL_GRANT, to, diosix_physical(at), pages, flags);
}

static inline struct diosix_result diosix_revoke(uint64_t grant)
{
	return diosix_call(DIOSIX_CALL_REVOKE, grant, 0, 0, 0);
}

static inline struct diosix_result diosix_accept(uint64_t grant, void *buffer, size_t pages)
{
	return diosix_call(DIOSIX_CALL_ACCEPT, grant, diosix_physical(buffer), pages, 0);
}

static inline struct diosix_result diosix_sync(uint64_t grant, enum diosix_sync direction)
{
	return diosix_call(DIOSIX_CALL_SYNC, grant, direction, 0, 0);
}

static inline struct diosix_result diosix_release(uint64_t grant)
{
	return diosix_call(DIOSIX_CALL_RELEASE, grant, 0, 0, 0);
}

/* The number of one of this capsule's own files, for the next two. */
static inline struct diosix_result diosix_file_find(const char *name, size_t len)
{
	return diosix_call(DIOSIX_CALL_FILE_FIND, diosix_physical(name), len, 0, 0);
}

static inline struct diosix_result diosix_file_size(uint64_t file)
{
	return diosix_call(DIOSIX_CALL_FILE_SIZE, file, 0, 0, 0);
}

/* As read(): may give less than there is room for, and 0 at the end. */
static inline struct diosix_result diosix_file_read(uint64_t file, uint64_t offset, void *buffer, size_t len)
{
	return diosix_call(DIOSIX_CALL_FILE_READ, file, offset, diosix_physical(buffer), len);
}

/* --- the runtime, beyond the calls: docs/services.md ------------------------------------------ */

#define DIOSIX_FOREVER UINT64_MAX /* a deadline that never comes */

uint64_t diosix_time(void);	/* the time CSR */
uint64_t diosix_timebase(void); /* its ticks a second */

/*
 * Sleeps until there are events, or until the time is `deadline`, in ticks. Returns the events, which are cleared, or 0. For the
 * vCPU that runs main alone.
 */
uint64_t diosix_wait(uint64_t deadline);

/*
 * Starts vCPU `id`, which runs entry(arg) on the stack of `size` bytes from `stack` on, the caller's to provide: at least 1 KiB and
 * aligned to 16 bytes. When entry returns the vCPU stops. DIOSIX_INVALID for no such vCPU or a stack that is too small,
 * DIOSIX_ALREADY_AVAILABLE when it runs.
 */
int64_t diosix_start_vcpu(unsigned id, void (*entry)(void *), void *arg, void *stack, size_t size);

/*
 * Switches address translation on, for this vCPU and those started later: all addresses stay what they are, but
 * text can only be read and run, constants only be read, all other memory not be run, and the page below main's stack is not
 * there. DIOSIX_FAILED when there is no memory for the tables.
 */
int64_t diosix_vm_on(void);

#endif
