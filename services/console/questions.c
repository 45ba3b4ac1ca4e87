/* SPDX-License-Identifier: MIT */
#include "questions.h"

#define ENQ    0x05
#define BEL    0x07
#define CAN    0x18
#define SUB    0x1a
#define ESCAPE 0x1b

/* Sets of numbers. */
#define ANY	    (~(uint64_t)0)
#define ONE(n)	    ((uint64_t)1 << (n))
#define RANGE(a, b) ((ONE(b) << 1) - ONE(a))
#define NUMBER_MAX  63u

/*
 * The beginning of a control sequence or string (ECMA-48 5.4, 5.6): ESC, what opens it, a private mark, numbers, bytes in between,
 * and the last byte. Strings go on behind it.
 */
struct sequence {
	uint8_t opens, mark, between, last;
	unsigned first; /* the first number: 0 where there is none, NUMBER_MAX for that and more */
	uint64_t next;	/* behind it */
};

/* From ECMA-48, DEC's manuals for the VT100 to the VT525, and the documents of xterm and kitty. */
static const struct {
	uint8_t opens, mark, between, last;
	uint64_t first; /* a set */
} questions[] = {
	{'[', 0, 0, 'c', ONE(0)},					  /* DA: what it is */
	{'[', '>', 0, 'c', ONE(0)},					  /* the same, its version */
	{'[', '=', 0, 'c', ONE(0)},					  /* the same, its serial number */
	{'[', '>', 0, 'q', ONE(0)},					  /* XTVERSION */
	{'[', 0, 0, 'n', ONE(5) | ONE(6)},				  /* DSR: how it is, where the cursor is */
	{'[', '?', 0, 'n', ANY},					  /* DSR, DEC's: printer, keyboard, cursor */
	{'[', 0, 0, 'x', ONE(0) | ONE(1)},				  /* DECREQTPARM: its line */
	{'[', 0, '$', 'p', ANY},					  /* DECRQM: a mode */
	{'[', '?', '$', 'p', ANY},					  /* the same, DEC's */
	{'[', 0, '$', 'u', ANY},					  /* DECRQTSR: its state */
	{'[', 0, '&', 'u', ANY},					  /* DECRQUPSS: its characters */
	{'[', 0, '$', 'w', ANY},					  /* DECRQPSR: its cursor, its tabs */
	{'[', 0, '*', 'y', ANY},					  /* DECRQCRA: a sum over the screen */
	{'[', 0, 0, 't', ONE(11) | RANGE(13, 16) | RANGE(18, 21)},	  /* its window */
	{'[', '?', 0, 'u', ANY},					  /* how it sends keys */
	{'[', '?', 0, 'm', ANY},					  /* the same, xterm's */
	{'[', '?', 0, 'S', ANY},					  /* what it can draw */
	{'P', 0, '$', 'q', ANY},					  /* DECRQSS: a setting */
	{'P', 0, '+', 'q', ANY},					  /* XTGETTCAP: a capability */
	{']', 0, 0, '?', RANGE(4, 5) | RANGE(10, 19) | ONE(50) | ONE(52)}, /* colours, font, clipboard */
};

static uint8_t byte_at(const struct screen *screen, uint64_t at, uint64_t end)
{
	return at < end ? screen->bytes[at % screen->size] : CAN;
}

/* The numbers, and what is in between; false when it is cut short. Other control characters have their effect within it. */
static bool read_head(const struct screen *screen, uint64_t end, struct sequence *sequence)
{
	unsigned numbers = 0;
	uint8_t byte;

	for (; (byte = byte_at(screen, sequence->next, end)) < 0x40; sequence->next++) {
		if (byte == CAN || byte == SUB || byte == ESCAPE)
			return false;
		if (byte >= '0' && byte <= '9' && numbers == 0)
			sequence->first = sequence->first * 10 + (byte - '0');
		if (sequence->first > NUMBER_MAX)
			sequence->first = NUMBER_MAX;
		numbers += byte == ';' || byte == ':';
		if (byte >= '<')
			sequence->mark = byte;
		else if (byte >= ' ' && byte < '0')
			sequence->between = byte;
	}
	sequence->last = byte;
	sequence->next++;
	return byte < 0x7f;
}

/* To the end of a string: ST, or BEL. A field of an operating system command that is "?" alone counts as its last byte. */
static bool read_string(const struct screen *screen, uint64_t end, struct sequence *sequence)
{
	uint8_t before = sequence->last, byte = 0;
	bool asks = false, ended = false;

	for (; !ended; sequence->next++) {
		uint8_t next = byte_at(screen, sequence->next, end);

		ended = next == BEL || next == ESCAPE;
		if (next == CAN || next == SUB)
			return false;
		asks |= byte == '?' && before == ';' && (ended || next == ';');
		before = byte;
		byte = next;
	}
	if (sequence->opens == ']')
		sequence->last = asks ? '?' : 0;
	if (byte == ESCAPE)
		return byte_at(screen, sequence->next++, end) == '\\';
	return true;
}

static bool read_sequence(const struct screen *screen, uint64_t at, uint64_t end, struct sequence *sequence)
{
	*sequence = (struct sequence){.opens = byte_at(screen, at + 1, end), .next = at + 2};
	switch (sequence->opens) {
	case '[':
		return read_head(screen, end, sequence);
	case 'P':
		return read_head(screen, end, sequence) && read_string(screen, end, sequence);
	case ']':
		for (uint8_t byte; (byte = byte_at(screen, sequence->next, end)) >= '0' && byte <= '9'; sequence->next++)
			if (sequence->first < NUMBER_MAX)
				sequence->first = sequence->first * 10 + (byte - '0');
		return read_string(screen, end, sequence);
	default:
		return false;
	}
}

size_t question_at(const struct screen *screen, uint64_t at, uint64_t end)
{
	struct sequence sequence;

	if (byte_at(screen, at, end) == ENQ)
		return 1;
	if (byte_at(screen, at, end) != ESCAPE)
		return 0;
	if (byte_at(screen, at + 1, end) == 'Z') /* DECID */
		return 2;
	if (!read_sequence(screen, at, end, &sequence))
		return 0;
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (questions[i].opens == sequence.opens && questions[i].mark == sequence.mark &&
		    questions[i].between == sequence.between && questions[i].last == sequence.last &&
		    (questions[i].first >> sequence.first & 1))
			return (size_t)(sequence.next - at);
	return 0;
}

size_t questions_pass(const struct screen *screen, uint64_t *at, uint64_t end, const uint8_t **bytes)
{
	size_t asked, run, len;

	while (*at < end && (asked = question_at(screen, *at, end)) > 0)
		*at += asked;
	run = screen_run(screen, *at, bytes);
	if (*at >= end)
		return run;
	if (run > end - *at)
		run = (size_t)(end - *at);
	for (len = run > 0; len < run && (*bytes)[len] != ESCAPE && (*bytes)[len] != ENQ; len++)
		;
	return len;
}
