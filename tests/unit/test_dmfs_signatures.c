/* SPDX-License-Identifier: MIT */
/* Trust anchors, thresholds and signatures (docs/dmfs-format.md, sections 8 and 9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "forge.h"

static enum dmfs_status verify(const struct forge *f, uint32_t anchors, uint32_t threshold,
			       uint32_t *signers)
{
	struct dmfs_trust trust = forge_trust(anchors, threshold);
	struct dmfs_image image;

	return dmfs_open_verified(&image, f->bytes, f->len, true, &trust, signers);
}

/* An image with signatures by keys first to first + count - 1. */
static struct forge signed_by(unsigned first, unsigned count)
{
	struct forge f = forge_image();

	forge_sign(&f, first, count);
	return f;
}

static void nobody_trusted_means_refused(void **state)
{
	struct forge f = forge_image();
	struct dmfs_image image;

	assert_int_equal(verify(&f, 0, 0, NULL), DMFS_ERR_NO_TRUST);
	assert_int_equal(verify(&f, 0, 1, NULL), DMFS_ERR_NO_TRUST);
	assert_int_equal(dmfs_open_verified(&image, f.bytes, f.len, true, NULL, NULL),
			 DMFS_ERR_NO_TRUST);
	forge_free(&f);
}

static void threshold_of_zero_is_refused(void **state)
{
	struct forge f = forge_image();

	assert_int_equal(verify(&f, 1, 0, NULL), DMFS_ERR_THRESHOLD);
	forge_free(&f);
}

static void threshold_above_the_anchors_is_refused(void **state)
{
	struct forge f = signed_by(0, 3);

	assert_int_equal(verify(&f, 2, 3, NULL), DMFS_ERR_THRESHOLD);
	assert_int_equal(verify(&f, 2, UINT32_MAX, NULL), DMFS_ERR_THRESHOLD);
	forge_free(&f);
}

static void more_anchors_than_the_maximum_are_refused(void **state)
{
	struct forge f = forge_image();

	assert_int_equal(verify(&f, 16, 1, NULL), DMFS_OK);
	assert_int_equal(verify(&f, 17, 1, NULL), DMFS_ERR_LIMIT);
	assert_int_equal(verify(&f, UINT32_MAX, 1, NULL), DMFS_ERR_LIMIT);
	forge_free(&f);
}

static void as_many_as_the_threshold_have_to_sign(void **state)
{
	struct forge f = signed_by(1, 2);
	uint32_t signers = 0;

	assert_int_equal(verify(&f, 4, 2, &signers), DMFS_OK);
	assert_int_equal(signers, 1u << 1 | 1u << 2);
	assert_int_equal(verify(&f, 4, 3, NULL), DMFS_ERR_UNTRUSTED);
	forge_free(&f);
}

static void unsigned_image_is_refused(void **state)
{
	struct forge f = signed_by(0, 0);

	assert_int_equal(verify(&f, 1, 1, NULL), DMFS_ERR_UNSIGNED);
	forge_free(&f);
}

static void stranger_is_passed_over(void **state)
{
	struct forge f = signed_by(5, 1);

	assert_int_equal(verify(&f, 5, 1, NULL), DMFS_ERR_UNTRUSTED);
	forge_free(&f);
	f = signed_by(0, 6);
	assert_int_equal(verify(&f, 1, 1, NULL), DMFS_OK);
	forge_free(&f);
}

/*
 * Without a known key nobody can say whether a stranger's signature holds, and nothing depends on
 * it.
 */
static void strangers_bad_signature_changes_nothing(void **state)
{
	struct forge f = signed_by(0, 2);

	f.bytes[forge_payload(&f) - 1] ^= 1;
	assert_int_equal(verify(&f, 1, 1, NULL), DMFS_OK);
	forge_free(&f);
}

static void bad_signature_of_a_known_key_is_refused_whatever_others_say(void **state)
{
	struct forge f = signed_by(0, 3);

	f.bytes[forge_payload(&f) - 1] ^= 1;
	assert_int_equal(verify(&f, 3, 1, NULL), DMFS_ERR_SIGNATURE);
	forge_free(&f);
}

static void same_anchor_twice_is_refused(void **state)
{
	struct forge f = forge_image();
	uint8_t keys[2][DMFS_PUBLIC_KEY_LEN];
	struct dmfs_trust trust = {(const uint8_t(*)[DMFS_PUBLIC_KEY_LEN])keys, 2, 2, NULL};
	struct dmfs_image image;

	memcpy(keys[0], forge_public_key(0), DMFS_PUBLIC_KEY_LEN);
	memcpy(keys[1], forge_public_key(0), DMFS_PUBLIC_KEY_LEN);
	assert_int_equal(dmfs_open_verified(&image, f.bytes, f.len, true, &trust, NULL),
			 DMFS_ERR_KEY_TWICE);
	forge_free(&f);
}

