/* SPDX-License-Identifier: MIT */
/*
 * A service that does to the first capsule what is typed: s asks it to stop, S starts it, k kills it, r restarts it, each
 * until it is done; i ends this service, and L says what the last line of the log is.
 */
#include "attack.h"
#include "service_abi.h"

static struct diosix_capsule_info info;
static char lines[4096] __attribute__((aligned(8)));

static int64_t operate(enum diosix_call function)
{
	return sbi(DIOSIX_EXTENSION, function, 0, 0, 0, 0).error;
}

static void sleep(void)
{
	sbi(SBI_TIME, 0, ticks() + 1000, 0, 0, 0);
	__asm__ volatile("csrs sie, %0\nwfi\ncsrc sie, %0" ::"r"(0x20));
}

static void await(uint32_t state, uint64_t starts)
{
	do {
		sleep();
		sbi(DIOSIX_EXTENSION, DIOSIX_CALL_CAPSULE_INFO, 0, (uintptr_t)&info, sizeof(info), 0);
	} while (info.state != state || info.starts < starts);
}

static void operate_and_await(enum diosix_call function, uint32_t state, uint64_t more_starts)
{
	sbi(DIOSIX_EXTENSION, DIOSIX_CALL_CAPSULE_INFO, 0, (uintptr_t)&info, sizeof(info), 0);
	expect("the error of an operation", function, (uint64_t)operate(function), 0);
	await(state, info.starts + more_starts);
	print("done\n");
}

static void print_last_line(void)
{
	uint64_t from = 1, done;
	const struct diosix_log_line *line = (const void *)lines;
	uint64_t at = 0;

	while ((done = sbi(DIOSIX_EXTENSION, DIOSIX_CALL_LOG_READ, from, (uintptr_t)lines, sizeof(lines) - 1, 0).value) != 0)
		for (at = 0; at < done; at += (sizeof(*line) + line->len + 7) & ~7u) {
			line = (const void *)(lines + at);
			from = line->sequence + 1;
		}
	((char *)(line + 1))[line->len] = '\0';
	print("last: ");
	print((const char *)(line + 1));
	print("\n");
}

void main(void)
{
	for (;;) {
		char byte = 0;

		while (!has_byte(&byte))
			sleep();
		if (byte == 's')
			operate_and_await(DIOSIX_CALL_CAPSULE_STOP, DIOSIX_STATE_STOPPED, 0);
		else if (byte == 'S')
			operate_and_await(DIOSIX_CALL_CAPSULE_START, DIOSIX_STATE_RUNNING, 1);
		else if (byte == 'k')
			operate_and_await(DIOSIX_CALL_CAPSULE_KILL, DIOSIX_STATE_STOPPED, 0);
		else if (byte == 'r')
			operate_and_await(DIOSIX_CALL_CAPSULE_RESTART, DIOSIX_STATE_RUNNING, 1);
		else if (byte == 'L')
			print_last_line();
		else if (byte == 'i')
			return;
	}
}
