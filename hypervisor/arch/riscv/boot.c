/* SPDX-License-Identifier: MIT */
/*
 * From assembly to core/: the boot hart prepares the board and gives each other hart its struct hart; all
 * probe themselves, unpack the image together, and run capsules.
 */
#include "boot.h"

#include "arch/hart.h"
#include "asm.h"
#include "board_io.h"
#include "capsule.h"
#include "console.h"
#include "csr.h"
#include "line.h"
#include "pages.h"
#include "unpack.h"

extern const char __text_start[], __image_end[];

/* entry.S: mhartid + 1 of each hart that waits, and where its struct hart is put. */
extern volatile uint64_t boot_arrived[BOOT_SLOTS];
extern struct hart *volatile boot_slots[BOOT_SLOTS];

_Static_assert(BOOT_SLOTS == BOARD_MAX_HARTS, "any of the harts in the tree may be the first to come");

/*
 * How long to wait for harts that are in the device tree but do not come. Long, for those of an emulated board share
 * the processors of its host; where all come nobody waits.
 */
#define ARRIVAL_MS 2000u

static _Atomic uint32_t probed;	 /* harts done with probing */
static _Atomic uint32_t may_run; /* the capsules are ready */

uint64_t arch_time(void)
{
	return arch_features.time_csr ? csr_read(CSR_TIME) : board_mtime();
}

static void probe(void)
{
	arch_hart_probe();
	atomic_fetch_add(&probed, 1);
	hart_kick(harts[0]);
}

static struct hart *hart_by_id(uint64_t id)
{
	for (uint32_t i = 0; i < hart_count; i++)
		if (harts[i]->id == id)
			return harts[i];
	return NULL;
}

/* Lets a hart go that has come, and waits until it has found out what it has: one at a time, into the same records. */
static void release(uint32_t slot, struct hart *hart)
{
	uint32_t before = atomic_load(&probed);

	atomic_thread_fence(memory_order_seq_cst);
	boot_slots[slot] = hart;
	hart_kick(hart);
	while (atomic_load(&probed) == before)
		hart_nap();
}

/* Lets those go that have come and are known. Returns how many have gone so far. */
static uint32_t release_harts(void)
{
	uint32_t released = 0;

	for (uint32_t slot = 1; slot < BOOT_SLOTS; slot++) {
		struct hart *hart = boot_arrived[slot] != 0 ? hart_by_id(boot_arrived[slot] - 1) : NULL;

		if (hart == NULL)
			continue; /* or it stays where it is for ever */
		if (boot_slots[slot] == NULL)
			release(slot, hart);
		released++;
	}
	return released;
}

/* Harts that are in the tree but did not come run nothing. */
static void drop_absent_harts(void)
{
	uint32_t kept = 1;

	for (uint32_t i = 1; i < hart_count; i++) {
		bool here = false;

		for (uint32_t slot = 1; slot < BOOT_SLOTS; slot++)
			here |= boot_slots[slot] == harts[i];
		if (here)
			harts[kept++] = harts[i];
	}
	hart_count = kept;
	for (uint32_t i = 0; i < hart_count; i++)
		harts[i]->index = i;
}

static void gather_harts(void)
{
	uint64_t ms = board.timebase_hz / 1000, deadline = arch_time() + ms * ARRIVAL_MS;

	while (release_harts() + 1 < hart_count && arch_time() < deadline) {
		/* Not in a circle: on some emulators they come only while this one sleeps. */
		hart_set_timer(arch_time() + ms);
		hart_nap();
	}
	hart_set_timer(UINT64_MAX);
	drop_absent_harts();
}

/* No interrupt is left over from what ran before: a hart that has nothing to do sleeps. */
static void quiet(struct hart *hart)
{
	hart->timer_set = 0;
	hart_set_timer(UINT64_MAX);
	board_clear_kick(hart);
}

static _Noreturn void join(struct hart *hart)
{
	board_irq_init();
	if (hart->index == 0) {
		line_start(PORT_CONSOLE);
		line_start(PORT_CONTROL);
	}
	arch_run();
}

void boot_main(uint64_t hartid, const void *fdt)
{
	struct boot_info info = {hartid, fdt, ptr_hpa(__text_start), ptr_hpa(__image_end)};

	boot_board(&info);
	__asm__ volatile("mv tp, %0" ::"r"(harts[0]));
	quiet(harts[0]);
	probe();
	stack_protector_init(board.rng_seed, board.rng_seed_len);
	gather_harts();
	arch_hart_init(hart_stack_guard(harts[0]));
	boot_capsules();
	capsules_start();
	atomic_store(&may_run, 1);
	hart_kick_others();
	join(harts[0]);
}

void secondary_main(struct hart *hart)
{
	quiet(hart);
	probe();
	unpack_help();
	arch_hart_init(hart_stack_guard(hart));
	while (atomic_load(&may_run) == 0)
		hart_nap();
	join(hart);
}
