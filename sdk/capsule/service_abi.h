/* SPDX-License-Identifier: MIT */
/*
 * The service ABI, version 1.0, as docs/service-abi.md describes it: one definition for the hypervisor, the runtime and
 * the tests. Freestanding. Addresses are guest-physical, times are in ticks of the time CSR, all structures little-endian
 * with their fields naturally aligned and no holes.
 */
#ifndef DIOSIX_SERVICE_ABI_H
#define DIOSIX_SERVICE_ABI_H

#include <stdint.h>

#define DIOSIX_EXTENSION   0x0A000005u /* SBI firmware-specific space of implementation 5 */
#define DIOSIX_ABI_VERSION 0x00010000u /* major << 16 | minor */

/*
 * Each call: X(number, NAME, name, PERMISSION). The permission is one of the image format's (enum dmfs_permission);
 * ANYBODY needs none, and ROLE is the one of the role that a0 names. Without it the answer is SBI_ERR_DENIED, whatever
 * the arguments, and nothing has changed.
 */
#define DIOSIX_CALLS(X)                                                  \
	X(0, VERSION, version, ANYBODY)                                  \
	X(1, YIELD, yield, ANYBODY)                                      \
	X(2, EXIT, exit, ANYBODY)                                        \
	X(3, SELF, self, ANYBODY)                                        \
	X(4, EVENTS, events, ANYBODY)                                    \
	X(5, REGISTER, register, ROLE)                                   \
	X(6, PROVIDER, provider, ANYBODY)                                \
	X(7, FIND, find, ANYBODY)                                        \
	X(8, LOG_READ, log_read, HV_LOG_READ)                            \
	X(9, BOARD_INFO, board_info, HV_STATS_READ)                      \
	X(10, CAPSULE_INFO, capsule_info, CAPSULE_LIST)                  \
	X(11, CAPSULE_STATS, capsule_stats, HV_STATS_READ)               \
	X(12, CAPSULE_START, capsule_start, CAPSULE_START)               \
	X(13, CAPSULE_STOP, capsule_stop, CAPSULE_STOP)                  \
	X(14, CAPSULE_KILL, capsule_kill, CAPSULE_STOP)                  \
	X(15, CAPSULE_RESTART, capsule_restart, CAPSULE_RESTART)         \
	X(16, CAPSULE_FOCUS, capsule_focus, CAPSULE_FOCUS)               \
	X(17, CONSOLE_OUTPUT, console_output, SERVICE_CONSOLE)           \
	X(18, CONSOLE_FEED, console_feed, SERVICE_CONSOLE)               \
	X(19, CONSOLE_READ, console_read, CONSOLE_READ)                  \
	X(20, CONSOLE_WRITE, console_write, CONSOLE_WRITE)               \
	X(21, CONTROL_READ, control_read, SERVICE_CONTROL)               \
	X(22, CONTROL_WRITE, control_write, SERVICE_CONTROL)             \
	X(23, MESSAGE_SEND, message_send, MESSAGE_SEND)                  \
	X(24, MESSAGE_RECEIVE, message_receive, MESSAGE_RECEIVE)         \
	X(25, GRANT, grant, MEMORY_GRANT)                                \
	X(26, REVOKE, revoke, MEMORY_GRANT)                              \
	X(27, ACCEPT, accept, MESSAGE_RECEIVE)                           \
	X(28, SYNC, sync, MESSAGE_RECEIVE)                               \
	X(29, RELEASE, release, MESSAGE_RECEIVE)                         \
	X(30, FILE_FIND, file_find, ANYBODY)                             \
	X(31, FILE_SIZE, file_size, ANYBODY)                             \
	X(32, FILE_READ, file_read, ANYBODY)

enum diosix_call {
#define DIOSIX_NUMBER_OF(number, NAME, name, PERMISSION) DIOSIX_CALL_##NAME = (number),
	DIOSIX_CALLS(DIOSIX_NUMBER_OF)
#undef DIOSIX_NUMBER_OF
	DIOSIX_CALL_COUNT
};

