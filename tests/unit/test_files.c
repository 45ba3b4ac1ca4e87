/* SPDX-License-Identifier: MIT */
/* A capsule reads its own files, a chunk at most at a time, and nobody else's. */
#include <stdlib.h>

#include "several.h"

#include "dmfs_write.h"
#include "files.h"

#define CHUNK	4096u
#define LARGE	(2 * CHUNK + 100)
#define NAME	(RAM + 0x1000)
#define BUFFER	(RAM + 0x2000)
#define LAST	(RAM + capsules[0].memory.size)

static char *written;
static size_t written_len;
static struct dmfs_image image;

/* Of the two that capsule 1 has the first is named as if it were capsule 0's; the last object is a file of nobody's. */
static void write_image(void)
{
	static const char bytes[LARGE] = "bytes";
	static const struct dmfs_write_object objects[] = {
		{"k", DMFS_OBJECT_PROGRAM, bytes, 10, 10, false},
		{"d", DMFS_OBJECT_DEVICETREE, bytes, 10, 10, false},
		{"fake.file.large", DMFS_OBJECT_FILE, bytes, LARGE, LARGE, false},
		{"fake.file.x.file.y", DMFS_OBJECT_FILE, bytes, 10, 10, false},
		{"1.file.its", DMFS_OBJECT_FILE, bytes, 10, 10, false},
		{"fake.file.none", DMFS_OBJECT_FILE, bytes, 10, 10, false},
	};
	static const struct dmfs_write_property properties[] = {
		{1, "file", "fake.file.large"}, {2, "file", "fake.file.x.file.y"}, {2, "file", "1.file.its"}, {1, "x-file", "fake.file.none"},
	};
	struct dmfs_capsule config[2];
	struct dmfs_write_plan plan = {
		.name = "files", .version = "1", .chunk_len = CHUNK, .objects = objects, .object_count = 6,
		.capsules = config, .capsule_count = 2, .properties = properties, .property_count = 4,
	};
	FILE *out = tmpfile();

	for (unsigned i = 0; i < 2; i++)
		config[i] = (struct dmfs_capsule){
			.name = {i == 0 ? "fake" : "1", i == 0 ? 4 : 1}, .kind = DMFS_SERVICE, .cpus = 1, .kernel = 0, .initrd = DMFS_NONE,
			.devicetree = 1, .memory = DMFS_MEMORY_UNIT, .entry = DMFS_GUEST_RAM_BASE,
			.kernel_load = DMFS_GUEST_RAM_BASE, .devicetree_load = DMFS_GUEST_RAM_BASE + 0x10000,
			.restart_limit = 10, .priority = DMFS_PRIORITY_NORMAL,
		};
	assert_int_equal(dmfs_write(out, &plan, NULL, 0), DMFS_OK);
	fseek(out, 0, SEEK_END);
	written_len = (size_t)ftell(out);
	written = malloc(written_len);
	rewind(out);
	assert_int_equal(fread(written, 1, written_len, out), written_len);
	fclose(out);
	assert_int_equal(dmfs_open_unverified(&image, written, written_len, true), DMFS_OK);
}

static int setup_files(void **state)
{
	static uint8_t rooms[SEVERAL][CHUNK];

	write_image();
	/* The board that is not there has no pages to allocate. */
	if (setup_several(state) != 0 || files_init(&image))
		return -1;
	for (unsigned i = 0; i < SEVERAL; i++) {
		harts[i]->file_bytes = rooms[i];
		harts[i]->file_chunk = DMFS_NONE;
	}
	return 0;
}

static int teardown_files(void **state)
{
	int status = teardown_several(state);

	free(written);
	return status;
}

static int64_t find(const char *name)
{
	strcpy(memory_of(capsule->index) + 0x1000, name);
	return ABI(FILE_FIND, NAME, strlen(name));
}

