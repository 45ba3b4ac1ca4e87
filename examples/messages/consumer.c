/* SPDX-License-Identifier: MIT */
/*
 * Waits for the number of a grant, reads the page behind it, writes into it, and answers. The same on all boards: where
 * the page is the producer's own nothing is copied, elsewhere sync copies.
 */
#include <diosix.h>
#include <stdio.h>

static char buffer[DIOSIX_PAGE_SIZE] __attribute__((aligned(4096)));

int main(void)
{
	static const char thanks[] = "thank you";
	struct {
		struct diosix_message header;
		uint64_t grant;
	} offer;
	struct diosix_result received, accepted;
	char *page;

	while ((received = diosix_message_receive(&offer, sizeof(offer))).error == 0 && received.value == 0)
		diosix_wait(DIOSIX_FOREVER);
	if (received.error || offer.header.len != sizeof(offer.grant))
		return 1;
	accepted = diosix_accept(offer.grant, buffer, 1);
	if (accepted.error)
		return 1;
	page = (char *)accepted.value;
	diosix_sync(offer.grant, DIOSIX_SYNC_PULL);
	printf("consumer: the page says: %.64s\n", page);
	snprintf(page, DIOSIX_PAGE_SIZE, "and the consumer was here");
	diosix_sync(offer.grant, DIOSIX_SYNC_PUSH);
	diosix_release(offer.grant);
	return diosix_message_send(offer.header.from, thanks, sizeof(thanks) - 1).error != 0;
}
