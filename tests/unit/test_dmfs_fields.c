/* SPDX-License-Identifier: MIT */
/*
 * Fields that the format forbids, in images whose signature holds: who has the key has no more
 * rights.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "forge.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define MIB (UINT64_C(1) << 20)

static const struct forge_change changes[] = {
	{"signature algorithm", HEADER, 0, HEADER_SIGNATURE_ALG, 4, 2, DMFS_ERR_ALGORITHM},
	{"hash algorithm", HEADER, 0, HEADER_HASH_ALG, 4, 0, DMFS_ERR_ALGORITHM},
	{"compression", HEADER, 0, HEADER_COMPRESSION_ALG, 4, 0, DMFS_ERR_ALGORITHM},
	{"encryption", HEADER, 0, HEADER_ENCRYPTION_ALG, 4, 2, DMFS_ERR_ALGORITHM},
	{"encryption of nothing", HEADER, 0, HEADER_ENCRYPTION_ALG, 4, 1, DMFS_ERR_OBJECT},
	{"32-bit boards", HEADER, 0, HEADER_XLEN, 4, 32, DMFS_ERR_BOARD},
	{"chunks too small", HEADER, 0, HEADER_CHUNK_LEN, 4, 2048, DMFS_ERR_LIMIT},
	{"chunks too large", HEADER, 0, HEADER_CHUNK_LEN, 4, 2 * MIB, DMFS_ERR_LIMIT},
	{"chunks of no power of two", HEADER, 0, HEADER_CHUNK_LEN, 4, 4097, DMFS_ERR_LIMIT},
	{"chunks of another length", HEADER, 0, HEADER_CHUNK_LEN, 4, 8192, DMFS_ERR_OBJECT},
	{"chunks of length 0", HEADER, 0, HEADER_CHUNK_LEN, 4, 0, DMFS_ERR_LIMIT},
	{"reserved word", HEADER, 0, HEADER_RESERVED, 4, 1, DMFS_ERR_RESERVED},
	{"reserved tail", HEADER, 0, HEADER_RESERVED_TAIL + 119, 1, 1, DMFS_ERR_RESERVED},
	{"image without a name", HEADER, 0, HEADER_NAME, 8, 0, DMFS_ERR_STRING},
	{"image name outside", HEADER, 0, HEADER_NAME, 4, 1048576, DMFS_ERR_STRING},
	{"version outside", HEADER, 0, HEADER_VERSION + 4, 4, 1048576, DMFS_ERR_STRING},
	{"empty version at an offset", HEADER, 0, HEADER_VERSION + 4, 4, 0, DMFS_ERR_STRING},

	{"unknown type 0", OBJECT, FORGE_FILE, OBJECT_TYPE, 4, 0, DMFS_ERR_OBJECT},
	{"unknown type 8", OBJECT, FORGE_FILE, OBJECT_TYPE, 4, 8, DMFS_ERR_OBJECT},
	{"encrypted", OBJECT, FORGE_FILE, OBJECT_FLAGS, 4, 1, DMFS_ERR_RESERVED},
	{"unknown flag", OBJECT, FORGE_FILE, OBJECT_FLAGS, 4, 1u << 31, DMFS_ERR_RESERVED},
	{"no bytes", OBJECT, FORGE_FILE, OBJECT_RAW_LEN, 8, 0, DMFS_ERR_LIMIT},
	{"mem_len below raw_len", OBJECT, FORGE_FILE, OBJECT_MEM_LEN, 8, 6, DMFS_ERR_OBJECT},
	{"mem_len past 2^40", OBJECT, FORGE_FILE, OBJECT_MEM_LEN, 8, (MIB << 20) + 1,
	 DMFS_ERR_LIMIT},
	{"raw_len past 2^40", OBJECT, FORGE_FILE, OBJECT_RAW_LEN, 8, (MIB << 20) + 1,
	 DMFS_ERR_LIMIT},
	{"first chunk of another", OBJECT, FORGE_INITRD, OBJECT_FIRST_CHUNK, 4, 0, DMFS_ERR_OBJECT},
	{"chunk left out", OBJECT, FORGE_INITRD, OBJECT_FIRST_CHUNK, 4, 4, DMFS_ERR_OBJECT},
	{"a chunk more", OBJECT, FORGE_FILE, OBJECT_CHUNK_COUNT, 4, 2, DMFS_ERR_OBJECT},
	{"a chunk less", OBJECT, FORGE_KERNEL, OBJECT_CHUNK_COUNT, 4, 2, DMFS_ERR_OBJECT},
	{"object's reserved", OBJECT, FORGE_FILE, OBJECT_RESERVED + 23, 1, 1, DMFS_ERR_RESERVED},
	{"object without a name", OBJECT, FORGE_FILE, OBJECT_NAME, 8, 0, DMFS_ERR_STRING},
	{"name outside", OBJECT, FORGE_FILE, OBJECT_NAME, 4, 1048570, DMFS_ERR_STRING},
	{"length outside", OBJECT, FORGE_FILE, OBJECT_NAME + 4, 4, 0xffffffff, DMFS_ERR_STRING},

	{"unknown kind", CAPSULE, FORGE_GUEST, CAPSULE_KIND, 4, 3, DMFS_ERR_CAPSULE},
	{"kind 0", CAPSULE, FORGE_SERVICE, CAPSULE_KIND, 4, 0, DMFS_ERR_CAPSULE},
	{"kind 3", CAPSULE, FORGE_SERVICE, CAPSULE_KIND, 4, 3, DMFS_ERR_CAPSULE},
	{"guest as service", CAPSULE, FORGE_GUEST, CAPSULE_KIND, 4, DMFS_SERVICE, DMFS_ERR_CAPSULE},
	{"service as guest", CAPSULE, FORGE_SERVICE, CAPSULE_KIND, 4, DMFS_GUEST, DMFS_ERR_CAPSULE},
	{"no vCPU", CAPSULE, FORGE_GUEST, CAPSULE_CPUS, 4, 0, DMFS_ERR_LIMIT},
	{"65 vCPUs", CAPSULE, FORGE_GUEST, CAPSULE_CPUS, 4, 65, DMFS_ERR_LIMIT},
	{"no memory", CAPSULE, FORGE_GUEST, CAPSULE_MEMORY, 8, 0, DMFS_ERR_LIMIT},
	{"memory of 17 MiB", CAPSULE, FORGE_GUEST, CAPSULE_MEMORY, 8, 17 * MIB, DMFS_ERR_LIMIT},
	{"memory past 2^40", CAPSULE, FORGE_GUEST, CAPSULE_MEMORY, 8, (MIB << 20) + 2 * MIB,
	 DMFS_ERR_LIMIT},
	{"memory too small", CAPSULE, FORGE_GUEST, CAPSULE_MEMORY, 8, 12 * MIB, DMFS_ERR_CAPSULE},
	{"entry before kernel", CAPSULE, FORGE_GUEST, CAPSULE_ENTRY, 8, FORGE_RAM,
	 DMFS_ERR_CAPSULE},
	{"entry after kernel", CAPSULE, FORGE_GUEST, CAPSULE_ENTRY, 8, FORGE_RAM + 0x210000,
	 DMFS_ERR_CAPSULE},
	{"kernel below RAM", CAPSULE, FORGE_GUEST, CAPSULE_KERNEL_LOAD, 8, FORGE_RAM - 0x1000,
	 DMFS_ERR_CAPSULE},
	{"kernel past RAM", CAPSULE, FORGE_GUEST, CAPSULE_KERNEL_LOAD, 8,
	 FORGE_RAM + 16 * MIB - 0xffff, DMFS_ERR_CAPSULE},
	{"kernel over initrd", CAPSULE, FORGE_GUEST, CAPSULE_INITRD_LOAD, 8, FORGE_RAM + 0x20ffff,
	 DMFS_ERR_CAPSULE},
	{"initrd over tree", CAPSULE, FORGE_GUEST, CAPSULE_INITRD_LOAD, 8, FORGE_RAM + 12 * MIB - 1,
	 DMFS_ERR_CAPSULE},
	{"initrd in the tree's room", CAPSULE, FORGE_GUEST, CAPSULE_INITRD_LOAD, 8,
	 FORGE_RAM + 12 * MIB + 0x10000, DMFS_ERR_CAPSULE},
	{"initrd at 0", CAPSULE, FORGE_GUEST, CAPSULE_INITRD_LOAD, 8, 0, DMFS_ERR_CAPSULE},
	{"load of no initrd", CAPSULE, FORGE_SERVICE, CAPSULE_INITRD_LOAD, 8, FORGE_RAM,
	 DMFS_ERR_CAPSULE},
	{"tree not aligned", CAPSULE, FORGE_GUEST, CAPSULE_TREE_LOAD, 8, FORGE_RAM + 12 * MIB + 4,
	 DMFS_ERR_CAPSULE},
	{"no room after the tree", CAPSULE, FORGE_GUEST, CAPSULE_TREE_LOAD, 8,
	 FORGE_RAM + 16 * MIB - 0x10000, DMFS_ERR_CAPSULE},
	{"tree over kernel", CAPSULE, FORGE_SERVICE, CAPSULE_TREE_LOAD, 8, FORGE_RAM + 0x1f8000,
	 DMFS_ERR_CAPSULE},
	{"kernel of another type", CAPSULE, FORGE_GUEST, CAPSULE_KERNEL, 4, FORGE_FILE,
	 DMFS_ERR_CAPSULE},
	{"no such kernel", CAPSULE, FORGE_GUEST, CAPSULE_KERNEL, 4, FORGE_OBJECTS,
	 DMFS_ERR_CAPSULE},
	{"kernel none", CAPSULE, FORGE_GUEST, CAPSULE_KERNEL, 4, DMFS_NONE, DMFS_ERR_CAPSULE},
	{"initrd of another type", CAPSULE, FORGE_GUEST, CAPSULE_INITRD, 4, FORGE_FILE,
	 DMFS_ERR_CAPSULE},
	{"no such initrd", CAPSULE, FORGE_GUEST, CAPSULE_INITRD, 4, 0xfffffffe, DMFS_ERR_CAPSULE},
	{"tree of another type", CAPSULE, FORGE_GUEST, CAPSULE_TREE, 4, FORGE_FILE,
	 DMFS_ERR_CAPSULE},
	{"tree none", CAPSULE, FORGE_GUEST, CAPSULE_TREE, 4, DMFS_NONE, DMFS_ERR_CAPSULE},
	{"capsule flag", CAPSULE, FORGE_GUEST, CAPSULE_FLAGS, 4, 2, DMFS_ERR_RESERVED},
	{"priority", CAPSULE, FORGE_GUEST, CAPSULE_PRIORITY, 4, 3, DMFS_ERR_CAPSULE},
	{"restart", CAPSULE, FORGE_GUEST, CAPSULE_RESTART, 4, 3, DMFS_ERR_CAPSULE},
	{"101 percent", CAPSULE, FORGE_GUEST, CAPSULE_CPU_LIMIT, 4, 101, DMFS_ERR_LIMIT},
	{"capsule's tail", CAPSULE, FORGE_GUEST, CAPSULE_RESERVED_TAIL + 47, 1, 1,
	 DMFS_ERR_RESERVED},
	{"permission 16", CAPSULE, FORGE_GUEST, CAPSULE_PERMISSIONS, 8, 1u << 16,
	 DMFS_ERR_RESERVED},
	{"permission 63", CAPSULE, FORGE_GUEST, CAPSULE_PERMISSIONS, 8, UINT64_C(1) << 63,
	 DMFS_ERR_RESERVED},
	{"capsule without a name", CAPSULE, FORGE_GUEST, CAPSULE_NAME, 8, 0, DMFS_ERR_STRING},
	{"capsule name outside", CAPSULE, FORGE_GUEST, CAPSULE_NAME, 4, 1048570, DMFS_ERR_STRING},
	{"cmdline's offset outside", CAPSULE, FORGE_GUEST, CAPSULE_CMDLINE, 4, 0xfffffff0,
	 DMFS_ERR_STRING},
	{"cmdline outside", CAPSULE, FORGE_GUEST, CAPSULE_CMDLINE + 4, 4, 4096, DMFS_ERR_STRING},

	{"board of a capsule", PROPERTY, FORGE_BOARD, PROPERTY_OWNER, 4, 1, DMFS_ERR_PROPERTY},
	{"owner unknown", PROPERTY, FORGE_NOTE, PROPERTY_OWNER, 4, FORGE_CAPSULES + 1,
	 DMFS_ERR_PROPERTY},
	{"board is empty", PROPERTY, FORGE_BOARD, PROPERTY_VALUE, 8, 0, DMFS_ERR_PROPERTY},
	{"property's reserved", PROPERTY, FORGE_NOTE, PROPERTY_RESERVED, 4, 1, DMFS_ERR_RESERVED},
	{"property's tail", PROPERTY, FORGE_NOTE, PROPERTY_RESERVED_TAIL + 7, 1, 1,
	 DMFS_ERR_RESERVED},
	{"value outside", PROPERTY, FORGE_NOTE, PROPERTY_VALUE, 4, 0xffffffff, DMFS_ERR_STRING},
	{"key outside", PROPERTY, FORGE_NOTE, PROPERTY_KEY, 4, 0xffffffff, DMFS_ERR_STRING},
	{"no key", PROPERTY, FORGE_NOTE, PROPERTY_KEY, 8, 0, DMFS_ERR_STRING},

	{"chunk over another", CHUNK, 1, CHUNK_OFFSET, 8, 0, DMFS_ERR_CHUNK},
	{"gap between chunks", CHUNK, 0, CHUNK_OFFSET, 8, 1, DMFS_ERR_CHUNK},
	{"chunk of nothing", CHUNK, 0, CHUNK_STORED_LEN, 4, 0, DMFS_ERR_CHUNK},
	{"chunk stored too long", CHUNK, 0, CHUNK_STORED_LEN, 4, 2 * FORGE_CHUNK_LEN + 65,
	 DMFS_ERR_CHUNK},
	{"raw bytes too many", CHUNK, 0, CHUNK_RAW_LEN, 4, FORGE_CHUNK_LEN + 1, DMFS_ERR_CHUNK},
	{"raw bytes too few", CHUNK, 0, CHUNK_RAW_LEN, 4, FORGE_CHUNK_LEN - 1, DMFS_ERR_CHUNK},
	{"raw bytes of the last", CHUNK, 2, CHUNK_RAW_LEN, 4, FORGE_CHUNK_LEN, DMFS_ERR_CHUNK},
	{"hash", CHUNK, 0, CHUNK_HASH, 4, 0, DMFS_ERR_HASH},
};

static void each_forbidden_value_is_refused(void **state)
{
	struct forge valid = forge_image();

	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		struct forge f = forge_copy(&valid);
		enum dmfs_status got;

		forge_apply(&f, &changes[i]);
		assert_int_equal(forge_read(&f), DMFS_ERR_SIGNATURE);
		forge_sign(&f, 0, 1);
		got = forge_read(&f);
		if (got != changes[i].want)
			print_error("%s: %s\n", changes[i].what, dmfs_strerror(got));
		assert_int_equal(got, changes[i].want);
		forge_free(&f);
	}
	forge_free(&valid);
}

/* Values at the edge of what is allowed, so that the refusals above are not for another reason. */
static const struct forge_change good[] = {
	{"64 vCPUs", CAPSULE, FORGE_GUEST, CAPSULE_CPUS, 4, 64, DMFS_OK},
	{"memory of 2^40", CAPSULE, FORGE_GUEST, CAPSULE_MEMORY, 8, MIB << 20, DMFS_OK},
	{"last entry", CAPSULE, FORGE_GUEST, CAPSULE_ENTRY, 8, FORGE_RAM + 0x20ffff, DMFS_OK},
	{"initrd after kernel", CAPSULE, FORGE_GUEST, CAPSULE_INITRD_LOAD, 8, FORGE_RAM + 0x210000,
	 DMFS_OK},
	{"initrd at RAM's start", CAPSULE, FORGE_GUEST, CAPSULE_INITRD_LOAD, 8, FORGE_RAM, DMFS_OK},
	{"initrd at RAM's end", CAPSULE, FORGE_GUEST, CAPSULE_INITRD_LOAD, 8,
	 FORGE_RAM + 16 * MIB - 5000, DMFS_OK},
	{"all permissions", CAPSULE, FORGE_GUEST, CAPSULE_PERMISSIONS, 8, 0xffff, DMFS_OK},
	{"100 percent", CAPSULE, FORGE_GUEST, CAPSULE_CPU_LIMIT, 4, 100, DMFS_OK},
	{"no flags", CAPSULE, FORGE_GUEST, CAPSULE_FLAGS, 4, 0, DMFS_OK},
	{"no version", HEADER, 0, HEADER_VERSION, 8, 0, DMFS_OK},
	{"mem_len of 2^40", OBJECT, FORGE_FILE, OBJECT_MEM_LEN, 8, MIB << 20, DMFS_OK},
	{"last capsule's property", PROPERTY, FORGE_NOTE, PROPERTY_OWNER, 4, FORGE_CAPSULES,
	 DMFS_OK},
};

