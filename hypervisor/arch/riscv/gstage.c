/* SPDX-License-Identifier: MIT */
/*
 * Guests in VS-mode under two-stage translation (privileged specification 1.12, chapter 8). Nothing
 * runs in HS-mode: what is delegated goes all the way to VS-mode, what is not comes to M-mode.
 */
#include <string.h>

#include "arch/hart.h"
#include "asm.h"
#include "capsule.h"
#include "csr.h"
#include "isolation.h"
#include "pages.h"
#include "protect.h"
#include "service_abi.h"

#define HGATP_SV39X4	 (UINT64_C(8) << 60)
#define HGATP_VMID_SHIFT 44
#define HGATP_PPN	 ((UINT64_C(1) << 44) - 1)
#define ROOT_PAGES	 4u
#define PTE_LEAF	 UINT64_C(0xdf) /* valid, read, write, execute, user, accessed, dirty */
#define PTE_SHARED	 UINT64_C(0xd3) /* of the same, no write and no execute */
#define PTE_WRITE	 UINT64_C(0x04)
#define PTE_TABLE	 UINT64_C(0x01)
#define GIB		 (UINT64_C(1) << 30)
#define MIB2		 (UINT64_C(2) << 20)

static uint64_t pte(uint64_t address, uint64_t flags)
{
	return address >> PAGE_SHIFT << 10 | flags;
}

static void hfence_gvma(void)
{
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, x0" ::: "memory");
}

/* Does every hart tell as many VMIDs apart as there may be capsules? Some have none at all. */
static bool enough_vmids = true;

static void find_vmids(void)
{
	uint64_t most = HGATP_SV39X4 | (uint64_t)(2 * DMFS_MAX_CAPSULES - 1) << HGATP_VMID_SHIFT;

	csr_write(CSR_HGATP, most);
	if (csr_read(CSR_HGATP) != most)
		enough_vmids = false;
	csr_write(CSR_HGATP, 0);
}

static void hart_init(void)
{
	/*
	 * Its own exceptions are the guest's; ecalls, guest-page faults, access faults and virtual instructions ours.
	 * So are illegal instructions, which we hand on: QEMU before 8.0 takes their number, 2, for that of the
	 * VS-mode software interrupt when it delegates them, and the guest would see cause 1.
	 */
	uint64_t delegate = BIT(CAUSE_FETCH_MISALIGNED) | BIT(CAUSE_BREAKPOINT) | BIT(CAUSE_ECALL_U) |
			    BIT(CAUSE_FETCH_PAGE) | BIT(CAUSE_LOAD_PAGE) | BIT(CAUSE_STORE_PAGE);
	uint64_t envcfg = GUEST_ENVCFG;

	if (arch_features.sstc)
		envcfg |= ENVCFG_STCE;
	csr_write(CSR_MEDELEG, delegate);
	csr_write(CSR_HEDELEG, delegate);
	/* None of HS-mode's own is ever raised, but QEMU 7.2 shows a guest in sie only what is delegated here. */
	csr_write(CSR_MIDELEG, VS_INTERRUPTS | S_INTERRUPTS);
	csr_write(CSR_HIDELEG, VS_INTERRUPTS);
	csr_write(CSR_HIE, 0);
	csr_write(CSR_SIE, 0);
	csr_write(CSR_HVIP, 0);
	csr_write(CSR_HTIMEDELTA, 0);
	csr_write(CSR_HSTATUS, HSTATUS_VSXL_64 | HSTATUS_VTW);
	csr_write(CSR_HCOUNTEREN, COUNTERS);
	csr_write(CSR_MENVCFG, arch_has_switch(ARCH_PTE_AD_UPDATED) ? envcfg | ENVCFG_ADUE : envcfg);
	csr_write(CSR_HENVCFG, envcfg);
	find_vmids();
	hfence_gvma();
	protect_gstage();
}

/* For the window's GiB a table of 2 MiB entries, and one of pages. */
#define WINDOW_PAGES 2u
#define ENTRIES	     (PAGE_SIZE / 8)

