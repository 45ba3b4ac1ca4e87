/* SPDX-License-Identifier: MIT */
#include "attack.h"

extern const char image_start[];

struct vcpu vcpus[MAX_VCPUS] __attribute__((aligned(16)));

_Static_assert(sizeof(struct vcpu) == VCPU_SIZE, "start.S");
_Static_assert(offsetof(struct vcpu, saved) == VCPU_T1 && offsetof(struct vcpu, entry) == VCPU_ENTRY, "start.S");

static _Atomic unsigned broken;
static const char *device_tree;

/* The whole device tree is looked through: nothing in it but its command line has such a word. */
bool told(const char *word)
{
	const uint8_t *size = (const uint8_t *)device_tree + 4;
	size_t len = (size_t)size[1] << 16 | (size_t)size[2] << 8 | size[3], match = 0;

	for (size_t i = 0; i < len && word[match] != '\0'; i++)
		match = device_tree[i] == word[match] ? match + 1 : device_tree[i] == word[0];
	return word[match] == '\0';
}

int64_t start_vcpu(unsigned id, void (*entry)(void))
{
	vcpus[id].entry = entry;
	return sbi(SBI_HSM, 0, id, (uintptr_t)vcpu_begin, (uintptr_t)&vcpus[id], 0).error;
}

uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

uint64_t ram_base(void)
{
	return (uintptr_t)image_start - 0x200000;
}

bool is_gstage(void)
{
	/* There the hypervisor itself is at this host address, so a guest can have it in `gstage` mode alone. */
	return ram_base() == RAM_DEFAULT;
}

struct sbi_result sbi(uint64_t extension, uint64_t function, uint64_t a0_, uint64_t a1_, uint64_t a2_, uint64_t a3_)
{
	register uint64_t a0 __asm__("a0") = a0_, a1 __asm__("a1") = a1_, a2 __asm__("a2") = a2_,
			  a3 __asm__("a3") = a3_, a6 __asm__("a6") = function, a7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a6), "r"(a7) : "memory");
	return (struct sbi_result){(int64_t)a0, a1};
}

void print(const char *text)
{
	size_t len = 0;

	while (text[len] != '\0')
		len++;
	while (len != 0) {
		uint64_t done = sbi(SBI_DBCN, 0, len, (uintptr_t)text, 0, 0).value;

		text += done;
		len -= done;
	}
}

void print_hex(uint64_t value)
{
	char text[19] = "0x";
	unsigned at = 2;

	for (int shift = 60; shift >= 0; shift -= 4)
		if (value >> shift != 0 || shift == 0)
			text[at++] = "0123456789abcdef"[value >> shift & 15];
	text[at] = '\0';
	print(text);
}

bool expect(const char *what, uint64_t where, uint64_t got, uint64_t want)
{
	if (got == want)
		return true;
	if (broken++ < 8) {
		print("attack " ATTACK_NAME ": BROKEN: ");
		print(what);
		print(" at ");
		print_hex(where);
		print(" gives ");
		print_hex(got);
		print(", not ");
		print_hex(want);
		print("\n");
	}
	return false;
}

void expect_unreachable(const char *what, uint64_t at)
{
	expect(what, at, try_load(at), LOAD_ACCESS);
	expect("stval of that load", at, trap.tval, at);
	expect(what, at, try_store(at), STORE_ACCESS);
	expect("stval of that store", at, trap.tval, at);
	if (at % 2 != 0)
		return;
	expect(what, at, try_execute(at), FETCH_ACCESS);
	expect("stval of that fetch", at, trap.tval, at);
}

bool has_byte(char *byte)
{
	return sbi(SBI_DBCN, 1, 1, (uintptr_t)byte, 0, 0).value == 1;
}

char read_byte(void)
{
	char byte = 0;

	while (!has_byte(&byte))
		;
	return byte;
}

void shut_down(void)
{
	sbi(SBI_SRST, 0, 0, 0, 0, 0);
	for (;;)
		;
}

/* Sleeps until there is a byte of input, a millisecond at a time: the others need the hart. */
static void wait_for_byte(void)
{
	char byte;

	while (!has_byte(&byte)) {
		sbi(SBI_TIME, 0, ticks() + 10000, 0, 0, 0);
		__asm__ volatile("csrs sie, %0\nwfi\ncsrc sie, %0" ::"r"(0x20));
	}
	sbi(SBI_TIME, 0, UINT64_MAX, 0, 0, 0);
}

void attack_main(const char *tree)
{
	bool wait;

	device_tree = tree;
	wait = told("wait");
	if (wait) {
		print(ATTACK_NAME " waits\n");
		wait_for_byte();
	}
	main();
	if (broken == 0)
		print("attack " ATTACK_NAME ": held\n");
	if (wait)
		wait_for_byte();
	shut_down();
}

/* The compiler may call this. */
void *memset(void *to, int value, size_t len);
void *memset(void *to, int value, size_t len)
{
	volatile char *at = to;

	while (len-- != 0)
		*at++ = (char)value;
	return to;
}
