/* SPDX-License-Identifier: MIT */
/*
 * Chunks that are signed and hash right, and are yet no zlib streams of the signed lengths (section
 * 6).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "forge.h"

#define RAW_LEN FORGE_CHUNK_LEN

/* Window bits that make deflate write these formats. */
enum { ZLIB = 15, GZIP = 15 + 16, RAW = -15 };

static uint8_t raw[2 * RAW_LEN];
static uint8_t stored[4 * RAW_LEN];

/* raw_len bytes of `raw`, deflated to `stored`; gives the length. */
static uint32_t deflated(uint32_t raw_len, int format, const char *dictionary)
{
	z_stream s = {.next_in = raw,
		      .avail_in = raw_len,
		      .next_out = stored,
		      .avail_out = sizeof(stored)};

	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(i * i >> 5);
	assert_int_equal(deflateInit2(&s, 9, Z_DEFLATED, format, 8, Z_DEFAULT_STRATEGY), Z_OK);
	if (dictionary)
		assert_int_equal(deflateSetDictionary(&s, (const Bytef *)dictionary,
						      (uInt)strlen(dictionary)),
				 Z_OK);
	assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
	deflateEnd(&s);
	return (uint32_t)s.total_out;
}

/* What a reader says when `stored` is the first chunk, of RAW_LEN raw bytes, rightly signed. */
static enum dmfs_status read_with(uint32_t stored_len)
{
	struct forge f = forge_image();
	enum dmfs_status status;

	forge_store(&f, 0, stored, stored_len);
	forge_sign(&f, 0, 1);
	status = forge_read(&f);
	forge_free(&f);
	return status;
}

static void zlib_stream_of_any_encoder_is_accepted(void **state)
{
	assert_int_equal(read_with(deflated(RAW_LEN, ZLIB, NULL)), DMFS_OK);
}

static void small_window_is_accepted(void **state)
{
	assert_int_equal(read_with(deflated(RAW_LEN, 9, NULL)), DMFS_OK);
}

static void surplus_of_a_byte_is_refused(void **state)
{
	assert_int_equal(read_with(deflated(RAW_LEN + 1, ZLIB, NULL)), DMFS_ERR_INFLATE);
}

static void surplus_of_a_window_is_refused(void **state)
{
	assert_int_equal(read_with(deflated(2 * RAW_LEN, ZLIB, NULL)), DMFS_ERR_INFLATE);
}

static void shortage_of_a_byte_is_refused(void **state)
{
	assert_int_equal(read_with(deflated(RAW_LEN - 1, ZLIB, NULL)), DMFS_ERR_INFLATE);
}

static void empty_stream_is_refused(void **state)
{
	assert_int_equal(read_with(deflated(0, ZLIB, NULL)), DMFS_ERR_INFLATE);
}

static void gzip_stream_is_refused(void **state)
{
	assert_int_equal(read_with(deflated(RAW_LEN, GZIP, NULL)), DMFS_ERR_INFLATE);
}

static void stream_without_header_is_refused(void **state)
{
	assert_int_equal(read_with(deflated(RAW_LEN, RAW, NULL)), DMFS_ERR_INFLATE);
}

static void preset_dictionary_is_refused(void **state)
{
	uint32_t len = deflated(RAW_LEN, ZLIB, "a dictionary");

	assert_true(stored[1] & 0x20);
	assert_int_equal(read_with(len), DMFS_ERR_INFLATE);
}

static void byte_after_the_stream_is_refused(void **state)
{
	uint32_t len = deflated(RAW_LEN, ZLIB, NULL);

	stored[len] = 0;
	assert_int_equal(read_with(len + 1), DMFS_ERR_INFLATE);
}

static void second_stream_after_the_first_is_refused(void **state)
{
	uint32_t len = deflated(RAW_LEN / 2, ZLIB, NULL);

	memcpy(stored + len, stored, len);
	assert_int_equal(read_with(2 * len), DMFS_ERR_INFLATE);
}

static void missing_adler_bytes_are_refused(void **state)
{
	uint32_t len = deflated(RAW_LEN, ZLIB, NULL);

	for (uint32_t missing = 1; missing <= 4; missing++)
		assert_int_equal(read_with(len - missing), DMFS_ERR_INFLATE);
}

