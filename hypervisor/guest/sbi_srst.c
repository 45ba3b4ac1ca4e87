/* SPDX-License-Identifier: MIT */
/* System Reset extension, section 10. The system is the capsule. */
#include "sbi.h"

#define TYPE_SHUTDOWN	      0
#define TYPE_COLD_REBOOT      1
#define TYPE_WARM_REBOOT      2
#define REASON_SYSTEM_FAILURE 1

static struct sbi_result system_reset(struct vcpu *vcpu, const uint64_t *a)
{
	uint32_t type = (uint32_t)a[0], reason = (uint32_t)a[1];

	/* What is reserved and what some other implementation has are the same to us. */
	if (type > TYPE_WARM_REBOOT || reason > REASON_SYSTEM_FAILURE)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	if (type != TYPE_SHUTDOWN)
		capsule_stop(vcpu, STOP_REBOOT, "");
	else if (reason == REASON_SYSTEM_FAILURE)
		capsule_crash(vcpu, "it reported a system failure");
	else
		capsule_stop(vcpu, STOP_SHUTDOWN, "");
	return sbi_error(SBI_ERR_FAILED); /* never seen */
}

static const sbi_function functions[] = {system_reset};

const struct sbi_extension sbi_srst = {.id = 0x53525354, .count = 1, .functions = functions};
