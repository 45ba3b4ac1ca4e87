/* SPDX-License-Identifier: MIT */
/*
 * Guests in S-mode, fenced by physical memory protection (privileged specification 1.12, section
 * 3.7): guest-physical is host-physical, one window is open on the guest's RAM, all else faults.
 */
#include "arch/hart.h"
#include "asm.h"
#include "capsule.h"
#include "csr.h"
#include "isolation.h"
#include "probe.h"
#include "protect.h"

static void hart_init(void)
{
	uint64_t envcfg = GUEST_ENVCFG;

	/* Illegal instructions come to us: a trapped wfi and a missing time CSR look like one. */
	csr_write(CSR_MEDELEG, BIT(CAUSE_FETCH_MISALIGNED) | BIT(CAUSE_BREAKPOINT) | BIT(CAUSE_ECALL_U) |
				       BIT(CAUSE_FETCH_PAGE) | BIT(CAUSE_LOAD_PAGE) |
				       BIT(CAUSE_STORE_PAGE));
	csr_write(CSR_MIDELEG, S_INTERRUPTS);
	if (arch_features.sstc)
		envcfg |= ENVCFG_STCE;
	if (riscv_features.menvcfg)
		csr_write(CSR_MENVCFG, envcfg);
	protect_pmp();
}

static bool space_create(struct capsule *capsule)
{
	capsule->space.pmp_addr[0] = capsule->memory.host.v >> 2;
	capsule->space.pmp_addr[1] = (capsule->memory.host.v + capsule->memory.size) >> 2;
	return true;
}

static void space_destroy(struct capsule *capsule)
{
	(void)capsule; /* two numbers, which it keeps */
}

static void space_load(const struct capsule *capsule)
{
	protect_open(capsule->space.pmp_addr[0], capsule->space.pmp_addr[1]);
}

static void csrs_save(struct arch_csrs *csr)
{
	csr->ie = csr_read(CSR_SIE);
	csr->tvec = csr_read(CSR_STVEC);
	csr->scratch = csr_read(CSR_SSCRATCH);
	csr->epc = csr_read(CSR_SEPC);
	csr->cause = csr_read(CSR_SCAUSE);
	csr->tval = csr_read(CSR_STVAL);
	csr->atp = csr_read(CSR_SATP);
	csr->counteren = csr_read(CSR_SCOUNTEREN);
	csr->ip = csr_read(CSR_MIP) & S_INTERRUPTS;
	if (riscv_features.menvcfg)
		csr->envcfg = csr_read(CSR_SENVCFG);
	if (arch_features.sstc)
		csr->timecmp = csr_read(CSR_STIMECMP);
}

static void csrs_load(const struct arch_csrs *csr)
{
	csr_write(CSR_SIE, csr->ie);
	csr_write(CSR_STVEC, csr->tvec);
	csr_write(CSR_SSCRATCH, csr->scratch);
	csr_write(CSR_SEPC, csr->epc);
	csr_write(CSR_SCAUSE, csr->cause);
	csr_write(CSR_STVAL, csr->tval);
	csr_write(CSR_SATP, csr->atp);
	csr_write(CSR_SCOUNTEREN, csr->counteren);
	if (riscv_features.menvcfg)
		csr_write(CSR_SENVCFG, csr->envcfg);
	if (arch_features.sstc)
		csr_write(CSR_STIMECMP, csr->timecmp);
	csr_clear(CSR_MIP, S_INTERRUPTS);
	csr_set(CSR_MIP, csr->ip);
}

static void csrs_reset(struct arch_csrs *csr)
{
	/* User mode may read the time: kernels leave scounteren as the firmware sets it. */
	*csr = (struct arch_csrs){.timecmp = UINT64_MAX, .counteren = COUNTERS};
}

static void set_irq(enum arch_irq irq, bool level)
{
	if (level)
		csr_set(CSR_MIP, BIT(irq));
	else
		csr_clear(CSR_MIP, BIT(irq));
}

static bool irq_pending(enum arch_irq irq)
{
	return csr_read(CSR_MIP) & BIT(irq);
}

static bool interrupt_waits(void)
{
	return csr_read(CSR_MIP) & csr_read(CSR_SIE) & S_INTERRUPTS;
}