static void each_value_at_the_edge_is_accepted(void **state)
{
	struct forge valid = forge_image();

	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct forge f = forge_copy(&valid);

		forge_apply(&f, &good[i]);
		forge_sign(&f, 0, 1);
		if (forge_read(&f) != DMFS_OK)
			print_error("%s: %s\n", good[i].what, dmfs_strerror(forge_read(&f)));
		assert_int_equal(forge_read(&f), DMFS_OK);
		forge_free(&f);
	}
	forge_free(&valid);
}

/* Every field that is a length, offset, address or count. */
static const struct forge_change lengths[] = {
	{"", HEADER, 0, HEADER_LEN, 4, 0, 0},
	{"", HEADER, 0, HEADER_SIGNED_LEN, 8, 0, 0},
	{"", HEADER, 0, HEADER_PAYLOAD_LEN, 8, 0, 0},
	{"", HEADER, 0, HEADER_CHUNK_LEN, 4, 0, 0},
	{"", HEADER, 0, HEADER_OBJECTS, 4, 0, 0},
	{"", HEADER, 0, HEADER_CAPSULES, 4, 0, 0},
	{"", HEADER, 0, HEADER_PROPERTIES, 4, 0, 0},
	{"", HEADER, 0, HEADER_CHUNKS, 4, 0, 0},
	{"", HEADER, 0, HEADER_STRINGS_LEN, 4, 0, 0},
	{"", HEADER, 0, HEADER_NAME, 4, 0, 0},
	{"", HEADER, 0, HEADER_NAME + 4, 4, 0, 0},
	{"", OBJECT, FORGE_FILE, OBJECT_NAME, 4, 0, 0},
	{"", OBJECT, FORGE_FILE, OBJECT_NAME + 4, 4, 0, 0},
	{"", OBJECT, FORGE_FILE, OBJECT_RAW_LEN, 8, 0, 0},
	{"", OBJECT, FORGE_KERNEL, OBJECT_MEM_LEN, 8, 0, 0},
	{"", OBJECT, FORGE_FILE, OBJECT_FIRST_CHUNK, 4, 0, 0},
	{"", OBJECT, FORGE_FILE, OBJECT_CHUNK_COUNT, 4, 0, 0},
	{"", CAPSULE, FORGE_GUEST, CAPSULE_MEMORY, 8, 0, 0},
	{"", CAPSULE, FORGE_GUEST, CAPSULE_ENTRY, 8, 0, 0},
	{"", CAPSULE, FORGE_GUEST, CAPSULE_KERNEL_LOAD, 8, 0, 0},
	{"", CAPSULE, FORGE_GUEST, CAPSULE_INITRD_LOAD, 8, 0, 0},
	{"", CAPSULE, FORGE_GUEST, CAPSULE_TREE_LOAD, 8, 0, 0},
	{"", CAPSULE, FORGE_GUEST, CAPSULE_CMDLINE + 4, 4, 0, 0},
	{"", PROPERTY, FORGE_NOTE, PROPERTY_OWNER, 4, 0, 0},
	{"", CHUNK, 1, CHUNK_OFFSET, 8, 0, 0},
	{"", CHUNK, 0, CHUNK_STORED_LEN, 4, 0, 0},
	{"", CHUNK, 0, CHUNK_RAW_LEN, 4, 0, 0},
};

