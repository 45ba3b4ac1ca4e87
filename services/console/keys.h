/* SPDX-License-Identifier: MIT */
/* Keys out of the bytes that a terminal sends for them. */
#ifndef CONSOLE_KEYS_H
#define CONSOLE_KEYS_H

#include <stddef.h>
#include <stdint.h>

#define KEY_CTRL(letter) ((letter) & 0x1f)
enum key {
	KEY_NONE = -1, /* more is to come, or it is no key that we know */
	/* 0 to 255: that byte */
	KEY_ESCAPE = 0x1b,
	KEY_SWITCH = 0x1d, /* Ctrl-] */
	KEY_RUBOUT = 0x7f,
	KEY_UP = 256,
	KEY_DOWN,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_HOME,
	KEY_END,
	KEY_DELETE,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
};

#define ESCAPE_TIME 100000u /* microseconds after which an escape that came alone was the key */

struct keys {
	char sequence[32]; /* what has come of one, without the escape */
	size_t len;
	int pending;	/* an escape has come */
	int passed_on;	/* that escape is with the guest already */
	uint64_t since; /* when the last byte came */
};

int keys_take(struct keys *keys, uint8_t byte, uint64_t now);
/* An escape and what may become a key in full, code and modifiers: as programs have xterm and kitty send them. */
int keys_may_be_in_full(const struct keys *keys);
/* KEY_ESCAPE when one has waited long enough. */
int keys_late(struct keys *keys, uint64_t now);
uint64_t keys_deadline(const struct keys *keys);

#endif
