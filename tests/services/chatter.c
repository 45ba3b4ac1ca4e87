/* SPDX-License-Identifier: MIT */
/*
 * Says "begin", then numbered lines without end, as fast as they are taken. Told to be "quiet" it says lines that were typed
 * instead, each in brackets.
 */
#include "attack.h"

#define DIGITS 8

static void chatter(void)
{
	char line[] = "a line that has to come, 00000000\n";
	char *last = line + sizeof(line) - 3;

	for (;;) {
		print(line);
		for (char *digit = last; digit > last - DIGITS && ++*digit > '9'; digit--)
			*digit = '0';
	}
}

static char typed(void)
{
	char byte;

	while (!has_byte(&byte)) {
		sbi(SBI_TIME, 0, ticks() + 10000, 0, 0, 0);
		__asm__ volatile("csrs sie, %0\nwfi\ncsrc sie, %0" ::"r"(0x20));
	}
	return byte;
}

static void answer(void)
{
	char line[64];

	for (;;) {
		size_t len = 0;
		char byte;

		while ((byte = typed()) != '\r' && byte != '\n')
			if (len < sizeof(line) - 1)
				line[len++] = byte;
		line[len] = '\0';
		print("<");
		print(line);
		print(">\n");
	}
}

void main(void)
{
	print("begin\n");
	if (told("quiet"))
		answer();
	chatter();
}