_Static_assert(DIOSIX_GRANTS * DIOSIX_GRANT_PAGES == ENTRIES && DIOSIX_WINDOW % MIB2 == 0, "one table has the window");
_Static_assert(DIOSIX_WINDOW / GIB < DMFS_GUEST_RAM_BASE / GIB, "RAM has tables of its own");

static bool has_window(const struct capsule *capsule)
{
	return capsule_may(capsule, DMFS_PERM_MESSAGE_RECEIVE);
}

/* A root of 16 KiB with 1 GiB entries, and a table of 2 MiB entries for each GiB; those of the window last. */
static uint64_t table_pages(const struct capsule *capsule)
{
	const struct guest_memory *memory = &capsule->memory;

	return ROOT_PAGES + (memory->base.v + memory->size - 1) / GIB - memory->base.v / GIB + 1 +
	       (has_window(capsule) ? WINDOW_PAGES : 0);
}

/*
 * Changes of spaces so far: ones that were created, pages taken from a window. What a hart has cached under a VMID may be of
 * before.
 */
static _Atomic uint64_t spaces;

static bool space_create(struct capsule *capsule)
{
	const struct guest_memory *memory = &capsule->memory;
	uint64_t first = memory->base.v / GIB, pages = table_pages(capsule);
	uint64_t *root, *table;
	hpa_t tables;

	if (!pages_alloc(pages, ROOT_PAGES * PAGE_SIZE, &tables))
		return false;
	root = hpa_ptr(tables);
	memset(root, 0, pages * PAGE_SIZE);
	table = root + ROOT_PAGES * PAGE_SIZE / 8;
	for (uint64_t at = 0; at < memory->size;) {
		uint64_t guest = memory->base.v + at, host = memory->host.v + at;

		if (guest % GIB == 0 && host % GIB == 0 && memory->size - at >= GIB) {
			root[guest / GIB] = pte(host, PTE_LEAF);
			at += GIB;
			continue;
		}
		uint64_t *leaves = table + (guest / GIB - first) * (PAGE_SIZE / 8);

		root[guest / GIB] = pte((uintptr_t)leaves, PTE_TABLE);
		leaves[guest % GIB / MIB2] = pte(host, PTE_LEAF);
		at += MIB2;
	}
	if (has_window(capsule)) {
		table = root + (pages - WINDOW_PAGES) * ENTRIES;
		root[DIOSIX_WINDOW / GIB] = pte((uintptr_t)table, PTE_TABLE);
		table[DIOSIX_WINDOW % GIB / MIB2] = pte((uintptr_t)(table + ENTRIES), PTE_TABLE);
	}
	capsule->space.hgatp = HGATP_SV39X4 | (uint64_t)(capsule->index + 1) << HGATP_VMID_SHIFT |
			       tables.v >> PAGE_SHIFT;
	atomic_fetch_add(&spaces, 1);
	return true;
}

static uint64_t *root_of(const struct capsule *capsule)
{
	return hpa_ptr(hpa((capsule->space.hgatp & HGATP_PPN) << PAGE_SHIFT));
}

/* What harts may still have cached of it is for a VMID that no other capsule has, and dropped before it is used again. */
static void space_destroy(struct capsule *capsule)
{
	pages_free(ptr_hpa(root_of(capsule)), table_pages(capsule));
}

static void space_load(const struct capsule *capsule)
{
	struct arch_hart *hart = &this_hart()->arch;
	uint64_t now = atomic_load(&spaces);

	csr_write(CSR_HGATP, capsule->space.hgatp);
	if (hart->spaces_seen != now) {
		hfence_gvma();
		hart->spaces_seen = now;
	}
}

/* --- the window --------------------------------------------------------------------------------- */

static uint64_t *window_slot(const struct capsule *capsule, uint32_t slot)
{
	return root_of(capsule) + (table_pages(capsule) - 1) * ENTRIES + slot * DIOSIX_GRANT_PAGES;
}

