/* SPDX-License-Identifier: MIT */
/* What a manifest's reader makes of good texts, and that it survives hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "mkdmfs/manifest.h"
#include "mkdmfs/yamltree.h"

struct reading {
	struct manifest manifest;
	struct report report;
	struct arena arena;
};

/* Reads a text of exactly `len` bytes; files are not looked for. */
static unsigned read_bytes(struct reading *r, const char *text, size_t len)
{
	memset(r, 0, sizeof(*r));
	r->report.source = (struct diag_source){"test.yaml", text, len};
	r->report.silent = true;
	manifest_read(&r->manifest, &r->report, &r->arena, NULL);
	return r->report.errors;
}

static unsigned errors_of(const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	struct reading r;
	unsigned errors;

	assert_non_null(copy);
	memcpy(copy, text, len);
	errors = read_bytes(&r, copy, len);
	arena_free(&r.arena);
	free(copy);
	return errors;
}

static const char full[] =
	"dmfs: 1\n"
	"image: {name: demo, version: \"1.0\", rollback: 0x10, boards: [virt, \"acme,board\"]}\n"
	"banners: [a.txt, b.txt]\n"
	"guests:\n"
	"  - name: linux\n"
	"    kernel: Image\n"
	"    initrd: initrd.gz\n"
	"    disks: [root.img, data.img]\n"
	"    cmdline: \"console=ttyS0\"\n"
	"    memory: 256M\n"
	"    cpus: 2\n"
	"    priority: high\n"
	"    affinity: [1, 63]\n"
	"    cpu_limit: 50%\n"
	"    restart_limit: 0\n"
	"    restart: on-crash\n"
	"    permissions: [console_write, memory_grant]\n"
	"    devicetree: {overlay: x.dtbo}\n"
	"  - {name: raw, initrd: [a.gz, b.gz, c.gz], kernel: {file: r.bin, load: 0x80000000, relocatable: false}, memory: "
	"2097152}\n"
	"services:\n"
	"  - {name: console, program: console.elf, files: {motd: motd.txt, font: a/b.psf}}\n";

static void every_key_arrives_in_its_field(void **state)
{
	const struct manifest_capsule *linux_guest, *raw;
	struct reading r;

	assert_int_equal(read_bytes(&r, full, strlen(full)), 0);
	assert_string_equal(r.manifest.image.name.text, "demo");
	assert_string_equal(r.manifest.image.version.text, "1.0");
	assert_int_equal(r.manifest.image.rollback.value, 16);
	assert_int_equal(r.manifest.image.boards.count, 2);
	assert_string_equal(r.manifest.image.boards.items[1].text, "acme,board");
	assert_int_equal(r.manifest.banners.count, 2);
	assert_string_equal(r.manifest.banners.items[1].text, "b.txt");
	assert_int_equal(r.manifest.guest_count, 2);
	linux_guest = &r.manifest.guests[0];
	assert_string_equal(linux_guest->kernel.file.text, "Image");
	assert_false(linux_guest->kernel.load.given);
	assert_int_equal(linux_guest->initrd.count, 1);
	assert_string_equal(linux_guest->initrd.items[0].text, "initrd.gz");
	assert_int_equal(linux_guest->disks.count, 2);
	assert_string_equal(linux_guest->disks.items[1].text, "data.img");
	assert_string_equal(linux_guest->cmdline.text, "console=ttyS0");
	assert_int_equal(linux_guest->memory.value, UINT64_C(256) << 20);
	assert_int_equal(linux_guest->memory.place.line, 10);
	assert_int_equal(linux_guest->memory.place.column, 13);
	assert_int_equal(linux_guest->cpus.value, 2);
	assert_int_equal(linux_guest->priority.value, DMFS_PRIORITY_HIGH);
	assert_int_equal(linux_guest->affinity.value, UINT64_C(1) << 63 | 2);
	assert_int_equal(linux_guest->cpu_limit.value, 50);
	assert_int_equal(linux_guest->restart_limit.value, 0);
	assert_int_equal(linux_guest->restart.value, DMFS_RESTART_ON_CRASH);
	assert_int_equal(linux_guest->permissions.value,
			 1u << DMFS_PERM_CONSOLE_WRITE | 1u << DMFS_PERM_MEMORY_GRANT);
	assert_string_equal(linux_guest->overlay.text, "x.dtbo");
	raw = &r.manifest.guests[1];
	assert_int_equal(raw->initrd.count, 3);
	assert_string_equal(raw->initrd.items[2].text, "c.gz");
	assert_true(raw->kernel.load.given);
	assert_int_equal(raw->kernel.load.value, 0x80000000);
	assert_true(raw->kernel.relocatable.given);
	assert_int_equal(raw->memory.value, 2097152);
	assert_int_equal(r.manifest.service_count, 1);
	assert_int_equal(r.manifest.services[0].files.count, 2);
	assert_string_equal(r.manifest.services[0].files.items[1].name.text, "font");
	assert_string_equal(r.manifest.services[0].files.items[1].file.text, "a/b.psf");
	arena_free(&r.arena);
}

