/* SPDX-License-Identifier: MIT */
/*
 * forge_images DIR [KEY]: one image for each attack into DIR, named after it, and expect.txt: lines
 * of FILE, a tab, and the sentence (dmfs_strerror) with which a reader refuses it; accepted.dmfs,
 * which all are made from, has the sentence of DMFS_OK. The reader trusts KEY (a NAME.key of `dmfs
 * keygen`; without one a key known to everybody), threshold 1, takes rollback indices from 7 on, and
 * is a board with the compatible string riscv-virtio or sifive,hifive-unleashed-a00.
 *
 * What the attacker could have signed is signed: these images differ from valid ones by the attack
 * alone. Each is shown to this machine's reader first; exit status 1 says that one was not refused
 * as it should be.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>
#include <zlib.h>

#include "../unit/forge.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BLOCK_LEN       16u
#define RECORD_LEN      96u
#define OLDER           (FORGE_ROLLBACK - 1)

static const struct dmfs_write_property boards[] = {
	{0, "board", "riscv-virtio"},
	{0, "board", "sifive,hifive-unleashed-a00"},
	{0, "x-note", "for people"},
};

/* One guest that powers off at once. */
static void plan_base(struct forge_plan *plan)
{
	forge_plan(plan);
	plan->plan.capsule_count = 1;
	plan->plan.properties = boards;
	plan->plan.property_count = COUNT_OF(boards);
}

/* The valid image with another initrd, of the same length packed and unpacked. */
static struct forge sibling(uint64_t rollback)
{
	static uint8_t other[5000];
	struct forge_plan plan;
	const uint8_t *initrd;

	plan_base(&plan);
	initrd = plan.objects[FORGE_INITRD].data;
	for (size_t i = 0; i < sizeof(other); i++)
		other[i] = initrd[i] ^ 0xff;
	plan.objects[FORGE_INITRD].data = other;
	plan.plan.rollback = rollback;
	return forge_write(&plan.plan, 1);
}

static void copy_part(struct forge *to, const struct forge *from, uint64_t begin, uint64_t end)
{
	memcpy(to->bytes + begin, from->bytes + begin, end - begin);
}

static void change_byte(struct forge *f, uint64_t at)
{
	f->bytes[at] ^= 0x01;
}

static void leave(struct forge *f)
{
}

/*
 * --- a byte changed in each part -----------------------------------------------------------------
 */

static void changed_header(struct forge *f)
{
	change_byte(f, HEADER_ROLLBACK);
}

static void changed_object(struct forge *f)
{
	change_byte(f, forge_object(f, FORGE_KERNEL) + OBJECT_MEM_LEN);
}

static void changed_capsule(struct forge *f)
{
	change_byte(f, forge_capsule(f, FORGE_GUEST) + CAPSULE_PERMISSIONS);
}

static void changed_property(struct forge *f)
{
	change_byte(f, forge_property(f, 0) + PROPERTY_VALUE);
}

static void changed_chunk_table(struct forge *f)
{
	change_byte(f, forge_chunk(f, 0) + CHUNK_HASH);
}

static void changed_string(struct forge *f)
{
	change_byte(f, forge_strings(f));
}

static void changed_signature(struct forge *f)
{
	change_byte(f, forge_payload(f) - 1);
}

static void changed_signer(struct forge *f)
{
	change_byte(f, forge_signatures(f) + BLOCK_LEN);
}

static void changed_payload(struct forge *f)
{
	change_byte(f, forge_payload(f) + 100);
}

/*
 * --- the file as a whole
 * ---------------------------------------------------------------------------
 */

static void truncated_in_header(struct forge *f)
{
	f->len = 200;
}

static void truncated_in_region(struct forge *f)
{
	f->len = forge_signatures(f) - 1;
}

static void truncated_in_signatures(struct forge *f)
{
	f->len = forge_payload(f) - 1;
}

static void truncated_in_payload(struct forge *f)
{
	f->len--;
}

