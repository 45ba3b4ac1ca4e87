/* SPDX-License-Identifier: MIT */
/* Uses a service that crashes now and then: an error, or silence, sends it to look for the provider again. */
#include <diosix.h>
#include <stdbool.h>
#include <stdio.h>

#define REQUESTS 5

/* The provider of storage; when there is none, EVENT_PROVIDERS or a little time says when to look again. */
static uint64_t find_provider(void)
{
	struct diosix_result found;

	while ((found = diosix_provider(DIOSIX_ROLE_STORAGE)).error)
		diosix_wait(diosix_time() + diosix_timebase() / 10);
	return found.value;
}

/* Asks once. False when the provider has ended: its life's handle is not valid any more, or another has its role. */
static bool ask(uint64_t provider)
{
	struct {
		struct diosix_message header;
		char text[DIOSIX_MESSAGE_LEN];
	} answer;

	if (diosix_message_send(provider, "do it", 5).error)
		return false;
	while (diosix_message_receive(&answer, sizeof(answer)).value == 0) {
		if (diosix_provider(DIOSIX_ROLE_STORAGE).value != provider)
			return false;
		diosix_wait(diosix_time() + diosix_timebase() / 10);
	}
	return true;
}

int main(void)
{
	uint64_t provider = find_provider();
	int done = 0, lost = 0;

	while (done < REQUESTS) {
		if (ask(provider)) {
			done++;
			continue;
		}
		lost++;
		printf("client: the provider is gone, looking for it\n");
		provider = find_provider();
	}
	printf("client: %d requests done, the provider was lost %d times\n", done, lost);
	return 0;
}
