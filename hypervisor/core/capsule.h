/* SPDX-License-Identifier: MIT */
/* A capsule: memory, vCPUs and devices of a guest or service, and its life. */
#ifndef CAPSULE_H
#define CAPSULE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "arch_types.h"
#include "dmfs.h"
#include "lock.h"
#include "unpack.h"
#include "vcpu.h"

/*
 * RUNNING, then STOPPING until its last vCPU is out of the guest; then LOADING, from the image, to run once more, or
 * SCRUBBING, to give its memory back.
 */
enum capsule_state {
	CAPSULE_NEW,
	CAPSULE_RUNNING,
	CAPSULE_STOPPING,
	CAPSULE_LOADING,
	CAPSULE_SCRUBBING,
	CAPSULE_STOPPED,
};

/* Why a capsule stops: the numbers of enum diosix_end. */
enum stop_reason { STOP_NONE, STOP_SHUTDOWN, STOP_REBOOT, STOP_CRASH, STOP_KILLED };

/* What others want of a capsule that has not stopped for good; the last one counts. */
enum order {
	ORDER_NONE,
	ORDER_KILL,
	ORDER_RESTART,
	ORDER_START, /* once its memory has been cleared */
	ORDER_NO_MORE, /* it has stopped, or is about to: nothing can be wanted of it but a start */
};

/* A capsule's RAM: contiguous in both spaces. */
struct guest_memory {
	gpa_t base;
	hpa_t host;
	uint64_t size;
};

#define CONSOLE_LINE_LEN 256u
#define CONSOLE_RING_LEN 4096u
#define CONSOLE_INPUT_LEN 256u
#define CRASH_REASON_LEN 96u
#define CAPSULE_STRETCHES 7u /* of memory to load: three objects, four gaps between them */

/* A capsule from one start to the next, as the console tells of it. */
struct life {
	uint64_t handle;
	uint64_t log;  /* the lines of the log before this one came before it */
	uint64_t from; /* of the bytes that it has ever printed, its first */
};

/*
 * What a capsule has printed. Of the ring, [line, shown) is the beginning of its unfinished line, as far as it is on the
 * board's line already; [shown, head) waits.
 */
struct printed {
	char *ring; /* CONSOLE_RING_LEN bytes */
	uint64_t line, shown, head;
	struct life present, past; /* who printed it: what is before present.from is of the past */
	uint32_t newlines; /* that wait */
	uint64_t lost;	   /* bytes that should stand behind what is in the ring; 0 for none */
	bool past_lost;	   /* a life of the past began to lose them */
	bool waits;	   /* is there something that could be shown? */
	_Atomic bool full; /* until there is much room again: its UART is not ready meanwhile */
};

struct machine;	 /* the emulated devices, guest/machine.h */
struct exchange; /* messages and grants, guest/exchange.h */

struct capsule {
	struct dmfs_capsule config;
	char name[DMFS_MAX_CAPSULE_NAME_LEN + 1];
	uint32_t index;
	struct guest_memory memory;
	struct arch_space space;
	struct vcpu *vcpus; /* config.cpus of them */
	struct machine *machine;
	struct exchange *exchange; /* NULL without a permission for it */

	_Atomic uint32_t state;
	/* vCPUs that were started and have not retired, others that hold it; whoever is the last begins what is next. */
	_Atomic uint32_t live;
	_Atomic uint32_t order; /* enum order */
	_Atomic bool asked;	/* to stop, in this life */
	enum stop_reason stop_reason; /* of its last life */
	char crash_reason[CRASH_REASON_LEN];
	uint32_t starts;
	uint64_t started_at;  /* ticks, the last time */
	uint32_t short_lives; /* in a row: restarts that did not last */
	uint64_t owned;	      /* pages that are its own: memory, tables, records */
	uint64_t returned;    /* of these, what it has only while it has not stopped */

	/* Work on its memory, done piece by piece by vCPU 0 when its turn is, instead of running the guest. */
	struct unpack_plan chore;
	struct unpack_stretch stretches[CAPSULE_STRETCHES];
	bool chore_done; /* it was not cut short by an order */
	bool anew;	 /* what is loaded is the first life after it had stopped */

	/* Figures for others to see (struct diosix_capsule_stats). */
	_Atomic uint64_t output, dropped; /* bytes that it has printed in all its lives, and how many of these were lost */
	_Atomic uint64_t messages_sent, messages_received;
	_Atomic uint64_t grants; /* its own that are open */

