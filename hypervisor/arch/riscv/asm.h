/* SPDX-License-Identifier: MIT */
/* What vectors.S and entry.S define and C calls, and the other way round. */
#ifndef RISCV_ASM_H
#define RISCV_ASM_H

#include <stdint.h>

struct vcpu;
struct hart;

/* Enters the guest; the hart's stack is empty afterwards. */
_Noreturn void vcpu_resume(struct vcpu *vcpu);

/*
 * Trap vectors: while a guest runs, and while the hypervisor does. Those of short_calls.S differ in how guests are
 * isolated and in who has the timer that they set.
 */
void guest_trap(void);
void guest_trap_gstage(void);
void guest_trap_gstage_sstc(void);
void guest_trap_pmp(void);
void guest_trap_pmp_sstc(void);
void host_trap(void);

/*
 * Loads through the guest's eyes: with `mstatus` (MPRV set, MPP and MPV those of the trapped mode). 0, or
 * the cause of the fault, then *out is unchanged.
 */
uint64_t guest_fetch(uint64_t va, uint32_t *insn, uint64_t mstatus); /* 16 or 32 bits, by what the first say */
uint64_t guest_load_u64(uint64_t va, uint64_t *out, uint64_t mstatus);
uint64_t guest_load_u8(uint64_t va, uint8_t *out, uint64_t mstatus);
uint64_t guest_store_u8(uint64_t va, uint8_t value, uint64_t mstatus);
uint64_t guest_check_store(uint64_t va, uint64_t mstatus); /* stores what is there already, atomically */

/* Registers of the units (unit_registers.S); the unit is not off in mstatus. */
struct vector_state;
void fp_save(uint64_t f[32]);
void fp_load(const uint64_t f[32]);
void fp_clear(void);
void vector_save(struct vector_state *state);
void vector_load(const struct vector_state *state);
void vector_clear(void);

/* Reads a CSR that may not be there: probe_KIND(out) returns 0 or the cause of the trap. */
uint64_t probe_time(uint64_t *out);
uint64_t probe_hgatp(uint64_t *out);
uint64_t probe_menvcfg(uint64_t *out);
uint64_t probe_mcountinhibit(uint64_t *out);
uint64_t probe_stimecmp(uint64_t *out);
uint64_t probe_vlenb(uint64_t *out);

/* Called from assembly. */
struct vcpu *riscv_trap(struct vcpu *vcpu);
_Noreturn void riscv_panic(const uint64_t *frame);
_Noreturn void boot_main(uint64_t hartid, const void *fdt);
_Noreturn void secondary_main(struct hart *hart);

/* Chooses the stack protector's value (stack_protector.c); `seed` may be NULL with len 0. */
void stack_protector_init(const uint8_t *seed, uint32_t len);

#endif
