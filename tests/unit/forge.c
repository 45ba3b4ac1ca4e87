/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>
#include <sodium.h>

#include "forge.h"
#include "internal.h"

/* SBI system reset, shutdown: li a7, 0x53525354; li a6, 0; li a0, 0; li a1, 0; ecall; 1: j 1b */
static const uint32_t kernel_code[] = {
	0x535258b7, 0x35488893, 0x00000813, 0x00000513, 0x00000593, 0x00000073, 0x0000006f,
};

#define KERNEL_LEN   10000u
#define INITRD_LEN   5000u
#define GUEST_MEMORY (UINT64_C(16) << 20)

static uint8_t kernel[KERNEL_LEN], initrd[INITRD_LEN], tree[8192], program[3000];
static const char banner[] = "Welcome.\n", file[] = "a file\n";
static uint8_t secret[FORGE_MAX_KEYS][DMFS_SECRET_KEY_LEN],
	public[FORGE_MAX_KEYS][DMFS_PUBLIC_KEY_LEN];
static uint32_t tree_len;

static void fail(const char *what)
{
	fprintf(stderr, "forge: %s\n", what);
	abort();
}

/* Bytes that deflate cannot shorten much, the same in each run. */
static void fill(uint8_t *bytes, size_t len, uint32_t state)
{
	for (size_t i = 0; i < len; i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(state >> 24);
	}
}

/*
 * A tree with what a board fills in: one vCPU, memory, /chosen. Written here so that forging needs
 * no tool.
 */
static int build_tree(void *buf, int size)
{
	fdt64_t memory[] = {cpu_to_fdt64(FORGE_RAM), cpu_to_fdt64(GUEST_MEMORY)};
	int error = fdt_create(buf, size);

	error |= fdt_finish_reservemap(buf);
	error |= fdt_begin_node(buf, "");
	error |= fdt_property_u32(buf, "#address-cells", 2);
	error |= fdt_property_u32(buf, "#size-cells", 2);
	error |= fdt_property_string(buf, "compatible", "riscv-virtio");
	error |= fdt_begin_node(buf, "chosen");
	error |= fdt_property_string(buf, "bootargs", "console=ttyS0");
	error |= fdt_end_node(buf);
	error |= fdt_begin_node(buf, "memory@80000000");
	error |= fdt_property_string(buf, "device_type", "memory");
	error |= fdt_property(buf, "reg", memory, sizeof(memory));
	error |= fdt_end_node(buf);
	error |= fdt_begin_node(buf, "cpus");
	error |= fdt_property_u32(buf, "#address-cells", 1);
	error |= fdt_property_u32(buf, "#size-cells", 0);
	error |= fdt_property_u32(buf, "timebase-frequency", 10000000);
	error |= fdt_begin_node(buf, "cpu@0");
	error |= fdt_property_string(buf, "device_type", "cpu");
	error |= fdt_property_string(buf, "compatible", "riscv");
	error |= fdt_property_u32(buf, "reg", 0);
	error |= fdt_property_string(buf, "riscv,isa", "rv64imac");
	error |= fdt_property_string(buf, "mmu-type", "riscv,sv39");
	error |= fdt_end_node(buf);
	error |= fdt_end_node(buf);
	error |= fdt_end_node(buf);
	error |= fdt_finish(buf);
	return error;
}

static void prepare(void)
{
	if (tree_len)
		return;
	for (unsigned i = 0; i < FORGE_MAX_KEYS; i++) {
		uint8_t seed[crypto_sign_SEEDBYTES];

		memset(seed, (int)i + 1, sizeof(seed));
		crypto_sign_seed_keypair(public[i], secret[i], seed);
	}
	fill(kernel, 5000, 1);
	memcpy(kernel, kernel_code, sizeof(kernel_code));
	memcpy(program, kernel_code, sizeof(kernel_code));
	fill(initrd, sizeof(initrd), 2);
	if (build_tree(tree, sizeof(tree)) != 0)
		fail("no device tree");
	tree_len = fdt_totalsize(tree);
}

