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

static const struct {
	const char *name;
	void (*run)(void);
} checks[] = {
	{"hello", hello}, {"lines", lines}, {"heap", heap}, {"wait", wait}, {"read", read_lines}, {"vm", vm},
	{"events", events}, {"trap", trap}, {"write-text", write_text}, {"overflow", overflow}, {"vcpus", vcpus},
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
