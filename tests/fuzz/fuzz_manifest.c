/* SPDX-License-Identifier: MIT */
/* Any bytes as a manifest: an error or a complete manifest, never a crash, in bounded memory. */
#include <stdlib.h>
#include <string.h>

#include "mkdmfs/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct report report = {.source = {"fuzz.yaml", (const char *)data, len}, .silent = true};
	struct arena arena = {NULL};
	struct manifest manifest;

	manifest_read(&manifest, &report, &arena, NULL);
	if (report.errors == 0) {
		/* What a plan is made from has to be there. */
		if (!manifest.image.name.text || manifest.guest_count + manifest.service_count == 0)
			abort();
		for (unsigned i = 0; i < manifest.guest_count; i++) {
			const struct manifest_capsule *guest = &manifest.guests[i];

			if (!guest->name.text || !guest->kernel.file.text || !guest->cmdline.text ||
			    guest->memory.value == 0 || guest->cpus.value == 0)
				abort();
		}
	}
	arena_free(&arena);
	return 0;
}
