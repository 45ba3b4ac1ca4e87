/* SPDX-License-Identifier: MIT */
/* The command line of a program on the runtime becomes its arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "words.h"

#define MAX 4

static const struct {
	const char *text, *words[MAX];
} lines[] = {
	{"", {0}},
	{"  \t\n ", {0}},
	{"one", {"one"}},
	{" one  two ", {"one", "two"}},
	{"a=\"b c\"d 'it is'", {"a=b cd", "it is"}},
	{"'\"' \"'\"", {"\"", "'"}},
	{"'' x", {"", "x"}},
	{"\"never closed x", {"never closed x"}},
	{"1 2 3 4 5", {"1", "2", "3", "4"}},
};

static void words_are_split_at_blanks_outside_quotes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char text[64], *words[MAX];
		size_t count, wanted = 0;

		strcpy(text, lines[i].text);
		count = args_split(text, words, MAX);
		while (wanted < MAX && lines[i].words[wanted])
			wanted++;
		assert_int_equal(count, wanted);
		for (size_t j = 0; j < count; j++)
			assert_string_equal(words[j], lines[i].words[j]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(words_are_split_at_blanks_outside_quotes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
