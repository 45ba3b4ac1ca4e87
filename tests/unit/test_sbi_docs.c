/* SPDX-License-Identifier: MIT */
/* docs/sbi.md says of each function whether it is there: neither more nor less than the extensions' tables. */
#include <stdio.h>
#include <stdlib.h>

#include "sbi_guest.h"

#define PAGE_FILE "docs/sbi.md"

struct row {
	uint64_t id;
	unsigned function;
	bool answers; /* but with NOT_SUPPORTED */
};

static struct row rows[200];
static size_t row_count;
static uint64_t absent[32];
static size_t absent_count;

/* | Extension | EID | FID | Function | Status | and | Extension | EID | Functions | Why not | */
static void read_line(const char *line, bool missing)
{
	unsigned long id;
	unsigned function;
	char name[32], call[64], status[16];

	if (missing) {
		if (sscanf(line, "| %31s | %lx |", name, &id) == 2)
			absent[absent_count++] = id;
	} else if (sscanf(line, "| %31s | %lx | %u | %63s | %15[a-z]", name, &id, &function, call, status) == 5) {
		assert_memory_equal(call, "sbi_", 4);
		assert_true(strcmp(status, "done") == 0 || strcmp(status, "answers") == 0);
		rows[row_count++] = (struct row){id, function, strcmp(status, "answers") == 0};
	}
	assert_true(row_count < COUNT(rows) && absent_count < COUNT(absent));
}

static void read_page(void)
{
	char line[1024];
	bool missing = false;
	FILE *page = fopen(PAGE_FILE, "r");

	assert_non_null(page);
	row_count = absent_count = 0;
	while (fgets(line, sizeof(line), page) != NULL) {
		if (strncmp(line, "## ", 3) == 0)
			missing = strstr(line, "not there") != NULL;
		else if (strncmp(line, "| ", 2) == 0 && strstr(line, "| 0x") != NULL)
			read_line(line, missing);
	}
	fclose(page);
}

static bool has_row(uint64_t id, unsigned function)
{
	for (size_t i = 0; i < row_count; i++)
		if (rows[i].id == id && rows[i].function == function)
			return true;
	return false;
}

static void every_function_that_is_there_has_a_row(void **state)
{
	read_page();
	for (uint32_t i = 0; i < sbi_extension_count; i++)
		for (unsigned n = 0; n < sbi_extensions[i]->count; n++)
			if (sbi_extensions[i] != &sbi_service && sbi_extensions[i]->functions[n] != NULL && !has_row(sbi_extensions[i]->id, n))
				fail_msg("extension %x, function %u: not in " PAGE_FILE, sbi_extensions[i]->id, n);
	for (uint32_t i = 0; i < sbi_legacy_count; i++)
		if (!has_row(sbi_legacy[i].id, 0))
			fail_msg("legacy extension %x: not in " PAGE_FILE, sbi_legacy[i].id);
}

static void every_row_is_of_a_function_that_is_there(void **state)
{
	read_page();
	assert_in_range(row_count, 40, 100);
	for (size_t i = 0; i < row_count; i++) {
		const struct sbi_extension *extension = sbi_find(rows[i].id);

		if (extension == NULL || rows[i].function >= extension->count ||
		    extension->functions[rows[i].function] == NULL)
			fail_msg("extension %lx, function %u: is not there", (long)rows[i].id, rows[i].function);
		if (rows[i].answers)
			assert_int_equal(call(rows[i].id, rows[i].function, 1, 0, 0x1000, 0x1000), SBI_ERR_NOT_SUPPORTED);
	}
}

static void what_is_said_to_be_missing_is(void **state)
{
	read_page();
	assert_in_range(absent_count, 1, 20);
	for (size_t i = 0; i < absent_count; i++)
		assert_null(sbi_find(absent[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_function_that_is_there_has_a_row, setup, teardown),
		cmocka_unit_test_setup_teardown(every_row_is_of_a_function_that_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_said_to_be_missing_is, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