static void names_are_those_of_ones_own_files(void **state)
{
	assert_int_equal(find("large"), SBI_SUCCESS);
	assert_int_equal(value(), 2);
	assert_int_equal(ABI(FILE_SIZE, 2), SBI_SUCCESS);
	assert_int_equal(value(), LARGE);
	/* Another's, by any name; one that is nobody's; what is no name at all. */
	assert_int_equal(find("x.file.y"), SBI_ERR_FAILED);
	assert_int_equal(find("none"), SBI_ERR_FAILED);
	assert_int_equal(find("its"), SBI_ERR_FAILED);
	assert_int_equal(find("larg"), SBI_ERR_FAILED);
	assert_int_equal(find(""), SBI_ERR_FAILED);
	assert_int_equal(ABI(FILE_FIND, NAME, DMFS_MAX_FILE_NAME_LEN + 1), SBI_ERR_FAILED);
	assert_int_equal(ABI(FILE_FIND, NAME, UINT64_MAX), SBI_ERR_FAILED);
	memcpy(memory() + 0x1000, "large", 6);
	assert_int_equal(ABI(FILE_FIND, NAME, 6), SBI_ERR_FAILED); /* the zero is a part of it */
	assert_int_equal(ABI(FILE_FIND, RAM - 8, 5), SBI_ERR_INVALID_ADDRESS);
	for (uint64_t file = 0; file < 8; file++)
		assert_int_equal(ABI(FILE_SIZE, file), file == 2 ? SBI_SUCCESS : SBI_ERR_INVALID_PARAM);
	assert_int_equal(ABI(FILE_SIZE, UINT64_C(1) << 32 | 2), SBI_ERR_INVALID_PARAM);
	assert_int_equal(ABI(FILE_READ, 4, 0, BUFFER, 10), SBI_ERR_INVALID_PARAM);
	assert_int_equal(fake.unpacked, 0);
	as(1);
	assert_int_equal(find("its"), SBI_SUCCESS);
	assert_int_equal(find("large"), SBI_ERR_FAILED);
	assert_int_equal(ABI(FILE_SIZE, 3), SBI_SUCCESS);
	as(2);
	assert_int_equal(ABI(FILE_SIZE, 2), SBI_ERR_INVALID_PARAM);
}

static void expect_read(uint64_t offset, uint64_t room, uint64_t len, unsigned unpacked)
{
	assert_int_equal(ABI(FILE_READ, 2, offset, BUFFER, room), SBI_SUCCESS);
	assert_int_equal(value(), len);
	assert_int_equal(fake.unpacked, unpacked);
}

static void a_call_ends_where_a_chunk_or_the_file_does(void **state)
{
	uint32_t first = dmfs_object(&image, 2).first_chunk, chunk;

	expect_read(0, UINT64_MAX, CHUNK, 1);
	memcpy(&chunk, memory() + 0x2000, sizeof(chunk));
	assert_int_equal(chunk, first);
	expect_read(100, 200, 200, 1); /* the same chunk is there still */
	expect_read(CHUNK - 1, 10, 1, 1);
	expect_read(CHUNK, 0, 0, 1);
	expect_read(CHUNK, 10, 10, 2);
	memcpy(&chunk, memory() + 0x2000, sizeof(chunk));
	assert_int_equal(chunk, first + 1);
	expect_read(LARGE - 1, 10, 1, 3);
	expect_read(LARGE, 10, 0, 3);
	expect_read(UINT64_MAX, UINT64_MAX, 0, 3);
}

static void buffers_have_to_be_ones_own(void **state)
{
	uint64_t end = LAST;

	assert_int_equal(ABI(FILE_READ, 2, 0, RAM - 1, 10), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(ABI(FILE_READ, 2, 0, end - 9, 10), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(ABI(FILE_READ, 2, 0, UINT64_MAX - 5, 10), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(ABI(FILE_READ, 2, 0, UINT64_MAX, UINT64_MAX), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(fake.unpacked, 0);
	/* What is not written need not be. */
	memory()[capsules[0].memory.size - 101] = 'x';
	assert_int_equal(ABI(FILE_READ, 2, 2 * CHUNK, end - 100, 1000), SBI_SUCCESS);
	assert_int_equal(value(), 100);
	assert_int_equal(memory()[capsules[0].memory.size - 101], 'x');
}

static void a_damaged_chunk_is_an_error_and_never_taken_for_one_that_is_good(void **state)
{
	fake.unpack_fails = true;
	assert_int_equal(ABI(FILE_READ, 2, 0, BUFFER, 10), SBI_ERR_FAILED);
	assert_int_equal(ABI(FILE_READ, 2, 0, BUFFER, 10), SBI_ERR_FAILED);
	assert_int_equal(fake.unpacked, 2);
	fake.unpack_fails = false;
	expect_read(0, 10, 10, 3);
	fake.unpack_fails = true;
	assert_int_equal(ABI(FILE_READ, 2, CHUNK, BUFFER, 10), SBI_ERR_FAILED);
	fake.unpack_fails = false;
	expect_read(0, 10, 10, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_are_those_of_ones_own_files, setup_files, teardown_files),
		cmocka_unit_test_setup_teardown(a_call_ends_where_a_chunk_or_the_file_does, setup_files, teardown_files),
		cmocka_unit_test_setup_teardown(buffers_have_to_be_ones_own, setup_files, teardown_files),
		cmocka_unit_test_setup_teardown(
			a_damaged_chunk_is_an_error_and_never_taken_for_one_that_is_good, setup_files, teardown_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
