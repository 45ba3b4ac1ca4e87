/* SPDX-License-Identifier: MIT */
/*
 * Puts trust anchors into a hypervisor.
 */
#ifndef RUN_BUNDLE_H
#define RUN_BUNDLE_H

#include "common/args.h"
#include "common/file.h"
#include "sign/keys.h"

/*
 * Fills the section .dmfs.trust of the ELF in *elf, in place. `unseal` is the board's secret key,
 * or NULL. Returns NULL, or a sentence that says why it is no hypervisor.
 */
const char *bundle_fill(struct bytes *elf, const struct trust_keys *keys, uint64_t rollback,
			const uint8_t *unseal);

/* Reads the hypervisor at `path` and fills it as --trust, --threshold and --rollback say. A
 * STATUS_... */
int bundle_read(struct bytes *elf, const char *path, const struct args *args);

int bundle_command(const struct args *args);

#endif
