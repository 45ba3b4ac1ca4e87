/* SPDX-License-Identifier: MIT */
/* Names, values and the words for numbers (docs/dmfs-format.md, sections 2 to 7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "forge.h"

/* Points the string field at `text`, signs, and gives what a reader says. */
static enum dmfs_status read_with(uint64_t (*record)(const struct forge *, uint32_t),
				  uint32_t index, uint64_t field, const char *text, uint32_t len)
{
	struct forge f = forge_image();
	uint32_t offset = forge_string(&f, text, len);
	uint64_t at = (record ? record(&f, index) : 0) + field;
	enum dmfs_status status;

	forge_set32(&f, at, offset);
	forge_set32(&f, at + 4, len);
	forge_sign(&f, 0, 1);
	status = forge_read(&f);
	forge_free(&f);
	return status;
}

static enum dmfs_status object_named(const char *text)
{
	return read_with(forge_object, FORGE_FILE, OBJECT_NAME, text, (uint32_t)strlen(text));
}

static void names_of_the_alphabet_are_accepted(void **state)
{
	static const char *const names[] = {"a", "0", "a.b", "a-", "z_9..", "other"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(object_named(names[i]), DMFS_OK);
}

static void names_outside_the_alphabet_are_refused(void **state)
{
	static const char *const names[] = {
		".",        "..",    ".a",   "-a",   "_a",  "A",   "aB",
		"a/b",      "/etc",  "../a", "a\\b", "a b", "a\n", "a\x7f",
		"\xc3\xa9", "a\xff", "a:b",  "a*",   "a@1", " a",  "a~",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(object_named(names[i]), DMFS_ERR_STRING);
}

static void nul_in_a_name_is_refused(void **state)
{
	assert_int_equal(read_with(forge_object, FORGE_FILE, OBJECT_NAME, "kernel\0x", 8),
			 DMFS_ERR_STRING);
	assert_int_equal(read_with(forge_object, FORGE_FILE, OBJECT_NAME, "kernel\0", 7),
			 DMFS_ERR_STRING);
}

static void names_too_long_are_refused(void **state)
{
	char text[65];

	memset(text, 'a', sizeof(text));
	assert_int_equal(read_with(forge_object, FORGE_FILE, OBJECT_NAME, text, 63), DMFS_OK);
	assert_int_equal(read_with(forge_object, FORGE_FILE, OBJECT_NAME, text, 64),
			 DMFS_ERR_STRING);
	assert_int_equal(read_with(forge_capsule, 0, CAPSULE_NAME, text, 31), DMFS_OK);
	assert_int_equal(read_with(forge_capsule, 0, CAPSULE_NAME, text, 32), DMFS_ERR_STRING);
	assert_int_equal(read_with(NULL, 0, HEADER_NAME, text, 63), DMFS_OK);
	assert_int_equal(read_with(NULL, 0, HEADER_NAME, text, 64), DMFS_ERR_STRING);
	assert_int_equal(read_with(NULL, 0, HEADER_VERSION, text, 63), DMFS_OK);
	assert_int_equal(read_with(NULL, 0, HEADER_VERSION, text, 64), DMFS_ERR_STRING);
}

static void same_name_twice_is_refused(void **state)
{
	assert_int_equal(object_named("kernel"), DMFS_ERR_NAME_TWICE);
	assert_int_equal(read_with(forge_capsule, FORGE_SERVICE, CAPSULE_NAME, "guest", 5),
			 DMFS_ERR_NAME_TWICE);
}

/* CVE-2021-27138: a name is another name unless all of its bytes are the same. */
static void names_that_begin_alike_are_different(void **state)
{
	static const char *const names[] = {"kerne", "kernel1", "kernel.", "kernel-1"};
	struct forge f = forge_image();
	struct dmfs_image image;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(object_named(names[i]), DMFS_OK);
	assert_int_equal(dmfs_open_unverified(&image, f.bytes, f.len, true), DMFS_OK);
	assert_int_equal(dmfs_find_object(&image, (struct dmfs_str){"kernel", 6}), FORGE_KERNEL);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct dmfs_str name = {names[i], (uint32_t)strlen(names[i])};

		assert_int_equal(dmfs_find_object(&image, name), DMFS_NONE);
	}
	assert_int_equal(dmfs_find_object(&image, (struct dmfs_str){"", 0}), DMFS_NONE);
	forge_free(&f);
}

static void unprintable_values_are_refused(void **state)
{
	assert_int_equal(read_with(forge_property, FORGE_NOTE, PROPERTY_VALUE, " ~", 2), DMFS_OK);
	assert_int_equal(read_with(forge_property, FORGE_NOTE, PROPERTY_VALUE, "\033[2J", 4),
			 DMFS_ERR_STRING);
	assert_int_equal(read_with(forge_property, FORGE_NOTE, PROPERTY_VALUE, "a\x80", 2),
			 DMFS_ERR_STRING);
	assert_int_equal(read_with(forge_property, FORGE_NOTE, PROPERTY_VALUE, "\x7f", 1),
			 DMFS_ERR_STRING);
	assert_int_equal(read_with(NULL, 0, HEADER_VERSION, "1\t2", 3), DMFS_ERR_STRING);
}

static void unknown_properties_are_refused(void **state)
{
	static const char *const keys[] = {"boards", "boar", "x-", "x", "y-note", "rollback"};

	assert_int_equal(read_with(forge_property, FORGE_NOTE, PROPERTY_KEY, "x-1", 3), DMFS_OK);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(read_with(forge_property, FORGE_NOTE, PROPERTY_KEY, keys[i],
					   (uint32_t)strlen(keys[i])),
				 DMFS_ERR_PROPERTY);
}

/* What a reader says to a property of the plan. */
static enum dmfs_status property_is(uint32_t owner, const char *key, const char *value)
{
	struct forge_plan plan;
	FILE *out = tmpfile();
	enum dmfs_status status;

	forge_plan(&plan);
	plan.objects[FORGE_BANNER].type = DMFS_OBJECT_DISK;
	plan.properties[FORGE_NOTE] = (struct dmfs_write_property){owner, key, value};
	status = dmfs_write(out, &plan.plan, NULL, 0);
	fclose(out);
	return status;
}

static void disks_and_files_of_a_capsule_have_to_be_such_objects(void **state)
{
	assert_int_equal(property_is(1, "disk", "banner"), DMFS_OK);
	assert_int_equal(property_is(2, "file", "file"), DMFS_OK);
	assert_int_equal(property_is(1, "disk", "file"), DMFS_ERR_PROPERTY);
	assert_int_equal(property_is(1, "file", "banner"), DMFS_ERR_PROPERTY);
	assert_int_equal(property_is(1, "disk", "kernel"), DMFS_ERR_PROPERTY);
	assert_int_equal(property_is(1, "disk", "bann"), DMFS_ERR_PROPERTY);
	assert_int_equal(property_is(1, "file", ""), DMFS_ERR_PROPERTY);
	assert_int_equal(property_is(0, "disk", "banner"), DMFS_ERR_PROPERTY);
	assert_int_equal(property_is(0, "file", "file"), DMFS_ERR_PROPERTY);
}

static void cmdline_takes_any_byte_but_nul(void **state)
{
	assert_int_equal(read_with(forge_capsule, 0, CAPSULE_CMDLINE, "a\t\xc3\xa9", 4), DMFS_OK);
	assert_int_equal(read_with(forge_capsule, 0, CAPSULE_CMDLINE, "a\0b", 3), DMFS_ERR_STRING);
}

static void cmdline_and_value_too_long_are_refused(void **state)
{
	static char text[4096];

	memset(text, 'a', sizeof(text));
	assert_int_equal(read_with(forge_capsule, 0, CAPSULE_CMDLINE, text, 4095), DMFS_OK);
	assert_int_equal(read_with(forge_capsule, 0, CAPSULE_CMDLINE, text, 4096), DMFS_ERR_STRING);
	assert_int_equal(read_with(forge_property, FORGE_NOTE, PROPERTY_VALUE, text, 4095),
			 DMFS_OK);
	assert_int_equal(read_with(forge_property, FORGE_NOTE, PROPERTY_VALUE, text, 4096),
			 DMFS_ERR_STRING);
}

/* Without padding, so that the byte after the table is one that a cmdline could have. */
static void string_past_the_end_of_the_table_is_refused(void **state)
{
	struct forge f = forge_image();
	uint64_t at = forge_capsule(&f, FORGE_GUEST) + CAPSULE_CMDLINE;
	uint32_t len;

	forge_string(&f, "paddingg", 8 - forge_get32(&f, HEADER_STRINGS_LEN) % 8);
	len = forge_get32(&f, HEADER_STRINGS_LEN);
	forge_set32(&f, at, len - 1);
	forge_set32(&f, at + 4, 1);
	forge_sign(&f, 0, 1);
	assert_int_equal(forge_read(&f), DMFS_OK);
	forge_set32(&f, at + 4, 2);
	forge_sign(&f, 0, 1);
	assert_int_equal(forge_read(&f), DMFS_ERR_STRING);
	forge_free(&f);
}

static void strings_padding_has_to_be_zero(void **state)
{
	struct forge f = forge_image();
	uint64_t end;

	/* A length that leaves seven bytes of padding. */
	forge_string(&f, "paddingg", 8 - forge_get32(&f, HEADER_STRINGS_LEN) % 8 + 1);
	forge_sign(&f, 0, 1);
	assert_int_equal(forge_read(&f), DMFS_OK);
	end = forge_signatures(&f);
	for (unsigned i = 1; i <= 7; i++) {
		f.bytes[end - i] = 1;
		forge_sign(&f, 0, 1);
		assert_int_equal(forge_read(&f), DMFS_ERR_RESERVED);
		f.bytes[end - i] = 0;
	}
	forge_free(&f);
}

static void str_is_compares_all_bytes(void **state)
{
	struct dmfs_str s = {"board\0x", 5};

	assert_true(dmfs_str_is(s, "board"));
	assert_false(dmfs_str_is(s, "boar"));
	assert_false(dmfs_str_is(s, "boards"));
	assert_false(dmfs_str_is(s, ""));
	s.len = 7;
	assert_false(dmfs_str_is(s, "board"));
	s.len = 0;
	assert_true(dmfs_str_is(s, ""));
}

static void every_status_has_a_sentence_of_its_own(void **state)
{
	for (int i = 0; i < DMFS_STATUS_COUNT; i++) {
		const char *sentence = dmfs_strerror((enum dmfs_status)i);

		assert_non_null(sentence);
		assert_int_not_equal(sentence[strlen(sentence) - 1], '.');
		for (int j = 0; j < i; j++)
			assert_string_not_equal(sentence, dmfs_strerror((enum dmfs_status)j));
	}
	assert_non_null(dmfs_strerror(DMFS_STATUS_COUNT));
	assert_non_null(dmfs_strerror((enum dmfs_status) - 1));
}

static void numbers_have_the_words_of_the_manifest(void **state)
{
	assert_string_equal(dmfs_permission_name(DMFS_PERM_SERVICE_CONSOLE), "service_console");
	assert_string_equal(dmfs_permission_name(15), "memory_grant");
	for (unsigned i = 0; i < DMFS_PERM_COUNT; i++)
		assert_non_null(dmfs_permission_name(i));
	assert_null(dmfs_permission_name(DMFS_PERM_COUNT));
	assert_null(dmfs_object_type_name(0));
	assert_string_equal(dmfs_object_type_name(DMFS_OBJECT_KERNEL), "kernel");
	assert_string_equal(dmfs_object_type_name(DMFS_OBJECT_FILE), "file");
	assert_null(dmfs_object_type_name(8));
	assert_string_equal(dmfs_priority_name(2), "high");
	assert_null(dmfs_priority_name(3));
	assert_string_equal(dmfs_restart_name(1), "on-crash");
	assert_null(dmfs_restart_name(3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_the_alphabet_are_accepted),
		cmocka_unit_test(names_outside_the_alphabet_are_refused),
		cmocka_unit_test(nul_in_a_name_is_refused),
		cmocka_unit_test(names_too_long_are_refused),
		cmocka_unit_test(same_name_twice_is_refused),
		cmocka_unit_test(names_that_begin_alike_are_different),
		cmocka_unit_test(unprintable_values_are_refused),
		cmocka_unit_test(unknown_properties_are_refused),
		cmocka_unit_test(disks_and_files_of_a_capsule_have_to_be_such_objects),
		cmocka_unit_test(cmdline_takes_any_byte_but_nul),
		cmocka_unit_test(cmdline_and_value_too_long_are_refused),
		cmocka_unit_test(string_past_the_end_of_the_table_is_refused),
		cmocka_unit_test(strings_padding_has_to_be_zero),
		cmocka_unit_test(str_is_compares_all_bytes),
		cmocka_unit_test(every_status_has_a_sentence_of_its_own),
		cmocka_unit_test(numbers_have_the_words_of_the_manifest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