static void trailing_bytes(struct forge *f)
{
	forge_insert(f, f->len, 512);
}

/*
 * --- signatures
 * -------------------------------------------------------------------------------------
 */

static void not_signed(struct forge *f)
{
	forge_sign(f, 0, 0);
}

static void signed_by_stranger(struct forge *f)
{
	forge_sign(f, 1, 1);
}

static void same_key_twice(struct forge *f)
{
	uint64_t first = forge_signatures(f) + BLOCK_LEN;

	forge_insert(f, first + RECORD_LEN, RECORD_LEN);
	memcpy(f->bytes + first + RECORD_LEN, f->bytes + first, RECORD_LEN);
	forge_set32(f, first - BLOCK_LEN, 2);
}

static void seventeen_signatures(struct forge *f)
{
	forge_sign(f, 0, 17);
}

static void flood_of_signatures(struct forge *f)
{
	forge_set32(f, forge_signatures(f), UINT32_MAX);
}

static void good_and_bad_signature(struct forge *f)
{
	forge_sign(f, 0, 2);
	change_byte(f, forge_signatures(f) + BLOCK_LEN + RECORD_LEN - 1);
}

/* A signature that is right, for less than all of the region. */
static void signature_over_header_alone(struct forge *f)
{
	uint64_t at = forge_signatures(f) + BLOCK_LEN + DMFS_PUBLIC_KEY_LEN;

	crypto_sign_detached(f->bytes + at, NULL, f->bytes, DMFS_HEADER_LEN, forge_key(0));
}

/* The image says that its header is all that is signed, and that is. */
static void unsigned_list_of_what_is_signed(struct forge *f)
{
	forge_set64(f, HEADER_SIGNED_LEN, DMFS_HEADER_LEN);
	signature_over_header_alone(f);
}

/* Fields that would be believed, in the part that no signature covers. */
static void protected_field_in_signature_block(struct forge *f)
{
	forge_set64(f, forge_signatures(f) + 8, OLDER);
}

static void sealed_keys(struct forge *f)
{
	forge_insert(f, forge_payload(f), 80);
	forge_set32(f, forge_signatures(f) + 4, 1);
}

/* A second capsule like the first, with all permissions, under the signature of the first alone. */
static void signature_on_cloned_capsule(struct forge *f)
{
	uint64_t first = forge_capsule(f, 0), clone = forge_capsule(f, 1);

	forge_insert(f, clone, clone - first);
	memcpy(f->bytes + clone, f->bytes + first, clone - first);
	forge_set64(f, clone + CAPSULE_PERMISSIONS, 0xffff);
	forge_set32(f, HEADER_CAPSULES, 2);
	forge_set64(f, HEADER_SIGNED_LEN, forge_signatures(f));
}

/*
 * --- validly signed parts mixed
 * ----------------------------------------------------------------------
 */

static void mixed_payload(struct forge *f)
{
	struct forge other = sibling(FORGE_ROLLBACK);

	copy_part(f, &other, forge_payload(f), f->len);
	forge_free(&other);
}

static void mixed_signatures(struct forge *f)
{
	struct forge other = sibling(FORGE_ROLLBACK);

	copy_part(f, &other, forge_signatures(f), forge_payload(f));
	forge_free(&other);
}

static void mixed_header(struct forge *f)
{
	struct forge other = sibling(FORGE_ROLLBACK + 1);

	copy_part(f, &other, 0, DMFS_HEADER_LEN);
	forge_free(&other);
}

static void mixed_chunk_table(struct forge *f)
{
	struct forge other = sibling(FORGE_ROLLBACK);

	copy_part(f, &other, forge_chunk(f, 0), forge_strings(f));
	copy_part(f, &other, forge_payload(f), f->len);
	forge_free(&other);
}

/*
 * --- what the boards of this image refuse
 * ---------------------------------------------------------
 */

static void older_image(struct forge *f)
{
	forge_free(f);
	*f = sibling(OLDER);
}