static void defaults_are_filled_in(void **state)
{
	const struct manifest_capsule *service;
	struct reading r;

	assert_int_equal(read_bytes(&r, full, strlen(full)), 0);
	service = &r.manifest.services[0];
	assert_int_equal(service->kind, DMFS_SERVICE);
	assert_int_equal(service->memory.value, UINT64_C(8) << 20);
	assert_int_equal(service->cpus.value, 1);
	assert_int_equal(service->priority.value, DMFS_PRIORITY_NORMAL);
	assert_int_equal(service->restart.value, DMFS_RESTART_NEVER);
	assert_int_equal(service->affinity.value, 0);
	assert_int_equal(service->cpu_limit.value, 0);
	assert_int_equal(service->restart_limit.value, 10);
	assert_string_equal(service->cmdline.text, "");
	arena_free(&r.arena);
}

static void all_errors_of_one_run_are_counted(void **state)
{
	static const char text[] =
		"dmfs: 3\nimage: {nam: x}\nguests:\n  - {name: A, memory: 3M, cpus: 99}\n";

	/* version; unknown key (not its being missing as well); name, memory, cpus, no kernel */
	assert_int_equal(errors_of(text, strlen(text)), 6);
}

static void a_flood_of_errors_ends(void **state)
{
	struct reading r;
	char *text = malloc(YAML_MAX_LEN);
	size_t len = 0;

	assert_non_null(text);
	while (len + 16 < YAML_MAX_LEN)
		len += (size_t)sprintf(text + len, "k%zu: 1\n", len);
	assert_true(read_bytes(&r, text, len) > REPORT_LIMIT);
	assert_true(r.report.errors < REPORT_LIMIT + 10);
	arena_free(&r.arena);
	free(text);
}

static void deep_nesting_ends(void **state)
{
	const size_t len = YAML_MAX_LEN;
	char *text = malloc(len);

	assert_non_null(text);
	memset(text, '[', len);
	assert_int_equal(errors_of(text, len), 1);
	for (size_t i = 0; i + 1 < len; i += 2) {
		text[i] = '-';
		text[i + 1] = ' ';
	}
	assert_int_equal(errors_of(text, len), 1);
	free(text);
}

static void aliases_never_multiply(void **state)
{
	static const char cyclic[] = "guests: &a [*a]\n";
	static const char laughs[] = "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n";

	assert_true(errors_of(cyclic, strlen(cyclic)) > 0);
	assert_true(errors_of(laughs, strlen(laughs)) > 0);
}

static void binary_and_empty_files_are_no_manifests(void **state)
{
	char *large = calloc(1, YAML_MAX_LEN + 1);

	assert_non_null(large);
	memset(large, 'x', YAML_MAX_LEN + 1);
	assert_int_equal(errors_of("", 0), 1);
	assert_int_equal(errors_of("\n\n# nothing\n", 12), 1);
	assert_int_equal(errors_of("\177ELF\2\1\1\0\0\0", 10), 1);
	assert_int_equal(errors_of("dmfs\xff: 1\n", 9), 1);
	assert_int_equal(errors_of("\xff\xfe"
				   "d\0m\0",
				   6),
			 1);
	assert_int_equal(errors_of(large, YAML_MAX_LEN + 1), 1);
	free(large);
}

static void a_manifest_cut_short_anywhere_is_survived(void **state)
{
	for (size_t len = 0; len < strlen(full); len++)
		errors_of(full, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_arrives_in_its_field),
		cmocka_unit_test(defaults_are_filled_in),
		cmocka_unit_test(all_errors_of_one_run_are_counted),
		cmocka_unit_test(a_flood_of_errors_ends),
		cmocka_unit_test(deep_nesting_ends),
		cmocka_unit_test(aliases_never_multiply),
		cmocka_unit_test(binary_and_empty_files_are_no_manifests),
		cmocka_unit_test(a_manifest_cut_short_anywhere_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
