/* SPDX-License-Identifier: MIT */
/* The writer: the same plan gives the same bytes, and a bad one no image. */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "forge.h"

#define LARGE_LEN (1000u * 1000u + 17u)

/* Bytes that repeat somewhat, over many chunks. */
static const uint8_t *large(void)
{
	static uint8_t bytes[LARGE_LEN];
	uint32_t state = 1;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(state >> (24 + i / 4096 % 6));
	}
	return bytes;
}

static void assert_same_bytes(const struct forge *a, const struct forge *b)
{
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->bytes, b->bytes, a->len);
}

static enum dmfs_status refusal(const struct dmfs_write_plan *plan)
{
	FILE *out = tmpfile();
	enum dmfs_status status = dmfs_write(out, plan, NULL, 0);

	fclose(out);
	return status;
}

static void number_of_threads_leaves_no_trace(void **state)
{
	static const unsigned threads[] = {2, 4, 7, 0};
	static const int levels[] = {1, 6, 12};
	struct forge_plan plan;

	forge_plan(&plan);
	plan.objects[FORGE_FILE].data = large();
	plan.objects[FORGE_FILE].raw_len = plan.objects[FORGE_FILE].mem_len = LARGE_LEN;
	for (size_t l = 0; l < 3; l++) {
		struct forge one, other;

		plan.plan.level = levels[l];
		plan.plan.threads = 1;
		one = forge_write(&plan.plan, 1);
		assert_int_equal(forge_read(&one), DMFS_OK);
		for (size_t t = 0; t < 4; t++) {
			plan.plan.threads = threads[t];
			other = forge_write(&plan.plan, 1);
			assert_same_bytes(&one, &other);
			forge_free(&other);
		}
		forge_free(&one);
	}
}

static void surroundings_leave_no_trace(void **state)
{
	struct forge here = forge_image(), there;
	char *home = getcwd(NULL, 0);

	assert_int_equal(chdir("/"), 0);
	setenv("TZ", "Asia/Tokyo", 1);
	setenv("SOURCE_DATE_EPOCH", "12345", 1);
	setlocale(LC_ALL, "");
	sleep(1);
	there = forge_image();
	assert_same_bytes(&here, &there);
	assert_int_equal(chdir(home), 0);
	free(home);
	forge_free(&here);
	forge_free(&there);
}

static void time_is_what_the_plan_says(void **state)
{
	struct forge_plan plan;
	struct dmfs_image image;
	struct forge f;

	forge_plan(&plan);
	plan.plan.created = 1700000000;
	f = forge_write(&plan.plan, 1);
	assert_int_equal(dmfs_open_unverified(&image, f.bytes, f.len, true), DMFS_OK);
	assert_int_equal(image.created, 1700000000);
	forge_free(&f);
}

static void chunks_are_of_the_default_length_when_the_plan_names_none(void **state)
{
	struct forge_plan plan;
	struct dmfs_image image;
	struct forge f;

	forge_plan(&plan);
	plan.plan.chunk_len = 0;
	f = forge_write(&plan.plan, 1);
	assert_int_equal(dmfs_open_unverified(&image, f.bytes, f.len, true), DMFS_OK);
	assert_int_equal(image.chunk_len, DMFS_DEFAULT_CHUNK_LEN);
	assert_int_equal(forge_read(&f), DMFS_OK);
	forge_free(&f);
}

/* --- objects that are read ------------------------------------------------------------------- */

static bool read_large(void *context, uint32_t object, uint64_t offset, void *to, size_t len)
{
	const int *fails = context;

	assert_int_equal(object, FORGE_FILE);
	assert_true(len > 0 && offset + len <= LARGE_LEN);
	memcpy(to, large() + offset, len);
	errno = *fails;
	return *fails == 0;
}

