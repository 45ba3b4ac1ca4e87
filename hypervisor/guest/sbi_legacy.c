/* SPDX-License-Identifier: MIT */
/* Legacy extensions, section 5: an extension number a call, a result in a0 alone. */
#include <stddef.h>

#include "arch/guest.h"
#include "console.h"
#include "sbi.h"
#include "scheduler.h"

static struct sbi_result set_timer(struct vcpu *vcpu, const uint64_t *a)
{
	arch_set_deadline(vcpu, a[0]);
	sched_program_timer();
	return sbi_value(0);
}

static struct sbi_result putchar_(struct vcpu *vcpu, const uint64_t *a)
{
	char byte = (char)a[0];

	console_write(vcpu->capsule, &byte, 1);
	return sbi_value(0);
}

static struct sbi_result getchar_(struct vcpu *vcpu, const uint64_t *a)
{
	char byte;

	(void)a;
	if (console_read(vcpu->capsule, &byte, 1) != 1)
		return sbi_error(-1);
	machine_input(vcpu->capsule); /* what is taken here is not there for the UART */
	return sbi_error((uint8_t)byte);
}

static struct sbi_result clear_ipi(struct vcpu *vcpu, const uint64_t *a)
{
	(void)a;
	arch_set_irq(vcpu, ARCH_IRQ_SOFT, false);
	return sbi_value(0);
}

/* The mask is at a guest-virtual address; 0 means all. What cannot be read is invalid. */
static bool select_legacy(const struct vcpu *vcpu, uint64_t at, uint64_t *selected)
{
	uint64_t mask;

	if (at == 0)
		return sbi_select(vcpu->capsule, 0, UINT64_MAX, selected);
	if (at % 8 != 0 || arch_read_u64(vcpu, gva(at), &mask) != 0)
		return false;
	return sbi_select(vcpu->capsule, mask, 0, selected);
}

static struct sbi_result send_ipi(struct vcpu *vcpu, const uint64_t *a)
{
	uint64_t selected;

	if (!select_legacy(vcpu, a[0], &selected))
		return sbi_error(SBI_ERR_INVALID_PARAM);
	sbi_post(vcpu->capsule, selected, REQUEST_SOFT_IRQ);
	return sbi_value(0);
}

static struct sbi_result remote_fence_i(struct vcpu *vcpu, const uint64_t *a)
{
	uint64_t selected;

	if (!select_legacy(vcpu, a[0], &selected))
		return sbi_error(SBI_ERR_INVALID_PARAM);
	sbi_remote_fence_i(vcpu, selected);
	return sbi_value(0);
}

/* Range or not, everything is dropped: nobody who cares for speed makes legacy calls. */
static struct sbi_result remote_sfence(struct vcpu *vcpu, const uint64_t *a)
{
	static const struct fence_range everything = {0, UINT64_MAX, UINT64_MAX};
	uint64_t selected;

	if (!select_legacy(vcpu, a[0], &selected))
		return sbi_error(SBI_ERR_INVALID_PARAM);
	sbi_remote_sfence(vcpu, selected, &everything);
	return sbi_value(0);
}

static struct sbi_result shutdown(struct vcpu *vcpu, const uint64_t *a)
{
	(void)a;
	capsule_stop(vcpu->capsule, STOP_SHUTDOWN, "");
	return sbi_value(0);
}

static const sbi_function calls[] = {
	set_timer, putchar_,	   getchar_,	  clear_ipi, send_ipi,
	remote_fence_i, remote_sfence, remote_sfence, shutdown,
};

const struct sbi_extension sbi_legacy[] = {
	{0, 1, &calls[0], true}, {1, 1, &calls[1], true}, {2, 1, &calls[2], true},
	{3, 1, &calls[3], true}, {4, 1, &calls[4], true}, {5, 1, &calls[5], true},
	{6, 1, &calls[6], true}, {7, 1, &calls[7], true}, {8, 1, &calls[8], true},
};
const uint32_t sbi_legacy_count = sizeof(sbi_legacy) / sizeof(sbi_legacy[0]);
