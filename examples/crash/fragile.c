/* SPDX-License-Identifier: MIT */
/* Provides storage, so it says: it answers one request, and the next one kills it. The manifest has it started again. */
#include <diosix.h>
#include <stdio.h>

static void receive(uint64_t *from)
{
	struct {
		struct diosix_message header;
		char text[DIOSIX_MESSAGE_LEN];
	} request;

	while (diosix_message_receive(&request, sizeof(request)).value == 0)
		diosix_wait(DIOSIX_FOREVER);
	*from = request.header.from;
}

int main(void)
{
	uint64_t from;

	if (diosix_register(DIOSIX_ROLE_STORAGE).error)
		return 1;
	printf("fragile: I provide storage\n");
	receive(&from);
	diosix_message_send(from, "done", 4);
	receive(&from);
	printf("fragile: that is too much\n");
	__builtin_trap(); /* an instruction that there is not */
}
