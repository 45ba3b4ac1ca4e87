/* SPDX-License-Identifier: MIT */
#include "trust.h"

/* Volatile, or the compiler would believe that it stays as built: without anchors. */
__attribute__((section(DMFS_TRUST_SECTION), used)) static volatile struct dmfs_trust_section trust = {
	.magic = DMFS_TRUST_MAGIC,
};

const struct dmfs_trust_section *trust_section(void)
{
	return (const struct dmfs_trust_section *)(uintptr_t)&trust;
}
