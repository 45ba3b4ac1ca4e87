/* SPDX-License-Identifier: MIT */
#include "fake_board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake_board fake;

void fake_board_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.line_takes = fake.answers_takes = SIZE_MAX;
	fake.board.size = sizeof(fake.board);
	fake.board.harts = 4;
	fake.board.isolation = DIOSIX_GSTAGE;
	fake.board.timebase_hz = 1000000;
	fake.board.ram = 512 << 20;
	fake.board.free = 400 << 20;
	fake.board.rollback = 7;
	fake.board.has_control = 1;
	fake.board.key_count = 1;
	memset(fake.board.keys[0], 0xab, 8);
	strcpy(fake.board.board, "test-board");
	strcpy(fake.board.hypervisor, "1.2.3");
	strcpy(fake.board.image, "demo");
	strcpy(fake.board.image_version, "2.0");
	fake_capsule("console", DIOSIX_SERVICE);
}

struct fake_capsule *fake_capsule(const char *name, enum diosix_kind kind)
{
	struct fake_capsule *capsule = &fake.capsules[fake.count];
	struct diosix_capsule_info *info = &capsule->info;

	info->size = sizeof(*info);
	info->index = fake.count++;
	info->kind = kind;
	info->state = DIOSIX_STATE_RUNNING;
	info->cpus = 2;
	info->priority = 1;
	info->memory = 64 << 20;
	info->starts = 1;
	info->permissions = kind == DIOSIX_SERVICE ? 0x1 : 0;
	snprintf(info->name, sizeof(info->name), "%s", name);
	capsule->stats.size = sizeof(capsule->stats);
	capsule->takes = SIZE_MAX;
	return capsule;
}

void fake_start(uint32_t capsule)
{
	struct fake_capsule *of = &fake.capsules[capsule];

	of->info.state = DIOSIX_STATE_RUNNING;
	of->info.starts++;
	of->past = of->ring_len;
	of->past_log = of->log;
	of->log = fake.log_count + 1;
}

size_t fake_print(uint32_t capsule, const char *text)
{
	struct fake_capsule *of = &fake.capsules[capsule];
	size_t len = strlen(text), room = FAKE_RING - of->ring_len;

	len = len < room ? len : room;
	memcpy(of->ring + of->ring_len, text, len);
	of->ring_len += len;
	return len;
}

static void append(char *to, size_t *to_len, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (*to_len + len > size)
		abort();
	memcpy(to + *to_len, text, len);
	*to_len += len;
}

void fake_type(const char *text)
{
	append(fake.typed, &fake.typed_len, sizeof(fake.typed), text);
}

void fake_request(const char *line)
{
	append(fake.requests, &fake.requests_len, sizeof(fake.requests), line);
	append(fake.requests, &fake.requests_len, sizeof(fake.requests), "\n");
}

void fake_log(uint32_t level, const char *text)
{
	fake.log[fake.log_count].level = level;
	fake.log[fake.log_count].time = 1000000 * (fake.log_count + 1);
	snprintf(fake.log[fake.log_count++].text, sizeof(fake.log[0].text), "%s", text);
}

/* --- calls -------------------------------------------------------------------------------------- */

static struct diosix_result value(uint64_t value)
{
	return (struct diosix_result){DIOSIX_OK, value};
}

static struct diosix_result error(int64_t error)
{
	return (struct diosix_result){error, 0};
}

/* Reads a queue from its beginning. */
static struct diosix_result take(char *from, size_t *from_len, void *to, size_t len)
{
	len = len < *from_len ? len : *from_len;
	memcpy(to, from, len);
	memmove(from, from + len, *from_len - len);
	*from_len -= len;
	return value(len);
}

/* Writes as much as may still be taken. */
static struct diosix_result give(char *to, size_t *to_len, size_t size, size_t *takes, const void *from, size_t len)
{
	len = len < *takes ? len : *takes;
	if (*to_len + len > size)
		abort();
	memcpy(to + *to_len, from, len);
	*to_len += len;
	*takes -= *takes == SIZE_MAX ? 0 : len;
	return value(len);
}

/* A piece of one life, with its record, into so much room; its length. */
static size_t output_of(uint32_t index, uint8_t *buffer, size_t room)
{
	struct fake_capsule *of = &fake.capsules[index];
	bool past = of->past > 0;
	struct diosix_output record = {
		.handle = DIOSIX_HANDLE(index, of->info.starts - past),
		.log = past ? of->past_log : of->log,
		.dropped = of->dropped,
	};
	size_t len = past ? of->past : of->ring_len;

	record.len = (uint32_t)(len < room - sizeof(record) ? len : room - sizeof(record));
	memcpy(buffer, &record, sizeof(record));
	take(of->ring, &of->ring_len, buffer + sizeof(record), record.len);
	of->past -= past ? record.len : 0;
	of->dropped = 0;
	return sizeof(record) + record.len;
}

