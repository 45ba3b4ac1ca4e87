/* SPDX-License-Identifier: MIT */
/*
 * Told to "flood" it prints without end, by the SBI and by its UART whether that is ready or not, until somebody types
 * something. Otherwise it prints 200 lines with numbers, one in half a millisecond at most, and loses none.
 */
#include "attack.h"

#define LINES 200u
#define PAUSE 5000u /* ticks */

static void flood(void)
{
	char byte;

	while (!has_byte(&byte)) {
		print("flood flood flood flood flood flood flood flood flood flood\n");
		for (unsigned i = 0; i < 64; i++)
			*(volatile uint8_t *)UART_BASE = (uint8_t)"flood by UART\n"[i % 14];
	}
}

static void print_number(unsigned n)
{
	char text[4] = {(char)('0' + n / 100), (char)('0' + n / 10 % 10), (char)('0' + n % 10), '\0'};

	print(text);
}

static void print_lines(void)
{
	for (unsigned i = 0; i < LINES; i++) {
		uint64_t from = ticks();

		print("this is line ");
		print_number(i);
		print(" of those that count\n");
		while (ticks() - from < PAUSE)
			;
	}
}

void main(void)
{
	if (told("flood"))
		flood();
	else
		print_lines();
}