const uint8_t *forge_key(unsigned i)
{
	prepare();
	return secret[i];
}

const uint8_t *forge_public_key(unsigned i)
{
	prepare();
	return public[i];
}

void forge_use_key(const uint8_t key[DMFS_SECRET_KEY_LEN])
{
	prepare();
	memcpy(secret[0], key, DMFS_SECRET_KEY_LEN);
	memcpy(public[0], key + DMFS_SECRET_KEY_LEN - DMFS_PUBLIC_KEY_LEN, DMFS_PUBLIC_KEY_LEN);
}

struct dmfs_trust forge_trust(uint32_t count, uint32_t threshold)
{
	prepare();
	return (struct dmfs_trust){(const uint8_t(*)[DMFS_PUBLIC_KEY_LEN]) public, count,
				   threshold, NULL};
}

static struct dmfs_str str(const char *text)
{
	return (struct dmfs_str){text, (uint32_t)strlen(text)};
}

static void plan_capsules(struct forge_plan *p)
{
	const struct dmfs_capsule guest = {
		.name = str("guest"),
		.cmdline = str("console=ttyS0"),
		.kind = DMFS_GUEST,
		.cpus = 1,
		.flags = DMFS_CAPSULE_RELOCATABLE,
		.priority = DMFS_PRIORITY_NORMAL,
		.kernel = FORGE_KERNEL,
		.initrd = FORGE_INITRD,
		.devicetree = FORGE_TREE,
		.memory = GUEST_MEMORY,
		.entry = FORGE_RAM + 0x200000,
		.kernel_load = FORGE_RAM + 0x200000,
		.initrd_load = FORGE_RAM + 0x800000,
		.devicetree_load = FORGE_RAM + 0xc00000,
	};

	p->capsules[FORGE_GUEST] = guest;
	p->capsules[FORGE_SERVICE] = guest;
	p->capsules[FORGE_SERVICE].name = str("service");
	p->capsules[FORGE_SERVICE].cmdline = str("");
	p->capsules[FORGE_SERVICE].kind = DMFS_SERVICE;
	p->capsules[FORGE_SERVICE].kernel = FORGE_PROGRAM;
	p->capsules[FORGE_SERVICE].initrd = DMFS_NONE;
	p->capsules[FORGE_SERVICE].initrd_load = 0;
	p->capsules[FORGE_SERVICE].permissions = 1u << DMFS_PERM_CONSOLE_WRITE;
}

void forge_plan(struct forge_plan *p)
{
	prepare();
	*p = (struct forge_plan){
		.objects =
			{
				{"kernel", DMFS_OBJECT_KERNEL, kernel, sizeof(kernel), 0x10000, false},
				{"initrd", DMFS_OBJECT_INITRD, initrd, sizeof(initrd),
				 sizeof(initrd), false},
				{"guest.dtb", DMFS_OBJECT_DEVICETREE, tree, tree_len, tree_len, false},
				{"banner", DMFS_OBJECT_BANNER, banner, sizeof(banner) - 1,
				 sizeof(banner) - 1, false},
				{"program", DMFS_OBJECT_PROGRAM, program, sizeof(program),
				 sizeof(program), false},
				{"file", DMFS_OBJECT_FILE, file, sizeof(file) - 1,
				 sizeof(file) - 1, false},
			},
		.properties =
			{
				{0, "board", "riscv-virtio"},
				{0, "x-note", "for people"},
				{1 + FORGE_GUEST, "x-note", ""},
			},
	};
	plan_capsules(p);
	p->plan = (struct dmfs_write_plan){
		.name = "forge",
		.version = "1.0",
		.rollback = FORGE_ROLLBACK,
		.chunk_len = FORGE_CHUNK_LEN,
		.objects = p->objects,
		.object_count = FORGE_OBJECTS,
		.capsules = p->capsules,
		.capsule_count = FORGE_CAPSULES,
		.properties = p->properties,
		.property_count = FORGE_PROPERTIES,
		.threads = 1,
	};
}

struct forge forge_write(const struct dmfs_write_plan *plan, unsigned keys)
{
	struct forge f = {0};
	FILE *out = tmpfile();
	enum dmfs_status status;