/* Round robin, a piece of each that has something. */
static struct diosix_result output(uint8_t *buffer, size_t size)
{
	size_t at = 0;

	for (uint32_t i = 0; i < fake.count; i++) {
		struct fake_capsule *of = &fake.capsules[fake.turn];

		if ((of->ring_len > 0 || of->dropped) && size - at > sizeof(struct diosix_output))
			at += (output_of(fake.turn, buffer + at, size - at) + 7) & ~(size_t)7;
		at = at < size ? at : size;
		fake.turn = (fake.turn + 1) % fake.count;
		if (at == size)
			break;
	}
	return value(at);
}

static struct diosix_result log_read(uint64_t from, uint8_t *buffer, size_t size)
{
	size_t at = 0;

	for (uint32_t i = from > fake.log_first ? (uint32_t)from - 1 : fake.log_first; i < fake.log_count; i++) {
		struct diosix_log_line line = {i + 1, fake.log[i].time, fake.log[i].level, (uint32_t)strlen(fake.log[i].text)};

		if (at + sizeof(line) + line.len > size)
			break;
		memcpy(buffer + at, &line, sizeof(line));
		memcpy(buffer + at + sizeof(line), fake.log[i].text, line.len);
		at += (sizeof(line) + line.len + 7) & ~(size_t)7;
	}
	return value(at);
}

static struct diosix_result operate(enum diosix_call call, struct fake_capsule *capsule)
{
	struct diosix_capsule_info *info = &capsule->info;
	bool stopped = info->state == DIOSIX_STATE_STOPPED;

	if (call == DIOSIX_CALL_CAPSULE_START ? !stopped : stopped)
		return error(DIOSIX_INVALID_STATE);
	if (call == DIOSIX_CALL_CAPSULE_START || call == DIOSIX_CALL_CAPSULE_RESTART) {
		fake_start(info->index);
	} else if (call == DIOSIX_CALL_CAPSULE_KILL || !capsule->stubborn) {
		info->state = DIOSIX_STATE_STOPPED;
		info->last_end = call == DIOSIX_CALL_CAPSULE_KILL ? DIOSIX_END_KILLED : DIOSIX_END_SHUTDOWN;
	}
	return value(0);
}

static struct diosix_result of_capsule(enum diosix_call call, uint64_t index, uint64_t a1, uint64_t a2)
{
	struct fake_capsule *capsule = &fake.capsules[index];

	if (index >= fake.count)
		return error(DIOSIX_BAD_RANGE);
	switch (call) {
	case DIOSIX_CALL_CAPSULE_INFO:
		memcpy((void *)a1, &capsule->info, sizeof(capsule->info));
		return value(sizeof(capsule->info));
	case DIOSIX_CALL_CAPSULE_STATS:
		memcpy((void *)a1, &capsule->stats, sizeof(capsule->stats));
		return value(sizeof(capsule->stats));
	case DIOSIX_CALL_CONSOLE_FEED:
		return give(capsule->input, &capsule->input_len, sizeof(capsule->input), &capsule->takes, (void *)a1, a2);
	case DIOSIX_CALL_CAPSULE_FOCUS:
		fake.board.focus = (uint32_t)index;
		return value(0);
	default:
		return operate(call, capsule);
	}
}

struct diosix_result diosix_call(enum diosix_call call, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	if (fake.denied >> call & 1)
		return error(DIOSIX_DENIED);
	switch (call) {
	case DIOSIX_CALL_SELF:
		return value(DIOSIX_HANDLE(0, 1));
	case DIOSIX_CALL_REGISTER:
		return value(0);
	case DIOSIX_CALL_BOARD_INFO:
		memcpy((void *)a0, &fake.board, sizeof(fake.board));
		return value(sizeof(fake.board));
	case DIOSIX_CALL_LOG_READ:
		return log_read(a0, (void *)a1, a2);
	case DIOSIX_CALL_CONSOLE_OUTPUT:
		return output((void *)a0, a1);
	case DIOSIX_CALL_CONSOLE_READ:
		return take(fake.typed, &fake.typed_len, (void *)a0, a1);
	case DIOSIX_CALL_CONSOLE_WRITE:
		return give(fake.line, &fake.line_len, sizeof(fake.line), &fake.line_takes, (void *)a0, a1);
	case DIOSIX_CALL_CONTROL_READ:
		return take(fake.requests, &fake.requests_len, (void *)a0, a1);
	case DIOSIX_CALL_CONTROL_WRITE:
		return give(fake.answers, &fake.answers_len, sizeof(fake.answers), &fake.answers_takes, (void *)a0, a1);
	default:
		return of_capsule(call, a0, a1, a2);
	}
}

uint64_t diosix_physical(const volatile void *at)
{
	return (uint64_t)at;
}
