/* SPDX-License-Identifier: MIT */
/* What is written is what is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "forge.h"

static void open_forged(struct dmfs_image *image, const struct forge *f)
{
	struct dmfs_trust trust = forge_trust(1, 1);

	assert_int_equal(dmfs_open_verified(image, f->bytes, f->len, true, &trust, NULL), DMFS_OK);
}

static void header_comes_back(void **state)
{
	struct forge f = forge_image();
	struct dmfs_image image;

	open_forged(&image, &f);
	assert_true(dmfs_str_is(image.name, "forge"));
	assert_true(dmfs_str_is(image.version, "1.0"));
	assert_int_equal(image.rollback, FORGE_ROLLBACK);
	assert_int_equal(image.created, 0);
	assert_int_equal(image.chunk_len, FORGE_CHUNK_LEN);
	assert_int_equal(image.extent.image_len, f.len);
	assert_int_equal(image.extent.signatures, 1);
	assert_memory_equal(dmfs_signature_key(&image, 0), forge_public_key(0),
			    DMFS_PUBLIC_KEY_LEN);
	forge_free(&f);
}

static void unpack_and_compare(const struct dmfs_image *image, uint32_t index,
			       const struct dmfs_write_object *want)
{
	static uint8_t raw[65536];
	struct dmfs_workspace workspace;
	struct dmfs_object object = dmfs_object(image, index);
	uint64_t at = 0;

	assert_true(dmfs_str_is(object.name, want->name));
	assert_int_equal(object.type, want->type);
	assert_int_equal(object.raw_len, want->raw_len);
	assert_int_equal(object.mem_len, want->mem_len);
	for (uint32_t i = 0; i < object.chunk_count; i++) {
		struct dmfs_chunk chunk = dmfs_chunk(image, object.first_chunk + i);
		const uint8_t *stored = image->base + image->extent.payload_offset + chunk.offset;

		assert_int_equal(dmfs_unpack_chunk(&chunk, stored, raw + at, &workspace), DMFS_OK);
		at += chunk.raw_len;
	}
	assert_int_equal(at, want->raw_len);
	assert_memory_equal(raw, want->data, at);
}

static void objects_come_back(void **state)
{
	struct forge f = forge_image();
	struct forge_plan plan;
	struct dmfs_image image;

	forge_plan(&plan);
	open_forged(&image, &f);
	assert_int_equal(image.objects, FORGE_OBJECTS);
	for (uint32_t i = 0; i < FORGE_OBJECTS; i++) {
		struct dmfs_str name = dmfs_object(&image, i).name;

		unpack_and_compare(&image, i, &plan.objects[i]);
		assert_int_equal(dmfs_find_object(&image, name), i);
	}
	forge_free(&f);
}

static void assert_same_text(struct dmfs_str a, struct dmfs_str b)
{
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
}

static void capsules_come_back(void **state)
{
	struct forge f = forge_image();
	struct forge_plan plan;
	struct dmfs_image image;

	forge_plan(&plan);
	plan.capsules[FORGE_GUEST].affinity = UINT64_C(0x8000000000000005);
	plan.capsules[FORGE_GUEST].cpu_limit = 50;
	plan.capsules[FORGE_GUEST].restart_limit = 7;
	plan.capsules[FORGE_GUEST].priority = DMFS_PRIORITY_HIGH;
	plan.capsules[FORGE_GUEST].restart = DMFS_RESTART_ALWAYS;
	forge_free(&f);
	f = forge_write(&plan.plan, 1);
	open_forged(&image, &f);
	assert_int_equal(image.capsules, FORGE_CAPSULES);
	for (uint32_t i = 0; i < FORGE_CAPSULES; i++) {
		struct dmfs_capsule got = dmfs_capsule(&image, i), want = plan.capsules[i];

		assert_same_text(got.name, want.name);
		assert_same_text(got.cmdline, want.cmdline);
		assert_int_equal(got.kind, want.kind);
		assert_int_equal(got.cpus, want.cpus);
		assert_int_equal(got.flags, want.flags);
		assert_int_equal(got.priority, want.priority);
		assert_int_equal(got.restart, want.restart);
		assert_int_equal(got.cpu_limit, want.cpu_limit);
		assert_int_equal(got.restart_limit, want.restart_limit);
		assert_int_equal(got.kernel, want.kernel);
		assert_int_equal(got.initrd, want.initrd);
		assert_int_equal(got.devicetree, want.devicetree);
		assert_int_equal(got.memory, want.memory);
		assert_int_equal(got.entry, want.entry);
		assert_int_equal(got.kernel_load, want.kernel_load);
		assert_int_equal(got.initrd_load, want.initrd_load);
		assert_int_equal(got.devicetree_load, want.devicetree_load);
		assert_true(got.affinity == want.affinity);
		assert_int_equal(got.permissions, want.permissions);
	}
	forge_free(&f);
}

static void properties_come_back(void **state)
{
	struct forge f = forge_image();
	struct forge_plan plan;
	struct dmfs_image image;

	forge_plan(&plan);
	open_forged(&image, &f);
	assert_int_equal(image.properties, FORGE_PROPERTIES);
	for (uint32_t i = 0; i < FORGE_PROPERTIES; i++) {
		struct dmfs_property got = dmfs_property(&image, i);

		assert_int_equal(got.owner, plan.properties[i].owner);
		assert_true(dmfs_str_is(got.key, plan.properties[i].key));
		assert_true(dmfs_str_is(got.value, plan.properties[i].value));
	}
	forge_free(&f);
}

static void image_without_anything_is_valid(void **state)
{
	struct dmfs_write_plan plan = {.name = "empty"};
	struct forge f = forge_write(&plan, 1);
	struct dmfs_image image;

	open_forged(&image, &f);
	assert_int_equal(image.objects, 0);
	assert_int_equal(image.extent.payload_len, 0);
	forge_free(&f);
}

static void region_alone_opens_like_the_whole(void **state)
{
	struct forge f = forge_image();
	struct dmfs_trust trust = forge_trust(1, 1);
	struct dmfs_image image;
	uint64_t head = forge_payload(&f);

	assert_int_equal(dmfs_open_region(&image, f.bytes, head, f.len), DMFS_OK);
	assert_int_equal(dmfs_check_signatures(&image, &trust, NULL), DMFS_OK);
	assert_int_equal(dmfs_open_region(&image, f.bytes, head - 1, f.len), DMFS_ERR_TRUNCATED);
	assert_int_equal(dmfs_open_region(&image, f.bytes, head, f.len - 1), DMFS_ERR_TRUNCATED);
	assert_int_equal(dmfs_open_region(&image, f.bytes, head, f.len + 1), DMFS_ERR_TRAILING);
	forge_free(&f);
}

static void strings_are_stored_once(void **state)
{
	struct forge f = forge_image();

	/* "x-note" is the key of two properties. */
	assert_int_equal(forge_get32(&f, forge_property(&f, FORGE_NOTE) + PROPERTY_KEY),
			 forge_get32(&f, forge_property(&f, FORGE_CAPSULE_NOTE) + PROPERTY_KEY));
	forge_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_comes_back),
		cmocka_unit_test(objects_come_back),
		cmocka_unit_test(capsules_come_back),
		cmocka_unit_test(properties_come_back),
		cmocka_unit_test(image_without_anything_is_valid),
		cmocka_unit_test(region_alone_opens_like_the_whole),
		cmocka_unit_test(strings_are_stored_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
