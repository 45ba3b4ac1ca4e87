/* SPDX-License-Identifier: MIT */
/* What the runtime offers, tried by its own arguments: each names a check below, and they are done in order. */
#include <diosix.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int value = 7;
static int *const pointer = &value; /* needs a relocation */
static _Thread_local int own = 3;

static void hello(void)
{
	printf("hello, value %d, own %d\n", *pointer, own);
}

static void lines(void)
{
	for (int i = 0; i < 500; i++)
		printf("line %d of a long output, of which no byte may get lost\n", i);
}

static void heap(void)
{
	size_t total = 0;
	char *piece;

	while ((piece = malloc(100000))) {
		memset(piece, 0x5a, 100000);
		total += 100000;
	}
	printf("malloc gave more than 4 MB: %d, then %s\n", total > 4000000, errno == ENOMEM ? "ENOMEM" : "?");
}

static void wait(void)
{
	uint64_t begun = diosix_time(), tenth = diosix_timebase() / 10;
	uint64_t events = diosix_wait(begun + tenth), took = diosix_time() - begun;

	printf("waited a tenth of a second at least: %d, events %lu\n", took >= tenth, events);
}

/* Of events there is the first when another capsule registers, or it is asked to stop. */
static void events(void)
{
	printf("an event came: %#lx\n", diosix_wait(DIOSIX_FOREVER));
}

/* It does what it is asked, in its own way and time. */
static void stop(void)
{
	puts("ready to be stopped");
	while (!(diosix_wait(DIOSIX_FOREVER) & DIOSIX_EVENT_STOP))
		;
	puts("asked to stop, first this has to be done");
	diosix_wait(diosix_time() + diosix_timebase() / 10);
	puts("in order");
}

static void read_lines(void)
{
	char line[80];

	while (fgets(line, sizeof(line), stdin) && strcmp(line, "end\n") != 0)
		printf("read: %s", line);
}

static void vm(void)
{
	printf("vm: %ld\n", diosix_vm_on());
}

static void trap(void)
{
	printf("not a whole line, ");
	*(volatile int *)0x123456789000 = 1;
}

static void write_text(void)
{
	*(volatile uint32_t *)(uintptr_t)write_text = 0;
}

static int deeper(volatile char *from)
{
	volatile char room[1024];

	room[0] = from[0];
	return room[0] ? deeper(room) + room[0] : 0;
}

static void overflow(void)
{
	volatile char room[1] = {1};

	printf("%d\n", deeper(room));
}

#define VCPUS 4
static _Atomic int sum, arrived;
static char stacks[VCPUS][4096] __attribute__((aligned(16)));

static void work(void *arg)
{
	own += *(int *)arg; /* each has its own */
	atomic_fetch_add(&sum, own);
	atomic_fetch_add(&arrived, 1);
}

static void vcpus(void)
{
	static int numbers[VCPUS] = {0, 10, 20, 30};

	for (unsigned i = 1; i < VCPUS; i++)
		if (diosix_start_vcpu(i, work, &numbers[i], stacks[i], sizeof(stacks[i])) != DIOSIX_OK)
			printf("vCPU %u did not start\n", i);
	while (atomic_load(&arrived) < VCPUS - 1)
		diosix_yield();
	printf("sum %d, own %d, no vCPU %d: %ld\n", sum, own, VCPUS,
	       diosix_start_vcpu(VCPUS, work, numbers, stacks[0], sizeof(stacks[0])));
}

#define FILES_ROOM 300000
static char files_room[FILES_ROOM];

/* FNV-1a of 64 bits, read by pieces of `len` bytes. */
static void hash_file(const char *name, uint64_t file, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325, at = 0, calls = 0;
	struct diosix_result got;

	while ((got = diosix_file_read(file, at, files_room, len)).error == DIOSIX_OK && got.value > 0) {
		for (uint64_t i = 0; i < got.value; i++)
			hash = (hash ^ (uint8_t)files_room[i]) * 0x100000001b3;
		at += got.value;
		calls++;
	}
	printf("file %s by %zu: %lu of %lu bytes, %lu calls, hash %016lx, error %ld\n", name, len, at,
	       diosix_file_size(file).value, calls, hash, got.error);
}

