/* SPDX-License-Identifier: MIT */
/*
 * boards FILE.dtb...: what the hypervisor makes of device trees, a row of a Markdown table each.
 * docs/boards.md has this table, and `make unit` compares.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "board.h"

#define ROOM (4u << 20)

static void print_harts(const struct board *board)
{
	uint32_t guests = 0;

	for (uint32_t i = 0; i < board->hart_count; i++)
		guests += board->harts[i].usable && board->harts[i].has_s;
	printf(" %u of %u%s |", guests, board->hart_count,
	       board->harts[board->hart_count - 1].has_h ? ", H" : "");
}

static void print_ram(const struct board *board)
{
	uint64_t size = 0;

	for (uint32_t i = 0; i < board->ram_count; i++)
		size += board->ram[i].size;
	if (size == 0)
		printf(" |");
	else
		printf(" %" PRIu64 " MiB from 0x%" PRIx64 " |", size >> 20, board->ram[0].base);
}

static void print_console(const struct board_uart *uart)
{
	if (uart->type == BOARD_UART_NONE)
		printf(" %s |", uart->compatible ? uart->compatible : "");
	else
		printf(" %s at %#" PRIx64 " |", uart->type == BOARD_UART_SIFIVE ? "SiFive" : "16550",
		       uart->base);
}

/* The registers of the last hart, which is for guests where any is. */
static void print_timer(const struct board *board)
{
	const struct board_hart *hart = &board->harts[board->hart_count - 1];

	if (hart->mtimecmp == 0)
		printf(" |");
	else
		printf(" %#" PRIx64 "%s |", hart->mtimecmp, board->mtimecmp_32bit ? ", by halves" : "");
}

static void print_plic(const struct board_plic *plic)
{
	if (plic->base == 0)
		printf(" %s |", plic->compatible ? plic->compatible : "");
	else
		printf(" PLIC at %#" PRIx64 ", %u |", plic->base, plic->sources);
}

static void print_row(const char *path, const void *fdt, size_t len)
{
	static struct board board;
	const char *slash = strrchr(path, '/');
	const char *error = board_read(&board, fdt, len);
	char buf[160];

	printf("| %s |", slash ? slash + 1 : path);
	if (error) {
		printf(" | | | | | | %s |\n", error);
		return;
	}
	printf(" %s |", board.model);
	print_harts(&board);
	print_ram(&board);
	print_console(&board.uart);
	print_timer(&board);
	print_plic(&board.plic);
	error = board_obstacle(&board, buf, sizeof(buf));
	printf(" %s |\n", error ? error : "yes");
}

int main(int argc, char **argv)
{
	static _Alignas(8) uint8_t fdt[ROOM];

	puts("| device tree | board | harts for guests | RAM | console | timer | interrupts | driven |\n"
	     "|---|---|---|---|---|---|---|---|");
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		size_t len;

		if (!file) {
			fprintf(stderr, "boards: cannot open %s\n", argv[i]);
			return 3;
		}
		len = fread(fdt, 1, sizeof(fdt), file);
		fclose(file);
		print_row(argv[i], fdt, len);
	}
	return 0;
}