/* Values that wrap in 31, 32, 63 or 64 bits. */
static const uint64_t wrapping[] = {
	UINT64_C(1) << 31, (UINT64_C(1) << 32) - 1, UINT64_C(1) << 32, (UINT64_C(1) << 32) + 1,
	UINT64_C(1) << 63, UINT64_MAX - 7,          UINT64_MAX,
};

/*
 * What does not fit the field; and 2 or 4 GiB of memory, or an initrd or a tree where RAM begins,
 * are right.
 */
static bool is_no_attack(const struct forge_change *c)
{
	if (c->bytes == 4)
		return c->value > UINT32_MAX;
	if (c->table != CAPSULE)
		return false;
	if (c->field == CAPSULE_MEMORY)
		return c->value == UINT64_C(1) << 31 || c->value == UINT64_C(1) << 32;
	return c->field != CAPSULE_KERNEL_LOAD && c->field != CAPSULE_ENTRY &&
	       c->value == FORGE_RAM;
}

static void huge_lengths_are_refused(void **state)
{
	struct forge valid = forge_image();
	uint64_t block = forge_signatures(&valid);

	for (size_t i = 0; i < COUNT_OF(lengths) * COUNT_OF(wrapping); i++) {
		struct forge_change c = lengths[i / COUNT_OF(wrapping)];
		struct forge f;

		c.value = wrapping[i % COUNT_OF(wrapping)];
		if (is_no_attack(&c))
			continue;
		f = forge_copy(&valid);
		forge_apply(&f, &c);
		assert_int_not_equal(forge_read(&f), DMFS_OK);
		if (forge_signatures(&f) == block)
			forge_sign(&f, 0, 1);
		assert_int_not_equal(forge_read(&f), DMFS_OK);
		forge_free(&f);
	}
	forge_free(&valid);
}

