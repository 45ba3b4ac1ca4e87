/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <stdbool.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Moves the word at `*from` to `to`, without its quotes; `*from` is behind it then. Returns its end. */
static char *take_word(char **from, char *to)
{
	char *at = *from, quote = '\0';

	for (; *at != '\0' && (quote || !blank(*at)); at++) {
		if (*at == quote)
			quote = '\0';
		else if (!quote && (*at == '"' || *at == '\''))
			quote = *at;
		else
			*to++ = *at;
	}
	*from = at;
	return to;
}

size_t args_split(char *text, char **words, size_t max)
{
	size_t count = 0;
	char *end;
	bool last;

	while (count < max) {
		while (blank(*text))
			text++;
		if (*text == '\0')
			break;
		words[count++] = text;
		end = take_word(&text, text);
		last = *text == '\0';
		*end = '\0';
		if (last)
			break;
		text++;
	}
	return count;
}