/* What a service can offer; its permission is service_console and so on, in this order. */
enum diosix_role { DIOSIX_ROLE_CONSOLE, DIOSIX_ROLE_STORAGE, DIOSIX_ROLE_NETWORK, DIOSIX_ROLE_CONTROL, DIOSIX_ROLES };

/*
 * A capsule in one of its lives: its index in the image, and above that how often it has been started. A handle of a life
 * that is over is never valid again. 0 is nobody's.
 */
#define DIOSIX_HANDLE_INDEX(handle) ((uint32_t)(handle) & 0xffu)
#define DIOSIX_HANDLE_STARTS(handle) ((uint64_t)(handle) >> 8)
#define DIOSIX_HANDLE(index, starts) ((uint64_t)(starts) << 8 | (index))

/* Bits of EVENTS. While any is set the doorbell's interrupt is raised. */
#define DIOSIX_DOORBELL_IRQ 11u /* source of the capsule's PLIC; its node in the device tree says so too */
enum diosix_event {
	DIOSIX_EVENT_MESSAGE = 1 << 0,	      /* a message has come */
	DIOSIX_EVENT_CONSOLE_OUTPUT = 1 << 1, /* console provider: a capsule has printed something */
	DIOSIX_EVENT_CONSOLE_INPUT = 1 << 2,  /* console provider: somebody has typed something */
	DIOSIX_EVENT_CONSOLE_ROOM = 1 << 3,   /* console provider: the line takes bytes again */
	DIOSIX_EVENT_CONTROL_INPUT = 1 << 4,  /* control provider: the same for the second port */
	DIOSIX_EVENT_CONTROL_ROOM = 1 << 5,
	DIOSIX_EVENT_LOG = 1 << 6,	      /* with hv_log_read: the log has a new line */
	DIOSIX_EVENT_CAPSULES = 1 << 7,	      /* with capsule_list: a capsule has changed its state */
	DIOSIX_EVENT_PROVIDERS = 1 << 8,      /* a role was taken, or became free */
	DIOSIX_EVENT_REVOKED = 1 << 9,	      /* a grant that this capsule had accepted is gone */
	DIOSIX_EVENT_STOP = 1 << 10,	      /* it is asked to stop */
	DIOSIX_EVENT_FOCUS = 1 << 11,	      /* console provider: CAPSULE_FOCUS was called */
};

#define DIOSIX_PAGE_SIZE     4096u
#define DIOSIX_MESSAGE_LEN   240u /* the most bytes of a message */
#define DIOSIX_OUTBOX	     8u	  /* messages of one sender that nobody has received yet */
#define DIOSIX_GRANTS	     8u	  /* of one owner at a time */
#define DIOSIX_GRANT_PAGES   64u  /* the most of one grant */
#define DIOSIX_WINDOW	     UINT64_C(0x60000000) /* where accepted grants are, a slot of DIOSIX_GRANT_PAGES each */
#define DIOSIX_BATCH_LEN     4096u /* the most bytes that one call reads or writes, but FILE_READ */

/* What MESSAGE_RECEIVE writes before the message's bytes. */
struct diosix_message {
	uint64_t from; /* the sender's handle */
	uint32_t len;
	uint32_t reserved;
};

/* Flags of GRANT and ACCEPT's rights; directions of SYNC. */
#define DIOSIX_GRANT_WRITE 1u /* its peer may write to it */
enum diosix_sync { DIOSIX_SYNC_PULL, DIOSIX_SYNC_PUSH };

/* What CONSOLE_OUTPUT writes before each piece of output; pieces begin at multiples of 8 bytes. */
struct diosix_output {
	uint64_t handle;  /* the capsule in the life that printed it; of lives before the present one, the last */
	uint64_t log;	  /* that life began after the lines of the log before this sequence number */
	uint64_t dropped; /* bytes that were lost just before these, as there was no room */
	uint32_t len;	  /* bytes that follow */
	uint32_t reserved;
};

enum diosix_level { DIOSIX_LOG_ERROR, DIOSIX_LOG_WARNING, DIOSIX_LOG_INFO, DIOSIX_LOG_DEBUG };