/*
 * 16 objects of 2^28 chunks and one of 17: with the others they come to the right number, and 2^32.
 */
static void numbers_of_chunks_that_wrap_are_refused(void **state)
{
	static struct dmfs_write_object objects[17];
	static char names[17][2];
	struct dmfs_write_plan plan = {.name = "wrap",
				       .chunk_len = FORGE_CHUNK_LEN,
				       .objects = objects,
				       .object_count = 17};
	struct forge f;
	uint32_t next = 0;

	for (uint32_t i = 0; i < 17; i++) {
		names[i][0] = (char)('a' + i);
		objects[i] = (struct dmfs_write_object){names[i], DMFS_OBJECT_FILE, "x", 1, 1, false};
	}
	f = forge_write(&plan, 1);
	for (uint32_t i = 0; i < 17; i++) {
		uint64_t at = forge_object(&f, i), chunks = i < 16 ? 1u << 28 : 17;

		forge_set64(&f, at + OBJECT_RAW_LEN, chunks * FORGE_CHUNK_LEN);
		forge_set64(&f, at + OBJECT_MEM_LEN, chunks * FORGE_CHUNK_LEN);
		forge_set32(&f, at + OBJECT_FIRST_CHUNK, next);
		forge_set32(&f, at + OBJECT_CHUNK_COUNT, (uint32_t)chunks);
		next += (uint32_t)chunks;
	}
	forge_sign(&f, 0, 1);
	assert_int_equal(next, forge_get32(&f, HEADER_CHUNKS));
	assert_int_equal(forge_read(&f), DMFS_ERR_OBJECT);
	forge_free(&f);
}

