/* SPDX-License-Identifier: MIT */
/*
 * Images of unknown origin: whatever the bytes are, reading stays within them. Nobody can be
 * expected to guess a signature or a hash, so the signature is not asked for and each chunk is
 * given the hash that it has. (With the signature: fuzz_verifier.c.)
 */
#include <stdlib.h>

#include "images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t keys[1][DMFS_PUBLIC_KEY_LEN] = {{1}};
	static const struct dmfs_trust trust = {keys, 1, 1, NULL};
	static const char *const boards[] = {"riscv-virtio"};
	struct dmfs_image image;

	if (dmfs_open_verified(&image, data, len, false, &trust, NULL) == DMFS_OK)
		abort();
	if (dmfs_open_unverified(&image, data, len, false) != DMFS_OK)
		return 0;
	image_walk(&image);
	image_unpack(&image, false);
	dmfs_check_board(&image, boards, 1, 1);
	return 0;
}
