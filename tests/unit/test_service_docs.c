/* SPDX-License-Identifier: MIT */
/* docs/service-abi.md's table of calls and the header's are the same: numbers, names and permissions. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "service_abi.h"

#define PAGE_FILE "docs/service-abi.md"

struct row {
	const char *name, *permission; /* in capitals, as the header has it */
};

static const struct row calls[DIOSIX_CALL_COUNT] = {
#define ROW(number, NAME, name, PERMISSION) [number] = {#name, #PERMISSION},
	DIOSIX_CALLS(ROW)
#undef ROW
};

/* As the page writes a permission: in code, `service_`*role* for ROLE, and "anybody" alone. */
static void written(const char *permission, char *out, size_t len)
{
	size_t at = 0;

	if (strcmp(permission, "ROLE") == 0) {
		snprintf(out, len, "`service_`*role*");
	} else if (strcmp(permission, "ANYBODY") == 0) {
		snprintf(out, len, "anybody");
	} else {
		out[at++] = '`';
		for (; *permission != '\0' && at + 2 < len; permission++)
			out[at++] = *permission == '_' ? '_' : (char)(*permission + 'a' - 'A');
		out[at++] = '`';
		out[at] = '\0';
	}
}

static void the_page_lists_the_headers_calls(void **state)
{
	char line[1024], name[64], permission[64], want[64];
	FILE *page = fopen(PAGE_FILE, "r");
	unsigned number, rows = 0;

	assert_non_null(page);
	while (fgets(line, sizeof(line), page) != NULL) {
		/* | number | `name(arguments)` | permission | ... */
		if (sscanf(line, "| %u | `%63[a-z_](%*[^|]| %63[^ |]", &number, name, permission) != 3)
			continue;
		assert_int_equal(number, rows);
		assert_true(number < DIOSIX_CALL_COUNT);
		assert_string_equal(name, calls[number].name);
		written(calls[number].permission, want, sizeof(want));
		assert_string_equal(permission, want);
		rows++;
	}
	fclose(page);
	assert_int_equal(rows, DIOSIX_CALL_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_lists_the_headers_calls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
