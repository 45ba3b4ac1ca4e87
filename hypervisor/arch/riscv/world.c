/* SPDX-License-Identifier: MIT */
/* vCPUs on and off a hart, and the parts of the contract that both kinds of isolation share. */
#include <stddef.h>
#include <string.h>

#include "arch/guest.h"
#include "arch/hart.h"
#include "asm.h"
#include "board_io.h"
#include "capsule.h"
#include "csr.h"
#include "dmfs.h"
#include "isolation.h"
#include "log.h"
#include "probe.h"
#include "protect.h"
#include "units.h"

_Static_assert(offsetof(struct vcpu, arch) == 0, "assembly takes a vcpu for its arch_vcpu");
_Static_assert(offsetof(struct arch_vcpu, x[31]) == VCPU_X(31), "vectors.S");
_Static_assert(offsetof(struct arch_vcpu, pc) == VCPU_PC, "vectors.S");
_Static_assert(offsetof(struct arch_vcpu, mstatus) == VCPU_MSTATUS, "vectors.S");
_Static_assert(offsetof(struct arch_vcpu, hart) == VCPU_HART, "vectors.S");
_Static_assert(offsetof(struct arch_vcpu, run_seq) == VCPU_RUN_SEQ, "vectors.S");
_Static_assert(offsetof(struct arch_vcpu, trap) == VCPU_TRAP, "vectors.S");
_Static_assert(offsetof(struct arch_vcpu, self) == VCPU_SELF, "short_calls.S");
_Static_assert(offsetof(struct vcpu, deadline) == VCPU_DEADLINE, "short_calls.S");
_Static_assert(offsetof(struct hart, stack_top) == HART_STACK_TOP, "vectors.S");
_Static_assert(offsetof(struct hart, horizon) == HART_HORIZON, "short_calls.S");
_Static_assert(offsetof(struct hart, timer_set) == HART_TIMER_SET, "short_calls.S");
_Static_assert(offsetof(struct hart, mtimecmp) == HART_MTIMECMP, "short_calls.S");
_Static_assert(offsetof(struct vector_state, vstart) == VECTOR_VSTART, "unit_registers.S");
_Static_assert(offsetof(struct vector_state, vcsr) == VECTOR_VCSR, "unit_registers.S");
_Static_assert(offsetof(struct vector_state, vl) == VECTOR_VL, "unit_registers.S");
_Static_assert(offsetof(struct vector_state, vtype) == VECTOR_VTYPE, "unit_registers.S");
_Static_assert(offsetof(struct vector_state, v) == VECTOR_V, "unit_registers.S");

struct arch_features arch_features = {.gstage = true, .sstc = true, .time_csr = true};
struct riscv_features riscv_features = {
	.menvcfg = true,
	.inhibit = true,
	.units = MSTATUS_FS | MSTATUS_VS,
	.switches = ~0ul,
};
const struct isolation *isolation;

/* --- what the hart has ---------------------------------------------------------------------- */

/* With a comparator in the past VS-mode has to see its timer interrupt pending, or the comparator is of no use. */
static bool vs_timer_works(void)
{
	bool pending;

	csr_set(CSR_MCOUNTEREN, COUNTER_TIME);
	csr_set(CSR_MENVCFG, ENVCFG_STCE);
	csr_write(CSR_HENVCFG, ENVCFG_STCE);
	csr_write(CSR_HIDELEG, VS_INTERRUPTS);
	csr_write(CSR_VSTIMECMP, 0);
	pending = (csr_read(CSR_VSIP) & BIT(IRQ_S_TIMER)) != 0;
	csr_write(CSR_VSTIMECMP, ~0ul);
	return pending && !(csr_read(CSR_VSIP) & BIT(IRQ_S_TIMER));
}

static bool s_timer_works(void)
{
	uint64_t value;
	bool pending;

	csr_set(CSR_MENVCFG, ENVCFG_STCE);
	if (probe_stimecmp(&value) != 0)
		return false;
	csr_write(CSR_STIMECMP, 0);
	pending = (csr_read(CSR_MIP) & BIT(IRQ_S_TIMER)) != 0;
	csr_write(CSR_STIMECMP, ~0ul);
	return pending;
}