/* What is new in a window is not cached anywhere, but that nothing was there may be. */
void arch_window_map(struct capsule *capsule, uint32_t slot, hpa_t host, uint32_t pages, bool writable)
{
	uint64_t *entries = window_slot(capsule, slot);

	for (uint32_t i = 0; i < pages; i++)
		entries[i] = pte(host.v + i * PAGE_SIZE, writable ? PTE_SHARED | PTE_WRITE : PTE_SHARED);
	atomic_fetch_add(&spaces, 1);
}

void arch_window_unmap(struct capsule *capsule, uint32_t slot)
{
	memset(window_slot(capsule, slot), 0, DIOSIX_GRANT_PAGES * sizeof(uint64_t));
	atomic_fetch_add(&spaces, 1);
}

void arch_fence_space(void)
{
	hfence_gvma();
}

static void csrs_save(struct arch_csrs *csr)
{
	csr->status = csr_read(CSR_VSSTATUS);
	csr->ie = csr_read(CSR_VSIE);
	csr->tvec = csr_read(CSR_VSTVEC);
	csr->scratch = csr_read(CSR_VSSCRATCH);
	csr->epc = csr_read(CSR_VSEPC);
	csr->cause = csr_read(CSR_VSCAUSE);
	csr->tval = csr_read(CSR_VSTVAL);
	csr->atp = csr_read(CSR_VSATP);
	csr->counteren = csr_read(CSR_SCOUNTEREN);
	csr->envcfg = csr_read(CSR_SENVCFG);
	csr->ip = csr_read(CSR_HVIP) >> 1;
	if (arch_features.sstc)
		csr->timecmp = csr_read(CSR_VSTIMECMP);
}

static void csrs_load(const struct arch_csrs *csr)
{
	csr_write(CSR_VSSTATUS, csr->status);
	csr_write(CSR_VSIE, csr->ie);
	csr_write(CSR_VSTVEC, csr->tvec);
	csr_write(CSR_VSSCRATCH, csr->scratch);
	csr_write(CSR_VSEPC, csr->epc);
	csr_write(CSR_VSCAUSE, csr->cause);
	csr_write(CSR_VSTVAL, csr->tval);
	csr_write(CSR_VSATP, csr->atp);
	csr_write(CSR_SCOUNTEREN, csr->counteren);
	csr_write(CSR_SENVCFG, csr->envcfg);
	csr_write(CSR_HVIP, csr->ip << 1);
	if (arch_features.sstc)
		csr_write(CSR_VSTIMECMP, csr->timecmp);
}

static void csrs_reset(struct arch_csrs *csr)
{
	/* User mode may read the time: kernels leave scounteren as the firmware sets it. */
	*csr = (struct arch_csrs){.status = MSTATUS_UXL_64, .timecmp = UINT64_MAX, .counteren = COUNTERS};
}

static void set_irq(enum arch_irq irq, bool level)
{
	if (level)
		csr_set(CSR_HVIP, BIT(irq + 1));
	else
		csr_clear(CSR_HVIP, BIT(irq + 1));
}

static bool irq_pending(enum arch_irq irq)
{
	return csr_read(CSR_HVIP) & BIT(irq + 1);
}

static bool interrupt_waits(void)
{
	/* Not vsip: QEMU 7.2 shows only the software interrupt there, and a guest would sleep over the others. */
	return csr_read(CSR_HIP) & csr_read(CSR_HIE) & VS_INTERRUPTS;
}

static uint64_t take_trap(struct vcpu *vcpu, uint64_t cause, uint64_t tval)
{
	bool from_supervisor = (vcpu->arch.mstatus & MSTATUS_MPP) != 0;

	csr_write(CSR_VSSTATUS, status_after_trap(csr_read(CSR_VSSTATUS), from_supervisor));
	csr_write(CSR_VSEPC, vcpu->arch.pc);
	csr_write(CSR_VSCAUSE, cause);
	csr_write(CSR_VSTVAL, tval);
	return csr_read(CSR_VSTVEC) & ~UINT64_C(3);
}

static uint64_t trap_vector(void)
{
	return csr_read(CSR_VSTVEC) & ~UINT64_C(3);
}

static uint64_t status(const struct vcpu *vcpu)
{
	(void)vcpu;
	return csr_read(CSR_VSSTATUS) & STATUS_TRAP_BITS;
}

