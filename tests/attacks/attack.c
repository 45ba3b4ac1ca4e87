/* SPDX-License-Identifier: MIT */
#include "attack.h"

extern const char image_start[];

static unsigned broken;

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

void attack_end(void)
{
	if (broken == 0)
		print("attack " ATTACK_NAME ": held\n");
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