/* Its own "small" and "large"; another's "secret" has the number after. */
static void files(void)
{
	static const char *const names[] = {"small", "large", "secret", "larg", "large.", ""};
	uint64_t file = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct diosix_result found = diosix_file_find(names[i], strlen(names[i]));

		printf("find [%s]: %ld\n", names[i], found.error);
		if (found.error != DIOSIX_OK)
			continue;
		file = found.value;
		hash_file(names[i], file, FILES_ROOM);
		hash_file(names[i], file, 4099);
	}
	for (uint64_t other = 0; other < 32; other++)
		if (diosix_file_size(other).error == DIOSIX_OK)
			printf("number %lu is one of mine: %d\n", other, diosix_file_read(other, 0, files_room, 1).error == DIOSIX_OK);
		else if (diosix_file_read(other, 0, files_room, 1).error != DIOSIX_INVALID)
			printf("number %lu can be read\n", other);
	printf("no such file: %ld, %ld\n", diosix_file_size(1 << 20).error, diosix_file_read(UINT64_MAX, 0, files_room, 1).error);
	printf("beyond the end: %lu, %lu\n", diosix_file_read(file, diosix_file_size(file).value, files_room, 9).value,
	       diosix_file_read(file, UINT64_MAX, files_room, 9).value);
	printf("outside its memory: %ld, %ld, %ld\n", diosix_call(DIOSIX_CALL_FILE_READ, file, 0, 0x10000000, 8).error,
	       diosix_call(DIOSIX_CALL_FILE_READ, file, 0, UINT64_MAX - 3, 8).error,
	       diosix_call(DIOSIX_CALL_FILE_FIND, 0x10000000, 5, 0, 0).error);
}

static uint64_t large;
static _Atomic unsigned readers, mistakes;

/* From each of its chunks in turn, so that vCPUs want different ones at once. The words of the file are their own offsets. */
static void read_in_turns(void *arg)
{
	unsigned id = *(unsigned *)arg;
	static uint64_t words[VCPUS][2];

	for (unsigned i = 0; i < 30; i++) {
		uint64_t at = (i + id) % 3 * 262144;

		if (diosix_file_read(large, at, words[id], 16).value != 16 || words[id][0] != at || words[id][1] != at + 8)
			atomic_fetch_add(&mistakes, 1);
	}
	atomic_fetch_add(&readers, 1);
}

static void files_at_once(void)
{
	static unsigned ids[VCPUS] = {0, 1, 2, 3};

	large = diosix_file_find("large", 5).value;
	for (unsigned i = 1; i < VCPUS; i++)
		diosix_start_vcpu(i, read_in_turns, &ids[i], stacks[i], sizeof(stacks[i]));
	read_in_turns(&ids[0]);
	while (atomic_load(&readers) < VCPUS)
		diosix_yield();
	printf("files read at once: %u mistakes\n", atomic_load(&mistakes));
}

static const struct {
	const char *name;
	void (*run)(void);
} checks[] = {
	{"hello", hello}, {"lines", lines}, {"heap", heap}, {"wait", wait}, {"read", read_lines}, {"vm", vm},
	{"events", events}, {"trap", trap}, {"write-text", write_text}, {"overflow", overflow}, {"vcpus", vcpus},
	{"stop", stop}, {"files", files}, {"files-at-once", files_at_once},
};

int main(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		printf("argument %d: [%s]\n", i, argv[i]);
	for (int i = 1; i < argc; i++)
		for (size_t j = 0; j < sizeof(checks) / sizeof(checks[0]); j++)
			if (strcmp(argv[i], checks[j].name) == 0)
				checks[j].run();
	printf("done\n");
	return 0;
}