/* Copies signature 0 over signature 1: one key that wants to count for two. */
static void same_signature_twice_is_refused(void **state)
{
	struct forge f = signed_by(0, 2);
	uint64_t first = forge_signatures(&f) + 16;

	memcpy(f.bytes + first + 96, f.bytes + first, 96);
	assert_int_equal(verify(&f, 2, 2, NULL), DMFS_ERR_KEY_TWICE);
	assert_int_equal(verify(&f, 1, 1, NULL), DMFS_ERR_KEY_TWICE);
	forge_free(&f);
}

static void strangers_key_twice_is_refused(void **state)
{
	struct forge f = signed_by(0, 3);
	uint64_t first = forge_signatures(&f) + 16;

	memcpy(f.bytes + first + 2 * 96, f.bytes + first + 96, 96);
	assert_int_equal(verify(&f, 1, 1, NULL), DMFS_ERR_KEY_TWICE);
	forge_free(&f);
}

static void sixteen_signatures_are_accepted_and_seventeen_refused(void **state)
{
	struct forge f = signed_by(0, 16);
	uint32_t signers;

	assert_int_equal(verify(&f, 16, 16, &signers), DMFS_OK);
	assert_int_equal(signers, 0xffff);
	forge_free(&f);
	f = signed_by(0, 17);
	assert_int_equal(verify(&f, 16, 1, NULL), DMFS_ERR_TOO_MANY_SIGNATURES);
	forge_free(&f);
}

static void flood_of_signatures_is_refused_by_its_count(void **state)
{
	struct forge f = forge_image();

	forge_set32(&f, forge_signatures(&f), UINT32_MAX);
	assert_int_equal(verify(&f, 1, 1, NULL), DMFS_ERR_TOO_MANY_SIGNATURES);
	forge_free(&f);
}

static void sealed_keys_and_reserved_bytes_of_the_block_are_refused(void **state)
{
	struct forge f = forge_image();
	uint64_t block = forge_signatures(&f);

	forge_set32(&f, block + 4, 17);
	assert_int_equal(verify(&f, 1, 1, NULL), DMFS_ERR_LIMIT);
	forge_set32(&f, block + 4, 1);
	assert_int_equal(verify(&f, 1, 1, NULL), DMFS_ERR_TRUNCATED);
	forge_set32(&f, block + 4, 0);
	f.bytes[block + 15] = 1;
	assert_int_equal(verify(&f, 1, 1, NULL), DMFS_ERR_RESERVED);
	forge_free(&f);
}

/*
 * A signature over the region with something before, after or left out is one over something else.
 */
static void signature_covers_exactly_the_region(void **state)
{
	struct forge f = forge_image();

	forge_set64(&f, HEADER_ROLLBACK, FORGE_ROLLBACK + 1);
	assert_int_equal(verify(&f, 1, 1, NULL), DMFS_ERR_SIGNATURE);
	forge_free(&f);
}

static void order_of_signatures_does_not_matter(void **state)
{
	struct forge f = signed_by(0, 2);
	uint64_t first = forge_signatures(&f) + 16;
	uint8_t swap[96];

	memcpy(swap, f.bytes + first, 96);
	memcpy(f.bytes + first, f.bytes + first + 96, 96);
	memcpy(f.bytes + first + 96, swap, 96);
	assert_int_equal(verify(&f, 2, 2, NULL), DMFS_OK);
	forge_free(&f);
}

static void key_ids_differ(void **state)
{
	uint8_t a[DMFS_KEY_ID_LEN], b[DMFS_KEY_ID_LEN], again[DMFS_KEY_ID_LEN];

	dmfs_key_id(a, forge_public_key(0));
	dmfs_key_id(b, forge_public_key(1));
	dmfs_key_id(again, forge_public_key(0));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_equal(a, again, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_trusted_means_refused),
		cmocka_unit_test(threshold_of_zero_is_refused),
		cmocka_unit_test(threshold_above_the_anchors_is_refused),
		cmocka_unit_test(more_anchors_than_the_maximum_are_refused),
		cmocka_unit_test(as_many_as_the_threshold_have_to_sign),
		cmocka_unit_test(unsigned_image_is_refused),
		cmocka_unit_test(stranger_is_passed_over),
		cmocka_unit_test(strangers_bad_signature_changes_nothing),
		cmocka_unit_test(bad_signature_of_a_known_key_is_refused_whatever_others_say),
		cmocka_unit_test(same_anchor_twice_is_refused),
		cmocka_unit_test(same_signature_twice_is_refused),
		cmocka_unit_test(strangers_key_twice_is_refused),
		cmocka_unit_test(sixteen_signatures_are_accepted_and_seventeen_refused),
		cmocka_unit_test(flood_of_signatures_is_refused_by_its_count),
		cmocka_unit_test(sealed_keys_and_reserved_bytes_of_the_block_are_refused),
		cmocka_unit_test(signature_covers_exactly_the_region),
		cmocka_unit_test(order_of_signatures_does_not_matter),
		cmocka_unit_test(key_ids_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
