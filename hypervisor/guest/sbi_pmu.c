/* SPDX-License-Identifier: MIT */
/*
 * Performance Monitoring Unit extension, section 11. A vCPU has the counters cycle and instret, and sixteen of the
 * firmware, each of which counts any firmware event; core/sbi_state.h has their numbers.
 */
#include <stddef.h>
#include <string.h>

#include "arch/guest.h"
#include "bits.h"
#include "sbi.h"

#define EVENT_TYPE(event)    ((event) >> 16)
#define EVENT_CODE(event)    ((event) & 0xffff)
#define TYPE_GENERAL	     0x0u
#define TYPE_CACHE	     0x1u
#define TYPE_RAW	     0x2u
#define TYPE_RAW_V2	     0x3u
#define TYPE_FIRMWARE	     0xfu
#define EVENT_CYCLES	     1u /* SBI_PMU_HW_CPU_CYCLES */
#define EVENT_INSTRUCTIONS   2u
#define GENERAL_EVENTS	     11u
#define FIRMWARE_EVENT(code) (TYPE_FIRMWARE << 16 | (code))
#define FIRMWARE_RESERVED    22u /* up to 255 */

/* config_matching's flags; bits 3 to 7 ask not to count in some modes, which are hints, and not taken. */
#define CONFIG_SKIP_MATCH  1u
#define CONFIG_CLEAR_VALUE 2u
#define CONFIG_AUTO_START  4u
#define CONFIG_FLAGS	   0xffu

#define START_SET_INIT_VALUE 1u
#define START_INIT_SNAPSHOT  2u
#define STOP_RESET	     1u
#define STOP_TAKE_SNAPSHOT   2u

/* The snapshot memory: a word for counters that have overflown, which takes Sscofpmf, and one for each counter. */
#define SNAPSHOT_SIZE	   4096u
#define SNAPSHOT_COUNTER(i) (8 + 8 * (uint64_t)(i))

#define INFO_WIDTH    (UINT64_C(63) << 12)
#define INFO_FIRMWARE (UINT64_C(1) << 63)
#define CSR_CYCLE     0xc00u

/* One entry of event_get_info's memory. */
struct event_info {
	uint32_t event;
	uint32_t output;
	uint64_t data;
};
/* Entries that one call may have, as no call may take long. */
#define MOST_ENTRIES 1024u

static bool is_firmware(uint64_t counter)
{
	return !(PMU_HARDWARE >> counter & 1);
}

/* The set that a base and a mask name, as bits by counter. False when one of them is not there. */
static bool select_counters(uint64_t base, uint64_t mask, uint32_t *selected)
{
	*selected = 0;
	if (mask == 0)
		return base < PMU_COUNTERS;
	if (base >= PMU_COUNTERS || mask >> (PMU_COUNTERS - base) != 0)
		return false;
	*selected = (uint32_t)(mask << base);
	return true;
}

/* --- events ---------------------------------------------------------------------------------- */

/* Is it an event_idx that the specification has an encoding for? */
static bool is_event(uint32_t event)
{
	uint32_t code = EVENT_CODE(event);

	switch (EVENT_TYPE(event)) {
	case TYPE_GENERAL:
		return code != 0 && code < GENERAL_EVENTS;
	case TYPE_CACHE:
		return code >> 3 < 7 && (code >> 1 & 3) < 3;
	case TYPE_RAW:
	case TYPE_RAW_V2:
		return code == 0;
	case TYPE_FIRMWARE:
		return code < FIRMWARE_RESERVED || code > 255;
	default:
		return false;
	}
}

/* The others leave event_info's data as it is. */
static bool takes_data(uint32_t event)
{
	return EVENT_TYPE(event) >= TYPE_RAW;
}

/* Counters that can count it, as bits; `data` is nothing but reserved for all events that we know. */
static uint32_t counters_for(uint64_t event, uint64_t data)
{
	if (data != 0)
		return 0;
	if (event == EVENT_CYCLES)
		return 1u << PMU_CYCLE;
	if (event == EVENT_INSTRUCTIONS)
		return 1u << PMU_INSTRET;
	if (event >= FIRMWARE_EVENT(0) && event < FIRMWARE_EVENT(FIRMWARE_RESERVED))
		return ((1u << PMU_COUNTERS) - 1) & ~PMU_HARDWARE;
	return 0;
}

