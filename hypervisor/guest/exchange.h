/* SPDX-License-Identifier: MIT */
/*
 * Messages and grants of the service ABI. What a capsule needs for them is its own memory, so nobody can use up another's;
 * nothing is allocated later.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "list.h"
#include "lock.h"
#include "sbi.h"
#include "service_abi.h"

/* One of the sender's, taken from when it is filled in until the receiver has copied it. */
struct message {
	struct list node; /* in the receiver's inbox */
	_Atomic uint32_t taken;
	uint32_t len;
	uint64_t from;
	uint8_t bytes[DIOSIX_MESSAGE_LEN];
};

enum grant_state { GRANT_OPEN, GRANT_ACCEPTED, GRANT_RELEASED };

/*
 * Guarded by the owner's lock, which is not held while pages are copied or unmapped. `busy` is the right to that for the
 * peer's calls, one at a time; `doomed`, once set, gives nobody that right any more, and whoever set it waits for the last one
 * and then takes the grant away.
 */
struct grant {
	_Atomic uint64_t number; /* 0: free */
	uint64_t peer;		 /* handle */
	enum grant_state state;
	_Atomic uint32_t busy;
	bool doomed;
	bool writable;
	uint32_t pages;
	hpa_t at;     /* in the owner's RAM */
	gpa_t copy;   /* pmp: in the peer's RAM */
	uint32_t slot; /* gstage: of the peer's window */
};

struct exchange {
	struct lock inbox_lock;
	struct list inbox; /* what waits for this capsule, oldest first */
	struct message outbox[DIOSIX_OUTBOX];

	struct lock grants_lock;
	struct grant grants[DIOSIX_GRANTS];
	uint64_t granted;	 /* ever, for their numbers */
	_Atomic uint32_t window; /* slots in use, bits */
};

/* The calls: functions of the service ABI's table. */
struct sbi_result message_send(struct vcpu *vcpu, const uint64_t *a);
struct sbi_result message_receive(struct vcpu *vcpu, const uint64_t *a);
struct sbi_result grant_make(struct vcpu *vcpu, const uint64_t *a);
struct sbi_result grant_revoke(struct vcpu *vcpu, const uint64_t *a);
struct sbi_result grant_accept(struct vcpu *vcpu, const uint64_t *a);
struct sbi_result grant_sync(struct vcpu *vcpu, const uint64_t *a);
struct sbi_result grant_release(struct vcpu *vcpu, const uint64_t *a);

#endif