static void object_that_is_read_gives_the_bytes_of_one_in_memory(void **state)
{
	struct forge memory, read;
	struct forge_plan plan;
	int fails = 0;

	forge_plan(&plan);
	plan.objects[FORGE_FILE].data = large();
	plan.objects[FORGE_FILE].raw_len = plan.objects[FORGE_FILE].mem_len = LARGE_LEN;
	plan.plan.threads = 4;
	memory = forge_write(&plan.plan, 1);
	plan.objects[FORGE_FILE].data = NULL;
	plan.plan.read = read_large;
	plan.plan.read_context = &fails;
	read = forge_write(&plan.plan, 1);
	assert_same_bytes(&memory, &read);
	forge_free(&memory);
	forge_free(&read);
}

static void failure_to_read_is_passed_on(void **state)
{
	struct forge_plan plan;
	int fails = ESTALE;

	forge_plan(&plan);
	plan.objects[FORGE_FILE].data = NULL;
	plan.objects[FORGE_FILE].raw_len = plan.objects[FORGE_FILE].mem_len = LARGE_LEN;
	plan.plan.read = read_large;
	plan.plan.read_context = &fails;
	for (unsigned threads = 1; threads <= 4; threads += 3) {
		plan.plan.threads = threads;
		errno = 0;
		assert_int_equal(refusal(&plan.plan), DMFS_ERR_SPACE);
		assert_int_equal(errno, ESTALE);
	}
}

/* --- the cache ------------------------------------------------------------------------------- */

/* One entry, which load() gives for whatever it is asked; one thread writes to it. */
struct single_cache {
	uint8_t entry[4 * FORGE_CHUNK_LEN];
	size_t len;
	unsigned loads, stores, hits;
};

static size_t load_single(void *context, const uint8_t key[DMFS_HASH_LEN], void *entry, size_t room)
{
	struct single_cache *cache = context;

	cache->loads++;
	if (cache->len > room)
		return cache->len;
	memcpy(entry, cache->entry, cache->len);
	return cache->len;
}

static void store_single(void *context, const uint8_t key[DMFS_HASH_LEN], const void *entry, size_t len)
{
	struct single_cache *cache = context;

	cache->stores++;
	assert_true(len <= sizeof(cache->entry));
	memcpy(cache->entry, entry, len);
	cache->len = len;
}

static void count_hit(void *context, bool hit)
{
	((struct single_cache *)context)->hits += hit;
}

static void entry_of_other_bytes_is_not_used(void **state)
{
	static struct single_cache single;
	const struct dmfs_write_cache cache = {load_single, store_single, count_hit, &single};
	struct forge without, with;
	struct forge_plan plan;

	forge_plan(&plan);
	plan.objects[FORGE_FILE].data = large();
	plan.objects[FORGE_FILE].raw_len = plan.objects[FORGE_FILE].mem_len = LARGE_LEN;
	plan.plan.threads = 1;
	without = forge_write(&plan.plan, 1);
	plan.plan.cache = &cache;
	with = forge_write(&plan.plan, 1);
	assert_same_bytes(&without, &with);
	assert_true(single.loads > 10 && single.stores == single.loads && single.hits == 0);
	forge_free(&with);
	/* What it says of its length is not believed either. */
	single.len = SIZE_MAX;
	with = forge_write(&plan.plan, 1);
	assert_same_bytes(&without, &with);
	forge_free(&with);
	forge_free(&without);
}

static void image_without_keys_is_unsigned(void **state)
{
	struct forge_plan plan;
	struct forge f;

	forge_plan(&plan);
	f = forge_write(&plan.plan, 0);
	assert_int_equal(forge_read(&f), DMFS_ERR_UNSIGNED);
	forge_free(&f);
}

static enum dmfs_status write_with(const uint8_t (*keys)[DMFS_SECRET_KEY_LEN], uint32_t count)
{
	struct forge_plan plan;
	FILE *out = tmpfile();
	enum dmfs_status status;

	forge_plan(&plan);
	status = dmfs_write(out, &plan.plan, keys, count);
	fclose(out);
	return status;
}