	prepare();
	if (!out)
		fail("no temporary file");
	status = dmfs_write(out, plan, (const uint8_t(*)[DMFS_SECRET_KEY_LEN])secret, keys);
	if (status != DMFS_OK)
		fail(dmfs_strerror(status));
	fseek(out, 0, SEEK_END);
	f.len = (uint64_t)ftell(out);
	f.bytes = malloc(f.len);
	rewind(out);
	if (!f.bytes || fread(f.bytes, f.len, 1, out) != 1)
		fail("cannot read the image back");
	fclose(out);
	return f;
}

struct forge forge_image(void)
{
	struct forge_plan plan;

	forge_plan(&plan);
	return forge_write(&plan.plan, 1);
}

struct forge forge_copy(const struct forge *f)
{
	struct forge copy = {malloc(f->len), f->len};

	if (!copy.bytes)
		fail("no memory");
	memcpy(copy.bytes, f->bytes, f->len);
	return copy;
}

void forge_free(struct forge *f)
{
	free(f->bytes);
	*f = (struct forge){0};
}

uint32_t forge_get32(const struct forge *f, uint64_t at)
{
	const uint8_t *b = f->bytes + at;

	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

uint64_t forge_get64(const struct forge *f, uint64_t at)
{
	return forge_get32(f, at) | (uint64_t)forge_get32(f, at + 4) << 32;
}

void forge_set32(struct forge *f, uint64_t at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		f->bytes[at + (uint64_t)i] = (uint8_t)(value >> (8 * i));
}

void forge_set64(struct forge *f, uint64_t at, uint64_t value)
{
	forge_set32(f, at, (uint32_t)value);
	forge_set32(f, at + 4, (uint32_t)(value >> 32));
}

uint64_t forge_object(const struct forge *f, uint32_t index)
{
	return DMFS_HEADER_LEN + (uint64_t)index * DMFS_OBJECT_LEN;
}

uint64_t forge_capsule(const struct forge *f, uint32_t index)
{
	return forge_object(f, forge_get32(f, HEADER_OBJECTS)) + (uint64_t)index * DMFS_CAPSULE_LEN;
}

uint64_t forge_property(const struct forge *f, uint32_t index)
{
	return forge_capsule(f, forge_get32(f, HEADER_CAPSULES)) +
	       (uint64_t)index * DMFS_PROPERTY_LEN;
}

uint64_t forge_chunk(const struct forge *f, uint32_t index)
{
	return forge_property(f, forge_get32(f, HEADER_PROPERTIES)) +
	       (uint64_t)index * DMFS_CHUNK_LEN;
}

uint64_t forge_strings(const struct forge *f)
{
	return forge_chunk(f, forge_get32(f, HEADER_CHUNKS));
}

uint64_t forge_signatures(const struct forge *f)
{
	return (forge_strings(f) + forge_get32(f, HEADER_STRINGS_LEN) + 7) & ~UINT64_C(7);
}

uint64_t forge_payload(const struct forge *f)
{
	uint64_t block = forge_signatures(f);

	return block + DMFS_SIGNATURE_BLOCK_LEN +
	       (uint64_t)forge_get32(f, block) * DMFS_SIGNATURE_RECORD_LEN;
}

static uint64_t place_of(const struct forge *f, const struct forge_change *c)
{
	switch (c->table) {
	case OBJECT:
		return forge_object(f, c->index);
	case CAPSULE:
		return forge_capsule(f, c->index);
	case PROPERTY:
		return forge_property(f, c->index);
	case CHUNK:
		return forge_chunk(f, c->index);
	case HEADER:
		break;
	}
	return 0;
}

void forge_apply(struct forge *f, const struct forge_change *c)
{
	uint64_t at = place_of(f, c) + c->field;

	for (unsigned i = 0; i < c->bytes; i++)
		f->bytes[at + i] = (uint8_t)(c->value >> (8 * i));
}

void forge_insert(struct forge *f, uint64_t at, uint64_t len)
{
	f->bytes = realloc(f->bytes, f->len + len);
	if (!f->bytes)
		fail("no memory");
	memmove(f->bytes + at + len, f->bytes + at, f->len - at);
	memset(f->bytes + at, 0, len);
	f->len += len;
}

void forge_remove(struct forge *f, uint64_t at, uint64_t len)
{
	memmove(f->bytes + at, f->bytes + at + len, f->len - at - len);
	f->len -= len;
}

void forge_sign(struct forge *f, unsigned first, unsigned count)
{
	uint64_t block = forge_signatures(f);
	uint64_t at = block + DMFS_SIGNATURE_BLOCK_LEN;

	forge_remove(f, at, forge_payload(f) - at);
	forge_insert(f, at, (uint64_t)count * DMFS_SIGNATURE_RECORD_LEN);
	forge_set32(f, block, count);
	for (unsigned i = first; i < first + count; i++) {
		memcpy(f->bytes + at, forge_public_key(i), DMFS_PUBLIC_KEY_LEN);
		crypto_sign_detached(f->bytes + at + DMFS_PUBLIC_KEY_LEN, NULL, f->bytes, block,
				     forge_key(i));
		at += DMFS_SIGNATURE_RECORD_LEN;
	}
}

void forge_store(struct forge *f, uint32_t chunk, const void *stored, uint32_t len)
{
	uint64_t record = forge_chunk(f, chunk);
	uint64_t at = forge_payload(f) + forge_get64(f, record + CHUNK_OFFSET);
	uint32_t old_len = forge_get32(f, record + CHUNK_STORED_LEN);

	forge_remove(f, at, old_len);
	forge_insert(f, at, len);
	memcpy(f->bytes + at, stored, len);
	forge_set32(f, record + CHUNK_STORED_LEN, len);
	crypto_generichash(f->bytes + record + CHUNK_HASH, DMFS_HASH_LEN, stored, len, NULL, 0);
	for (uint32_t i = chunk + 1; i < forge_get32(f, HEADER_CHUNKS); i++) {
		record = forge_chunk(f, i);
		forge_set64(f, record, forge_get64(f, record) + len - old_len);
	}
	forge_set64(f, HEADER_PAYLOAD_LEN, forge_get64(f, HEADER_PAYLOAD_LEN) + len - old_len);
}

uint32_t forge_string(struct forge *f, const void *text, uint32_t len)
{
	uint32_t offset = forge_get32(f, HEADER_STRINGS_LEN);
	uint64_t end = forge_signatures(f), at = forge_strings(f) + offset;

	/* Bytes before the block, then the padding anew. */
	forge_insert(f, at, len);
	memcpy(f->bytes + at, text, len);
	forge_set32(f, HEADER_STRINGS_LEN, offset + len);
	forge_remove(f, at + len, end - at);
	forge_insert(f, at + len, forge_signatures(f) - (at + len));
	forge_set64(f, HEADER_SIGNED_LEN, forge_signatures(f));
	return offset;
}

enum dmfs_status forge_unpack_all(const struct dmfs_image *image)
{
	static uint8_t raw[DMFS_MAX_CHUNK_LEN];
	struct dmfs_workspace workspace;

	for (uint32_t i = 0; i < image->chunks; i++) {
		struct dmfs_chunk chunk = dmfs_chunk(image, i);
		const uint8_t *stored = image->base + image->extent.payload_offset + chunk.offset;
		enum dmfs_status status = dmfs_unpack_chunk(&chunk, stored, raw, &workspace);

		if (status != DMFS_OK)
			return status;
	}
	return DMFS_OK;
}

enum dmfs_status forge_read(const struct forge *f)
{
	static const char *const boards[] = {"riscv-virtio"};
	struct dmfs_trust trust = forge_trust(1, 1);
	struct dmfs_image image;
	enum dmfs_status status = dmfs_open_verified(&image, f->bytes, f->len, true, &trust, NULL);

	if (status == DMFS_OK)
		status = dmfs_check_board(&image, boards, 1, FORGE_ROLLBACK);
	return status == DMFS_OK ? forge_unpack_all(&image) : status;
}
