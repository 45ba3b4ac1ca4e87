/* SPDX-License-Identifier: MIT */
/*
 * The console service under any input: the control port's lines, keys at the terminal, and output of capsules, as one
 * stream of bytes. 0xf8 to 0xfb, which are in no UTF-8, say where what follows goes; 0xff is a turn half a second later. Answers must be lines of
 * JSON as the service reads it itself, as far as they are flat.
 */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "ui.h"
#include "../unit/fake_board.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct ui ui;
static uint64_t now;

static void turn(uint64_t us)
{
	now += us;
	for (unsigned i = 0; i < 8; i++) {
		ui_turn(&ui, ~(uint64_t)DIOSIX_EVENT_STOP, now);
		if (ui_deadline(&ui) != 0)
			break;
	}
}

/* Each line that has been answered ends; errors and events can be read back. An empty line ends what was cut before it. */
static void check_answers(void)
{
	static char line[1 << 18];
	char *from = fake.answers, *end;

	while ((end = memchr(from, '\n', fake.answers_len - (size_t)(from - fake.answers))) != NULL) {
		char why_bytes[128] = "";
		struct text why = TEXT_IN(why_bytes);
		struct json_object object;
		size_t len = (size_t)(end - from);

		memcpy(line, from, len);
		if (len != 0 && !memmem(from, len, "\"result\"", 8) && !json_read(line, len, &object, &why))
			abort();
		from = end + 1;
	}
	fake.answers_len = 0;
	fake.line_len = 0;
	for (unsigned i = 0; i < fake.count; i++)
		fake.capsules[i].input_len = 0;
}

static void begin(void)
{
	static char color[] = "terminal=color", none[] = "x";
	static char *options[] = {none, color};

	free(ui.all.bytes);
	for (unsigned i = 0; i < CAPSULES_MAX; i++)
		free(ui.capsules[i].screen.bytes);
	fake_board_reset();
	fake_capsule("one", DIOSIX_GUEST);
	fake_capsule("two", DIOSIX_GUEST);
	now = 1000000;
	ui_begin(&ui, 2, options, 1000000, now);
	turn(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned target = 0xf8;

	begin();
	for (size_t i = 0; i < len; i++) {
		char text[] = {(char)data[i], '\0'};

		if (data[i] == 0xff) {
			turn(500000);
			check_answers();
		} else if (data[i] >= 0xf8 && data[i] <= 0xfb) {
			target = data[i];
		} else if (target == 0xf8 && fake.requests_len + 1 < sizeof(fake.requests)) {
			fake.requests[fake.requests_len++] = (char)data[i];
		} else if (target == 0xf9 && fake.typed_len + 1 < sizeof(fake.typed)) {
			fake_type(text);
		} else {
			fake_print(target & 3, text);
		}
	}
	turn(500000);
	check_answers();
	return 0;
}