static void older_image_with_raised_index(struct forge *f)
{
	older_image(f);
	forge_set64(f, HEADER_ROLLBACK, FORGE_ROLLBACK);
}

static void other_board(struct forge *f)
{
	static const struct dmfs_write_property other = {0, "board", "riscv-virtio2"};
	struct forge_plan plan;

	plan_base(&plan);
	plan.plan.properties = &other;
	plan.plan.property_count = 1;
	forge_free(f);
	*f = forge_write(&plan.plan, 1);
}

/*
 * --- strings, signed
 * --------------------------------------------------------------------------------
 */

static void rename_object(struct forge *f, uint32_t index, const char *name)
{
	uint64_t at = forge_object(f, index) + OBJECT_NAME;
	uint32_t len = (uint32_t)strlen(name);

	forge_set32(f, at, forge_string(f, name, len));
	forge_set32(f, at + 4, len);
	forge_sign(f, 0, 1);
}

static void name_matched_loosely(struct forge *f)
{
	rename_object(f, FORGE_FILE, "kernel@1");
}

static void name_twice(struct forge *f)
{
	rename_object(f, FORGE_FILE, "kernel");
}

static void name_that_escapes(struct forge *f)
{
	rename_object(f, FORGE_FILE, "../../etc/passwd");
}

static void name_with_escape_sequence(struct forge *f)
{
	rename_object(f, FORGE_FILE, "a\033[2J");
}

/*
 * --- streams, signed: the first chunk of the kernel
 * -------------------------------------------------
 */