void arch_hart_probe(void)
{
	uint64_t misa = csr_read(CSR_MISA), value;
	struct arch_features mine = {0};
	bool menvcfg = probe_menvcfg(&value) == 0;

	mine.time_csr = probe_time(&value) == 0;
	mine.gstage = misa & BIT('H' - 'A') && menvcfg && probe_hgatp(&value) == 0;
	mine.sstc = menvcfg && mine.time_csr && s_timer_works() && (!mine.gstage || vs_timer_works());

	/* One hart at a time comes by here: see release(). */
	arch_features.gstage &= mine.gstage;
	arch_features.sstc &= mine.sstc;
	arch_features.time_csr &= mine.time_csr;
	riscv_features.menvcfg &= menvcfg;
	units_probe();
	switches_probe();
	counters_probe();
}

const char *arch_isolation_name(void)
{
	return arch_features.gstage ? gstage_isolation.name : pmp_isolation.name;
}

void arch_hart_init(uintptr_t stack_guard)
{
	isolation = arch_features.gstage ? &gstage_isolation : &pmp_isolation;
	csr_write(CSR_MCOUNTEREN, COUNTERS);
	csr_write(CSR_MSTATUS, 0);
	protect_guard(stack_guard);
	isolation->hart_init();
	csr_write(CSR_MIE, M_INTERRUPTS);
}

void arch_sleep(void)
{
	/* Not for an interrupt of the guest that happens to be loaded: nobody here would serve it. */
	unsigned long enabled = csr_swap(CSR_MIE, M_INTERRUPTS);
	/* The vCPU that is loaded has no part in it. QEMU counts a sleep as if instructions had run. */
	unsigned long cycle = csr_read(CSR_MCYCLE), instret = csr_read(CSR_MINSTRET);

	__asm__ volatile("wfi" ::: "memory");
	csr_write(CSR_MCYCLE, cycle);
	csr_write(CSR_MINSTRET, instret);
	csr_write(CSR_MIE, enabled);
}

uint32_t arch_pending(void)
{
	uint64_t mip = csr_read(CSR_MIP);

	return (mip & BIT(IRQ_M_SOFT) ? ARCH_PENDING_KICK : 0) |
	       (mip & BIT(IRQ_M_TIMER) ? ARCH_PENDING_TIMER : 0) |
	       (mip & BIT(IRQ_M_EXT) ? ARCH_PENDING_EXTERNAL : 0);
}

/* --- memory --------------------------------------------------------------------------------- */

gpa_t arch_ram_base(hpa_t host)
{
	return gpa(arch_features.gstage ? DMFS_GUEST_RAM_BASE : host.v);
}

bool arch_space_create(struct capsule *capsule)
{
	return isolation->space_create(capsule);
}

void arch_space_destroy(struct capsule *capsule)
{
	isolation->space_destroy(capsule);
}

/* --- vCPUs ---------------------------------------------------------------------------------- */

/* Where a guest's traps go while nothing stands against the short way. */
static void (*trap_vector(void))(void)
{
	if (arch_features.sstc)
		return isolation->trap_sstc;
	/* A comparator of two halves is for C to write. */
	return board.mtimecmp_32bit ? guest_trap : isolation->trap;
}

void arch_vcpu_reset(struct vcpu *vcpu, uint64_t pc, uint64_t a0, uint64_t a1)
{
	struct arch_vcpu *arch = &vcpu->arch;

	memset(arch->x, 0, sizeof(arch->x));
	arch->x[10] = a0;
	arch->x[11] = a1;
	arch->pc = pc;
	arch->mstatus = isolation->mstatus;
	isolation->csrs_reset(&arch->csr);
	units_reset(vcpu);
	arch->last_hart = NULL;
	arch->trap = trap_vector();
	arch->self = UINT64_C(1) << vcpu->id;
	arch->switches = arch->cycle = arch->instret = arch->inhibit = 0;
}

void arch_allow_short_calls(struct vcpu *vcpu, bool allowed)
{
	vcpu->arch.trap = allowed ? trap_vector() : guest_trap;
}

void arch_vcpu_restart(struct vcpu *vcpu, uint64_t pc)
{
	vcpu->arch.pc = pc;
	isolation->csrs_save(&vcpu->arch.csr);
	vcpu->arch.csr.atp = 0;
	vcpu->arch.csr.status &= ~MSTATUS_SIE;
	vcpu->arch.mstatus &= ~MSTATUS_SIE; /* in `pmp` mode sstatus is part of it */
	isolation->csrs_load(&vcpu->arch.csr);
}

/*
 * An SC of this vCPU must not succeed by an LR of the one that was here before (unprivileged
 * specification, section 8.2). An SC of any kind ends a reservation.
 */
static void drop_reservation(void)
{
	uint32_t word, failed;

	__asm__ volatile("sc.w %0, zero, %1" : "=r"(failed), "=A"(word));
}

