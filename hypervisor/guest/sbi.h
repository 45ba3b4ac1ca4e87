/* SPDX-License-Identifier: MIT */
/*
 * RISC-V Supervisor Binary Interface, specification 3.0: one file an extension, each ending in its table.
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
#define SBI_ERR_NO_SHMEM	  (-9)
#define SBI_ERR_INVALID_STATE	  (-10)
#define SBI_ERR_BAD_RANGE	  (-11)
#define SBI_ERR_TIMEOUT		  (-12)
#define SBI_ERR_DENIED_LOCKED	  (-14)

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
	/* Asked before a function of the extension is called; false denies. NULL: everybody may call all. */
	bool (*permits)(const struct vcpu *vcpu, uint64_t function, const uint64_t *a);
	uint64_t version; /* what probe_extension answers, 0 for the usual 1 */
};

extern const struct sbi_extension sbi_base, sbi_time, sbi_ipi, sbi_rfence, sbi_hsm, sbi_srst, sbi_dbcn, sbi_pmu,
	sbi_susp, sbi_fwft, sbi_sse, sbi_service;
extern const struct sbi_extension sbi_legacy[];
extern const uint32_t sbi_legacy_count;

/* Also read by arch/riscv/short_calls.S. */
extern const uint64_t sbi_base_constants[3];

extern const struct sbi_extension *const sbi_extensions[]; /* all but the legacy ones */
extern const uint32_t sbi_extension_count;

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

/* What TIME and IPI do, and the legacy calls as well. */
void sbi_set_timer(struct vcpu *vcpu, uint64_t when);
void sbi_send_ipi(struct vcpu *self, uint64_t selected);

/* Remote fences, shared by RFENCE and the legacy calls. Return when they are done. */
void sbi_remote_fence_i(struct vcpu *self, uint64_t selected);
void sbi_remote_sfence(struct vcpu *self, uint64_t selected, const struct fence_range *range);

/* May supervisor code begin there? It has to be in the guest's own RAM. */
bool sbi_is_code(const struct vcpu *vcpu, uint64_t at);

/*
 * Suspends the vCPU until an interrupt waits for it, to go on at `at` as after a start: its number in a0, `opaque`
 * in a1, which is what the result says.
 */
struct sbi_result sbi_suspend_to(struct vcpu *vcpu, uint64_t at, uint64_t opaque);

/* The vCPU stops: it handles no software event any more. */
void sbi_sse_leave(struct vcpu *vcpu);

/* Firmware events (table of PMU firmware events): their codes. */
enum pmu_event {
	PMU_MISALIGNED_LOAD,
	PMU_MISALIGNED_STORE,
	PMU_ACCESS_LOAD,
	PMU_ACCESS_STORE,
	PMU_ILLEGAL_INSN,
	PMU_SET_TIMER,
	PMU_IPI_SENT,
	PMU_IPI_RECEIVED,
	PMU_FENCE_I_SENT,
	PMU_FENCE_I_RECEIVED,
	PMU_SFENCE_VMA_SENT,
	PMU_SFENCE_VMA_RECEIVED,
	PMU_SFENCE_VMA_ASID_SENT,
	PMU_SFENCE_VMA_ASID_RECEIVED,
};

void sbi_pmu_count_slowly(struct vcpu *vcpu, uint32_t code, uint64_t times);

/* The event has happened to the vCPU, which is current on this hart. */
static inline void sbi_pmu_count(struct vcpu *vcpu, enum pmu_event event, uint64_t times)
{
	if (sbi_pmu_counts_events(vcpu))
		sbi_pmu_count_slowly(vcpu, event, times);
}

#endif