static void bad_sets_of_keys_are_refused(void **state)
{
	uint8_t keys[17][DMFS_SECRET_KEY_LEN];
	const uint8_t(*const_keys)[DMFS_SECRET_KEY_LEN] =
		(const uint8_t(*)[DMFS_SECRET_KEY_LEN])keys;

	for (unsigned i = 0; i < 17; i++)
		memcpy(keys[i], forge_key(i), DMFS_SECRET_KEY_LEN);
	assert_int_equal(write_with(const_keys, 16), DMFS_OK);
	assert_int_equal(write_with(const_keys, 17), DMFS_ERR_TOO_MANY_SIGNATURES);
	memcpy(keys[5], keys[2], DMFS_SECRET_KEY_LEN);
	assert_int_equal(write_with(const_keys, 6), DMFS_ERR_KEY_TWICE);
	/* A seed and a public key that do not belong together sign nothing. */
	memcpy(keys[0] + 32, forge_public_key(9), DMFS_PUBLIC_KEY_LEN);
	assert_int_equal(write_with(const_keys, 1), DMFS_ERR_SIGNATURE);
}

static void plans_beyond_the_limits_are_refused(void **state)
{
	static struct dmfs_write_object objects[DMFS_MAX_OBJECTS + 1];
	struct dmfs_write_plan plan = {.name = "large", .objects = objects};

	plan.object_count = DMFS_MAX_OBJECTS + 1;
	assert_int_equal(refusal(&plan), DMFS_ERR_LIMIT);
	plan.object_count = UINT32_MAX;
	assert_int_equal(refusal(&plan), DMFS_ERR_LIMIT);
	/* Sizes are judged before any byte at `data` is touched. */
	plan.object_count = 1;
	objects[0] =
		(struct dmfs_write_object){"huge", DMFS_OBJECT_FILE, "", UINT64_MAX, UINT64_MAX, false};
	assert_int_equal(refusal(&plan), DMFS_ERR_LIMIT);
	objects[0].raw_len = objects[0].mem_len = DMFS_MAX_RAW_LEN;
	assert_int_equal(refusal(&plan), DMFS_ERR_LIMIT);
	objects[0].raw_len = objects[0].mem_len = 0;
	assert_int_equal(refusal(&plan), DMFS_ERR_LIMIT);
	plan.object_count = 0;
	plan.chunk_len = 2 * DMFS_MAX_CHUNK_LEN;
	assert_int_equal(refusal(&plan), DMFS_ERR_LIMIT);
	plan.chunk_len = 3 * DMFS_MIN_CHUNK_LEN;
	assert_int_equal(refusal(&plan), DMFS_ERR_LIMIT);
}

static void strings_beyond_their_table_are_refused(void **state)
{
	static struct dmfs_write_property properties[400];
	static char values[400][DMFS_MAX_VALUE_LEN + 1];
	struct dmfs_write_plan plan = {
		.name = "strings", .properties = properties, .property_count = 400};

	for (size_t i = 0; i < 400; i++) {
		memset(values[i], 'a' + (int)(i % 26), DMFS_MAX_VALUE_LEN);
		values[i][0] = (char)('a' + i / 26);
		properties[i] = (struct dmfs_write_property){0, "x-long", values[i]};
	}
	assert_int_equal(refusal(&plan), DMFS_ERR_LIMIT);
	plan.property_count = 200;
	assert_int_equal(refusal(&plan), DMFS_OK);
}

static void plans_that_no_reader_takes_are_refused(void **state)
{
	struct forge_plan plan;

	forge_plan(&plan);
	plan.plan.name = "Upper";
	assert_int_equal(refusal(&plan.plan), DMFS_ERR_STRING);
	forge_plan(&plan);
	plan.plan.name = NULL;
	assert_int_equal(refusal(&plan.plan), DMFS_ERR_STRING);
	forge_plan(&plan);
	plan.objects[FORGE_FILE].name = "kernel";
	assert_int_equal(refusal(&plan.plan), DMFS_ERR_NAME_TWICE);
	forge_plan(&plan);
	plan.objects[FORGE_FILE].mem_len = 1;
	assert_int_equal(refusal(&plan.plan), DMFS_ERR_OBJECT);
	forge_plan(&plan);
	plan.capsules[FORGE_GUEST].kernel = FORGE_OBJECTS;
	assert_int_equal(refusal(&plan.plan), DMFS_ERR_CAPSULE);
	forge_plan(&plan);
	plan.properties[FORGE_NOTE].key = "unknown";
	assert_int_equal(refusal(&plan.plan), DMFS_ERR_PROPERTY);
}

