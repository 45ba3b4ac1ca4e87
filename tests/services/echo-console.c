/* SPDX-License-Identifier: MIT */
/*
 * Takes the console, and the second port where there is one. What capsules print it writes on the line with the capsule's
 * index before each line; what is typed goes to capsule 0, but Ctrl-C, which crashes it. What comes by the second port goes
 * back in angle brackets.
 */
#include "attack.h"
#include "service_abi.h"

static char buffer[2048] __attribute__((aligned(4096)));
static char line[2 * sizeof(buffer)];
static bool at_start = true;

static struct sbi_result call(enum diosix_call number, uint64_t a0, uint64_t a1, uint64_t a2)
{
	return sbi(DIOSIX_EXTENSION, number, a0, a1, a2, 0);
}

static void write_all(const char *text, size_t len)
{
	while (len != 0) {
		uint64_t n = call(DIOSIX_CALL_CONSOLE_WRITE, (uintptr_t)text, len, 0).value;

		text += n;
		len -= n;
	}
}

static void show(uint32_t capsule, const char *text, uint32_t len)
{
	size_t n = 0;

	for (uint32_t i = 0; i < len; i++) {
		if (at_start) {
			line[n++] = '<';
			line[n++] = (char)('0' + capsule);
			line[n++] = '>';
		}
		line[n++] = text[i];
		at_start = text[i] == '\n';
	}
	write_all(line, n);
}

static void show_output(void)
{
	uint64_t len = call(DIOSIX_CALL_CONSOLE_OUTPUT, (uintptr_t)buffer, sizeof(buffer) / 2, 0).value, at = 0;

	while (at < len) {
		const struct diosix_output *piece = (const struct diosix_output *)(buffer + at);

		show(DIOSIX_HANDLE_INDEX(piece->handle), buffer + at + sizeof(*piece), piece->len);
		at += sizeof(*piece) + (piece->len + 7) / 8 * 8;
	}
}

static void pass_input(void)
{
	uint64_t len = call(DIOSIX_CALL_CONSOLE_READ, (uintptr_t)buffer, 64, 0).value;

	for (uint64_t i = 0; i < len; i++)
		if (buffer[i] == 3)
			call(DIOSIX_CALL_EXIT, 1, 0, 0);
	call(DIOSIX_CALL_CONSOLE_FEED, 0, (uintptr_t)buffer, len);
}

static void answer(void)
{
	uint64_t len = call(DIOSIX_CALL_CONTROL_READ, (uintptr_t)(buffer + 1), 64, 0).value;

	if (len == 0)
		return;
	buffer[0] = '<';
	buffer[len + 1] = '>';
	call(DIOSIX_CALL_CONTROL_WRITE, (uintptr_t)buffer, len + 2, 0);
}

void main(void)
{
	bool control = call(DIOSIX_CALL_REGISTER, DIOSIX_ROLE_CONTROL, 0, 0).error == 0;

	call(DIOSIX_CALL_REGISTER, DIOSIX_ROLE_CONSOLE, 0, 0);
	for (;;) {
		show_output();
		pass_input();
		if (control)
			answer();
		call(DIOSIX_CALL_YIELD, 0, 0, 0);
	}
}
