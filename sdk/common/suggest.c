/* SPDX-License-Identifier: MIT */
#include "suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MAX_WORD 64

static unsigned min2(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static int same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Edit distance with swaps of neighbours; rows of the usual table, of which three are alive. */
static unsigned distance(const char *a, unsigned a_len, const char *b, unsigned b_len)
{
	unsigned rows[3][MAX_WORD + 1];

	for (unsigned j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a_len; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *swap = rows[(i + 1) % 3];

		row[0] = i;
		for (unsigned j = 1; j <= b_len; j++) {
			unsigned cost = same(a[i - 1], b[j - 1]) ? 0 : 1;

			row[j] = min2(min2(above[j] + 1, row[j - 1] + 1), above[j - 1] + cost);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				row[j] = min2(row[j], swap[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

const char *suggest(const char *word, suggest_candidate candidate, const void *context)
{
	size_t len = strlen(word);
	unsigned best = (unsigned)(len < 3 ? 1 : (len + 2) / 3) + 1;
	const char *found = NULL;
	const char *other;

	if (len == 0 || len > MAX_WORD)
		return NULL;
	for (unsigned i = 0; (other = candidate(context, i)) != NULL; i++) {
		size_t other_len = strlen(other);
		unsigned d;

		if (other_len > MAX_WORD)
			continue;
		d = distance(word, (unsigned)len, other, (unsigned)other_len);
		/* All of a short word replaced is no resemblance. */
		if (d < best && d < len) {
			best = d;
			found = other;
		}
	}
	return found;
}

const char *suggest_hint(char *buf, size_t len, const char *word, suggest_candidate candidate,
			 const void *context)
{
	const char *near = suggest(word, candidate, context);

	if (!near)
		return NULL;
	snprintf(buf, len, "did you mean '%s'?", near);
	return buf;
}
