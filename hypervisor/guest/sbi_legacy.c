/* SPDX-License-Identifier: MIT */
/* Legacy extensions, section 5: an extension number a call, a result in a0 alone. */
#include <stddef.h>

#include "arch/guest.h"
#include "console.h"
#include "sbi.h"

#define ECALL_LEN 4u

static struct sbi_result set_timer(struct vcpu *vcpu, const uint64_t *a)
{
	sbi_set_timer(vcpu, a[0]);
	return sbi_value(0);
}

static struct sbi_result putchar_(struct vcpu *vcpu, const uint64_t *a)
{
	console_print(vcpu->capsule, (char)a[0]);
	return sbi_value(0);
}

static struct sbi_result getchar_(struct vcpu *vcpu, const uint64_t *a)
{
	char byte;

	(void)a;
	if (console_read(vcpu->capsule, &byte, 1) != 1)
		return sbi_error(-1);
	machine_uart(vcpu->capsule); /* what is taken here is not there for the UART */
	return sbi_error((uint8_t)byte);
}

/* Says whether there was one. */
static struct sbi_result clear_ipi(struct vcpu *vcpu, const uint64_t *a)
{
	bool coming = atomic_fetch_and(&vcpu->requests, ~(uint32_t)REQUEST_SOFT_IRQ) & REQUEST_SOFT_IRQ;
	bool pending = arch_irq(vcpu, ARCH_IRQ_SOFT);

	(void)a;
	arch_set_irq(vcpu, ARCH_IRQ_SOFT, false);
	return sbi_error(coming || pending);
}

/*
 * The mask is at a guest-virtual address; 0 means all. A fault on reading it is the guest's, at its ecall. False, and
 * what is to be in a0 in *a0, when there is nothing to do.
 */
static bool select_legacy(struct vcpu *vcpu, uint64_t at, uint64_t *selected, int64_t *a0)
{
	uint64_t mask, fault;

	*a0 = SBI_ERR_INVALID_PARAM;
	if (at == 0)
		return sbi_select(vcpu->capsule, 0, UINT64_MAX, selected);
	if (at % 8 != 0)
		return false;
	fault = arch_read_u64(vcpu, gva(at), &mask);
	if (fault == 0)
		return sbi_select(vcpu->capsule, mask, 0, selected);
	*a0 = (int64_t)at; /* it is where the call was made */
	vcpu->arch.pc -= ECALL_LEN;
	arch_inject(vcpu, (enum arch_exception)fault, at);
	return false;
}

static struct sbi_result send_ipi(struct vcpu *vcpu, const uint64_t *a)
{
	uint64_t selected;
	int64_t a0;

	if (!select_legacy(vcpu, a[0], &selected, &a0))
		return sbi_error(a0);
	sbi_send_ipi(vcpu, selected);
	return sbi_value(0);
}

static struct sbi_result remote_fence_i(struct vcpu *vcpu, const uint64_t *a)
{
	uint64_t selected;
	int64_t a0;

	if (!select_legacy(vcpu, a[0], &selected, &a0))
		return sbi_error(a0);
	sbi_remote_fence_i(vcpu, selected);
	return sbi_value(0);
}

/* Range or not, everything is dropped: nobody who cares for speed makes legacy calls. */
static struct sbi_result remote_sfence(struct vcpu *vcpu, const uint64_t *a)
{
	static const struct fence_range everything = {0, UINT64_MAX, UINT64_MAX};
	uint64_t selected;
	int64_t a0;

	if (!select_legacy(vcpu, a[0], &selected, &a0))
		return sbi_error(a0);
	sbi_remote_sfence(vcpu, selected, &everything);
	return sbi_value(0);
}

static struct sbi_result shutdown(struct vcpu *vcpu, const uint64_t *a)
{
	(void)a;
	capsule_stop(vcpu, STOP_SHUTDOWN, "");
	return sbi_value(0);
}

static const sbi_function calls[] = {
	set_timer, putchar_,	   getchar_,	  clear_ipi, send_ipi,
	remote_fence_i, remote_sfence, remote_sfence, shutdown,
};

#define LEGACY(n) {.id = n, .count = 1, .functions = &calls[n], .legacy = true}
const struct sbi_extension sbi_legacy[] = {
	LEGACY(0), LEGACY(1), LEGACY(2), LEGACY(3), LEGACY(4), LEGACY(5), LEGACY(6), LEGACY(7), LEGACY(8),
};
const uint32_t sbi_legacy_count = sizeof(sbi_legacy) / sizeof(sbi_legacy[0]);
