/* SPDX-License-Identifier: MIT */
/* Signatures that were made elsewhere are added to an image (docs/dmfs-format.md, section 8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sodium.h>

#include "forge.h"

static enum dmfs_status attach(struct forge *f, unsigned key)
{
	uint8_t signature[DMFS_SIGNATURE_LEN];

	crypto_sign_detached(signature, NULL, f->bytes, forge_signatures(f), forge_key(key));
	return dmfs_attach_signature(&f->bytes, &f->len, forge_public_key(key), signature);
}

static struct forge unsigned_image(void)
{
	struct forge_plan plan;

	forge_plan(&plan);
	return forge_write(&plan.plan, 0);
}

static void attached_is_the_same_as_signed_at_once(void **state)
{
	struct forge_plan plan;
	struct forge f = unsigned_image(), whole;

	forge_plan(&plan);
	whole = forge_write(&plan.plan, 2);
	assert_int_equal(attach(&f, 0), DMFS_OK);
	assert_int_equal(attach(&f, 1), DMFS_OK);
	assert_int_equal(f.len, whole.len);
	assert_memory_equal(f.bytes, whole.bytes, f.len);
	forge_free(&whole);
	forge_free(&f);
}

static void second_signature_of_a_key_is_refused(void **state)
{
	struct forge f = forge_image();

	assert_int_equal(attach(&f, 1), DMFS_OK);
	assert_int_equal(attach(&f, 0), DMFS_ERR_KEY_TWICE);
	assert_int_equal(attach(&f, 1), DMFS_ERR_KEY_TWICE);
	assert_int_equal(forge_read(&f), DMFS_OK);
	forge_free(&f);
}

static void seventeenth_signature_is_refused(void **state)
{
	struct forge f = unsigned_image();

	for (unsigned i = 0; i < DMFS_MAX_SIGNATURES; i++)
		assert_int_equal(attach(&f, i), DMFS_OK);
	assert_int_equal(attach(&f, 16), DMFS_ERR_TOO_MANY_SIGNATURES);
	assert_int_equal(forge_read(&f), DMFS_OK);
	forge_free(&f);
}

static void signature_that_does_not_hold_is_refused(void **state)
{
	struct forge f = unsigned_image();
	uint8_t signature[DMFS_SIGNATURE_LEN];

	crypto_sign_detached(signature, NULL, f.bytes, f.len, forge_key(0));
	assert_int_equal(dmfs_attach_signature(&f.bytes, &f.len, forge_public_key(0), signature),
			 DMFS_ERR_SIGNATURE);
	crypto_sign_detached(signature, NULL, f.bytes, forge_signatures(&f), forge_key(0));
	assert_int_equal(dmfs_attach_signature(&f.bytes, &f.len, forge_public_key(1), signature),
			 DMFS_ERR_SIGNATURE);
	assert_int_equal(forge_read(&f), DMFS_ERR_UNSIGNED);
	forge_free(&f);
}

static void damaged_image_is_refused_and_left_alone(void **state)
{
	struct forge f = unsigned_image(), before;

	forge_insert(&f, f.len, 3);
	before = forge_copy(&f);
	assert_int_equal(attach(&f, 0), DMFS_ERR_TRAILING);
	assert_int_equal(f.len, before.len);
	assert_memory_equal(f.bytes, before.bytes, f.len);
	forge_free(&before);
	forge_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attached_is_the_same_as_signed_at_once),
		cmocka_unit_test(second_signature_of_a_key_is_refused),
		cmocka_unit_test(seventeenth_signature_is_refused),
		cmocka_unit_test(signature_that_does_not_hold_is_refused),
		cmocka_unit_test(damaged_image_is_refused_and_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
