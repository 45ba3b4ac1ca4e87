/* SPDX-License-Identifier: MIT */
/* What is shown again makes no terminal answer, and loses nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "questions.h"

#define RING 128u

static const char *const asked[] = {
	"\x05", "\x1bZ",
	"\x1b[c", "\x1b[0c", "\x1b[>c", "\x1b[>0c", "\x1b[=c", "\x1b[>q", "\x1b[>0q",
	"\x1b[5n", "\x1b[6n", "\x1b[06n", "\x1b[6;5n", "\x1b[?6n", "\x1b[?15n", "\x1b[?996n",
	"\x1b[x", "\x1b[0x", "\x1b[1x",
	"\x1b[4$p", "\x1b[?2026$p", "\x1b[1$u", "\x1b[&u", "\x1b[1$w", "\x1b[1;1;1;1;24;80*y",
	"\x1b[11t", "\x1b[13;2t", "\x1b[14t", "\x1b[14;2t", "\x1b[15t", "\x1b[16t", "\x1b[18t", "\x1b[19t", "\x1b[20t", "\x1b[21t",
	"\x1b[?u", "\x1b[?4m", "\x1b[?1;1;0S",
	"\x1bP$qm\x1b\\", "\x1bP$q\"p\x1b\\", "\x1bP+q544e;436f\x1b\\", "\x1bP$qr\x07",
	"\x1b]10;?\x07", "\x1b]11;?\x1b\\", "\x1b]19;?\x07", "\x1b]4;7;?\x07", "\x1b]4;1;rgb:0/0/0;2;?\x1b\\", "\x1b]5;0;?\x07",
	"\x1b]52;c;?\x07", "\x1b]50;?\x07",
};

static const char *const not_asked[] = {
	"", "c", "[6n", "\r\n", "Z", "\x1b", "\x1b[", "\x1b[6", "\x1b]10;?", "\x1bP$qm",
	"\x1b" "c", "\x1b" "7", "\x1b[m", "\x1b[6m", "\x1b[5m", "\x1b[5;6H", "\x1b[2J",
	"\x1b[>4;1m", "\x1b[?25h", "\x1b[?1049h", "\x1b[0n", "\x1b[3n", "\x1b[>4n",
	"\x1b[1c", "\x1b[?6c", "\x1b[64c", "\x1b[2x", "\x1b[3;1;120;120x", "\x1b[88;1;1;9;9$x", "\x1b[2*x",
	"\x1b[!p", "\x1b[61\"p", "\x1b[u", "\x1b[>1u", "\x1b[<u", "\x1b[=1;1u", "\x1b[2;1y",
	"\x1b[1t", "\x1b[8;24;80t", "\x1b[22;0t", "\x1b[23t", "\x1b[24t", "\x1b[>0t", "\x1b[1 t", "\x1b[77t",
	"\x1b[2 q", "\x1b[0q", "\x1b[0\"q", "\x1b[4S", "\x1b[4 p", "\x1b[6\x18n", "\x1b[6\x1an",
	"\x1bP0;1q#0~~\x1b\\", "\x1bP0$r1m\x1b\\", "\x1bP1$t1/2\x1b\\", "\x1bP$q\x18m\x1b\\", "\x1bP$qm\x1b[H",
	"\x1b]0;?\x07", "\x1b]2;what;?\x07", "\x1b]8;;http://x/?\x07", "\x1b]10;red\x07", "\x1b]4;1;rgb:1/2/3\x1b\\",
	"\x1b]11;??\x07", "\x1b]11;a?\x07", "\x1b]52;c;Pz8/\x07", "\x1b]104\x07", "\x1b]10;?\x18",
};

static const char *shown(uint64_t begin, const char *text, size_t replayed)
{
	static uint8_t ring[RING];
	static char out[RING + 1];
	struct screen screen = {.bytes = ring, .size = RING, .head = begin};
	const uint8_t *bytes;
	uint64_t at = begin;
	size_t len = 0, run;

	memset(ring, '?', sizeof(ring));
	screen_put(&screen, text, strlen(text));
	while ((run = questions_pass(&screen, &at, begin + replayed, &bytes)) > 0) {
		memcpy(out + len, bytes, run);
		len += run;
		at += run;
	}
	assert_int_equal(at, screen.head);
	out[len] = '\0';
	return out;
}

/* Wherever the ring's border is. */
static void questions_are_left_out(void **state)
{
	char text[RING];

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		int len = snprintf(text, sizeof(text), "a%s%s\x1b[mb%s", asked[i], asked[i], asked[i]);

		for (uint64_t begin = RING; begin < 2 * RING; begin++)
			if (strcmp(shown(begin, text, (size_t)len), "a\x1b[mb") != 0)
				fail_msg("ESC %s is not left out: '%s'", asked[i] + 1, shown(begin, text, (size_t)len));
	}
}

static void look_alikes_stay(void **state)
{
	char text[RING];

	for (size_t i = 0; i < sizeof(not_asked) / sizeof(not_asked[0]); i++) {
		int len = snprintf(text, sizeof(text), "a%s", not_asked[i]);

		for (uint64_t begin = RING; begin < 2 * RING; begin++)
			if (strcmp(shown(begin, text, (size_t)len), text) != 0)
				fail_msg("ESC %s is not there any more: '%s'", not_asked[i] + 1, shown(begin, text, (size_t)len));
	}
}

/* What comes now is asked now, and so is what has begun before and ends now. */
static void what_is_new_stays(void **state)
{
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		for (size_t replayed = 0; replayed < strlen(asked[i]); replayed++)
			assert_string_equal(shown(RING - 2, asked[i], replayed), asked[i]);
}

/* Within one that was broken off there may be another. */
static void one_behind_a_broken_one_is_left_out(void **state)
{
	static const char text[] = "\x1b[\x1b[6n\x1b]10;\x1b[c\x1bP$q\x1b[5n.";

	assert_string_equal(shown(0, text, strlen(text)), "\x1b[\x1b]10;\x1bP$q.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_left_out),
		cmocka_unit_test(look_alikes_stay),
		cmocka_unit_test(what_is_new_stays),
		cmocka_unit_test(one_behind_a_broken_one_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
