/* SPDX-License-Identifier: MIT */
/* Drives the console service on the fake board: turns, time, and what is on the line. */
#ifndef CONSOLE_DRIVER_H
#define CONSOLE_DRIVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_board.h"
#include "ui.h"

#define ALL_EVENTS (~(uint64_t)DIOSIX_EVENT_STOP)

static struct ui ui;
static uint64_t now_us;

static inline void turn(void)
{
	do
		ui_turn(&ui, ALL_EVENTS, now_us);
	while (ui_deadline(&ui) == 0);
}

static inline void later(uint64_t us)
{
	now_us += us;
	turn();
}

static inline void begin(char *options)
{
	char *words[8];
	int count = 0;

	for (char *word = strtok(options, " "); word && count < 8; word = strtok(NULL, " "))
		words[count++] = word;
	free(ui.all.bytes);
	for (unsigned i = 0; i < CAPSULES_MAX; i++)
		free(ui.capsules[i].screen.bytes);
	now_us = 1000000;
	ui_begin(&ui, count, words, 1000000, now_us);
	turn();
}

static inline void type(const char *text)
{
	fake_type(text);
	turn();
}

/* What the line has got since the last time. */
static inline const char *seen(void)
{
	fake.line[fake.line_len] = '\0';
	fake.line_len = 0;
	return fake.line;
}

static inline void expect_seen(const char *text)
{
	const char *all = seen();

	if (!strstr(all, text))
		fail_msg("'%s' is not in '%s'", text, all);
}

static inline const char *fed(uint32_t capsule)
{
	fake.capsules[capsule].input[fake.capsules[capsule].input_len] = '\0';
	fake.capsules[capsule].input_len = 0;
	return fake.capsules[capsule].input;
}

#endif
