/* SPDX-License-Identifier: MIT */
#include "kernel.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/size.h"

/* The System V ABI, "Object Files", and the RISC-V ELF psABI. */
#define EM_RISCV  243u
#define ET_EXEC   2u
#define ET_DYN    3u
#define PT_LOAD   1u
#define PT_INTERP 3u
#define EHDR_LEN  64u
#define PHDR_LEN  56u

/* Linux, Documentation/arch/riscv/boot-image-header.rst. */
#define IMAGE_HEADER_LEN   64u
#define IMAGE_TEXT_OFFSET  8u
#define IMAGE_SIZE         16u
#define IMAGE_FLAGS        24u
#define IMAGE_MAGIC2       0x38u
#define IMAGE_PE_OFFSET    60u
#define IMAGE_BIG_ENDIAN   1u
#define PE_MACHINE_RISCV32 0x5032u

/* Where a kernel without an address of its own goes, from the start of RAM. */
#define DEFAULT_OFFSET (UINT64_C(2) << 20)

struct input {
	const uint8_t *data;
	size_t len;
	char *why;
};

static bool refuse(const struct input *in, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool refuse(const struct input *in, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(in->why, KERNEL_WHY_LEN, format, args);
	va_end(args);
	return false;
}

/* A little-endian number of `width` bytes; 0 beyond the end, which no caller takes for good. */
static uint64_t get(const struct input *in, uint64_t offset, unsigned width)
{
	uint64_t value = 0;

	if (offset > in->len || in->len - offset < width)
		return 0;
	for (unsigned i = 0; i < width; i++)
		value |= (uint64_t)in->data[offset + i] << 8 * i;
	return value;
}

static bool has(const struct input *in, size_t offset, const char *bytes, size_t len)
{
	return in->len >= offset + len && memcmp(in->data + offset, bytes, len) == 0;
}

/* --- Linux Image ----------------------------------------------------------------------------- */

static bool is_image(const struct input *in)
{
	return in->len >= IMAGE_HEADER_LEN && has(in, IMAGE_MAGIC2, "RSC\x05", 4);
}

static bool read_image(struct kernel *kernel, const struct input *in)
{
	uint64_t text_offset = get(in, IMAGE_TEXT_OFFSET, 8);
	uint64_t size = get(in, IMAGE_SIZE, 8);
	uint64_t pe = get(in, IMAGE_PE_OFFSET, 4);

	if (get(in, IMAGE_FLAGS, 8) & IMAGE_BIG_ENDIAN)
		return refuse(in,
			      "is a big-endian Linux Image; only little-endian kernels run here");
	if (has(in, 0, "MZ", 2) && get(in, pe + 4, 2) == PE_MACHINE_RISCV32)
		return refuse(in, "is a Linux Image for 32-bit RISC-V; this is for 64-bit kernels");
	if (size > KERNEL_MAX_LEN || text_offset > KERNEL_MAX_LEN)
		return refuse(in,
			      "is a Linux Image whose header claims %" PRIu64
			      " bytes at offset %" PRIu64 ": it is damaged",
			      size, text_offset);
	kernel->data = in->data;
	kernel->len = in->len;
	kernel->mem_len = size > in->len ? size : in->len;
	kernel->relocatable = true;
	kernel->placed = false;
	kernel->load = text_offset > DEFAULT_OFFSET ? text_offset : DEFAULT_OFFSET;
	kernel->entry_offset = 0;
	return true;
}

/* --- ELF ------------------------------------------------------------------------------------- */

struct segment {
	uint64_t offset, vaddr, paddr, filesz, memsz;
};

static uint32_t segment_type(const struct input *in, unsigned index)
{
	return (uint32_t)get(in, get(in, 32, 8) + (uint64_t)index * PHDR_LEN, 4);
}

static struct segment segment_at(const struct input *in, unsigned index)
{
	uint64_t at = get(in, 32, 8) + (uint64_t)index * PHDR_LEN;

	return (struct segment){get(in, at + 8, 8), get(in, at + 16, 8), get(in, at + 24, 8),
				get(in, at + 32, 8), get(in, at + 40, 8)};
}

static bool check_header(const struct input *in)
{
	uint64_t machine = get(in, 18, 2), type = get(in, 16, 2), phoff = get(in, 32, 8);

	if (in->len < EHDR_LEN)
		return refuse(in, "is an ELF that ends within its header");
	if (in->data[5] == 2 || machine != EM_RISCV)
		return refuse(in,
			      "is an ELF for another architecture (machine %" PRIu64
			      "); guests are RISC-V (machine 243)",
			      machine);
	if (in->data[4] != 2)
		return refuse(in, "is a 32-bit ELF; this is for 64-bit RISC-V (build it with "
				  "-march=rv64...)");
	if (type != ET_EXEC && type != ET_DYN)
		return refuse(in,
			      "is an ELF of type %" PRIu64 "; it has to be linked to an executable",
			      type);
	if (get(in, 54, 2) != PHDR_LEN || phoff > in->len ||
	    (in->len - phoff) / PHDR_LEN < get(in, 56, 2))
		return refuse(
			in, "is an ELF whose program headers lie outside the file: it is damaged");
	return true;
}

static bool check_segment(const struct input *in, unsigned index, const struct segment *s)
{
	uint64_t end;

	if (s->filesz > s->memsz || s->offset > in->len || s->filesz > in->len - s->offset)
		return refuse(in, "is an ELF whose segment %u lies outside the file: it is damaged",
			      index);
	if (__builtin_add_overflow(s->paddr, s->memsz, &end) ||
	    __builtin_add_overflow(s->vaddr, s->memsz, &end))
		return refuse(in, "is an ELF whose segment %u runs past the last address", index);
	return true;
}

struct extent {
	uint64_t start, file_end, mem_end;
};

/* Checks all segments and finds from where to where they go. */
static bool measure(const struct input *in, struct extent *extent)
{
	unsigned count = (unsigned)get(in, 56, 2);
	char span[24];

	*extent = (struct extent){UINT64_MAX, 0, 0};
	for (unsigned i = 0; i < count; i++) {
		struct segment s = segment_at(in, i);

		if (segment_type(in, i) == PT_INTERP)
			return refuse(in, "needs a dynamic loader; link it with -static");
		if (segment_type(in, i) != PT_LOAD || s.memsz == 0)
			continue;
		if (!check_segment(in, i, &s))
			return false;
		if (s.paddr < extent->start)
			extent->start = s.paddr;
		if (s.filesz && s.paddr + s.filesz > extent->file_end)
			extent->file_end = s.paddr + s.filesz;
		if (s.paddr + s.memsz > extent->mem_end)
			extent->mem_end = s.paddr + s.memsz;
	}
	if (extent->file_end == 0)
		return refuse(in, "is an ELF with nothing to load");
	if (extent->mem_end - extent->start > KERNEL_MAX_LEN)
		return refuse(in,
			      "is an ELF whose segments are spread over %s of physical addresses; "
			      "check the load addresses (LMA) in its linker script",
			      size_text(span, extent->mem_end - extent->start));
	return true;
}

static bool overlap(const struct segment *a, const struct segment *b)
{
	return a->paddr < b->paddr + b->memsz && b->paddr < a->paddr + a->memsz;
}

/* Copies the segments to where they go, in `to` of zeros. */
static bool flatten(const struct input *in, const struct extent *extent, uint8_t *to)
{
	unsigned count = (unsigned)get(in, 56, 2);

	for (unsigned i = 0; i < count; i++) {
		struct segment s = segment_at(in, i);

		if (segment_type(in, i) != PT_LOAD || s.memsz == 0)
			continue;
		for (unsigned j = 0; j < i; j++) {
			struct segment other = segment_at(in, j);

			if (segment_type(in, j) == PT_LOAD && other.memsz && overlap(&s, &other))
				return refuse(
					in, "is an ELF whose segments %u and %u overlap in memory",
					j, i);
		}
		if (s.filesz)
			memcpy(to + (s.paddr - extent->start), in->data + s.offset, s.filesz);
	}
	return true;
}

/* The entry is a virtual address: translated by the segment that it is in. */
static bool find_entry(const struct input *in, const struct extent *extent, uint64_t *offset)
{
	unsigned count = (unsigned)get(in, 56, 2);
	uint64_t entry = get(in, 24, 8);

	for (unsigned i = 0; i < count; i++) {
		struct segment s = segment_at(in, i);

		if (segment_type(in, i) == PT_LOAD && entry >= s.vaddr &&
		    entry - s.vaddr < s.memsz) {
			*offset = s.paddr - extent->start + (entry - s.vaddr);
			return true;
		}
	}
	/* Some linker scripts give the physical one. */
	*offset = entry - extent->start;
	if (entry >= extent->start && entry < extent->mem_end)
		return true;
	return refuse(in, "is an ELF whose entry 0x%" PRIx64 " is in none of its segments", entry);
}

static bool read_elf(struct kernel *kernel, const struct input *in)
{
	struct extent extent;
	struct input image = *in;

	if (!check_header(in) || !measure(in, &extent) ||
	    !find_entry(in, &extent, &kernel->entry_offset))
		return false;
	kernel->len = extent.file_end - extent.start;
	kernel->mem_len = extent.mem_end - extent.start;
	kernel->relocatable = get(in, 16, 2) == ET_DYN;
	kernel->placed = !kernel->relocatable;
	/* A relocatable one keeps its offset within 2 MiB. */
	kernel->load =
		kernel->placed ? extent.start : DEFAULT_OFFSET + extent.start % DEFAULT_OFFSET;
	kernel->owned = calloc(1, kernel->len);
	if (!kernel->owned)
		return refuse(in, "is too large for this machine's memory");
	if (!flatten(in, &extent, kernel->owned))
		return false;
	kernel->data = kernel->owned;
	/* Linux' own ELF, vmlinux: linked for physical address 0, runs anywhere, as its header
	 * says. */
	image.data = kernel->data;
	image.len = kernel->len;
	if (is_image(&image) && kernel->entry_offset == 0) {
		uint64_t mem_len = kernel->mem_len;

		if (!read_image(kernel, &image))
			return false;
		if (kernel->mem_len < mem_len)
			kernel->mem_len = mem_len;
	}
	return true;
}

/* --- compressed ------------------------------------------------------------------------------ */

/* Unpacks a gzip stream (RFC 1952) into *out; what follows the stream is passed over. */
static bool gunzip(const struct input *in, uint8_t **out, size_t *out_len)
{
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)in->data};
	size_t room = in->len < KERNEL_MAX_LEN / 4 ? in->len * 4 + 65536 : KERNEL_MAX_LEN;
	size_t done = 0, taken = 0;
	int status = Z_OK;

	if (inflateInit2(&stream, 15 + 16) != Z_OK)
		return refuse(in, "is too large for this machine's memory");
	*out = NULL;
	while (status == Z_OK) {
		uint8_t *more = realloc(*out, room);

		if (!more)
			break;
		*out = more;
		/* zlib counts in 32 bits. */
		stream.avail_in = (uInt)(in->len - taken < 1u << 30 ? in->len - taken : 1u << 30);
		stream.next_out = *out + done;
		stream.avail_out = (uInt)(room - done);
		status = inflate(&stream, Z_NO_FLUSH);
		taken = (size_t)(stream.next_in - in->data);
		done = room - stream.avail_out;
		if (status == Z_OK && stream.avail_out == 0) {
			if (room >= KERNEL_MAX_LEN)
				break;
			room = room * 2 < KERNEL_MAX_LEN ? room * 2 : KERNEL_MAX_LEN;
		} else if (status == Z_OK && taken == in->len) {
			break;
		}
	}
	inflateEnd(&stream);
	*out_len = done;
	if (status == Z_STREAM_END)
		return true;
	free(*out);
	*out = NULL;
	return done >= KERNEL_MAX_LEN ? refuse(in, "unpacks to more than 1G; no kernel is so large")
				      : refuse(in, "is gzip, but damaged or cut short");
}

