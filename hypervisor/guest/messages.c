/* SPDX-License-Identifier: MIT */
/*
 * Messages between capsules. One lies in the sender's outbox and hangs in the receiver's inbox; bytes are copied with no
 * lock held, as nobody else touches a message that is taken and not, or no longer, in an inbox.
 */
#include <string.h>

#include "exchange.h"
#include "roles.h"

uint64_t exchange_size(const struct dmfs_capsule *config)
{
	uint64_t any = UINT64_C(1) << DMFS_PERM_MESSAGE_SEND | UINT64_C(1) << DMFS_PERM_MESSAGE_RECEIVE |
		       UINT64_C(1) << DMFS_PERM_MEMORY_GRANT;

	return config->permissions & any ? sizeof(struct exchange) : 0;
}

void exchange_init(struct exchange *exchange)
{
	list_init(&exchange->inbox);
}

static struct message *take_slot(struct exchange *exchange)
{
	for (unsigned i = 0; i < DIOSIX_OUTBOX; i++)
		if (!atomic_exchange(&exchange->outbox[i].taken, true))
			return &exchange->outbox[i];
	return NULL;
}

/*
 * A receiver that runs in the life which the handle names still has to look through its inbox when that ends, after
 * this lock; one that does not gets nothing.
 */
static bool put(struct capsule *to, uint64_t handle, struct message *message)
{
	struct exchange *exchange = to->exchange;
	bool there;

	lock(&exchange->inbox_lock);
	there = capsule_by_handle(handle) != NULL;
	if (there)
		list_add_tail(&exchange->inbox, &message->node);
	unlock(&exchange->inbox_lock);
	return there;
}

struct sbi_result message_send(struct vcpu *vcpu, const uint64_t *a)
{
	struct capsule *from = vcpu->capsule, *to = capsule_by_handle(a[0]);
	struct message *message;
	hpa_t bytes;

	if (a[2] > DIOSIX_MESSAGE_LEN)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	if (!capsule_memory(from, gpa(a[1]), a[2], &bytes))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	if (to == NULL || !capsule_may(to, DMFS_PERM_MESSAGE_RECEIVE))
		return sbi_error(SBI_ERR_INVALID_STATE);
	message = take_slot(from->exchange);
	if (message == NULL)
		return sbi_error(SBI_ERR_TIMEOUT);
	message->from = capsule_handle(from);
	message->len = (uint32_t)a[2];
	memcpy(message->bytes, hpa_ptr(bytes), message->len);
	if (!put(to, a[0], message)) {
		atomic_store(&message->taken, false);
		return sbi_error(SBI_ERR_INVALID_STATE);
	}
	atomic_fetch_add(&from->messages_sent, 1);
	capsule_post_events(to, DIOSIX_EVENT_MESSAGE);
	return sbi_value(0);
}

/* The oldest message, out of the inbox. NULL when there is none, or it has not `room`, which *fits says. */
static struct message *take_oldest(struct exchange *exchange, uint64_t room, bool *fits)
{
	struct message *message = NULL;

	*fits = true;
	lock(&exchange->inbox_lock);
	if (!list_empty(&exchange->inbox)) {
		message = list_entry(exchange->inbox.next, struct message, node);
		*fits = sizeof(struct diosix_message) + message->len <= room;
		if (*fits)
			list_remove(&message->node);
	}
	unlock(&exchange->inbox_lock);
	return *fits ? message : NULL;
}

struct sbi_result message_receive(struct vcpu *vcpu, const uint64_t *a)
{
	uint64_t room = a[1] < DIOSIX_BATCH_LEN ? a[1] : DIOSIX_BATCH_LEN;
	struct capsule *capsule = vcpu->capsule;
	struct diosix_message header = {0};
	struct message *message;
	hpa_t buffer;
	bool fits;

	if (!capsule_memory(capsule, gpa(a[0]), room, &buffer))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	message = take_oldest(capsule->exchange, room, &fits);
	if (message == NULL)
		return fits ? sbi_value(0) : sbi_error(SBI_ERR_INVALID_PARAM);
	header.from = message->from;
	header.len = message->len;
	memcpy(hpa_ptr(buffer), &header, sizeof(header));
	memcpy((uint8_t *)hpa_ptr(buffer) + sizeof(header), message->bytes, header.len);
	atomic_store(&message->taken, false);
	atomic_fetch_add(&capsule->messages_received, 1);
	return sbi_value(sizeof(header) + header.len);
}

void messages_gone(struct capsule *capsule)
{
	struct exchange *exchange = capsule->exchange;
	struct message *message;
	bool fits;

	if (exchange == NULL)
		return;
	/* None is added any more, and there are not more than all outboxes have. */
	while ((message = take_oldest(exchange, UINT64_MAX, &fits)) != NULL)
		atomic_store(&message->taken, false);
}
