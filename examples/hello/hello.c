/* SPDX-License-Identifier: MIT */
/*
 * A guest without an operating system: says hello on its serial port, tells what the SBI says about
 * itself, and shuts down. The machine is laid out as QEMU's `virt`.
 */
#include <stdint.h>

#define UART	     ((volatile uint8_t *)0x10000000)
#define UART_THR     0
#define UART_LSR     5
#define UART_LSR_THR 0x20

struct sbi_result {
	long error;
	long value;
};

static struct sbi_result sbi_call(long extension, long function, long arg0, long arg1)
{
	register long a0 __asm__("a0") = arg0;
	register long a1 __asm__("a1") = arg1;
	register long a6 __asm__("a6") = function;
	register long a7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a6), "r"(a7) : "memory");
	return (struct sbi_result){a0, a1};
}

static void put(char c)
{
	while (!(UART[UART_LSR] & UART_LSR_THR))
		;
	UART[UART_THR] = (uint8_t)c;
}

static void print(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			put('\r');
		put(*text);
	}
}

static void print_number(unsigned long n)
{
	if (n >= 10)
		print_number(n / 10);
	put((char)('0' + n % 10));
}

/* Called by start.S with the hart's number and the address of the device tree. */
void hello(unsigned long hart, const void *devicetree)
{
	long version = sbi_call(0x10, 0, 0, 0).value;

	(void)devicetree;
	print("Hello from hart ");
	print_number(hart);
	print(", on top of SBI ");
	print_number((unsigned long)version >> 24 & 0x7f);
	put('.');
	print_number((unsigned long)version & 0xffffff);
	print(", implementation ");
	print_number((unsigned long)sbi_call(0x10, 1, 0, 0).value);
	print("\n");
	sbi_call(0x53525354, 0, 0, 0); /* system reset: shut down */
}