static bool read_plain(struct kernel *kernel, const struct input *in);

static bool read_gzip(struct kernel *kernel, const struct input *in)
{
	struct input inner = {NULL, 0, in->why};
	uint8_t *unpacked;
	bool good;

	if (!gunzip(in, &unpacked, &inner.len))
		return false;
	inner.data = unpacked;
	good = read_plain(kernel, &inner);
	if (good && !kernel->owned)
		kernel->owned = unpacked;
	else
		free(unpacked);
	return good;
}

/* An EFI program that carries a compressed Image (Linux,
 * drivers/firmware/efi/libstub/zboot-header.S). */
static bool read_zboot(struct kernel *kernel, const struct input *in)
{
	uint64_t offset = get(in, 8, 4), size = get(in, 12, 4);
	struct input inner = *in;

	if (!has(in, 24, "gzip", 5))
		return refuse(
			in, "is a Linux EFI program compressed by other means than gzip; take the "
			    "kernel's plain Image");
	if (offset > in->len || size > in->len - offset)
		return refuse(in, "is a compressed Linux EFI program that is cut short");
	inner.data += offset;
	inner.len = size;
	return read_gzip(kernel, &inner);
}

/* --- telling them apart ---------------------------------------------------------------------- */

/* Formats that are no kernel for a capsule, and what to do about it. */
static const struct {
	size_t offset, len;
	const char *bytes, *why;
} others[] = {
	{0, 6,
	 "\xfd"
	 "7zXZ",
	 "is compressed with xz; unpack it first: unxz"},
	{0, 4, "\x28\xb5\x2f\xfd", "is compressed with zstd; unpack it first: unzstd"},
	{0, 3, "BZh", "is compressed with bzip2; unpack it first: bunzip2"},
	{0, 4, "\x02\x21\x4c\x18", "is compressed with lz4; unpack it first: unlz4"},
	{0, 4, "\x04\x22\x4d\x18", "is compressed with lz4; unpack it first: unlz4"},
	{0, 3, "\x5d\x00\x00", "is compressed with lzma; unpack it first: unlzma"},
	{0, 4, "\x27\x05\x19\x56", "is a U-Boot uImage; give the kernel that it was made from"},
	{0, 4, "\xd0\x0d\xfe\xed", "is a device tree or FIT image; give the kernel itself"},
	{0x38, 4, "ARM\x64", "is a Linux Image for arm64; guests are RISC-V"},
	{0x202, 4, "HdrS", "is a Linux kernel for x86; guests are RISC-V"},
	{0, 2, "MZ", "is an EFI program, but no Linux kernel for RISC-V"},
	{0, 2, "#!", "is a script, no kernel"},
};

