/* SPDX-License-Identifier: MIT */
#include "boot.h"

#include <libfdt.h>
#include <string.h>

#include "arch/hart.h"
#include "board_io.h"
#include "capsule.h"
#include "console.h"
#include "dtgen.h"
#include "guest_tree.h"
#include "loader.h"
#include "log.h"
#include "pages.h"
#include "scheduler.h"

#define FDT_MAX_LEN (UINT64_C(1) << 20)
/* A hart's pages: guard, stack, then its struct hart. */
#define STACK_PAGES 4u
#define HART_PAGES  (1u + STACK_PAGES + (sizeof(struct hart) + PAGE_SIZE - 1) / PAGE_SIZE)

void board_end(bool success)
{
	console_end();
	if (capsule_count != 0)
		capsules_log_memory();
	log_line(success ? DIOSIX_LOG_INFO : DIOSIX_LOG_ERROR,
		 success ? "diosix: board: all capsules stopped" : "diosix: board: stopped after failure");
	board_stop(success);
}

static _Noreturn void give_up(const char *why)
{
	log_line(DIOSIX_LOG_ERROR, "diosix: this board cannot be used: %s", why);
	board_end(false);
}

/* --- memory ---------------------------------------------------------------------------------- */

static bool overlaps(const struct board_range *a, uint64_t base, uint64_t size)
{
	return a->base < base + size && base < a->base + a->size;
}

/* What of RAM is in use before there is an allocator: bitmaps have to go around it. */
static struct {
	struct board_range ranges[BOARD_MAX_RESERVED + 5];
	uint32_t count;
} taken;

static void take(uint64_t base, uint64_t size)
{
	taken.ranges[taken.count++] = (struct board_range){base, size};
}

static void find_taken(const struct boot_info *info)
{
	for (uint32_t i = 0; i < board.reserved_count; i++)
		take(board.reserved[i].base, board.reserved[i].size);
	take(0, PAGE_SIZE); /* address 0 means nowhere */
	take(info->image_start.v, info->image_end.v - info->image_start.v);
	take((uintptr_t)info->fdt, fdt_totalsize(info->fdt));
	take(board.initrd_start, board.initrd_end - board.initrd_start);
	/* Guests that see host-physical addresses find their devices here. */
	take(DTGEN_PLIC_BASE, DTGEN_UART_BASE + PAGE_SIZE - DTGEN_PLIC_BASE);
}

/* The lowest place for `size` bytes in a bank, outside all that is taken; 0 when there is none. */
static uint64_t find_room(const struct board_range *bank, uint64_t size)
{
	uint64_t at = align_up(bank->base, PAGE_SIZE);
	bool moved = true;

	while (moved) {
		moved = false;
		for (uint32_t i = 0; i < taken.count; i++)
			if (taken.ranges[i].size != 0 && overlaps(&taken.ranges[i], at, size)) {
				at = align_up(taken.ranges[i].base + taken.ranges[i].size, PAGE_SIZE);
				moved = true;
			}
	}
	return range_contains(bank->base, bank->size, at, size) ? at : 0;
}

static void reserve_taken(void)
{
	for (uint32_t i = 0; i < taken.count; i++)
		if (taken.ranges[i].size != 0)
			pages_reserve(hpa(taken.ranges[i].base), taken.ranges[i].size);
}

static void init_memory(const struct boot_info *info)
{
	find_taken(info);
	for (uint32_t i = 0; i < board.ram_count; i++) {
		uint64_t size = align_up(pages_bitmap_len(board.ram[i].size), PAGE_SIZE);
		uint64_t at = find_room(&board.ram[i], size);

		if (at == 0)
			continue; /* too small to be worth it */
		pages_add_bank(hpa(board.ram[i].base), board.ram[i].size, hpa_ptr(hpa(at)));
		pages_release(hpa(board.ram[i].base), board.ram[i].size);
		pages_reserve(hpa(at), size);
	}
	reserve_taken();
}

void boot_release_image(void)
{
	uint64_t start = align_down(board.initrd_start, PAGE_SIZE);

	/* Its first and last page too, or they would split RAM for good, unless something else lies in them. */
	pages_release(hpa(start), align_up(board.initrd_end, PAGE_SIZE) - start);
	for (uint32_t i = 0; i < taken.count; i++)
		if (taken.ranges[i].base == board.initrd_start)
			taken.ranges[i].size = 0;
	reserve_taken();
}

/* --- harts ----------------------------------------------------------------------------------- */

uintptr_t hart_stack_guard(const struct hart *hart)
{
	return hart->stack_top - (STACK_PAGES + 1) * PAGE_SIZE;
}

static struct hart *new_hart(const struct board_hart *about)
{
	struct hart *hart;
	hpa_t at;

	if (hart_count == MAX_HARTS || !pages_alloc(HART_PAGES, PAGE_SIZE, &at))
		return NULL;
	memset(hpa_ptr(at), 0, HART_PAGES * PAGE_SIZE);
	hart = hpa_ptr(hpa(at.v + (1 + STACK_PAGES) * PAGE_SIZE));
	hart->stack_top = at.v + (1 + STACK_PAGES) * PAGE_SIZE;
	hart->index = hart_count;
	hart->id = about->id;
	hart->board = about;
	hart->mtimecmp = about->mtimecmp;
	sched_init_hart(hart);
	harts[hart_count++] = hart;
	return hart;
}

static bool runs_guests(const struct board_hart *hart)
{
	return hart->usable && hart->has_s && hart->msip != 0 && hart->mtimecmp != 0;
}

/* The boot hart first, then the others in the tree's order. */
static void make_harts(uint64_t boot_id)
{
	for (uint32_t i = 0; i < board.hart_count; i++)
		if (board.harts[i].id == boot_id && runs_guests(&board.harts[i]))
			new_hart(&board.harts[i]);
	if (hart_count == 0)
		give_up("its device tree says of the hart that boots that it cannot run guests");
	for (uint32_t i = 0; i < board.hart_count; i++)
		if (board.harts[i].id != boot_id && runs_guests(&board.harts[i]))
			new_hart(&board.harts[i]);
}

/* --- stages ---------------------------------------------------------------------------------- */

void boot_board(const struct boot_info *info)
{
	static char obstacle[160];
	const char *why = board_read(&board, info->fdt, FDT_MAX_LEN);

	console_init();
	if (why == NULL)
		why = board_obstacle(&board, obstacle, sizeof(obstacle));
	if (why != NULL)
		give_up(why);
	init_memory(info);
	make_harts(info->hartid);
	if (board.has_rng_seed)
		guest_seed_init(board.rng_seed, board.rng_seed_len);
}

static uint64_t ram_mib(void)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < board.ram_count; i++)
		sum += board.ram[i].size;
	return sum >> 20;
}

void boot_capsules(void)
{
	static char why[192];

	log_line(DIOSIX_LOG_INFO, "diosix: %s on %s: %u harts, %lu MiB RAM, isolation %s", DIOSIX_VERSION, board.model,
		    hart_count, (unsigned long)ram_mib(), arch_isolation_name());
	if (!loader_run(why, sizeof(why))) {
		log_line(DIOSIX_LOG_ERROR, "diosix: image refused: %s", why);
		board_end(false);
	}
	capsules_log_memory();
	loader_banners();
	if (capsule_count == 0)
		board_end(true);
}