/* What LOG_READ writes before each line; lines begin at multiples of 8 bytes, have no newline and no terminating zero. */
struct diosix_log_line {
	uint64_t sequence; /* from 1 */
	uint64_t time;
	uint32_t level; /* enum diosix_level */
	uint32_t len;	/* bytes that follow */
};

enum diosix_state {
	DIOSIX_STATE_NEW,
	DIOSIX_STATE_RUNNING,
	DIOSIX_STATE_STOPPING,
	DIOSIX_STATE_LOADING,	/* a restart is being prepared, or waits for its time */
	DIOSIX_STATE_SCRUBBING, /* its memory is being cleared */
	DIOSIX_STATE_STOPPED,
};

enum diosix_kind { DIOSIX_GUEST = 1, DIOSIX_SERVICE = 2 };

/* How its last life ended. */
enum diosix_end { DIOSIX_END_NONE, DIOSIX_END_SHUTDOWN, DIOSIX_END_REBOOT, DIOSIX_END_CRASH, DIOSIX_END_KILLED };

/*
 * Structures that calls fill have their length in front: later versions append fields, a caller gets as many bytes
 * as it has room for, and the length that there is.
 */
struct diosix_capsule_info {
	uint32_t size;
	uint32_t index;
	uint64_t handle;  /* 0 unless it is running */
	char name[32];	  /* zero-terminated */
	uint32_t kind;	  /* enum diosix_kind */
	uint32_t state;	  /* enum diosix_state */
	uint32_t cpus;
	uint32_t priority;  /* 0 low, 1 normal, 2 high */
	uint32_t restart;   /* 0 never, 1 on-crash, 2 always */
	uint32_t cpu_limit; /* percent, 0 for none */
	uint32_t last_end;  /* enum diosix_end */
	uint32_t roles;	    /* bits by enum diosix_role: what it provides now */
	uint64_t memory;    /* bytes of RAM */
	uint64_t affinity;  /* harts, 0 for any */
	uint64_t permissions;
	uint64_t starts;
	uint64_t started_at; /* the last time */
	char crash[96];	     /* why it crashed last, zero-terminated */
};

/* Why vCPUs left the guest. Calls that are answered on the short path are not counted. */
enum diosix_exit {
	DIOSIX_EXIT_CALL,      /* SBI calls */
	DIOSIX_EXIT_DEVICE,    /* emulated devices */
	DIOSIX_EXIT_EMULATED,  /* instructions that were done for it */
	DIOSIX_EXIT_FAULT,     /* faults that were handed to it */
	DIOSIX_EXIT_WAIT,      /* wfi */
	DIOSIX_EXIT_TIMER,
	DIOSIX_EXIT_INTERRUPT, /* other interrupts of the hart */
	DIOSIX_EXITS
};

struct diosix_capsule_stats {
	uint32_t size;
	uint32_t index;
	uint64_t ran;		      /* by all its vCPUs, in all its lives */
	uint64_t exits[DIOSIX_EXITS];
	uint64_t output;	      /* bytes printed */
	uint64_t dropped;	      /* of these */
	uint64_t messages_sent, messages_received;
	uint64_t grants;	      /* open now */
};

enum diosix_isolation { DIOSIX_GSTAGE = 1, DIOSIX_PMP = 2 };
#define DIOSIX_KEYS 16u

struct diosix_board_info {
	uint32_t size;
	uint32_t harts;
	uint32_t isolation; /* enum diosix_isolation */
	uint32_t capsules;
	uint64_t timebase_hz;
	uint64_t ram, free; /* bytes */
	uint64_t rollback;
	char board[64], hypervisor[32], image[64], image_version[64]; /* zero-terminated */
	char terminal[16]; /* what is said of the terminal on the line: "dumb", "vt100", "mono", "color", or nothing */
	uint32_t has_control; /* whether there is a second port */
	uint32_t key_count;   /* keys that have signed the image and that this board trusts */
	uint8_t keys[DIOSIX_KEYS][8]; /* their key ids */
	uint32_t focus;	      /* index of the capsule that input goes to: what CAPSULE_FOCUS named last */
	uint32_t reserved;
};

#endif