void sbi_pmu_count_slowly(struct vcpu *vcpu, uint32_t code, uint64_t times)
{
	struct pmu_state *pmu = &vcpu->sbi.pmu;

	for (uint32_t left = pmu->started & ~PMU_HARDWARE; left != 0; left &= left - 1) {
		struct pmu_counter *counter = &pmu->counters[lowest_bit(left)];

		if (counter->event == FIRMWARE_EVENT(code))
			counter->value += times;
	}
}

void sbi_pmu_trapped(struct vcpu *vcpu, enum arch_exception cause)
{
	static const uint8_t codes[] = {
		[ARCH_ILLEGAL] = PMU_ILLEGAL_INSN + 1,
		[ARCH_LOAD_MISALIGNED] = PMU_MISALIGNED_LOAD + 1,
		[ARCH_LOAD_ACCESS] = PMU_ACCESS_LOAD + 1,
		[ARCH_STORE_MISALIGNED] = PMU_MISALIGNED_STORE + 1,
		[ARCH_STORE_ACCESS] = PMU_ACCESS_STORE + 1,
	};

	if ((size_t)cause < sizeof(codes) && codes[cause] != 0)
		sbi_pmu_count(vcpu, codes[cause] - 1u, 1);
}

void sbi_pmu_received(struct vcpu *vcpu, uint32_t requests)
{
	bool by_asid;

	if (requests & REQUEST_SOFT_IRQ)
		sbi_pmu_count(vcpu, PMU_IPI_RECEIVED, 1);
	if (requests & REQUEST_FENCE_I)
		sbi_pmu_count(vcpu, PMU_FENCE_I_RECEIVED, 1);
	if (!(requests & REQUEST_SFENCE))
		return;
	lock(&vcpu->fence_lock);
	by_asid = vcpu->fence.asid != UINT64_MAX;
	unlock(&vcpu->fence_lock);
	sbi_pmu_count(vcpu, by_asid ? PMU_SFENCE_VMA_ASID_RECEIVED : PMU_SFENCE_VMA_RECEIVED, 1);
}

/* --- counters -------------------------------------------------------------------------------- */

static void start(struct vcpu *vcpu, unsigned i)
{
	struct pmu_state *pmu = &vcpu->sbi.pmu;

	pmu->started |= 1u << i;
	arch_allow_short_calls(vcpu, !sbi_pmu_counts_events(vcpu));
	if (is_firmware(i))
		return;
	arch_set_counter(vcpu, (enum arch_counter)i, pmu->counters[i].value);
	arch_run_counter(vcpu, (enum arch_counter)i, true);
}

static void stop(struct vcpu *vcpu, unsigned i)
{
	struct pmu_state *pmu = &vcpu->sbi.pmu;

	pmu->started &= ~(1u << i);
	arch_allow_short_calls(vcpu, !sbi_pmu_counts_events(vcpu));
	if (is_firmware(i))
		return;
	arch_run_counter(vcpu, (enum arch_counter)i, false);
	pmu->counters[i].value = arch_counter(vcpu, (enum arch_counter)i);
}

/* A hardware counter runs from the reset on, until somebody configures it. */
static void claim(struct vcpu *vcpu, unsigned i)
{
	struct pmu_state *pmu = &vcpu->sbi.pmu;

	if (pmu->claimed >> i & 1)
		return;
	pmu->claimed |= 1u << i;
	stop(vcpu, i);
}

/* What a counter holds, be it started or not. */
static void set_value(struct vcpu *vcpu, unsigned i, uint64_t value)
{
	vcpu->sbi.pmu.counters[i].value = value;
	if (!is_firmware(i))
		arch_set_counter(vcpu, (enum arch_counter)i, value);
}

