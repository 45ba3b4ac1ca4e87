/* SPDX-License-Identifier: MIT */
/* A guest has trapped: whose business is it? And back into a guest. */
#include <stdio.h>

#include "arch/guest.h"
#include "arch/hart.h"
#include "asm.h"
#include "board_io.h"
#include "capsule.h"
#include "csr.h"
#include "decode.h"
#include "isolation.h"
#include "log.h"
#include "scheduler.h"
#include "units.h"

#define INSN_WFI 0x10500073u

static void interrupt(struct vcpu *vcpu, uint64_t number)
{
	vcpu->exits[number == IRQ_M_TIMER ? DIOSIX_EXIT_TIMER : DIOSIX_EXIT_INTERRUPT]++;
	switch (number) {
	case IRQ_M_TIMER:
		sched_timer();
		break;
	case IRQ_M_SOFT:
		board_clear_kick(this_hart());
		sched_reconsider();
		break;
	case IRQ_M_EXT:
		board_external_interrupt();
		break;
	}
}

/*
 * The instruction that trapped, from where it is. mtval is not to be relied on: some harts leave 0 there, and QEMU 7.2 after
 * an HLV of a guest whatever trapped before on that hart, a wfi for one.
 */
static uint32_t trapped_instruction(const struct vcpu *vcpu, uint64_t mtval)
{
	uint32_t insn;

	return arch_fetch(vcpu, &insn) == 0 ? insn : (uint32_t)mtval;
}

static void illegal(struct vcpu *vcpu, uint64_t mtval)
{
	uint32_t insn = trapped_instruction(vcpu, mtval);
	bool supervisor = (vcpu->arch.mstatus & MSTATUS_MPP) != 0;
	struct csr_read read;

	if (insn == INSN_WFI && supervisor) {
		vcpu->arch.pc += 4;
		vcpu->exits[DIOSIX_EXIT_WAIT]++;
		sched_wait();
	} else if (!arch_features.time_csr && decode_csr_read(insn, &read) && read.csr == CSR_TIME &&
		   (supervisor || csr_read(CSR_SCOUNTEREN) & COUNTER_TIME)) {
		vcpu_set_reg(vcpu, read.reg, arch_time());
		vcpu->arch.pc += 4;
		vcpu->exits[DIOSIX_EXIT_EMULATED]++;
	} else if (units_loaded_late(vcpu)) {
		vcpu->exits[DIOSIX_EXIT_EMULATED]++;
	} else {
		arch_inject(vcpu, ARCH_ILLEGAL, insn);
	}
}

static void exception(struct vcpu *vcpu, uint64_t cause, uint64_t mtval)
{
	switch (cause) {
	case CAUSE_ECALL_S:
	case CAUSE_ECALL_VS:
		vcpu->arch.pc += 4;
		vcpu->exits[DIOSIX_EXIT_CALL]++;
		guest_call(vcpu);
		return;
	case CAUSE_LOAD_GUEST:
	case CAUSE_LOAD_ACCESS:
		guest_access(vcpu, isolation->fault_address(vcpu, mtval), gva(mtval), ARCH_LOAD_ACCESS);
		return;
	case CAUSE_STORE_GUEST:
	case CAUSE_STORE_ACCESS:
		guest_access(vcpu, isolation->fault_address(vcpu, mtval), gva(mtval), ARCH_STORE_ACCESS);
		return;
	case CAUSE_FETCH_GUEST:
	case CAUSE_FETCH_ACCESS:
		arch_inject(vcpu, ARCH_FETCH_ACCESS, mtval);
		return;
	case CAUSE_ILLEGAL:
	case CAUSE_VIRTUAL_INSTRUCTION:
		illegal(vcpu, mtval);
		return;
	case CAUSE_LOAD_MISALIGNED:
	case CAUSE_STORE_MISALIGNED:
		guest_misaligned(vcpu, gva(mtval), cause);
		return;
	default:
		arch_inject(vcpu, cause, mtval);
		return;
	}
}

/*
 * Says that the vCPU is in the guest from here on: whoever posts a request waits for us to leave it again. False when
 * one was posted before; then it is not.
 */
static bool enters(struct vcpu *vcpu)
{
	atomic_fetch_add(&vcpu->arch.run_seq, 1);
	if (atomic_load(&vcpu->requests) == 0)
		return true;
	atomic_fetch_add(&vcpu->arch.run_seq, 1);
	return false;
}

/* Which vCPU goes on, with nothing left to do for it. */
static struct vcpu *next(void)
{
	struct hart *hart = this_hart();

	for (;;) {
		struct vcpu *vcpu = hart->current;

		if (vcpu == NULL || hart->resched)
			vcpu = sched_pick();
		if (enters(vcpu))
			return vcpu;
		if (atomic_load(&vcpu->requests) & REQUEST_CHORE) {
			capsule_chore(vcpu);
			sched_poll();
		} else if (!vcpu_serve(vcpu)) {
			capsule_vcpu_retired(vcpu);
		}
	}
}

struct vcpu *riscv_trap(struct vcpu *vcpu)
{
	uint64_t cause = csr_read(CSR_MCAUSE), mtval = csr_read(CSR_MTVAL);

	if (cause & CAUSE_INTERRUPT)
		interrupt(vcpu, cause & ~CAUSE_INTERRUPT);
	else
		exception(vcpu, cause, mtval);
	/* Most of the time it is the same one, and nobody wants anything of it. */
	if (vcpu == this_hart()->current && !this_hart()->resched && enters(vcpu))
		return vcpu;
	return next();
}

void arch_run(void)
{
	vcpu_resume(next());
}

void riscv_panic(const uint64_t *frame)
{
	log_panic();
	log_line(DIOSIX_LOG_ERROR, "diosix: panic: trap %lx at %lx, value %lx, hart %lu: a bug in the hypervisor",
		    csr_read(CSR_MCAUSE), csr_read(CSR_MEPC), csr_read(CSR_MTVAL), csr_read(CSR_MHARTID));
	for (unsigned n = 1; n < 31; n += 2)
		log_line(DIOSIX_LOG_ERROR, "  x%-2u %016lx  x%-2u %016lx", n, frame[n], n + 1, frame[n + 1]);
	board_stop(false);
}