static bool read_plain(struct kernel *kernel, const struct input *in)
{
	if (has(in, 0, "\177ELF", 4))
		return read_elf(kernel, in);
	if (is_image(in))
		return read_image(kernel, in);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (has(in, others[i].offset, others[i].bytes, others[i].len))
			return refuse(in, "%s", others[i].why);
	}
	return refuse(in,
		      "is neither an ELF nor a Linux Image; if it is raw code, say where it goes: "
		      "{file: ..., load: 0x80200000}");
}

bool kernel_read(struct kernel *kernel, const uint8_t *data, size_t len, char why[KERNEL_WHY_LEN])
{
	const struct input in = {data, len, why};
	bool good;

	memset(kernel, 0, sizeof(*kernel));
	if (has(&in, 0, "\x1f\x8b", 2))
		good = read_gzip(kernel, &in);
	else if (has(&in, 0, "MZ", 2) && has(&in, 4, "zimg", 4))
		good = read_zboot(kernel, &in);
	else
		good = read_plain(kernel, &in);
	if (!good)
		kernel_free(kernel);
	return good;
}

bool kernel_raw(struct kernel *kernel, const uint8_t *data, size_t len, uint64_t load,
		char why[KERNEL_WHY_LEN])
{
	const struct input in = {data, len, why};

	if (has(&in, 0, "\177ELF", 4))
		return refuse(&in, "is an ELF, which says itself where it goes; leave out 'load'");
	*kernel = (struct kernel){
		.data = data, .len = len, .mem_len = len, .placed = true, .load = load};
	return true;
}

void kernel_free(struct kernel *kernel)
{
	free(kernel->owned);
	memset(kernel, 0, sizeof(*kernel));
}
