/* SPDX-License-Identifier: MIT */
/* A signed image to which anything is done is refused: changed, cut, prolonged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "forge.h"

/* Gives the first offset from begin to end - 1 whose change is accepted, or end. */
static uint64_t first_accepted_change(struct forge *f, uint64_t begin, uint64_t end, uint8_t change)
{
	for (uint64_t at = begin; at < end; at++) {
		enum dmfs_status status;

		f->bytes[at] ^= change;
		status = forge_read(f);
		f->bytes[at] ^= change;
		if (status == DMFS_OK)
			return at;
	}
	return end;
}

static void untouched_image_is_accepted(void **state)
{
	struct forge f = forge_image();

	assert_int_equal(forge_read(&f), DMFS_OK);
	forge_free(&f);
}

static void every_changed_byte_of_the_signed_region_is_refused(void **state)
{
	struct forge f = forge_image();
	uint64_t end = forge_signatures(&f);

	assert_int_equal(first_accepted_change(&f, 0, end, 0x01), end);
	assert_int_equal(first_accepted_change(&f, 0, end, 0x80), end);
	forge_free(&f);
}

static void every_changed_byte_of_the_signature_block_is_refused(void **state)
{
	struct forge f = forge_image();
	uint64_t begin = forge_signatures(&f), end = forge_payload(&f);

	for (unsigned bit = 0; bit < 8; bit++)
		assert_int_equal(first_accepted_change(&f, begin, end, (uint8_t)(1u << bit)), end);
	forge_free(&f);
}

static void every_changed_byte_of_the_payload_is_refused(void **state)
{
	struct forge f = forge_image();

	assert_int_equal(first_accepted_change(&f, forge_payload(&f), f.len, 0x10), f.len);
	forge_free(&f);
}

static void payload_changes_are_found_by_the_hash(void **state)
{
	struct forge f = forge_image();

	f.bytes[f.len - 1] ^= 1;
	assert_int_equal(forge_read(&f), DMFS_ERR_HASH);
	forge_free(&f);
}

/* Each length in a buffer of its own, so that the sanitizer sees a read past the end. */
static void every_truncation_is_refused(void **state)
{
	struct forge f = forge_image();

	for (uint64_t len = 0; len < f.len; len++) {
		struct forge whole = {f.bytes, len}, cut = forge_copy(&whole);

		assert_int_equal(forge_read(&cut), DMFS_ERR_TRUNCATED);
		forge_free(&cut);
	}
	forge_free(&f);
}

static void trailing_bytes_are_refused_unless_the_buffer_may_be_larger(void **state)
{
	struct forge f = forge_image();
	struct dmfs_trust trust = forge_trust(1, 1);
	struct dmfs_image image;
	uint64_t len = f.len;

	forge_insert(&f, f.len, 1);
	assert_int_equal(forge_read(&f), DMFS_ERR_TRAILING);
	assert_int_equal(dmfs_open_verified(&image, f.bytes, f.len, false, &trust, NULL), DMFS_OK);
	assert_int_equal(image.extent.image_len, len);
	forge_free(&f);
}

static void bytes_between_block_and_payload_are_refused(void **state)
{
	struct forge f = forge_image();

	forge_insert(&f, forge_payload(&f), 1);
	assert_int_equal(forge_read(&f), DMFS_ERR_TRAILING);
	forge_remove(&f, f.len - 1, 1);
	assert_int_equal(forge_read(&f), DMFS_ERR_HASH);
	forge_free(&f);
}

static void payload_of_another_image_is_refused(void **state)
{
	struct forge f = forge_image();
	struct forge_plan plan;
	struct forge other;
	uint64_t payload = forge_payload(&f);

	/* Same lengths, other bytes: stored blocks are as long whatever they hold. */
	forge_plan(&plan);
	plan.objects[FORGE_INITRD].data = plan.objects[FORGE_KERNEL].data;
	plan.objects[FORGE_KERNEL].data = (const uint8_t *)plan.objects[FORGE_KERNEL].data + 1;
	plan.objects[FORGE_KERNEL].raw_len--;
	other = forge_write(&plan.plan, 1);
	forge_remove(&f, payload, f.len - payload);
	forge_insert(&f, payload, forge_get64(&f, HEADER_PAYLOAD_LEN));
	for (uint64_t i = 0; payload + i < f.len && forge_payload(&other) + i < other.len; i++)
		f.bytes[payload + i] = other.bytes[forge_payload(&other) + i];
	assert_int_equal(forge_read(&other), DMFS_OK);
	assert_int_equal(forge_read(&f), DMFS_ERR_HASH);
	forge_free(&other);
	forge_free(&f);
}

static void signature_block_of_another_image_is_refused(void **state)
{
	struct forge f = forge_image();
	struct forge_plan plan;
	struct forge other;
	uint64_t block = forge_signatures(&f);

	forge_plan(&plan);
	plan.plan.rollback++;
	other = forge_write(&plan.plan, 1);
	assert_int_equal(forge_signatures(&other), block);
	for (uint64_t at = block; at < forge_payload(&f); at++)
		f.bytes[at] = other.bytes[at];
	assert_int_equal(forge_read(&other), DMFS_OK);
	assert_int_equal(forge_read(&f), DMFS_ERR_SIGNATURE);
	forge_free(&other);
	forge_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(untouched_image_is_accepted),
		cmocka_unit_test(every_changed_byte_of_the_signed_region_is_refused),
		cmocka_unit_test(every_changed_byte_of_the_signature_block_is_refused),
		cmocka_unit_test(every_changed_byte_of_the_payload_is_refused),
		cmocka_unit_test(payload_changes_are_found_by_the_hash),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(trailing_bytes_are_refused_unless_the_buffer_may_be_larger),
		cmocka_unit_test(bytes_between_block_and_payload_are_refused),
		cmocka_unit_test(payload_of_another_image_is_refused),
		cmocka_unit_test(signature_block_of_another_image_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
