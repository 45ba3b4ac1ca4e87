/* SPDX-License-Identifier: MIT */
/* The floating-point and vector units of a guest's vCPU, as tests use them. */
#ifndef UNITS_H
#define UNITS_H

#include "../attacks/attack.h"

#define MAX_VLENB 128u /* vlen=1024 */

/* Fields of sstatus, with both bits, and what they may say. */
#define FS    (UINT64_C(3) << 13)
#define VS    (UINT64_C(3) << 9)
#define OFF   0u
#define INITIAL 1u
#define CLEAN 2u
#define DIRTY 3u

/* By number: the assembler is one without floating point and vectors. */
#define FCSR	0x003
#define VSTART	0x008
#define VCSR	0x00f
#define SSTATUS 0x100
#define SIE	0x104
#define TIME	0xc01
#define VL	0xc20
#define VTYPE	0xc21
#define VLENB	0xc22
#define CSR_READ(csr)                                                                              \
	({                                                                                         \
		uint64_t csr_value_;                                                               \
		__asm__ volatile("csrr %0, %1" : "=r"(csr_value_) : "i"(csr) : "memory");          \
		csr_value_;                                                                        \
	})
#define CSR_WRITE(csr, value) __asm__ volatile("csrw %0, %1" ::"i"(csr), "r"((uint64_t)(value)) : "memory")
#define CSR_SET(csr, bits)    __asm__ volatile("csrs %0, %1" ::"i"(csr), "r"((uint64_t)(bits)) : "memory")
#define CSR_CLEAR(csr, bits)  __asm__ volatile("csrc %0, %1" ::"i"(csr), "r"((uint64_t)(bits)) : "memory")

struct units {
	uint64_t f[32], fcsr;
	uint64_t vstart, vcsr, vl, vtype;
	uint8_t v[32 * MAX_VLENB];
};

void floats_put(const uint64_t f[32]);
void floats_get(uint64_t f[32]);
void vectors_put(const void *v);
void vectors_get(void *v);
uint64_t vector_type_put(uint64_t length, uint64_t type);
void raise_invalid(void);
void use_float(void);
void use_vector(void);

/* Puts a field of sstatus to one of its values. */
void set_status(uint64_t field, unsigned value);

/* Bytes of a vector register, 0 when there are none for this guest. Not on two vCPUs at once. */
uint64_t find_vectors(void);

/* Switches the units on and compares them with what they should hold; `length` is what find_vectors() gave. */
void units_expect(const struct units *want, uint64_t length);
void units_put(const struct units *units, uint64_t length);
void units_expect_fresh(uint64_t length);

/* Sleeps for some ticks, so that others run on this hart. */
void give_way(uint64_t ticks);

#endif