static void bytes_that_do_not_compress_are_stored(void **state)
{
	static uint8_t noise[3 * FORGE_CHUNK_LEN];
	struct forge_plan plan;
	uint64_t state64 = 88172645463325252;
	struct forge f;

	for (size_t i = 0; i < sizeof(noise); i++) {
		state64 ^= state64 << 13;
		state64 ^= state64 >> 7;
		state64 ^= state64 << 17;
		noise[i] = (uint8_t)state64;
	}
	forge_plan(&plan);
	plan.objects[FORGE_FILE].data = noise;
	plan.objects[FORGE_FILE].raw_len = plan.objects[FORGE_FILE].mem_len = sizeof(noise);
	f = forge_write(&plan.plan, 1);
	assert_true(forge_get64(&f, HEADER_PAYLOAD_LEN) > sizeof(noise));
	assert_int_equal(forge_read(&f), DMFS_OK);
	forge_free(&f);
}

static void full_disk_is_reported(void **state)
{
	struct forge_plan plan;
	FILE *out = fopen("/dev/full", "w");

	forge_plan(&plan);
	plan.objects[FORGE_FILE].data = large();
	plan.objects[FORGE_FILE].raw_len = plan.objects[FORGE_FILE].mem_len = LARGE_LEN;
	plan.plan.threads = 4;
	assert_non_null(out);
	errno = 0;
	assert_int_equal(dmfs_write(out, &plan.plan, NULL, 0), DMFS_ERR_SPACE);
	assert_int_equal(errno, ENOSPC);
	fclose(out);
}

static void pipe_is_reported(void **state)
{
	struct forge_plan plan;
	int ends[2];
	FILE *out;

	forge_plan(&plan);
	assert_int_equal(pipe(ends), 0);
	out = fdopen(ends[1], "w");
	errno = 0;
	assert_int_equal(dmfs_write(out, &plan.plan, NULL, 0), DMFS_ERR_SPACE);
	assert_int_equal(errno, ESPIPE);
	fclose(out);
	close(ends[0]);
}

struct seen {
	uint64_t done, total;
	unsigned calls;
};

static void note_progress(void *context, uint64_t done, uint64_t total)
{
	struct seen *seen = context;

	assert_true(done > seen->done);
	seen->done = done;
	seen->total = total;
	seen->calls++;
}

static void progress_rises_to_the_total(void **state)
{
	struct forge_plan plan;
	struct seen seen = {0};
	struct forge f;

	forge_plan(&plan);
	plan.plan.threads = 3;
	plan.plan.progress = note_progress;
	plan.plan.progress_context = &seen;
	f = forge_write(&plan.plan, 0);
	assert_int_equal(seen.calls, forge_get32(&f, HEADER_CHUNKS));
	assert_int_equal(seen.done, seen.total);
	forge_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(number_of_threads_leaves_no_trace),
		cmocka_unit_test(surroundings_leave_no_trace),
		cmocka_unit_test(time_is_what_the_plan_says),
		cmocka_unit_test(chunks_are_of_the_default_length_when_the_plan_names_none),
		cmocka_unit_test(object_that_is_read_gives_the_bytes_of_one_in_memory),
		cmocka_unit_test(failure_to_read_is_passed_on),
		cmocka_unit_test(entry_of_other_bytes_is_not_used),
		cmocka_unit_test(image_without_keys_is_unsigned),
		cmocka_unit_test(bad_sets_of_keys_are_refused),
		cmocka_unit_test(plans_beyond_the_limits_are_refused),
		cmocka_unit_test(strings_beyond_their_table_are_refused),
		cmocka_unit_test(plans_that_no_reader_takes_are_refused),
		cmocka_unit_test(bytes_that_do_not_compress_are_stored),
		cmocka_unit_test(full_disk_is_reported),
		cmocka_unit_test(pipe_is_reported),
		cmocka_unit_test(progress_rises_to_the_total),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