/* Section 6: it is not computed, the hash covers it. */
static void adler_value_is_not_computed(void **state)
{
	uint32_t len = deflated(RAW_LEN, ZLIB, NULL);

	stored[len - 1] ^= 1;
	assert_int_equal(read_with(len), DMFS_OK);
}

static void cut_stream_is_refused(void **state)
{
	uint32_t len = deflated(RAW_LEN, ZLIB, NULL);

	for (uint32_t cut = 1; cut < len; cut += 7)
		assert_int_equal(read_with(cut), DMFS_ERR_INFLATE);
}

/* Section 6: windows are 32 KiB at most; 64 KiB is what CINFO 8 would say. */
static void window_past_the_maximum_is_refused(void **state)
{
	uint32_t len = deflated(RAW_LEN, ZLIB, NULL);

	stored[0] = 0x88;
	stored[1] = (uint8_t)(31 - (0x8800 % 31));
	assert_int_equal(read_with(len), DMFS_ERR_INFLATE);
}

static void distance_before_the_chunk_is_refused(void **state)
{
	/*
	 * Fixed code: literal 'a', then a match of length 3 at distance 4, which is before the
	 * beginning.
	 */
	static const uint8_t far[] = {0x78, 0x9c, 0x4b, 0x04, 0x62, 0x00, 0, 0, 0, 0};

	memcpy(stored, far, sizeof(far));
	assert_int_equal(read_with(sizeof(far)), DMFS_ERR_INFLATE);
}

static void workspace_is_enough_for_every_stream(void **state)
{
	/*
	 * Stored, fixed and dynamic blocks, through a reader whose workspace the sanitizer guards.
	 */
	static const int levels[] = {0, 1, 9};

	for (size_t i = 0; i < 3; i++) {
		uLongf len = sizeof(stored);

		assert_int_equal(compress2(stored, &len, raw, RAW_LEN, levels[i]), Z_OK);
		assert_int_equal(read_with((uint32_t)len), DMFS_OK);
	}
}

/* Section 6's limits, on the last chunk, so that the others still follow each other. */
static void stored_lengths_outside_their_limits_are_refused(void **state)
{
	static const uint32_t lens[] = {0, 2 * FORGE_CHUNK_LEN + 65};

	for (size_t i = 0; i < 2; i++) {
		struct forge f = forge_image();

		forge_store(&f, forge_get32(&f, HEADER_CHUNKS) - 1, stored, lens[i]);
		forge_sign(&f, 0, 1);
		assert_int_equal(forge_read(&f), DMFS_ERR_CHUNK);
		forge_free(&f);
	}
}

static void chunks_in_another_order_are_refused(void **state)
{
	struct forge f = forge_image();
	uint64_t a = forge_chunk(&f, 0), b = forge_chunk(&f, 1);

	for (unsigned i = 0; i < DMFS_HASH_LEN; i++) {
		uint8_t swap = f.bytes[a + CHUNK_HASH + i];

		f.bytes[a + CHUNK_HASH + i] = f.bytes[b + CHUNK_HASH + i];
		f.bytes[b + CHUNK_HASH + i] = swap;
	}
	forge_sign(&f, 0, 1);
	assert_int_equal(forge_read(&f), DMFS_ERR_HASH);
	forge_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zlib_stream_of_any_encoder_is_accepted),
		cmocka_unit_test(small_window_is_accepted),
		cmocka_unit_test(surplus_of_a_byte_is_refused),
		cmocka_unit_test(surplus_of_a_window_is_refused),
		cmocka_unit_test(shortage_of_a_byte_is_refused),
		cmocka_unit_test(empty_stream_is_refused),
		cmocka_unit_test(gzip_stream_is_refused),
		cmocka_unit_test(stream_without_header_is_refused),
		cmocka_unit_test(preset_dictionary_is_refused),
		cmocka_unit_test(byte_after_the_stream_is_refused),
		cmocka_unit_test(second_stream_after_the_first_is_refused),
		cmocka_unit_test(missing_adler_bytes_are_refused),
		cmocka_unit_test(adler_value_is_not_computed),
		cmocka_unit_test(cut_stream_is_refused),
		cmocka_unit_test(window_past_the_maximum_is_refused),
		cmocka_unit_test(distance_before_the_chunk_is_refused),
		cmocka_unit_test(workspace_is_enough_for_every_stream),
		cmocka_unit_test(stored_lengths_outside_their_limits_are_refused),
		cmocka_unit_test(chunks_in_another_order_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
