/* SPDX-License-Identifier: MIT */
/* What is recognised as a kernel, and what is refused with which sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "mkdmfs/kernel.h"

#define FILE_LEN 4096u

/* A file of exactly `len` bytes on the heap, so that the sanitizer sees every byte read beyond. */
static uint8_t *exact(const void *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, data, len);
	return copy;
}

static void assert_refused(const void *data, size_t len, const char *part)
{
	uint8_t *copy = exact(data, len);
	char why[KERNEL_WHY_LEN] = "";
	struct kernel kernel;

	assert_false(kernel_read(&kernel, copy, len, why));
	if (!strstr(why, part))
		fail_msg("'%s' does not say '%s'", why, part);
	assert_null(kernel.owned);
	free(copy);
}

struct elf {
	Elf64_Ehdr head;
	Elf64_Phdr segments[2];
	uint8_t bytes[FILE_LEN - sizeof(Elf64_Ehdr) - 2 * sizeof(Elf64_Phdr)];
};
_Static_assert(sizeof(struct elf) == FILE_LEN, "no padding");

/* Text at 0x80200000 of 16 bytes; data 0x100 above it, 8 bytes and 24 of zeros after. */
static struct elf good_elf(void)
{
	struct elf elf = {0};

	memcpy(elf.head.e_ident, ELFMAG, SELFMAG);
	elf.head.e_ident[EI_CLASS] = ELFCLASS64;
	elf.head.e_ident[EI_DATA] = ELFDATA2LSB;
	elf.head.e_type = ET_EXEC;
	elf.head.e_machine = EM_RISCV;
	elf.head.e_phoff = offsetof(struct elf, segments);
	elf.head.e_phentsize = sizeof(Elf64_Phdr);
	elf.head.e_phnum = 2;
	elf.head.e_entry = 0xffffffff80200004;
	elf.segments[0] = (Elf64_Phdr){.p_type = PT_LOAD,
				       .p_offset = 1024,
				       .p_filesz = 16,
				       .p_memsz = 16,
				       .p_vaddr = 0xffffffff80200000,
				       .p_paddr = 0x80200000};
	elf.segments[1] = (Elf64_Phdr){.p_type = PT_LOAD,
				       .p_offset = 2048,
				       .p_filesz = 8,
				       .p_memsz = 32,
				       .p_vaddr = 0xffffffff80200100,
				       .p_paddr = 0x80200100};
	memset((uint8_t *)&elf + 1024, 0xaa, 16);
	memset((uint8_t *)&elf + 2048, 0xbb, 8);
	return elf;
}

static void elf_is_flattened_by_physical_address(void **state)
{
	struct elf elf = good_elf();
	char why[KERNEL_WHY_LEN];
	struct kernel kernel;

	assert_true(kernel_read(&kernel, (uint8_t *)&elf, sizeof(elf), why));
	assert_int_equal(kernel.len, 0x108);
	assert_int_equal(kernel.mem_len, 0x120);
	assert_int_equal(kernel.load, 0x80200000);
	assert_int_equal(kernel.entry_offset, 4);
	assert_true(kernel.placed);
	assert_false(kernel.relocatable);
	assert_int_equal(kernel.data[15], 0xaa);
	assert_int_equal(kernel.data[16], 0);
	assert_int_equal(kernel.data[0xff], 0);
	assert_int_equal(kernel.data[0x100], 0xbb);
	kernel_free(&kernel);
}

static void elf_segments_in_any_order(void **state)
{
	struct elf elf = good_elf();
	Elf64_Phdr first = elf.segments[0];
	char why[KERNEL_WHY_LEN];
	struct kernel kernel;

	elf.segments[0] = elf.segments[1];
	elf.segments[1] = first;
	assert_true(kernel_read(&kernel, (uint8_t *)&elf, sizeof(elf), why));
	assert_int_equal(kernel.load, 0x80200000);
	assert_int_equal(kernel.data[0], 0xaa);
	kernel_free(&kernel);
}

static void position_independent_elf_is_relocatable_and_keeps_its_offset(void **state)
{
	struct elf elf = good_elf();
	char why[KERNEL_WHY_LEN];
	struct kernel kernel;

	elf.head.e_type = ET_DYN;
	elf.head.e_entry = 0x1100;
	elf.segments[0].p_vaddr = elf.segments[0].p_paddr = 0x1000;
	elf.segments[1].p_vaddr = elf.segments[1].p_paddr = 0x1100;
	assert_true(kernel_read(&kernel, (uint8_t *)&elf, sizeof(elf), why));
	assert_true(kernel.relocatable);
	assert_false(kernel.placed);
	assert_int_equal(kernel.load, 0x201000);
	assert_int_equal(kernel.entry_offset, 0x100);
	kernel_free(&kernel);
}