static struct sbi_result num_counters(struct vcpu *vcpu, const uint64_t *a)
{
	(void)vcpu;
	(void)a;
	return sbi_value(PMU_COUNTERS);
}

static struct sbi_result counter_get_info(struct vcpu *vcpu, const uint64_t *a)
{
	(void)vcpu;
	if (a[0] >= PMU_COUNTERS)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	return sbi_value(is_firmware(a[0]) ? INFO_FIRMWARE | INFO_WIDTH : INFO_WIDTH | (CSR_CYCLE + a[0]));
}

/*
 * The lowest counter of the set that can count the event: one that nobody has configured, or else one that is
 * stopped. -1 if there is none.
 */
static int match(const struct pmu_state *pmu, uint32_t set, uint64_t event, uint64_t data)
{
	uint32_t able = set & counters_for(event, data) & ~pmu->started;

	for (uint32_t left = able; left != 0; left &= left - 1)
		if (pmu->counters[lowest_bit(left)].event == 0)
			return (int)lowest_bit(left);
	return able != 0 ? (int)lowest_bit(able) : -1;
}

static struct sbi_result counter_config_matching(struct vcpu *vcpu, const uint64_t *a)
{
	struct pmu_state *pmu = &vcpu->sbi.pmu;
	uint64_t flags = a[2], event = a[3], data = a[4];
	uint32_t set;
	int i;

	if (!select_counters(a[0], a[1], &set) || (flags & ~(uint64_t)CONFIG_FLAGS) != 0)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	if (flags & CONFIG_SKIP_MATCH) /* then the first one of the set it is, but for what it cannot count */
		i = set != 0 && (set & -set & counters_for(event, data)) != 0 ? (int)lowest_bit(set) : -1;
	else
		i = match(pmu, set, event, data);
	if (i < 0)
		return sbi_error(SBI_ERR_NOT_SUPPORTED);
	claim(vcpu, (unsigned)i);
	pmu->counters[i].event = (uint32_t)event;
	if (flags & CONFIG_CLEAR_VALUE)
		set_value(vcpu, (unsigned)i, 0);
	if (flags & CONFIG_AUTO_START && !(pmu->started >> i & 1))
		start(vcpu, (unsigned)i);
	return sbi_value((uint64_t)i);
}

/* The snapshot memory as the host sees it; NULL if there is none. */
static char *snapshot(const struct vcpu *vcpu)
{
	hpa_t at;

	if (!vcpu->sbi.pmu.has_shmem || !capsule_memory(vcpu->capsule, gpa(vcpu->sbi.pmu.shmem), SNAPSHOT_SIZE, &at))
		return NULL;
	return hpa_ptr(at);
}

static struct sbi_result counter_start(struct vcpu *vcpu, const uint64_t *a)
{
	struct pmu_state *pmu = &vcpu->sbi.pmu;
	const char *shmem = snapshot(vcpu);
	uint64_t flags = a[2], value = a[3];
	uint32_t set;

	if (!select_counters(a[0], a[1], &set) || flags > START_INIT_SNAPSHOT)
		return sbi_error(SBI_ERR_INVALID_PARAM); /* the two flags exclude each other */
	if (flags & START_INIT_SNAPSHOT && shmem == NULL)
		return sbi_error(SBI_ERR_NO_SHMEM);
	for (uint32_t left = set; left != 0; left &= left - 1)
		if (pmu->counters[lowest_bit(left)].event == 0)
			return sbi_error(SBI_ERR_INVALID_PARAM);
	if (pmu->started & set)
		return sbi_error(SBI_ERR_ALREADY_STARTED);
	for (uint32_t left = set; left != 0; left &= left - 1) {
		unsigned i = lowest_bit(left);

		if (flags & START_INIT_SNAPSHOT)
			memcpy(&value, shmem + SNAPSHOT_COUNTER(i - a[0]), sizeof(value));
		if (flags != 0)
			set_value(vcpu, i, value);
		start(vcpu, i);
	}
	return sbi_value(0);
}

