/* SPDX-License-Identifier: MIT */
#include "size.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int digit(char c, unsigned base)
{
	int d = c >= '0' && c <= '9'   ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;

	return d < (int)base ? d : -1;
}

/* Parses the digits and leaves *end behind them; false on none or too many. */
static bool digits(const char *text, const char **end, uint64_t *value)
{
	unsigned base = 10;
	uint64_t sum = 0;
	const char *at;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	for (at = text; digit(*at, base) >= 0; at++) {
		if (__builtin_mul_overflow(sum, (uint64_t)base, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)digit(*at, base), &sum))
			return false;
	}
	*end = at;
	*value = sum;
	return at != text;
}

bool number_parse(const char *text, uint64_t *value)
{
	const char *end;

	return digits(text, &end, value) && *end == '\0';
}

bool size_parse(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMG";
	const char *end, *unit;

	if (!digits(text, &end, bytes))
		return false;
	if (*end == '\0')
		return true;
	unit = strchr(units, *end);
	if (!unit || (end[1] != '\0' && strcmp(end + 1, "iB") != 0))
		return false;
	return !__builtin_mul_overflow(*bytes, UINT64_C(1) << 10 * (unit - units + 1), bytes);
}

const char *size_text(char *buf, uint64_t bytes)
{
	static const char units[] = "KMGT";
	unsigned power = 0;

	while (power < 4 && bytes >> 10 * (power + 1))
		power++;
	if (power == 0)
		sprintf(buf, "%" PRIu64 "B", bytes);
	else if (bytes % (UINT64_C(1) << 10 * power) == 0)
		sprintf(buf, "%" PRIu64 "%c", bytes >> 10 * power, units[power - 1]);
	else
		sprintf(buf, "%.1f%c", (double)bytes / (double)(UINT64_C(1) << 10 * power),
			units[power - 1]);
	return buf;
}