static void entry_may_be_physical(void **state)
{
	struct elf elf = good_elf();
	char why[KERNEL_WHY_LEN];
	struct kernel kernel;

	elf.head.e_entry = 0x80200100;
	assert_true(kernel_read(&kernel, (uint8_t *)&elf, sizeof(elf), why));
	assert_int_equal(kernel.entry_offset, 0x100);
	kernel_free(&kernel);
}

static void bad_elfs_are_refused_with_a_reason(void **state)
{
	struct elf elf = good_elf();

#define REFUSED(change, part)                            \
	do {                                             \
		elf = good_elf();                        \
		change;                                  \
		assert_refused(&elf, sizeof(elf), part); \
	} while (0)
	REFUSED(elf.head.e_ident[EI_CLASS] = ELFCLASS32, "32-bit");
	REFUSED(elf.head.e_ident[EI_DATA] = ELFDATA2MSB, "another architecture");
	REFUSED(elf.head.e_machine = EM_X86_64, "another architecture (machine 62)");
	REFUSED(elf.head.e_type = ET_REL, "has to be linked");
	REFUSED(elf.head.e_phoff = UINT64_MAX - 8, "outside the file");
	REFUSED(elf.head.e_phnum = 0xffff, "outside the file");
	REFUSED(elf.head.e_phentsize = 32, "outside the file");
	REFUSED(elf.head.e_phnum = 0, "nothing to load");
	REFUSED(elf.head.e_entry = 0x1234, "entry 0x1234");
	REFUSED(elf.segments[0].p_type = PT_INTERP, "dynamic loader");
	REFUSED(elf.segments[1].p_offset = FILE_LEN - 7, "segment 1 lies outside the file");
	REFUSED(elf.segments[1].p_offset = UINT64_MAX, "segment 1 lies outside the file");
	REFUSED(elf.segments[1].p_filesz = UINT64_MAX, "segment 1 lies outside the file");
	REFUSED(elf.segments[1].p_memsz = 7, "segment 1 lies outside the file");
	REFUSED(elf.segments[1].p_memsz = UINT64_MAX - 16, "runs past the last address");
	REFUSED(elf.segments[1].p_paddr = 0x80200008, "segments 0 and 1 overlap");
	REFUSED(elf.segments[1].p_paddr = 0x180200000, "spread over");
#undef REFUSED
}

static void elf_cut_short_anywhere_is_refused(void **state)
{
	struct elf elf = good_elf();

	for (size_t len = 4; len < 2056; len++) {
		uint8_t *copy = exact(&elf, len);
		char why[KERNEL_WHY_LEN];
		struct kernel kernel;

		assert_false(kernel_read(&kernel, copy, len, why));
		free(copy);
	}
}

/* A Linux Image header (Documentation/arch/riscv/boot-image-header.rst). */
static void make_image(uint8_t image[256], uint64_t text_offset, uint64_t size)
{
	memset(image, 0, 256);
	memcpy(image + 8, &text_offset, 8);
	memcpy(image + 16, &size, 8);
	memcpy(image + 48, "RISCV\0\0\0", 8);
	memcpy(image + 56, "RSC\x05", 4);
}

static void linux_image_is_relocatable_and_takes_what_it_says(void **state)
{
	uint8_t image[256];
	char why[KERNEL_WHY_LEN];
	struct kernel kernel;

	make_image(image, 0x200000, 0x1700000);
	assert_true(kernel_read(&kernel, image, sizeof(image), why));
	assert_ptr_equal(kernel.data, image);
	assert_int_equal(kernel.len, 256);
	assert_int_equal(kernel.mem_len, 0x1700000);
	assert_true(kernel.relocatable);
	assert_int_equal(kernel.load, 0x200000);
	make_image(image, 0x400000, 0);
	assert_true(kernel_read(&kernel, image, sizeof(image), why));
	assert_int_equal(kernel.mem_len, 256);
	assert_int_equal(kernel.load, 0x400000);
}

static void damaged_linux_images_are_refused(void **state)
{
	uint8_t image[256];
	uint16_t machine = 0x5032;
	uint32_t pe = 64;

	make_image(image, 0x200000, UINT64_MAX);
	assert_refused(image, sizeof(image), "damaged");
	make_image(image, UINT64_MAX, 4096);
	assert_refused(image, sizeof(image), "damaged");
	make_image(image, 0x200000, 4096);
	image[24] = 1;
	assert_refused(image, sizeof(image), "big-endian");
	make_image(image, 0x200000, 4096);
	memcpy(image, "MZ", 2);
	memcpy(image + 60, &pe, 4);
	memcpy(image + 64 + 4, &machine, 2);
	assert_refused(image, sizeof(image), "32-bit");
}

static size_t gzip(const void *data, size_t len, uint8_t *out, size_t room)
{
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)data,
			   .avail_in = (uInt)len,
			   .next_out = out,
			   .avail_out = (uInt)room};

	assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(deflateEnd(&stream), Z_OK);
	return stream.total_out;
}