void arch_vcpu_load(struct vcpu *vcpu)
{
	struct hart *hart = this_hart();

	vcpu->arch.hart = hart;
	isolation->space_load(vcpu->capsule);
	isolation->csrs_load(&vcpu->arch.csr);
	units_load(vcpu);
	drop_reservation();
	/* Another's translations are cached here, or mine have gone stale while I was elsewhere. */
	isolation->flush();
	if (vcpu->arch.last_hart != hart)
		arch_fence_i();
	vcpu->arch.last_hart = hart;
	switches_load(&vcpu->arch);
	counters_load(&vcpu->arch);
}

void arch_vcpu_save(struct vcpu *vcpu)
{
	counters_save(&vcpu->arch);
	isolation->csrs_save(&vcpu->arch.csr);
	units_save(vcpu);
}

void arch_set_irq(struct vcpu *vcpu, enum arch_irq irq, bool level)
{
	(void)vcpu;
	isolation->set_irq(irq, level);
}

bool arch_irq(const struct vcpu *vcpu, enum arch_irq irq)
{
	(void)vcpu;
	return isolation->irq(irq);
}

bool arch_interrupt_waits(const struct vcpu *vcpu)
{
	(void)vcpu;
	return isolation->interrupt_waits();
}

uint64_t status_after_trap(uint64_t status, bool from_supervisor)
{
	status &= ~(MSTATUS_SPP | MSTATUS_SPIE);
	if (from_supervisor)
		status |= MSTATUS_SPP;
	if (status & MSTATUS_SIE)
		status |= MSTATUS_SPIE;
	return status & ~MSTATUS_SIE;
}

void arch_inject(struct vcpu *vcpu, enum arch_exception cause, uint64_t tval)
{
	/*
	 * QEMU before 8.0 takes a fetch through a page table that is not there for a load. What could be fetched
	 * could be loaded as well: it is all RAM.
	 */
	if (cause == ARCH_LOAD_ACCESS && tval == vcpu->arch.pc)
		cause = ARCH_FETCH_ACCESS;
	if (cause == ARCH_FETCH_ACCESS && vcpu->arch.pc == isolation->trap_vector()) {
		guest_lost(vcpu);
		return;
	}
	vcpu->exits[DIOSIX_EXIT_FAULT]++;
	if (sbi_pmu_counts_events(vcpu))
		sbi_pmu_trapped(vcpu, cause);
	vcpu->arch.pc = isolation->take_trap(vcpu, cause, tval);
	vcpu->arch.mstatus = (vcpu->arch.mstatus & ~MSTATUS_MPP) | MSTATUS_MPP_S;
}

void arch_interrupt(struct vcpu *vcpu, uint64_t handler, struct arch_interrupted *was)
{
	uint64_t status = isolation->status(vcpu);

	*was = (struct arch_interrupted){isolation->epc(), status & MSTATUS_SPP, status & MSTATUS_SPIE};
	isolation->set_status(vcpu, status_after_trap(status, (vcpu->arch.mstatus & MSTATUS_MPP) != 0));
	isolation->set_epc(vcpu->arch.pc);
	vcpu->arch.pc = handler;
	vcpu->arch.mstatus = (vcpu->arch.mstatus & ~MSTATUS_MPP) | MSTATUS_MPP_S;
}

void arch_end_interrupt(struct vcpu *vcpu, const struct arch_interrupted *was)
{
	uint64_t status = isolation->status(vcpu);

	isolation->set_status(vcpu, (was->spp ? MSTATUS_SPP : 0) | (was->spie ? MSTATUS_SPIE : 0) |
					    (status & MSTATUS_SPIE ? MSTATUS_SIE : 0));
	vcpu->arch.pc = isolation->epc();
	vcpu->arch.mstatus = (vcpu->arch.mstatus & ~MSTATUS_MPP) | (status & MSTATUS_SPP ? MSTATUS_MPP_S : 0);
	isolation->set_epc(was->epc);
}

void arch_fence_i(void)
{
	__asm__ volatile("fence.i" ::: "memory");
}

/* More pages than this, and dropping everything is the cheaper way. */
#define FENCE_PAGES 16u

void arch_sfence(const struct fence_range *range)
{
	if (range->size > FENCE_PAGES * PAGE_SIZE) {
		isolation->flush();
		return;
	}
	for (uint64_t at = 0; at < range->size; at += PAGE_SIZE)
		isolation->fence_page(range->start + at);
}

uint64_t arch_deadline(const struct vcpu *vcpu)
{
	if (!arch_features.sstc)
		return vcpu->deadline;
	/* A comparator stays in the past once it has fired; with its interrupt off nobody waits for it. */
	return isolation->timer_enabled() ? isolation->timecmp() : UINT64_MAX;
}

