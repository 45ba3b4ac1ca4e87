/* SPDX-License-Identifier: MIT */
#include "screen.h"

#include <string.h>

void screen_put(struct screen *screen, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	if (!screen->bytes) {
		screen->head += len;
		return;
	}
	for (size_t i = 0; i < len; i++)
		screen->bytes[screen->head++ % screen->size] = from[i];
}

uint64_t screen_tail(const struct screen *screen)
{
	if (!screen->bytes)
		return screen->head;
	return screen->head > screen->size ? screen->head - screen->size : 0;
}

size_t screen_run(const struct screen *screen, uint64_t from, const uint8_t **bytes)
{
	size_t at, run;

	if (!screen->bytes || from >= screen->head)
		return 0;
	at = from % screen->size;
	run = screen->size - at;
	*bytes = screen->bytes + at;
	return run < screen->head - from ? run : (size_t)(screen->head - from);
}

static bool stands_at(const struct screen *screen, uint64_t at, const char *text)
{
	size_t len = strlen(text);

	if (at + len > screen->head)
		return false;
	for (size_t i = 0; i < len; i++)
		if (screen->bytes[(at + i) % screen->size] != (uint8_t)text[i])
			return false;
	return true;
}

static bool any_stands_at(const struct screen *screen, uint64_t at, const char *const *texts)
{
	for (; *texts; texts++)
		if (stands_at(screen, at, *texts))
			return true;
	return false;
}

/* From the end back: whatever comes first. A program that has the alternate screen has drawn all that is on it. */
uint64_t screen_replay(const struct screen *screen, unsigned rows)
{
	static const char *const enter[] = {"\x1b[?1049h", "\x1b[?1047h", "\x1b[?47h", NULL};
	static const char *const leave[] = {"\x1b[?1049l", "\x1b[?1047l", "\x1b[?47l", NULL};
	static const char *const clear[] = {"\x1b[2J", "\x1b[H\x1b[J", "\x1b" "c", NULL};
	uint64_t tail = screen_tail(screen), lines = UINT64_MAX, cleared = UINT64_MAX, first = UINT64_MAX;
	unsigned ends = 0;
	bool left = false;

	for (uint64_t at = screen->head; at > tail; at--) {
		uint8_t byte = screen->bytes[(at - 1) % screen->size];

		if (byte == '\n') {
			first = at;
			if (lines == UINT64_MAX && ++ends >= rows)
				lines = at;
		}
		if (byte != 0x1b)
			continue;
		left |= any_stands_at(screen, at - 1, leave);
		if (!left && any_stands_at(screen, at - 1, enter))
			return at - 1;
		if (cleared == UINT64_MAX && lines == UINT64_MAX && any_stands_at(screen, at - 1, clear))
			cleared = at - 1;
	}
	if (cleared != UINT64_MAX)
		return cleared;
	if (lines != UINT64_MAX)
		return lines;
	/* The oldest line that is kept may be the end of one, or of a sequence. */
	return tail > 0 && first != UINT64_MAX ? first : tail;
}