static void set_status(struct vcpu *vcpu, uint64_t bits)
{
	(void)vcpu;
	csr_write(CSR_VSSTATUS, (csr_read(CSR_VSSTATUS) & ~STATUS_TRAP_BITS) | bits);
}

static uint64_t epc(void)
{
	return csr_read(CSR_VSEPC);
}

static void set_epc(uint64_t at)
{
	csr_write(CSR_VSEPC, at);
}

static void fence_page(uint64_t va)
{
	__asm__ volatile(".insn r 0x73, 0, 0x11, x0, %0, x0" ::"r"(va) : "memory");
}

static void flush(void)
{
	if (!enough_vmids) /* what is cached under this VMID may be another capsule's */
		hfence_gvma();
	__asm__ volatile(".insn r 0x73, 0, 0x11, x0, x0, x0" ::: "memory"); /* hfence.vvma */
}

static gpa_t fault_address(const struct vcpu *vcpu, uint64_t mtval)
{
	uint64_t how = csr_read(CSR_MTINST);

	(void)vcpu;
	/* An access fault behind both translations: mtval2 says nothing of those. */
	if (csr_read(CSR_MCAUSE) < CAUSE_FETCH_GUEST)
		return GPA_NOWHERE;
	/* Its own page table is not in its memory (table 8.11): whatever lies there is not what it wanted to access. */
	if (how == MTINST_TABLE_READ || how == MTINST_TABLE_WRITE)
		return GPA_NOWHERE;
	return gpa(csr_read(CSR_MTVAL2) << 2 | (mtval & 3));
}

static uint64_t timecmp(void)
{
	return csr_read(CSR_VSTIMECMP);
}

static bool timer_enabled(void)
{
	return csr_read(CSR_VSIE) & BIT(IRQ_S_TIMER);
}

static void set_timecmp(uint64_t when)
{
	csr_write(CSR_VSTIMECMP, when);
}

/*
 * Loads alone: QEMU before 8.0 takes 6, the number of stores, for that of the VS-mode timer interrupt, and the guest
 * would see cause 5. Stores come to us, and are handed on.
 */
static void delegate_misaligned(bool on)
{
	if (on) {
		csr_set(CSR_MEDELEG, BIT(CAUSE_LOAD_MISALIGNED));
		csr_set(CSR_HEDELEG, BIT(CAUSE_LOAD_MISALIGNED));
	} else {
		csr_clear(CSR_MEDELEG, BIT(CAUSE_LOAD_MISALIGNED));
		csr_clear(CSR_HEDELEG, BIT(CAUSE_LOAD_MISALIGNED));
	}
}

/* menvcfg's bit, without which this one has no effect, is set for good: nothing runs in HS-mode. */
static void update_pte_ad(bool on)
{
	if (on)
		csr_set(CSR_HENVCFG, ENVCFG_ADUE);
	else
		csr_clear(CSR_HENVCFG, ENVCFG_ADUE);
}

const struct isolation gstage_isolation = {
	.name = "gstage",
	.hart_init = hart_init,
	.space_create = space_create,
	.space_destroy = space_destroy,
	.space_load = space_load,
	.csrs_save = csrs_save,
	.csrs_load = csrs_load,
	.csrs_reset = csrs_reset,
	.mstatus = MSTATUS_MPV | MSTATUS_MPP_S | MSTATUS_SXL_64 | MSTATUS_UXL_64,
	.trap = guest_trap_gstage,
	.trap_sstc = guest_trap_gstage_sstc,
	.set_irq = set_irq,
	.irq = irq_pending,
	.interrupt_waits = interrupt_waits,
	.take_trap = take_trap,
	.trap_vector = trap_vector,
	.status = status,
	.set_status = set_status,
	.epc = epc,
	.set_epc = set_epc,
	.fence_page = fence_page,
	.flush = flush,
	.fault_address = fault_address,
	.timecmp = timecmp,
	.set_timecmp = set_timecmp,
	.timer_enabled = timer_enabled,
	.delegate_misaligned = delegate_misaligned,
	.update_pte_ad = update_pte_ad,
};