void arch_set_deadline(struct vcpu *vcpu, uint64_t when)
{
	if (arch_features.sstc)
		isolation->set_timecmp(when);
	else
		isolation->set_irq(ARCH_IRQ_TIMER, false);
	vcpu->deadline = when;
}

/* --- registers and guest-virtual memory ------------------------------------------------------ */

/*
 * While the hypervisor looks through the guest's eyes the vCPU counts as in the guest, so that who takes pages out of its
 * space waits for the end of it. One that has asked before it began is served at once: what is cached may be gone.
 */
static uint64_t begin_look(const struct vcpu *vcpu)
{
	struct vcpu *own = this_hart()->current;

	atomic_fetch_add(&own->arch.run_seq, 1);
	if (atomic_load(&own->requests) & REQUEST_SPACE)
		arch_fence_space();
	return vcpu->arch.mstatus | MSTATUS_MPRV;
}

static uint64_t end_look(uint64_t cause)
{
	atomic_fetch_add(&this_hart()->current->arch.run_seq, 1);
	return cause;
}

uint64_t arch_fetch(const struct vcpu *vcpu, uint32_t *insn)
{
	/* MXR: an instruction may lie in a page that is execute-only. */
	return end_look(guest_fetch(vcpu->arch.pc, insn, begin_look(vcpu) | MSTATUS_MXR));
}

/*
 * What a fault on the guest's behalf is to the guest: it knows no G-stage, and what that refuses is not there. QEMU 7.2
 * calls such a fault under MPRV a page fault, but says in mtval2 where it was, which is 0 for page faults.
 */
static uint64_t as_guest_sees(uint64_t cause)
{
	bool by_gstage = cause == CAUSE_LOAD_GUEST || cause == CAUSE_STORE_GUEST ||
			 (arch_features.gstage && csr_read(CSR_MTVAL2) != 0);

	if (!by_gstage)
		return cause;
	if (cause == CAUSE_LOAD_GUEST || cause == CAUSE_LOAD_PAGE)
		return CAUSE_LOAD_ACCESS;
	if (cause == CAUSE_STORE_GUEST || cause == CAUSE_STORE_PAGE)
		return CAUSE_STORE_ACCESS;
	return cause;
}

uint64_t arch_read_u64(const struct vcpu *vcpu, gva_t at, uint64_t *out)
{
	return as_guest_sees(end_look(guest_load_u64(at.v, out, begin_look(vcpu))));
}

uint64_t arch_read_u8(const struct vcpu *vcpu, gva_t at, uint8_t *out)
{
	return as_guest_sees(end_look(guest_load_u8(at.v, out, begin_look(vcpu))));
}

uint64_t arch_write_u8(const struct vcpu *vcpu, gva_t at, uint8_t value)
{
	return as_guest_sees(end_look(guest_store_u8(at.v, value, begin_look(vcpu))));
}

uint64_t arch_check_write(const struct vcpu *vcpu, gva_t at)
{
	return as_guest_sees(end_look(guest_check_store(at.v, begin_look(vcpu))));
}

void arch_report(const struct vcpu *vcpu)
{
	static const char *const names[32] = {
		"zero", "ra", "sp", "gp", "tp",	 "t0",	"t1", "t2", "s0", "s1", "a0",
		"a1",	"a2", "a3", "a4", "a5",	 "a6",	"a7", "s2", "s3", "s4", "s5",
		"s6",	"s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
	};
	const uint64_t *x = vcpu->arch.x;

	struct arch_csrs csr = vcpu->arch.csr;

	isolation->csrs_save(&csr);
	log_line(DIOSIX_LOG_ERROR, "  pc   %016lx  mstatus %016lx", vcpu->arch.pc, vcpu->arch.mstatus);
	log_line(DIOSIX_LOG_ERROR, "  sepc %016lx  scause  %016lx  stval %016lx", csr.epc, csr.cause, csr.tval);
	log_line(DIOSIX_LOG_ERROR, "  stvec %016lx  satp   %016lx", csr.tvec, csr.atp);
	for (unsigned n = 1; n < 32; n += 3) {
		if (n + 2 < 32)
			log_line(DIOSIX_LOG_ERROR, "  %-4s %016lx  %-4s %016lx  %-4s %016lx", names[n], x[n], names[n + 1],
				    x[n + 1], names[n + 2], x[n + 2]);
		else
			log_line(DIOSIX_LOG_ERROR, "  %-4s %016lx", names[n], x[n]);
	}
}
