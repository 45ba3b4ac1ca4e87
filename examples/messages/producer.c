/* SPDX-License-Identifier: MIT */
/*
 * Fills a page, lets the consumer reach it, and says so in a message; then waits for the answer. Whatever the consumer does, the
 * page is the producer's again after revoke.
 */
#include <diosix.h>
#include <stdio.h>
#include <string.h>

static char page[DIOSIX_PAGE_SIZE] __attribute__((aligned(4096)));

/* The consumer may start later than we do. */
static uint64_t find(const char *name)
{
	struct diosix_result found;

	while ((found = diosix_find(name, strlen(name))).error)
		diosix_wait(diosix_time() + diosix_timebase() / 100);
	return found.value;
}

int main(void)
{
	struct {
		struct diosix_message header;
		char text[DIOSIX_MESSAGE_LEN];
	} answer;
	uint64_t consumer = find("consumer");
	struct diosix_result grant, received;

	snprintf(page, sizeof(page), "a page of the producer's");
	grant = diosix_grant(consumer, page, 1, DIOSIX_GRANT_WRITE);
	if (grant.error || diosix_message_send(consumer, &grant.value, sizeof(grant.value)).error)
		return 1;
	while ((received = diosix_message_receive(&answer, sizeof(answer))).error == 0 && received.value == 0)
		diosix_wait(DIOSIX_FOREVER);
	if (received.error || answer.header.from != consumer)
		return 1;
	printf("producer: the consumer says: %.*s\n", (int)answer.header.len, answer.text);
	printf("producer: the page says: %s\n", page);
	diosix_revoke(grant.value); /* an error if the consumer has ended: then that has revoked it */
	return 0;
}
