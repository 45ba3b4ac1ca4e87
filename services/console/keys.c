/* SPDX-License-Identifier: MIT */
#include "keys.h"

#include <string.h>

/* Behind the escape: as a VT100 sends them in either mode of the cursor keys, a VT220, and the Linux console. */
static const struct {
	const char *sequence;
	int key;
} sequences[] = {
	{"[A", KEY_UP},	    {"[B", KEY_DOWN},  {"[C", KEY_RIGHT},   {"[D", KEY_LEFT},	 {"OA", KEY_UP},
	{"OB", KEY_DOWN},   {"OC", KEY_RIGHT}, {"OD", KEY_LEFT},    {"[H", KEY_HOME},	 {"[F", KEY_END},
	{"OH", KEY_HOME},   {"OF", KEY_END},   {"[1~", KEY_HOME},   {"[4~", KEY_END},	 {"[7~", KEY_HOME},
	{"[8~", KEY_END},   {"[3~", KEY_DELETE}, {"[5~", KEY_PAGE_UP}, {"[6~", KEY_PAGE_DOWN},
};

/* Modifiers as they are sent, less one. */
#define SHIFT	 1u
#define CONTROL	 4u
#define LOCKS	 (64u | 128u)
#define RELEASED 3u /* what happened to the key */

static int pressed(unsigned code, unsigned modifiers, unsigned event)
{
	unsigned with = modifiers > 0 ? (modifiers - 1) & ~LOCKS : 0;

	if (event == RELEASED || code == 0 || code > KEY_RUBOUT || (with & ~(SHIFT | CONTROL)))
		return KEY_NONE;
	if (with & CONTROL)
		return code >= '@' && code < KEY_RUBOUT ? KEY_CTRL((int)code) : KEY_NONE;
	return (with & SHIFT) && code >= 'a' && code <= 'z' ? (int)code - 'a' + 'A' : (int)code;
}

/*
 * xterm's modifyOtherKeys: CSI 27 ; modifiers ; code ~. Its other form, and kitty's: CSI code ; modifiers u, where kitty
 * may add other codes of the key, what happened to it, and its text: CSI code : others ; modifiers : event ; text u.
 */
static int in_full(const struct keys *keys)
{
	unsigned numbers[3][2] = {{0}}, field = 0, part = 0;

	for (size_t i = 1; i + 1 < keys->len; i++) {
		char c = keys->sequence[i];

		if (c == ';') {
			field++;
			part = 0;
		} else if (c == ':') {
			part++;
		} else if (field < 3 && part < 2 && c >= '0' && c <= '9' && numbers[field][part] < 100000) {
			numbers[field][part] = numbers[field][part] * 10 + (unsigned)(c - '0');
		}
	}
	if (keys->sequence[keys->len - 1] == 'u' && field < 3)
		return pressed(numbers[0][0], numbers[1][0], numbers[1][1]);
	if (keys->sequence[keys->len - 1] == '~' && numbers[0][0] == 27 && field == 2)
		return pressed(numbers[2][0], numbers[1][0], 0);
	return KEY_NONE;
}

int keys_may_be_in_full(const struct keys *keys)
{
	for (size_t i = 0; i < keys->len && i < sizeof(keys->sequence); i++) {
		char c = keys->sequence[i];

		/* Digits, the colon and the semicolon stand in a row. */
		if (i == 0 ? c != '[' : c < '0' || c > ';')
			return 0;
	}
	return keys->len < sizeof(keys->sequence);
}

static int known(const struct keys *keys)
{
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
		if (strlen(sequences[i].sequence) == keys->len &&
		    memcmp(sequences[i].sequence, keys->sequence, keys->len) == 0)
			return sequences[i].key;
	return keys->sequence[0] == '[' ? in_full(keys) : KEY_NONE;
}

/* ECMA-48 5.4: a control sequence ends with a byte from 0x40 on; one of SS3 is a byte long. */
static int ends(const struct keys *keys, uint8_t byte)
{
	return keys->len > 1 && byte >= 0x40;
}

int keys_take(struct keys *keys, uint8_t byte, uint64_t now)
{
	if (byte == 0x1b) {
		int before = keys->pending && keys->len == 0 ? KEY_ESCAPE : KEY_NONE;

		keys->pending = 1;
		keys->passed_on = 0;
		keys->len = 0;
		keys->since = now;
		return before;
	}
	if (!keys->pending)
		return byte;
	/* An escape and something that begins no sequence: Alt and that key. */
	if (keys->len == 0 && byte != '[' && byte != 'O') {
		keys->pending = 0;
		return KEY_NONE;
	}
	if (keys->len < sizeof(keys->sequence))
		keys->sequence[keys->len] = (char)byte;
	keys->len++;
	keys->since = now;
	if (!ends(keys, byte))
		return KEY_NONE;
	keys->pending = 0;
	return keys->len <= sizeof(keys->sequence) ? known(keys) : KEY_NONE;
}

uint64_t keys_deadline(const struct keys *keys)
{
	return keys->pending ? keys->since + ESCAPE_TIME : UINT64_MAX;
}

int keys_late(struct keys *keys, uint64_t now)
{
	int key;

	if (now < keys_deadline(keys))
		return KEY_NONE;
	key = keys->len == 0 ? KEY_ESCAPE : KEY_NONE;
	keys->pending = 0;
	return key;
}