static void object_larger_than_memory_is_refused(void **state)
{
	struct forge f = forge_image();

	forge_set64(&f, forge_capsule(&f, FORGE_GUEST) + CAPSULE_TREE_LOAD, FORGE_RAM);
	forge_sign(&f, 0, 1);
	assert_int_equal(forge_read(&f), DMFS_OK);
	forge_set64(&f, forge_object(&f, FORGE_INITRD) + OBJECT_MEM_LEN, 17 * MIB);
	forge_sign(&f, 0, 1);
	assert_int_equal(forge_read(&f), DMFS_ERR_CAPSULE);
	forge_free(&f);
}

/* The header's lengths are judged before any signature, so a stale one makes no difference. */
static void header_lengths_are_judged_before_the_signature(void **state)
{
	static const struct forge_change early[] = {
		{"domain", HEADER, 0, HEADER_DOMAIN, 1, 'd', DMFS_ERR_MAGIC},
		{"domain's zeros", HEADER, 0, HEADER_DOMAIN + 31, 1, 1, DMFS_ERR_MAGIC},
		{"format 0", HEADER, 0, HEADER_FORMAT, 4, 0, DMFS_ERR_VERSION},
		{"format 2", HEADER, 0, HEADER_FORMAT, 4, 2, DMFS_ERR_VERSION},
		{"header_len", HEADER, 0, HEADER_LEN, 4, 264, DMFS_ERR_LENGTH},
		{"signed_len", HEADER, 0, HEADER_SIGNED_LEN, 8, 256, DMFS_ERR_LENGTH},
		{"an object less", HEADER, 0, HEADER_OBJECTS, 4, 5, DMFS_ERR_LENGTH},
		{"1025 objects", HEADER, 0, HEADER_OBJECTS, 4, 1025, DMFS_ERR_LIMIT},
		{"129 capsules", HEADER, 0, HEADER_CAPSULES, 4, 129, DMFS_ERR_LIMIT},
		{"4097 properties", HEADER, 0, HEADER_PROPERTIES, 4, 4097, DMFS_ERR_LIMIT},
		{"1048577 chunks", HEADER, 0, HEADER_CHUNKS, 4, 1048577, DMFS_ERR_LIMIT},
		{"strings", HEADER, 0, HEADER_STRINGS_LEN, 4, 1048577, DMFS_ERR_LIMIT},
		{"payload_len", HEADER, 0, HEADER_PAYLOAD_LEN, 8, 1, DMFS_ERR_TRAILING},
		{"payload_len of 2^42", HEADER, 0, HEADER_PAYLOAD_LEN, 8, UINT64_C(1) << 42,
		 DMFS_ERR_TRUNCATED},
		{"payload_len past 2^42", HEADER, 0, HEADER_PAYLOAD_LEN, 8, (UINT64_C(1) << 42) + 1,
		 DMFS_ERR_LIMIT},
	};
	struct forge valid = forge_image();

	for (size_t i = 0; i < COUNT_OF(early); i++) {
		struct forge f = forge_copy(&valid);

		forge_apply(&f, &early[i]);
		if (forge_read(&f) != early[i].want)
			print_error("%s: %s\n", early[i].what, dmfs_strerror(forge_read(&f)));
		assert_int_equal(forge_read(&f), early[i].want);
		forge_free(&f);
	}
	forge_free(&valid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_forbidden_value_is_refused),
		cmocka_unit_test(each_value_at_the_edge_is_accepted),
		cmocka_unit_test(huge_lengths_are_refused),
		cmocka_unit_test(numbers_of_chunks_that_wrap_are_refused),
		cmocka_unit_test(object_larger_than_memory_is_refused),
		cmocka_unit_test(header_lengths_are_judged_before_the_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
