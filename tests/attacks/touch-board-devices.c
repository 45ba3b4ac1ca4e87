/* SPDX-License-Identifier: MIT */
/* The board's own devices: timer, test finisher, interrupt controller, console, flash, buses. */
#include "attack.h"

void main(void)
{
	static const uint64_t devices[] = {
		/* virt: debug, boot ROM, test finisher, clock, CLINT, bus, fw_cfg, flash, PCI */
		0x100, 0x1000, 0x100000, 0x101000, 0x2000000, 0x2004000, 0x200bff8, 0x3000000, 0x10100000, 0x20000000, 0x22000000,
		0x30000000, 0x40000000, 0x400000000,
		/* sifive_u: cache controller, console, PRCI, GPIO, QSPI, GEM */
		0x2010000, 0x10010000, 0x10011000, 0x10000100, 0x10060000, 0x10040000, 0x10090000, 0x10070000,
	};

	for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		expect_unreachable("a device of the board", devices[i]);
	/* The emulated console's last register, and what the board may have behind it. */
	expect("the end of its console", UART_BASE + UART_SIZE - 1, try_load(UART_BASE + UART_SIZE - 1), NO_TRAP);
	expect_unreachable("behind its console", UART_BASE + UART_SIZE);
	expect_unreachable("behind its console", UART_BASE + PAGE);
	for (uint64_t at = UART_BASE + PAGE; at < UART_BASE + 0x100000; at += PAGE)
		expect_unreachable("behind its console", at);
	expect("a fetch from its console", UART_BASE, try_execute(UART_BASE), FETCH_ACCESS);
	expect_unreachable("before its interrupt controller", PLIC_BASE - 2);
	expect_unreachable("behind its interrupt controller", PLIC_BASE + PLIC_SIZE);
	expect("a fetch from its interrupt controller", PLIC_BASE, try_execute(PLIC_BASE), FETCH_ACCESS);
}
