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

static int known(const struct keys *keys)
{
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
		if (strlen(sequences[i].sequence) == keys->len &&
		    memcmp(sequences[i].sequence, keys->sequence, keys->len) == 0)
			return sequences[i].key;
	return KEY_NONE;
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
