/* SPDX-License-Identifier: MIT */
/* Debug Console extension, section 12. */
#include "arch/guest.h"
#include "console.h"
#include "sbi.h"

/* Bytes handled in one call: the specification lets us do less than asked, and no call may take long. */
#define MOST_BYTES 64u

/* [a1:a0] of the call: the upper half is for addresses beyond XLEN, which no guest has. */
static bool buffer(const struct vcpu *vcpu, const uint64_t *a, hpa_t *out)
{
	return a[2] == 0 && capsule_memory(vcpu->capsule, gpa(a[1]), a[0], out);
}

static struct sbi_result console_write_(struct vcpu *vcpu, const uint64_t *a)
{
	uint64_t len = a[0] < MOST_BYTES ? a[0] : MOST_BYTES;
	hpa_t at;

	if (!buffer(vcpu, a, &at))
		return sbi_error(SBI_ERR_INVALID_PARAM);
	return sbi_value(console_write(vcpu->capsule, hpa_ptr(at), len));
}

static struct sbi_result console_read_(struct vcpu *vcpu, const uint64_t *a)
{
	uint64_t len = a[0] < MOST_BYTES ? a[0] : MOST_BYTES;
	hpa_t at;

	if (!buffer(vcpu, a, &at))
		return sbi_error(SBI_ERR_INVALID_PARAM);
	len = console_read(vcpu->capsule, hpa_ptr(at), len);
	machine_uart(vcpu->capsule); /* what is taken here is not there for the UART */
	return sbi_value(len);
}

static struct sbi_result console_write_byte(struct vcpu *vcpu, const uint64_t *a)
{
	char byte = (char)a[0];

	return console_write(vcpu->capsule, &byte, 1) == 1 ? sbi_value(0) : sbi_error(SBI_ERR_FAILED);
}

static const sbi_function functions[] = {console_write_, console_read_, console_write_byte};

const struct sbi_extension sbi_dbcn = {.id = 0x4442434e, .count = 3, .functions = functions};
