/* SPDX-License-Identifier: MIT */
/*
 * Says "begin", then numbered lines without end, as fast as they are taken. Told to be "careless" it writes to its UART whether
 * that is ready or not; told to be "quiet" it says lines that were typed instead, each in brackets.
 */
#include "attack.h"

#define LINE   "a line that has to come, 00000000\n"
#define DIGITS 8

/* A millisecond. */
static void sleep(void)
{
	sbi(SBI_TIME, 0, ticks() + 10000, 0, 0, 0);
	__asm__ volatile("csrs sie, %0\nwfi\ncsrc sie, %0" ::"r"(0x20));
}

static void print_politely(const char *text, size_t len)
{
	while (len != 0) {
		uint64_t done = sbi(SBI_DBCN, 0, len, (uintptr_t)text, 0, 0).value;

		if (done == 0)
			sleep();
		text += done;
		len -= done;
	}
}

/* Some lines at a time are more than the UART's buffer has room for. */
static void print_carelessly(const char *text)
{
	for (; *text != '\0'; text++)
		*(volatile char *)UART_BASE = *text;
}

static void chatter(bool careless)
{
	char line[] = LINE;
	char *last = line + sizeof(line) - 3;

	for (;;) {
		if (careless)
			print_carelessly(line);
		else
			print_politely(line, sizeof(line) - 1);
		for (char *digit = last; digit > last - DIGITS && ++*digit > '9'; digit--)
			*digit = '0';
	}
}

static char typed(void)
{
	char byte;

	while (!has_byte(&byte))
		sleep();
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
	chatter(told("careless"));
}