	_Atomic uint64_t events; /* enum diosix_event: what it has not been told yet */

	/* Console; guarded by the lock of its line. */
	struct printed printed;
	char input[CONSOLE_INPUT_LEN];
	uint32_t input_head, input_tail;
};

extern struct capsule *capsules; /* capsule_count of them, in the image's order */
extern uint32_t capsule_count;

static inline bool capsule_may(const struct capsule *capsule, enum dmfs_permission permission)
{
	return capsule->config.permissions >> permission & 1;
}

/* Has it input that it has not read? */
static inline bool capsule_has_input(const struct capsule *capsule)
{
	return capsule->input_tail != capsule->input_head;
}

/* Its handle in the service ABI, in its present life. */
uint64_t capsule_handle(const struct capsule *capsule);

/* The same to all that have the permission. */
void capsules_post_events(enum dmfs_permission permission, uint64_t events);

/* Does it have a doorbell? All services have, and all who may do something. */
static inline bool capsule_has_doorbell(const struct capsule *capsule)
{
	return capsule->config.kind == DMFS_SERVICE || capsule->config.permissions != 0;
}

/* Tells it of events (enum diosix_event), if it has a doorbell. The caller holds no lock of a machine. */
void capsule_post_events(struct capsule *capsule, uint64_t events);

/* The host address of [at, at + len) in the capsule's RAM; false when any of it is outside. */
static inline bool capsule_memory(const struct capsule *capsule, gpa_t at, uint64_t len, hpa_t *out)
{
	const struct guest_memory *memory = &capsule->memory;

	if (!range_contains(memory->base.v, memory->size, at.v, len))
		return false;
	*out = hpa(memory->host.v + (at.v - memory->base.v));
	return true;
}

/* Allocates what capsules[index] needs, by its config. False, with a sentence in `why`, when something is lacking. */
bool capsule_create(uint32_t index, char *why, size_t why_len);

/* Starts all of them for the first time: their memory has been loaded. */
void capsules_start(void);

/* A line of the log: memory that is free, and in capsules. The sum never changes. */
void capsules_log_memory(void);

/*
 * The vCPU, which does not enter the guest again, ends its capsule: it begins to stop, vCPUs retire as they come by, the
 * last one does the rest. Only the first call counts; false otherwise. `why` is for crashes, shown to people.
 */
bool capsule_stop(struct vcpu *vcpu, enum stop_reason reason, const char *why);

/*
 * What others ask: false when its state does not allow it (docs/hypervisor.md has the table). KILL and RESTART take effect
 * soon, whatever the capsule does; capsule_ask_to_stop() is up to it.
 */
bool capsule_order(struct capsule *capsule, enum order order);
bool capsule_ask_to_stop(struct capsule *capsule);

/* Starts one that has stopped for good, with new memory. */
enum start_result { START_BEGUN, START_NOT_STOPPED, START_NO_MEMORY };
enum start_result capsule_start(struct capsule *capsule);

/* A crash that the vCPU caused: reports its registers, then stops the capsule. */
void capsule_crash(struct vcpu *vcpu, const char *why);

/* The vCPU, current on this hart, is out of the guest for good. */
void capsule_vcpu_retired(struct vcpu *vcpu);

/* REQUEST_CHORE of the vCPU, current on this hart: does a piece of its capsule's chore, or what comes after. */
void capsule_chore(struct vcpu *vcpu);

/* Provided by guest/machine.c: room for the devices; their state after a reset; the UART has input, or room again. */
uint64_t machine_size(const struct dmfs_capsule *config);
void machine_reset(struct capsule *capsule);
void machine_uart(struct capsule *capsule);

/* The same: tells who runs in it that it is to shut down. */
void machine_ask_to_stop(struct capsule *capsule);

/* The same: the doorbell's level follows capsule->events; and takes these, which lowers it. */
void machine_doorbell(struct capsule *capsule);
uint64_t machine_take_events(struct capsule *capsule);

/*
 * Provided by guest/messages.c and grants.c: room for what a capsule exchanges with others, 0 when it may not; and the end
 * of a life: its vCPUs have retired, its memory has not been touched yet.
 */
uint64_t exchange_size(const struct dmfs_capsule *config);
void exchange_init(struct exchange *exchange);
void messages_gone(struct capsule *capsule);
void grants_gone(struct capsule *capsule);

#endif
