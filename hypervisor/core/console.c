/* SPDX-License-Identifier: MIT */
#include "console.h"

#include <stdio.h>
#include <string.h>

#include "arch/guest.h"
#include "board_io.h"
#include "capsule.h"
#include "lock.h"

#define ESCAPE 0x1d /* Ctrl-] */

static struct lock console_lock;
static bool panicking;
static bool at_line_start = true;
static struct capsule *writer; /* whose unfinished line the cursor is on */
static uint32_t focus;
static bool escaped; /* the last byte was Ctrl-] */

static void take(void)
{
	if (!panicking)
		lock(&console_lock);
}

static void give(void)
{
	if (!panicking)
		unlock(&console_lock);
}

static void put(char c)
{
	board_putc(c);
	at_line_start = c == '\n';
}

static void put_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			put('\r');
		put(text[i]);
	}
}

/* The hypervisor's lines and other capsules' begin at the left, whatever is on the cursor's line. */
static void fresh_line(void)
{
	if (!at_line_start)
		put_text("\n", 1);
	writer = NULL;
}

void console_init(void)
{
	board_uart_init();
}

void console_line(enum diosix_level level, const char *text, size_t len)
{
	(void)level;
	take();
	fresh_line();
	put_text(text, len);
	put_text("\n", 1);
	give();
}

void console_panic(void)
{
	panicking = true;
}

void console_banner(const char *text, size_t len)
{
	take();
	fresh_line();
	put_text(text, len);
	if (!at_line_start)
		put_text("\n", 1);
	give();
}

static bool alone(void)
{
	return capsule_count == 1;
}

static void put_prefix(const struct capsule *capsule)
{
	put('[');
	put_text(capsule->name, strlen(capsule->name));
	put(']');
	put(' ');
}

/* A whole line of a capsule that is not in focus, or a piece of an overlong one. */
static void put_line(struct capsule *capsule)
{
	fresh_line();
	put_prefix(capsule);
	for (uint32_t i = 0; i < capsule->line_len; i++)
		put(capsule->line[i]);
	put_text("\n", 1);
	capsule->line_len = 0;
}

/* An unfinished line of the capsule in focus once more, after others have printed below it. */
static void resume_line(struct capsule *capsule)
{
	fresh_line();
	writer = capsule;
	if (capsule->line_len == 0)
		return;
	put_prefix(capsule);
	for (uint32_t i = 0; i < capsule->line_len; i++)
		put(capsule->line[i]);
}

/* In focus: byte by byte, so that a prompt is seen; a prefix where its line begins. */
static void write_focused(struct capsule *capsule, char c)
{
	if (writer != capsule)
		resume_line(capsule);
	if (at_line_start)
		put_prefix(capsule);
	put(c);
	if (c == '\n' || c == '\r')
		capsule->line_len = 0;
	else if (capsule->line_len < CONSOLE_LINE_LEN - 1) /* room for one more, should it lose the focus */
		capsule->line[capsule->line_len++] = c;
}

static void write_buffered(struct capsule *capsule, char c)
{
	if (c == '\r')
		return;
	if (c != '\n')
		capsule->line[capsule->line_len++] = c;
	if (c == '\n' || capsule->line_len == CONSOLE_LINE_LEN)
		put_line(capsule);
}

void console_write(struct capsule *capsule, const char *text, size_t len)
{
	bool raw = alone();

	take();
	for (size_t i = 0; i < len; i++) {
		if (raw)
			put(text[i]);
		else if (capsule->index == focus)
			write_focused(capsule, text[i]);
		else
			write_buffered(capsule, text[i]);
	}
	give();
}

void console_flush(struct capsule *capsule)
{
	take();
	if (writer == capsule)
		fresh_line();
	else if (capsule->line_len != 0)
		put_line(capsule);
	capsule->line_len = 0;
	give();
}

size_t console_read(struct capsule *capsule, char *text, size_t len)
{
	size_t n = 0;

	take();
	while (n < len && capsule->input_tail != capsule->input_head)
		text[n++] = capsule->input[capsule->input_tail++ % CONSOLE_INPUT_LEN];
	give();
	return n;
}

bool console_has_input(const struct capsule *capsule)
{
	return capsule->input_tail != capsule->input_head;
}

void console_set_provider(struct capsule *provider) { }
void control_set_provider(struct capsule *provider) { }

/* --- input ---------------------------------------------------------------------------------- */

static void set_focus(uint32_t index)
{
	struct capsule *next = &capsules[index];

	focus = index;
	fresh_line();
	put_text("diosix: input goes to ", 22);
	put_text(next->name, strlen(next->name));
	put_text("\n", 1);
	resume_line(next);
}

static void help(void)
{
	char line[80];
	int len;

	fresh_line();
	put_text("diosix: Ctrl-] then: a digit switches, ? helps, Ctrl-] sends itself\n", 68);
	for (uint32_t i = 0; i < capsule_count && i < 9; i++) {
		len = snprintf(line, sizeof(line), "diosix:   %u %s%s\n", i + 1, capsules[i].name,
			       i == focus ? " (in focus)" : "");
		put_text(line, (size_t)len);
	}
}

/* Returns the capsule that got a byte, NULL when none did. A full buffer drops what comes. */
static struct capsule *receive(char c)
{
	struct capsule *capsule = &capsules[focus];

	if (escaped) {
		escaped = false;
		if (c >= '1' && c <= '9' && (uint32_t)(c - '1') < capsule_count)
			set_focus((uint32_t)(c - '1'));
		else if (c == '?')
			help();
		if (c != ESCAPE)
			return NULL;
	} else if (c == ESCAPE) {
		escaped = true;
		return NULL;
	}
	if (capsule->input_head - capsule->input_tail == CONSOLE_INPUT_LEN)
		return NULL;
	capsule->input[capsule->input_head++ % CONSOLE_INPUT_LEN] = c;
	return capsule;
}

void console_receive(void)
{
	int c;

	while ((c = board_getc()) >= 0) {
		struct capsule *capsule;

		if (capsule_count == 0)
			continue;
		take();
		capsule = receive((char)c);
		give();
		if (capsule != NULL)
			machine_input(capsule);
	}
}

void board_external_interrupt(void)
{
	uint32_t source;

	while ((source = board_irq_claim()) != 0) {
		if (source == board.uart.irq)
			console_receive();
		board_irq_complete(source);
	}
}
