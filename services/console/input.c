/* SPDX-License-Identifier: MIT */
/* What is typed: answers of the terminal, keys for the console's own screens, and all other bytes for the guest in focus. */
#include <string.h>

#include "ui.h"

/* It waits until the guest takes it; a guest that takes nothing loses what comes then. */
void input_for_guest(struct ui *ui, uint8_t byte)
{
	if (ui->focus == NOBODY || ui->feed_len == FEED_SIZE)
		return;
	ui->feed[(ui->feed_from + ui->feed_len++) % FEED_SIZE] = byte;
}

void input_feed(struct ui *ui)
{
	while (ui->feed_len > 0) {
		size_t run = FEED_SIZE - ui->feed_from;
		struct diosix_result done;

		if (run > ui->feed_len)
			run = ui->feed_len;
		if (run > DIOSIX_BATCH_LEN)
			run = DIOSIX_BATCH_LEN;
		done = diosix_console_feed(ui->focus, ui->feed + ui->feed_from, run);
		if (done.error) {
			ui->feed_len = 0; /* nobody is there */
			return;
		}
		if (done.value == 0 || done.value > run)
			return;
		ui->feed_from = (ui->feed_from + done.value) % FEED_SIZE;
		ui->feed_len -= done.value;
	}
}

static void key(struct ui *ui, int key)
{
	static void (*const handlers[])(struct ui *, int) = {
		[MODE_BAR] = bar_key, [MODE_SAYS] = says_key, [MODE_PAGE] = page_key,
		[MODE_TOP] = top_key, [MODE_LOG] = log_key,
	};

	if (key == KEY_NONE)
		return;
	if (ui->mode == MODE_VIEW)
		input_for_guest(ui, (uint8_t)key);
	else
		handlers[ui->mode](ui, key);
}

/* What was held back is the guest's after all. */
static void release_keys(struct ui *ui)
{
	struct keys *keys = &ui->keys;

	if (!keys->pending)
		return;
	keys->pending = 0;
	if (!keys->passed_on)
		input_for_guest(ui, KEY_ESCAPE);
	for (size_t i = 0; i < keys->len && i < sizeof(keys->sequence); i++)
		input_for_guest(ui, (uint8_t)keys->sequence[i]);
}

/*
 * A byte for the guest, unless it is Ctrl-]: a byte of its own or, when a program of the guest's has asked the terminal for keys
 * in full, a sequence. As long as it may become that it waits, for no longer than a key may take to come.
 */
static void take_for_guest(struct ui *ui, uint8_t byte)
{
	struct keys *keys = &ui->keys;
	bool follows = keys->pending && (keys->len > 0 || byte == '[');

	if (!follows || byte == KEY_SWITCH || byte == KEY_ESCAPE)
		release_keys(ui);
	if (byte == KEY_SWITCH) {
		bar_open(ui);
		return;
	}
	if (!follows && byte != KEY_ESCAPE) {
		input_for_guest(ui, byte);
		return;
	}
	if (keys_take(keys, byte, ui->now) == KEY_SWITCH) {
		bar_open(ui);
	} else if (!keys_may_be_in_full(keys)) {
		keys->pending = 1;
		release_keys(ui);
	}
}

static void take_byte(struct ui *ui, uint8_t byte)
{
	if (ui->mode == MODE_VIEW)
		take_for_guest(ui, byte);
	else
		key(ui, keys_take(&ui->keys, byte, ui->now));
}

/* An escape that nothing follows at once is mostly the key: it does not wait. What follows it may still make it Ctrl-]. */
static void pass_escape(struct ui *ui)
{
	struct keys *keys = &ui->keys;

	if (ui->mode != MODE_VIEW || !keys->pending || keys->passed_on || keys->len > 0)
		return;
	keys->passed_on = 1;
	input_for_guest(ui, KEY_ESCAPE);
}

static void release_answer(struct ui *ui)
{
	char held[ANSWER_LEN];
	size_t len = ui->terminal.answer_len;

	memcpy(held, ui->terminal.answer, len);
	ui->terminal.answer_len = 0;
	for (size_t i = 0; i < len; i++)
		take_byte(ui, (uint8_t)held[i]);
}

/* What was read is all used at once, so Ctrl-] works whatever a guest does with its input. False when there may be more. */
static bool take_all(struct ui *ui)
{
	uint8_t bytes[256];

	for (unsigned i = 0; i < 64; i++) {
		struct diosix_result done = diosix_console_read(bytes, sizeof(bytes));

		if (done.error || done.value == 0 || done.value > sizeof(bytes))
			return true;
		for (size_t j = 0; j < done.value; j++)
			if (!terminal_takes(&ui->terminal, bytes[j]))
				release_answer(ui);
	}
	return false;
}

void input_take(struct ui *ui)
{
	if (take_all(ui))
		pass_escape(ui);
	else
		ui->more = true;
}

void input_late(struct ui *ui)
{
	bool late = terminal_late(&ui->terminal, ui->now);

	if (late)
		release_answer(ui);
	if (ui->mode != MODE_VIEW)
		key(ui, keys_late(&ui->keys, ui->now));
	else if (late || ui->now >= keys_deadline(&ui->keys))
		release_keys(ui);
}
