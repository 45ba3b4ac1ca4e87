/* SPDX-License-Identifier: MIT */
/* stdin, stdout and stderr, over the SBI's debug console. Output goes out by lines, and before the program waits for input. */
#include <stdio.h>

#include "diosix.h"
#include "runtime.h"

/* How long to wait when the console takes nothing: it says nothing when it does again. */
#define RETRY_HZ 200

static char output[512], input[128];
static size_t output_len, input_at, input_len;

void console_flush(void)
{
	size_t at = 0;

	while (at < output_len) {
		struct sbi_result done =
			sbi_call(SBI_DBCN, SBI_DBCN_WRITE, output_len - at, diosix_physical(output + at), 0, 0);

		if (done.error)
			break; /* there is no console */
		at += done.value;
		if (done.value == 0)
			wait_for_interrupt(diosix_time() + diosix_timebase() / RETRY_HZ, 0);
	}
	output_len = 0;
}

static void put_byte(char c)
{
	if (output_len == sizeof(output))
		console_flush();
	output[output_len++] = c;
}

static int put(char c, FILE *stream)
{
	(void)stream;
	if (c == '\n')
		put_byte('\r');
	put_byte(c);
	if (c == '\n')
		console_flush();
	return (unsigned char)c;
}

static int flush(FILE *stream)
{
	(void)stream;
	console_flush();
	return 0;
}

static int get(FILE *stream)
{
	struct sbi_result done;

	(void)stream;
	if (input_at == input_len)
		console_flush();
	while (input_at == input_len) {
		done = sbi_call(SBI_DBCN, SBI_DBCN_READ, sizeof(input), diosix_physical(input), 0, 0);
		if (done.error)
			return _FDEV_EOF;
		input_at = 0;
		input_len = done.value;
		if (input_len == 0)
			wait_for_interrupt(UINT64_MAX, SOURCE(UART_IRQ));
	}
	return (unsigned char)input[input_at++];
}

static FILE console = FDEV_SETUP_STREAM(put, get, flush, _FDEV_SETUP_RW);
FILE *const stdin = &console;
FILE *const stdout = &console;
FILE *const stderr = &console;