/* Stores `len` bytes, the kernel's first ones, deflated with these window bits. */
static void store_stream(struct forge *f, uint32_t len, int window_bits, const char *dictionary)
{
	static uint8_t stored[4 * FORGE_CHUNK_LEN];
	struct forge_plan plan;
	z_stream s = {.avail_in = len, .next_out = stored, .avail_out = sizeof(stored)};

	plan_base(&plan);
	s.next_in = (Bytef *)plan.objects[FORGE_KERNEL].data;
	deflateInit2(&s, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
	if (dictionary)
		deflateSetDictionary(&s, (const Bytef *)dictionary, (uInt)strlen(dictionary));
	deflate(&s, Z_FINISH);
	deflateEnd(&s);
	forge_store(f, 0, stored, (uint32_t)s.total_out);
	forge_sign(f, 0, 1);
}

static void gzip_stream(struct forge *f)
{
	store_stream(f, FORGE_CHUNK_LEN, 15 + 16, NULL);
}

static void raw_deflate_stream(struct forge *f)
{
	store_stream(f, FORGE_CHUNK_LEN, -15, NULL);
}

static void stream_past_its_length(struct forge *f)
{
	store_stream(f, 2 * FORGE_CHUNK_LEN, 15, NULL);
}

static void stream_short_of_its_length(struct forge *f)
{
	store_stream(f, FORGE_CHUNK_LEN - 1, 15, NULL);
}

static void stream_with_dictionary(struct forge *f)
{
	store_stream(f, FORGE_CHUNK_LEN, 15, "dictionary");
}

struct attack {
	const char *name;
	void (*make)(struct forge *f);
	enum dmfs_status want;
};

static const struct attack attacks[] = {
	{"accepted", leave, DMFS_OK},
	{"changed-header", changed_header, DMFS_ERR_SIGNATURE},
	{"changed-object", changed_object, DMFS_ERR_SIGNATURE},
	{"changed-capsule", changed_capsule, DMFS_ERR_SIGNATURE},
	{"changed-property", changed_property, DMFS_ERR_SIGNATURE},
	{"changed-chunk-table", changed_chunk_table, DMFS_ERR_SIGNATURE},
	{"changed-string", changed_string, DMFS_ERR_SIGNATURE},
	{"changed-signature", changed_signature, DMFS_ERR_SIGNATURE},
	{"changed-signer", changed_signer, DMFS_ERR_UNTRUSTED},
	{"changed-payload", changed_payload, DMFS_ERR_HASH},
	{"truncated-in-header", truncated_in_header, DMFS_ERR_TRUNCATED},
	{"truncated-in-region", truncated_in_region, DMFS_ERR_TRUNCATED},
	{"truncated-in-signatures", truncated_in_signatures, DMFS_ERR_TRUNCATED},
	{"truncated-in-payload", truncated_in_payload, DMFS_ERR_TRUNCATED},
	{"trailing-bytes", trailing_bytes, DMFS_ERR_TRAILING},
	{"unsigned", not_signed, DMFS_ERR_UNSIGNED},
	{"wrong-key", signed_by_stranger, DMFS_ERR_UNTRUSTED},
	{"same-key-twice", same_key_twice, DMFS_ERR_KEY_TWICE},
	{"seventeen-signatures", seventeen_signatures, DMFS_ERR_TOO_MANY_SIGNATURES},
	{"flood-of-signatures", flood_of_signatures, DMFS_ERR_TOO_MANY_SIGNATURES},
	{"bad-signature-beside-a-good-one", good_and_bad_signature, DMFS_ERR_SIGNATURE},
	{"signature-over-header-alone", signature_over_header_alone, DMFS_ERR_SIGNATURE},
	{"unsigned-list-of-what-is-signed", unsigned_list_of_what_is_signed, DMFS_ERR_LENGTH},
	{"protected-field-in-signature-block", protected_field_in_signature_block,
	 DMFS_ERR_RESERVED},
	{"sealed-keys", sealed_keys, DMFS_ERR_RESERVED},
	{"signature-on-cloned-capsule", signature_on_cloned_capsule, DMFS_ERR_SIGNATURE},
	{"mixed-payload", mixed_payload, DMFS_ERR_HASH},
	{"mixed-signatures", mixed_signatures, DMFS_ERR_SIGNATURE},
	{"mixed-header", mixed_header, DMFS_ERR_SIGNATURE},
	{"mixed-chunk-table", mixed_chunk_table, DMFS_ERR_SIGNATURE},
	{"rollback", older_image, DMFS_ERR_ROLLBACK},
	{"rollback-with-raised-index", older_image_with_raised_index, DMFS_ERR_SIGNATURE},
	{"other-board", other_board, DMFS_ERR_BOARD},
	{"name-matched-loosely", name_matched_loosely, DMFS_ERR_STRING},
	{"name-twice", name_twice, DMFS_ERR_NAME_TWICE},
	{"name-that-escapes", name_that_escapes, DMFS_ERR_STRING},
	{"name-with-escape-sequence", name_with_escape_sequence, DMFS_ERR_STRING},
	{"gzip-stream", gzip_stream, DMFS_ERR_INFLATE},
	{"raw-deflate-stream", raw_deflate_stream, DMFS_ERR_INFLATE},
	{"stream-past-its-length", stream_past_its_length, DMFS_ERR_INFLATE},
	{"stream-short-of-its-length", stream_short_of_its_length, DMFS_ERR_INFLATE},
	{"stream-with-dictionary", stream_with_dictionary, DMFS_ERR_INFLATE},
};

#define BIT(n) (UINT64_C(1) << (n))

/* One field each; signed again where the region's length stays. */
static const struct forge_change fields[] = {
	{"other-magic", HEADER, 0, HEADER_DOMAIN, 1, 'd', DMFS_ERR_MAGIC},
	{"later-format", HEADER, 0, HEADER_FORMAT, 4, 2, DMFS_ERR_VERSION},
	{"other-signature-algorithm", HEADER, 0, HEADER_SIGNATURE_ALG, 4, 0, DMFS_ERR_ALGORITHM},
	{"other-hash-algorithm", HEADER, 0, HEADER_HASH_ALG, 4, 0, DMFS_ERR_ALGORITHM},
	{"encrypted", HEADER, 0, HEADER_ENCRYPTION_ALG, 4, 1, DMFS_ERR_OBJECT},
	{"other-xlen", HEADER, 0, HEADER_XLEN, 4, 32, DMFS_ERR_BOARD},
	{"header-len", HEADER, 0, HEADER_LEN, 4, 0x80000000, DMFS_ERR_LENGTH},
	{"signed-len-past-2-31", HEADER, 0, HEADER_SIGNED_LEN, 8, BIT(31), DMFS_ERR_LENGTH},
	{"signed-len-past-2-32", HEADER, 0, HEADER_SIGNED_LEN, 8, BIT(32) + 256, DMFS_ERR_LENGTH},
	{"payload-len-past-2-31", HEADER, 0, HEADER_PAYLOAD_LEN, 8, BIT(31), DMFS_ERR_TRUNCATED},
	{"payload-len-past-2-32", HEADER, 0, HEADER_PAYLOAD_LEN, 8, BIT(32), DMFS_ERR_TRUNCATED},
	{"payload-len-that-wraps", HEADER, 0, HEADER_PAYLOAD_LEN, 8, UINT64_MAX, DMFS_ERR_LIMIT},
	{"objects-past-the-limit", HEADER, 0, HEADER_OBJECTS, 4, 0x04000001, DMFS_ERR_LIMIT},
	{"chunks-past-the-limit", HEADER, 0, HEADER_CHUNKS, 4, 0xffffffff, DMFS_ERR_LIMIT},
	{"raw-len-past-2-31", OBJECT, FORGE_KERNEL, OBJECT_RAW_LEN, 8, BIT(31), DMFS_ERR_OBJECT},
	{"raw-len-past-2-32", OBJECT, FORGE_KERNEL, OBJECT_RAW_LEN, 8, BIT(32) + 10000,
	 DMFS_ERR_OBJECT},
	{"raw-len-that-wraps", OBJECT, FORGE_KERNEL, OBJECT_RAW_LEN, 8, UINT64_MAX, DMFS_ERR_LIMIT},
	{"mem-len-that-wraps", OBJECT, FORGE_KERNEL, OBJECT_MEM_LEN, 8, UINT64_MAX, DMFS_ERR_LIMIT},
	{"object-over-another", OBJECT, FORGE_INITRD, OBJECT_FIRST_CHUNK, 4, 0, DMFS_ERR_OBJECT},
	{"object-name-out-of-bounds", OBJECT, FORGE_KERNEL, OBJECT_NAME, 4, 0xfffffff0,
	 DMFS_ERR_STRING},
	{"chunk-out-of-bounds", CHUNK, 0, CHUNK_OFFSET, 8, BIT(40), DMFS_ERR_CHUNK},
	{"chunk-over-another", CHUNK, 1, CHUNK_OFFSET, 8, 0, DMFS_ERR_CHUNK},
	{"stored-len-past-2-31", CHUNK, 0, CHUNK_STORED_LEN, 4, BIT(31), DMFS_ERR_CHUNK},
	{"chunk-raw-len-past-2-31", CHUNK, 0, CHUNK_RAW_LEN, 4, BIT(31), DMFS_ERR_CHUNK},
	{"memory-that-wraps", CAPSULE, 0, CAPSULE_MEMORY, 8, BIT(63), DMFS_ERR_LIMIT},
	{"kernel-below-memory", CAPSULE, 0, CAPSULE_KERNEL_LOAD, 8, 0x1000, DMFS_ERR_CAPSULE},
	{"kernel-that-wraps", CAPSULE, 0, CAPSULE_KERNEL_LOAD, 8, UINT64_MAX - 0xfff,
	 DMFS_ERR_CAPSULE},
	{"kernel-over-devicetree", CAPSULE, 0, CAPSULE_TREE_LOAD, 8, FORGE_RAM + 0x200000,
	 DMFS_ERR_CAPSULE},
	{"entry-outside-kernel", CAPSULE, 0, CAPSULE_ENTRY, 8, 0x10000000, DMFS_ERR_CAPSULE},
	{"unknown-permission", CAPSULE, 0, CAPSULE_PERMISSIONS, 8, BIT(16), DMFS_ERR_RESERVED},
	{"kernel-of-another-type", CAPSULE, 0, CAPSULE_KERNEL, 4, FORGE_FILE, DMFS_ERR_CAPSULE},
	{"property-of-nobody", PROPERTY, 2, PROPERTY_OWNER, 4, 2, DMFS_ERR_PROPERTY},
};

static void die(const char *what)
{
	fprintf(stderr, "forge_images: %s: %s\n", what, errno ? strerror(errno) : "not usable");
	exit(3);
}

#define SECRET_PREFIX "diosix-ed25519-secret-v1 "

static void load_key(const char *path)
{
	char text[sizeof(SECRET_PREFIX) + 2 * crypto_sign_SEEDBYTES + 2] = "";
	uint8_t seed[crypto_sign_SEEDBYTES], public[DMFS_PUBLIC_KEY_LEN], key[DMFS_SECRET_KEY_LEN];
	const char *hex = text + strlen(SECRET_PREFIX);
	FILE *file = fopen(path, "rb");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0, bytes;

	if (!file)
		die(path);
	fclose(file);
	if (len < strlen(SECRET_PREFIX) || memcmp(text, SECRET_PREFIX, strlen(SECRET_PREFIX)) != 0 ||
	    sodium_hex2bin(seed, sizeof(seed), hex, len - strlen(SECRET_PREFIX), "\n", &bytes, NULL) != 0 ||
	    bytes != sizeof(seed))
		die(path);
	crypto_sign_seed_keypair(public, key, seed);
	forge_use_key(key);
}

/* Writes the image and its line in expect.txt; false when the reader here says something else. */
static bool put(const char *dir, FILE *expect, const char *name, const struct forge *f,
		enum dmfs_status want)
{
	struct forge exact = forge_copy(f);
	enum dmfs_status got = forge_read(&exact);
	char path[4096];
	FILE *out;

	forge_free(&exact);
	snprintf(path, sizeof(path), "%s/%s.dmfs", dir, name);
	out = fopen(path, "wb");
	if (!out || fwrite(f->bytes, f->len, 1, out) != 1 || fclose(out) != 0)
		die(path);
	fprintf(expect, "%s.dmfs\t%s\n", name, dmfs_strerror(want));
	if (got != want)
		fprintf(stderr, "forge_images: %s: %s, and not: %s\n", name, dmfs_strerror(got),
			dmfs_strerror(want));
	return got == want;
}

static bool put_all(const char *dir, FILE *expect)
{
	struct forge_plan plan;
	struct forge valid;
	bool good = true;

	plan_base(&plan);
	valid = forge_write(&plan.plan, 1);
	for (size_t i = 0; i < COUNT_OF(attacks); i++) {
		struct forge f = forge_copy(&valid);

		attacks[i].make(&f);
		good &= put(dir, expect, attacks[i].name, &f, attacks[i].want);
		forge_free(&f);
	}
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		struct forge f = forge_copy(&valid);

		forge_apply(&f, &fields[i]);
		if (forge_signatures(&f) == forge_signatures(&valid))
			forge_sign(&f, 0, 1);
		good &= put(dir, expect, fields[i].what, &f, fields[i].want);
		forge_free(&f);
	}
	forge_free(&valid);
	return good;
}

int main(int argc, char **argv)
{
	char path[4096];
	FILE *expect;
	bool good;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: forge_images DIR [KEY]\n");
		return 2;
	}
	if (argc == 3)
		load_key(argv[2]);
	if (mkdir(argv[1], 0777) != 0 && errno != EEXIST)
		die(argv[1]);
	errno = 0;
	snprintf(path, sizeof(path), "%s/expect.txt", argv[1]);
	expect = fopen(path, "w");
	if (!expect)
		die(path);
	good = put_all(argv[1], expect);
	if (fclose(expect) != 0)
		die(path);
	return good ? 0 : 1;
}
