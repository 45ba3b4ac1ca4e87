/* SPDX-License-Identifier: MIT */
/*
 * Images as one who holds a key makes them: changed at will and signed again by the mutator. What
 * the verifier takes has to be signed in truth, by as many keys as were asked for, and can be used
 * to the end.
 */
#include <stdlib.h>

#include <sodium.h>

#include "../unit/forge.h"
#include "images.h"
#include "internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed)
{
	return image_mutate(data, len, room, seed);
}

/*
 * The anchors that signed, found in another way: each record's signature is checked here by its own
 * key.
 */
static uint32_t true_signers(const struct dmfs_image *image)
{
	const uint8_t *record = image->base + image->extent.signed_len + DMFS_SIGNATURE_BLOCK_LEN;
	uint32_t signers = 0;

	for (uint32_t i = 0; i < image->extent.signatures; i++, record += DMFS_SIGNATURE_RECORD_LEN)
		for (uint32_t anchor = 0; anchor < 2; anchor++)
			if (sodium_memcmp(record, forge_public_key(anchor), DMFS_PUBLIC_KEY_LEN) ==
				    0 &&
			    crypto_sign_verify_detached(record + DMFS_PUBLIC_KEY_LEN, image->base,
							image->extent.signed_len, record) == 0)
				signers |= 1u << anchor;
	return signers;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const boards[] = {"riscv-virtio"};
	struct dmfs_trust one = forge_trust(2, 1), two = forge_trust(2, 2);
	struct dmfs_image image;
	uint32_t signers = 0, both = 0;

	if (dmfs_open_verified(&image, data, len, true, &one, &signers) != DMFS_OK)
		return 0;
	if (signers == 0 || signers != true_signers(&image) || image.extent.image_len != len)
		abort();
	if (dmfs_check_signatures(&image, &two, &both) == DMFS_OK && both != 3)
		abort();
	image_walk(&image);
	image_unpack(&image, true);
	dmfs_check_board(&image, boards, 1, FORGE_ROLLBACK);
	return 0;
}
