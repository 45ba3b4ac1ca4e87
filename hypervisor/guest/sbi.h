/* SPDX-License-Identifier: MIT */
/*
 * RISC-V Supervisor Binary Interface, specification 2.0: one file an extension, each ending in its table.
 */
#ifndef SBI_H
#define SBI_H

#include <stdbool.h>
#include <stdint.h>

#include "capsule.h"
#include "vcpu.h"

/* Section 3, standard error codes. */
#define SBI_SUCCESS		  0
#define SBI_ERR_FAILED		  (-1)
#define SBI_ERR_NOT_SUPPORTED	  (-2)
#define SBI_ERR_INVALID_PARAM	  (-3)
#define SBI_ERR_DENIED		  (-4)
#define SBI_ERR_INVALID_ADDRESS	  (-5)
#define SBI_ERR_ALREADY_AVAILABLE (-6)
#define SBI_ERR_ALREADY_STARTED	  (-7)
#define SBI_ERR_ALREADY_STOPPED	  (-8)

struct sbi_result {
	int64_t error;
	uint64_t value;
};

/* `a` are the six arguments, a0 to a5. */
typedef struct sbi_result (*sbi_function)(struct vcpu *vcpu, const uint64_t *a);

/* functions[i] is function number i; NULL where the extension has none. */
struct sbi_extension {
	uint32_t id;
	uint32_t count;
	const sbi_function *functions;
	bool legacy; /* chapter 5: no function number, and only a0 is returned */
};

extern const struct sbi_extension sbi_base, sbi_time, sbi_ipi, sbi_rfence, sbi_hsm, sbi_srst, sbi_dbcn;
extern const struct sbi_extension sbi_legacy[];
extern const uint32_t sbi_legacy_count;

/* Also read by arch/riscv/short_calls.S. */
extern const uint64_t sbi_base_constants[3];

/* The extension of this number, NULL when there is none. */
const struct sbi_extension *sbi_find(uint64_t id);

static inline struct sbi_result sbi_error(int64_t error)
{
	return (struct sbi_result){error, 0};
}

static inline struct sbi_result sbi_value(uint64_t value)
{
	return (struct sbi_result){SBI_SUCCESS, value};
}

/*
 * The vCPUs that a hart mask names (section 3.2), as a mask over vCPU numbers. False when it names one that
 * does not exist.
 */
bool sbi_select(const struct capsule *capsule, uint64_t mask, uint64_t base, uint64_t *selected);

/* Posts a request to each of them. */
void sbi_post(const struct capsule *capsule, uint64_t selected, uint32_t request);

/* Remote fences, shared by RFENCE and the legacy calls. Return when they are done. */
void sbi_remote_fence_i(struct vcpu *self, uint64_t selected);
void sbi_remote_sfence(struct vcpu *self, uint64_t selected, const struct fence_range *range);

#endif
