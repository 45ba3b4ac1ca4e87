/* SPDX-License-Identifier: MIT */
/* Base extension, section 4. */
#include <stddef.h>

#include "arch/hart.h"
#include "sbi.h"

/*
 * Of 3.0, as all functions of the extensions that there are conform to it; which extensions there are is an
 * implementation's choice (section 1).
 */
#define SPEC_3_0	  (UINT64_C(3) << 24)
#define IMPLEMENTATION_ID 5 /* Diosix, table 6 */

/* What functions 0 to 2 give. */
const uint64_t sbi_base_constants[3] = {SPEC_3_0, IMPLEMENTATION_ID, DIOSIX_VERSION_NUMBER};

static struct sbi_result get_spec_version(struct vcpu *vcpu, const uint64_t *a)
{
	(void)vcpu;
	(void)a;
	return sbi_value(sbi_base_constants[0]);
}

static struct sbi_result get_impl_id(struct vcpu *vcpu, const uint64_t *a)
{
	(void)vcpu;
	(void)a;
	return sbi_value(sbi_base_constants[1]);
}

static struct sbi_result get_impl_version(struct vcpu *vcpu, const uint64_t *a)
{
	(void)vcpu;
	(void)a;
	return sbi_value(sbi_base_constants[2]);
}

static struct sbi_result probe_extension(struct vcpu *vcpu, const uint64_t *a)
{
	const struct sbi_extension *extension = sbi_find(a[0]);

	(void)vcpu;
	if (extension == NULL)
		return sbi_value(0);
	return sbi_value(extension->version != 0 ? extension->version : 1);
}

/* Guests move between harts of different makes: none of the three is told which. */
static struct sbi_result get_machine_id(struct vcpu *vcpu, const uint64_t *a)
{
	(void)vcpu;
	(void)a;
	return sbi_value(0);
}

static const sbi_function functions[] = {
	get_spec_version, get_impl_id,	  get_impl_version, probe_extension,
	get_machine_id,	  get_machine_id, get_machine_id,
};

const struct sbi_extension sbi_base = {.id = 0x10, .count = 7, .functions = functions};