static uint64_t take_trap(struct vcpu *vcpu, uint64_t cause, uint64_t tval)
{
	bool from_supervisor = (vcpu->arch.mstatus & MSTATUS_MPP) != 0;

	vcpu->arch.mstatus = status_after_trap(vcpu->arch.mstatus, from_supervisor);
	csr_write(CSR_SEPC, vcpu->arch.pc);
	csr_write(CSR_SCAUSE, cause);
	csr_write(CSR_STVAL, tval);
	return csr_read(CSR_STVEC) & ~UINT64_C(3);
}

static uint64_t trap_vector(void)
{
	return csr_read(CSR_STVEC) & ~UINT64_C(3);
}

static void flush(void)
{
	__asm__ volatile("sfence.vma" ::: "memory");
}

static uint64_t status(const struct vcpu *vcpu)
{
	return vcpu->arch.mstatus & STATUS_TRAP_BITS;
}

static void set_status(struct vcpu *vcpu, uint64_t bits)
{
	vcpu->arch.mstatus = (vcpu->arch.mstatus & ~STATUS_TRAP_BITS) | bits;
}

static uint64_t epc(void)
{
	return csr_read(CSR_SEPC);
}

static void set_epc(uint64_t at)
{
	csr_write(CSR_SEPC, at);
}

static void fence_page(uint64_t va)
{
	__asm__ volatile("sfence.vma %0, x0" ::"r"(va) : "memory");
}

/* satp's modes: levels of the table, bits of the virtual address. */
#define SATP_MODE(satp) ((satp) >> 60)
#define SATP_PPN(satp)	((satp) & ((UINT64_C(1) << 44) - 1))
#define PTE_V		1u
#define PTE_RWX		0xeu
#define PTE_N		(UINT64_C(1) << 63) /* Svnapot: a leaf for 16 pages in a row */
#define PTE_PPN(pte)	((pte) >> 10 & ((UINT64_C(1) << 44) - 1))

/*
 * Walks the guest's own page table (section 4.4), reading nothing but the guest's own RAM. The hart
 * has found the access permitted before PMP refused it, so permissions are not checked again;
 * a guest that changes its tables meanwhile gets what it asked for, within its own rights.
 */
static gpa_t fault_address(const struct vcpu *vcpu, uint64_t mtval)
{
	uint64_t satp = csr_read(CSR_SATP), table, entry;
	int level = (int)SATP_MODE(satp) - 6; /* 8, 9, 10: three, four, five levels */
	hpa_t where;

	if (SATP_MODE(satp) == 0)
		return gpa(mtval);
	table = SATP_PPN(satp) << PAGE_SHIFT;
	for (; level >= 0; level--) {
		unsigned shift = PAGE_SHIFT + 9u * (unsigned)level;

		if (!capsule_memory(vcpu->capsule, gpa(table + (mtval >> shift & 511) * 8), 8, &where))
			return GPA_NOWHERE;
		entry = *(volatile uint64_t *)hpa_ptr(where);
		if (!(entry & PTE_V))
			return GPA_NOWHERE;
		table = PTE_PPN(entry) << PAGE_SHIFT;
		if (entry & PTE_RWX) {
			uint64_t mask = (UINT64_C(1) << (entry & PTE_N ? shift + 4 : shift)) - 1;

			return gpa((table & ~mask) | (mtval & mask));
		}
	}
	return GPA_NOWHERE;
}

static uint64_t timecmp(void)
{
	return csr_read(CSR_STIMECMP);
}

static bool timer_enabled(void)
{
	return csr_read(CSR_SIE) & BIT(IRQ_S_TIMER);
}

static void set_timecmp(uint64_t when)
{
	csr_write(CSR_STIMECMP, when);
}

static void delegate_misaligned(bool on)
{
	if (on)
		csr_set(CSR_MEDELEG, CAUSES_MISALIGNED);
	else
		csr_clear(CSR_MEDELEG, CAUSES_MISALIGNED);
}

static void update_pte_ad(bool on)
{
	if (on)
		csr_set(CSR_MENVCFG, ENVCFG_ADUE);
	else
		csr_clear(CSR_MENVCFG, ENVCFG_ADUE);
}

const struct isolation pmp_isolation = {
	.name = "pmp",
	.hart_init = hart_init,
	.space_create = space_create,
	.space_destroy = space_destroy,
	.space_load = space_load,
	.csrs_save = csrs_save,
	.csrs_load = csrs_load,
	.csrs_reset = csrs_reset,
	.mstatus = MSTATUS_MPP_S | MSTATUS_TW | MSTATUS_SXL_64 | MSTATUS_UXL_64,
	.trap = guest_trap_pmp,
	.trap_sstc = guest_trap_pmp_sstc,
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