static void compressed_image_is_stored_unpacked(void **state)
{
	uint8_t image[256], packed[512];
	char why[KERNEL_WHY_LEN];
	struct kernel kernel;
	size_t len;

	make_image(image, 0x200000, 0x10000);
	len = gzip(image, sizeof(image), packed, sizeof(packed));
	assert_true(kernel_read(&kernel, packed, len, why));
	assert_int_equal(kernel.len, sizeof(image));
	assert_memory_equal(kernel.data, image, sizeof(image));
	kernel_free(&kernel);
	assert_refused(packed, len - 9, "cut short");
	packed[len - 5] ^= 1;
	assert_refused(packed, len, "damaged");
}

static void compressed_elf_is_read_as_well(void **state)
{
	struct elf elf = good_elf();
	uint8_t packed[FILE_LEN];
	char why[KERNEL_WHY_LEN];
	struct kernel kernel;

	assert_true(
		kernel_read(&kernel, packed, gzip(&elf, sizeof(elf), packed, sizeof(packed)), why));
	assert_int_equal(kernel.len, 0x108);
	kernel_free(&kernel);
}

static void efi_program_with_a_gzip_kernel_inside(void **state)
{
	uint8_t image[256], program[1024] = "MZ\0\0zimg";
	char why[KERNEL_WHY_LEN];
	struct kernel kernel;
	uint32_t offset = 256, size;

	make_image(image, 0x200000, 0x10000);
	size = (uint32_t)gzip(image, sizeof(image), program + offset, sizeof(program) - offset);
	memcpy(program + 8, &offset, 4);
	memcpy(program + 12, &size, 4);
	memcpy(program + 24, "gzip", 5);
	assert_true(kernel_read(&kernel, program, sizeof(program), why));
	assert_memory_equal(kernel.data, image, sizeof(image));
	kernel_free(&kernel);
	memcpy(program + 24, "zstd", 5);
	assert_refused(program, sizeof(program), "other means than gzip");
	memcpy(program + 24, "gzip", 5);
	size = 1024;
	memcpy(program + 12, &size, 4);
	assert_refused(program, sizeof(program), "cut short");
}

static void gzip_inside_gzip_is_no_kernel(void **state)
{
	uint8_t image[256], once[512], twice[512];
	size_t len;

	make_image(image, 0x200000, 0x10000);
	len = gzip(image, sizeof(image), once, sizeof(once));
	len = gzip(once, len, twice, sizeof(twice));
	assert_refused(twice, len, "neither an ELF nor a Linux Image");
}

static void other_formats_are_named(void **state)
{
	uint8_t arm64[64] = {[0x38] = 'A', 'R', 'M', 0x64};

	assert_refused("\xfd"
		       "7zXZ\0",
		       6, "xz");
	assert_refused("\x28\xb5\x2f\xfd....", 8, "zstd");
	assert_refused("\x27\x05\x19\x56", 4, "uImage");
	assert_refused("#!/bin/sh\n", 10, "script");
	assert_refused("MZ", 2, "EFI program");
	assert_refused(arm64, sizeof(arm64), "arm64");
	assert_refused("", 0, "neither an ELF");
	assert_refused("\x7f"
		       "EL",
		       3, "neither an ELF");
}

static void raw_bytes_go_where_they_are_told(void **state)
{
	const uint8_t code[] = {0x73, 0x00, 0x00, 0x00};
	struct elf elf = good_elf();
	char why[KERNEL_WHY_LEN];
	struct kernel kernel;

	assert_true(kernel_raw(&kernel, code, sizeof(code), 0x80000000, why));
	assert_int_equal(kernel.load, 0x80000000);
	assert_int_equal(kernel.mem_len, 4);
	assert_false(kernel.relocatable);
	assert_false(kernel_raw(&kernel, (uint8_t *)&elf, sizeof(elf), 0x80000000, why));
	assert_non_null(strstr(why, "leave out 'load'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elf_is_flattened_by_physical_address),
		cmocka_unit_test(elf_segments_in_any_order),
		cmocka_unit_test(position_independent_elf_is_relocatable_and_keeps_its_offset),
		cmocka_unit_test(entry_may_be_physical),
		cmocka_unit_test(bad_elfs_are_refused_with_a_reason),
		cmocka_unit_test(elf_cut_short_anywhere_is_refused),
		cmocka_unit_test(linux_image_is_relocatable_and_takes_what_it_says),
		cmocka_unit_test(damaged_linux_images_are_refused),
		cmocka_unit_test(compressed_image_is_stored_unpacked),
		cmocka_unit_test(compressed_elf_is_read_as_well),
		cmocka_unit_test(efi_program_with_a_gzip_kernel_inside),
		cmocka_unit_test(gzip_inside_gzip_is_no_kernel),
		cmocka_unit_test(other_formats_are_named),
		cmocka_unit_test(raw_bytes_go_where_they_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