static struct sbi_result counter_stop(struct vcpu *vcpu, const uint64_t *a)
{
	struct pmu_state *pmu = &vcpu->sbi.pmu;
	char *shmem = snapshot(vcpu);
	uint64_t flags = a[2];
	uint32_t set, running;

	if (!select_counters(a[0], a[1], &set) || flags > (STOP_RESET | STOP_TAKE_SNAPSHOT))
		return sbi_error(SBI_ERR_INVALID_PARAM);
	if (flags & STOP_TAKE_SNAPSHOT && shmem == NULL)
		return sbi_error(SBI_ERR_NO_SHMEM);
	running = pmu->started & set;
	/* All are stopped that still run, and then it is said that some did not: a kernel stops whatever there is. */
	for (uint32_t left = set; left != 0; left &= left - 1) {
		unsigned i = lowest_bit(left);

		if (running >> i & 1)
			stop(vcpu, i);
		if (flags & STOP_TAKE_SNAPSHOT)
			memcpy(shmem + SNAPSHOT_COUNTER(i - a[0]), &pmu->counters[i].value, 8);
		if (flags & STOP_RESET)
			pmu->counters[i].event = 0;
	}
	if (flags & STOP_TAKE_SNAPSHOT)
		memset(shmem, 0, 8); /* none has overflown: there is no Sscofpmf */
	return running == set ? sbi_value(0) : sbi_error(SBI_ERR_ALREADY_STOPPED);
}

static struct sbi_result counter_fw_read(struct vcpu *vcpu, const uint64_t *a)
{
	if (a[0] >= PMU_COUNTERS || !is_firmware(a[0]))
		return sbi_error(SBI_ERR_INVALID_PARAM);
	return sbi_value(vcpu->sbi.pmu.counters[a[0]].value);
}

/* The upper half, which is none where registers have 64 bits. */
static struct sbi_result counter_fw_read_hi(struct vcpu *vcpu, const uint64_t *a)
{
	struct sbi_result result = counter_fw_read(vcpu, a);

	result.value = 0;
	return result;
}

/* --- shared memory --------------------------------------------------------------------------- */

static struct sbi_result snapshot_set_shmem(struct vcpu *vcpu, const uint64_t *a)
{
	struct pmu_state *pmu = &vcpu->sbi.pmu;
	bool none = a[0] == UINT64_MAX && a[1] == UINT64_MAX;
	hpa_t at;

	if (a[2] != 0 || (!none && a[0] % SNAPSHOT_SIZE != 0))
		return sbi_error(SBI_ERR_INVALID_PARAM);
	if (!none && (a[1] != 0 || !capsule_memory(vcpu->capsule, gpa(a[0]), SNAPSHOT_SIZE, &at)))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	pmu->has_shmem = !none;
	pmu->shmem = a[0];
	return sbi_value(0);
}

static struct sbi_result event_get_info(struct vcpu *vcpu, const uint64_t *a)
{
	uint64_t entries = a[2];
	volatile struct event_info *info;
	hpa_t at;

	if (a[3] != 0 || a[0] % sizeof(*info) != 0)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	if (a[1] != 0 || entries > UINT64_MAX / sizeof(*info) ||
	    !capsule_memory(vcpu->capsule, gpa(a[0]), entries * sizeof(*info), &at))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	if (entries > MOST_ENTRIES)
		return sbi_error(SBI_ERR_FAILED);
	info = hpa_ptr(at);
	for (uint64_t i = 0; i < entries; i++)
		if (!is_event(info[i].event))
			return sbi_error(SBI_ERR_INVALID_PARAM);
	for (uint64_t i = 0; i < entries; i++)
		info[i].output = counters_for(info[i].event, takes_data(info[i].event) ? info[i].data : 0) != 0;
	return sbi_value(0);
}

static const sbi_function functions[] = {
	num_counters,	    counter_get_info, counter_config_matching, counter_start,
	counter_stop,	    counter_fw_read,  counter_fw_read_hi,      snapshot_set_shmem,
	event_get_info,
};

const struct sbi_extension sbi_pmu = {
	.id = 0x504d55,
	.count = sizeof(functions) / sizeof(functions[0]),
	.functions = functions,
};
