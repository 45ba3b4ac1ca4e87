/* SPDX-License-Identifier: MIT */
/*
 * forge_images DIR RECIPES [KEY]: makes the images of the folder RECIPES (tests/golden/README.md)
 * into DIR, each named after its recipe, and expect.txt: lines of FILE, a tab, and the sentence
 * with which a reader refuses it. accepted.dmfs, which all are made from, has the sentence of
 * DMFS_OK. The reader trusts KEY (a NAME.key of `dmfs keygen`; without one a key known to
 * everybody), threshold 1, takes rollback indices from 7 on, and is a board with the compatible
 * string riscv-virtio or sifive,hifive-unleashed-a00.
 *
 * Each image is shown to this machine's reader; exit status 1 says that one was not refused as its
 * recipe says, 3 that a recipe cannot be read.
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>
#include <zlib.h>

#include "../unit/forge.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BLOCK_LEN       16u
#define MAX_WORDS       4
#define LINE_LEN        256

static _Noreturn void die(const char *where, const char *what)
{
	fprintf(stderr, "forge_images: %s: %s\n", where, what);
	exit(3);
}

/* --- the valid image, and one like it --------------------------------------------------------- */

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

static struct forge valid_image(void)
{
	struct forge_plan plan;

	plan_base(&plan);
	return forge_write(&plan.plan, 1);
}

/*
 * With another initrd, of the same length packed and unpacked, so that all parts are where they are
 * in the valid one.
 */
static struct forge other_image(uint64_t rollback)
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

/* --- fields, places, values ------------------------------------------------------------------- */

struct field {
	const char *name;
	unsigned at, bytes;
};

static const struct field header_fields[] = {
	{"domain", HEADER_DOMAIN, 4},
	{"format", HEADER_FORMAT, 4},
	{"header_len", HEADER_LEN, 4},
	{"signed_len", HEADER_SIGNED_LEN, 8},
	{"payload_len", HEADER_PAYLOAD_LEN, 8},
	{"signature_alg", HEADER_SIGNATURE_ALG, 4},
	{"hash_alg", HEADER_HASH_ALG, 4},
	{"compression_alg", HEADER_COMPRESSION_ALG, 4},
	{"encryption_alg", HEADER_ENCRYPTION_ALG, 4},
	{"rollback", HEADER_ROLLBACK, 8},
	{"xlen", HEADER_XLEN, 4},
	{"chunk_len", HEADER_CHUNK_LEN, 4},
	{"objects", HEADER_OBJECTS, 4},
	{"capsules", HEADER_CAPSULES, 4},
	{"properties", HEADER_PROPERTIES, 4},
	{"chunks", HEADER_CHUNKS, 4},
	{"strings_len", HEADER_STRINGS_LEN, 4},
	{"name", HEADER_NAME, 4},
	{"version", HEADER_VERSION, 4},
	{NULL, 0, 0},
};
static const struct field object_fields[] = {
	{"name", OBJECT_NAME, 4},
	{"type", OBJECT_TYPE, 4},
	{"flags", OBJECT_FLAGS, 4},
	{"raw_len", OBJECT_RAW_LEN, 8},
	{"first_chunk", OBJECT_FIRST_CHUNK, 4},
	{"chunk_count", OBJECT_CHUNK_COUNT, 4},
	{"mem_len", OBJECT_MEM_LEN, 8},
	{NULL, 0, 0},
};
static const struct field capsule_fields[] = {
	{"name", CAPSULE_NAME, 4},
	{"kind", CAPSULE_KIND, 4},
	{"cpus", CAPSULE_CPUS, 4},
	{"memory", CAPSULE_MEMORY, 8},
	{"entry", CAPSULE_ENTRY, 8},
	{"kernel_load", CAPSULE_KERNEL_LOAD, 8},
	{"initrd_load", CAPSULE_INITRD_LOAD, 8},
	{"devicetree_load", CAPSULE_TREE_LOAD, 8},
	{"kernel", CAPSULE_KERNEL, 4},
	{"initrd", CAPSULE_INITRD, 4},
	{"devicetree", CAPSULE_TREE, 4},
	{"flags", CAPSULE_FLAGS, 4},
	{"permissions", CAPSULE_PERMISSIONS, 8},
	{"cmdline", CAPSULE_CMDLINE, 4},
	{NULL, 0, 0},
};
static const struct field property_fields[] = {
	{"owner", PROPERTY_OWNER, 4},
	{"key", PROPERTY_KEY, 4},
	{"value", PROPERTY_VALUE, 4},
	{NULL, 0, 0},
};
static const struct field chunk_fields[] = {
	{"offset", CHUNK_OFFSET, 8},
	{"stored_len", CHUNK_STORED_LEN, 4},
	{"raw_len", CHUNK_RAW_LEN, 4},
	{"hash", CHUNK_HASH, 4},
	{NULL, 0, 0},
};

static uint64_t header_at(const struct forge *f, uint32_t index)
{
	return 0;
}

static const struct table {
	const char *name;
	uint64_t (*at)(const struct forge *f, uint32_t index);
	const struct field *fields;
} tables[] = {
	{"header", header_at, header_fields},       {"object", forge_object, object_fields},
	{"capsule", forge_capsule, capsule_fields}, {"property", forge_property, property_fields},
	{"chunk", forge_chunk, chunk_fields},
};

static uint64_t end_of(const struct forge *f)
{
	return f->len;
}

static const struct {
	const char *name;
	uint64_t (*at)(const struct forge *f);
} parts[] = {
	{"strings", forge_strings},
	{"signatures", forge_signatures},
	{"payload", forge_payload},
	{"end", end_of},
};

static const char *const objects[] = {"kernel", "initrd",  "devicetree",
				      "banner", "program", "file"};

/* "object[kernel].raw_len", without the dot the record. False when it is none. */
static bool find_field(const struct forge *f, const char *word, uint64_t *at, unsigned *bytes)
{
	size_t len = strcspn(word, "[.");
	uint32_t index = 0;

	for (size_t t = 0; t < COUNT_OF(tables); t++) {
		const char *rest = word + len, *name;

		if (strlen(tables[t].name) != len || strncmp(word, tables[t].name, len) != 0)
			continue;
		if (*rest == '[') {
			name = rest + 1;
			rest += strcspn(rest, "]") + 1;
			index = (uint32_t)strtoul(name, NULL, 10);
			for (uint32_t i = 0; i < COUNT_OF(objects); i++)
				if (strncmp(name, objects[i], strlen(objects[i])) == 0)
					index = i;
		}
		*at = tables[t].at(f, index);
		*bytes = 4;
		if (*rest != '.')
			return *rest == '\0';
		for (const struct field *field = tables[t].fields; field->name; field++)
			if (strcmp(field->name, rest + 1) == 0) {
				*at += field->at;
				*bytes = field->bytes;
				return true;
			}
	}
	return false;
}

static uint64_t term(const struct forge *f, const char *word)
{
	uint64_t value;
	unsigned bytes;
	char *rest;

	if (find_field(f, word, &value, &bytes))
		return value;
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (strcmp(parts[i].name, word) == 0)
			return parts[i].at(f);
	for (uint32_t i = 0; i < COUNT_OF(objects); i++)
		if (strcmp(objects[i], word) == 0)
			return i;
	if (strncmp(word, "2^", 2) == 0) {
		value = strtoul(word + 2, &rest, 10);
		value = value > 63 ? 0 : UINT64_C(1) << value;
	} else {
		value = strtoull(word, &rest, 0);
	}
	if (rest == word || *rest != '\0')
		die(word, "no number, field or place");
	return value;
}

/* Terms with plus and minus between them, modulo 2^64. */
static uint64_t value_of(const struct forge *f, const char *word)
{
	char part[LINE_LEN];
	uint64_t sum = 0;
	char sign = '+';

	while (sign != '\0') {
		size_t len = strcspn(word, "+-");

		memcpy(part, word, len);
		part[len] = '\0';
		sum = sign == '+' ? sum + term(f, part) : sum - term(f, part);
		sign = word[len];
		word += len + 1;
	}
	return sum;
}

static uint64_t place_of(const struct forge *f, const char *word, uint64_t len)
{
	uint64_t at = value_of(f, word);

	if (at > f->len || len > f->len - at)
		die(word, "outside the image");
	return at;
}

static uint64_t field_of(const struct forge *f, const char *word, unsigned *bytes)
{
	uint64_t at;

	if (!find_field(f, word, &at, bytes) || at + *bytes > f->len)
		die(word, "no field");
	return at;
}

/* --- what recipes do -----------------------------------------------------------------------------
 */

static void set(struct forge *f, char **words)
{
	uint64_t value = value_of(f, words[1]);
	unsigned bytes;
	uint64_t at = field_of(f, words[0], &bytes);

	if (bytes == 8)
		forge_set64(f, at, value);
	else
		forge_set32(f, at, (uint32_t)value);
}

static void put(struct forge *f, char **words)
{
	forge_set32(f, place_of(f, words[0], 4), (uint32_t)value_of(f, words[1]));
}

static void flip(struct forge *f, char **words)
{
	f->bytes[place_of(f, words[0], 1)] ^= 1;
}

static void cut(struct forge *f, char **words)
{
	f->len = place_of(f, words[0], 0);
}

static void insert(struct forge *f, char **words)
{
	forge_insert(f, place_of(f, words[0], 0), value_of(f, words[1]));
}

static void copy(struct forge *f, char **words)
{
	uint64_t len = value_of(f, words[1]);

	memmove(f->bytes + place_of(f, words[2], len), f->bytes + place_of(f, words[0], len), len);
}

/* \xNN is a byte. */
static uint32_t unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; to++) {
		char hex[3] = "";

		if (strncmp(from, "\\x", 2) == 0) {
			memcpy(hex, from + 2, 2);
			*to = (char)strtoul(hex, NULL, 16);
			from += 4;
		} else {
			*to = *from++;
		}
	}
	return (uint32_t)(to - text);
}

static void string(struct forge *f, char **words)
{
	uint32_t len = unescape(words[1]), offset = forge_string(f, words[1], len);
	unsigned bytes;
	uint64_t at = field_of(f, words[0], &bytes);

	forge_set32(f, at, offset);
	forge_set32(f, at + 4, len);
}

static void stream(struct forge *f, char **words)
{
	static const struct {
		const char *name;
		int window_bits; /* zlib.h, deflateInit2() */
	} formats[] = {{"zlib", 15}, {"gzip", 15 + 16}, {"raw", -15}, {"dictionary", 15}};
	static uint8_t stored[4 * FORGE_CHUNK_LEN];
	struct forge_plan plan;
	z_stream s = {.next_out = stored,
		      .avail_out = sizeof(stored),
		      .avail_in = (uInt)value_of(f, words[1])};
	int bits = 0;

	for (size_t i = 0; i < COUNT_OF(formats); i++)
		if (strcmp(formats[i].name, words[0]) == 0)
			bits = formats[i].window_bits;
	if (bits == 0 || s.avail_in > 2 * FORGE_CHUNK_LEN)
		die(words[0], "no stream");
	plan_base(&plan);
	s.next_in = (Bytef *)plan.objects[FORGE_KERNEL].data;
	deflateInit2(&s, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY);
	if (strcmp(words[0], "dictionary") == 0)
		deflateSetDictionary(&s, (const Bytef *)words[0], (uInt)strlen(words[0]));
	deflate(&s, Z_FINISH);
	deflateEnd(&s);
	forge_store(f, 0, stored, (uint32_t)s.total_out);
}

static void take(struct forge *f, char **words)
{
	struct forge other = other_image(value_of(f, words[2]));
	uint64_t from = place_of(f, words[0], 0), to = place_of(f, words[1], 0);

	if (from > to || other.len != f->len)
		die(words[0], "cannot be taken from the other image");
	memcpy(f->bytes + from, other.bytes + from, to - from);
	forge_free(&other);
}

static void sign(struct forge *f, char **words)
{
	uint64_t first = value_of(f, words[0]), count = value_of(f, words[1]);

	if (first + count > FORGE_MAX_KEYS || forge_payload(f) > f->len)
		die(words[1], "cannot be signed so");
	forge_sign(f, (unsigned)first, (unsigned)count);
}

static void sign_less(struct forge *f, char **words)
{
	uint64_t len = value_of(f, words[0]);
	uint64_t at = forge_signatures(f) + BLOCK_LEN + DMFS_PUBLIC_KEY_LEN;

	if (len > f->len || at + DMFS_SIGNATURE_LEN > f->len)
		die(words[0], "cannot be signed so");
	crypto_sign_detached(f->bytes + at, NULL, f->bytes, len, forge_key(0));
}

static const struct step {
	const char *name;
	unsigned words;
	void (*run)(struct forge *f, char **words);
} steps[] = {
	{"set", 2, set},
	{"put", 2, put},
	{"flip", 1, flip},
	{"cut", 1, cut},
	{"insert", 2, insert},
	{"copy", 3, copy},
	{"string", 2, string},
	{"take", 3, take},
	{"sign", 2, sign},
	{"stream", 2, stream},
	{"sign-less", 1, sign_less},
};

/* --- recipes ---------------------------------------------------------------------------------- */

/* Where the images go, and the one in the making. */
struct kitchen {
	const char *dir;
	FILE *expect;
	struct forge valid, image;
	char name[64];
	bool good; /* so far each was refused as its recipe says */
};

static void run_step(struct kitchen *kitchen, const char *name, char *rest)
{
	char *words[MAX_WORDS] = {NULL};
	unsigned count = 0;

	for (char *word = strtok(rest, " "); word && count < MAX_WORDS; word = strtok(NULL, " "))
		words[count++] = word;
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		if (strcmp(steps[i].name, name) == 0 && steps[i].words == count) {
			steps[i].run(&kitchen->image, words);
			return;
		}
	die(kitchen->name, name);
}

/* The image is done: shown to the reader here, written, its line in expect.txt. */
static void finish(struct kitchen *kitchen, const char *sentence)
{
	struct forge exact = forge_copy(&kitchen->image);
	const char *said = dmfs_strerror(forge_read(&exact));
	char path[4096];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s.dmfs", kitchen->dir, kitchen->name);
	out = fopen(path, "wb");
	if (!out || fwrite(exact.bytes, exact.len, 1, out) != 1 || fclose(out) != 0)
		die(path, strerror(errno));
	forge_free(&exact);
	forge_free(&kitchen->image);
	fprintf(kitchen->expect, "%s.dmfs\t%s\n", kitchen->name, sentence);
	if (strcmp(said, sentence) != 0) {
		fprintf(stderr, "forge_images: %s: %s, and not: %s\n", kitchen->name, said,
			sentence);
		kitchen->good = false;
	}
	kitchen->name[0] = '\0';
}

static void begin(struct kitchen *kitchen, const char *name)
{
	snprintf(kitchen->name, sizeof(kitchen->name), "%s", name);
	kitchen->image = forge_copy(&kitchen->valid);
}

static void run_line(struct kitchen *kitchen, const char *path, char *line)
{
	char *name = line + strspn(line, " \t"), *rest;

	name[strcspn(name, "\n")] = '\0';
	if (*name == '\0' || *name == '#')
		return;
	rest = name + strcspn(name, " ");
	if (*rest != '\0')
		*rest++ = '\0';
	if ((strcmp(name, "image") == 0) == (kitchen->name[0] != '\0'))
		die(path, "every image begins with 'image' and ends with 'expect'");
	if (strcmp(name, "image") == 0)
		begin(kitchen, rest);
	else if (strcmp(name, "expect") == 0)
		finish(kitchen, rest);
	else
		run_step(kitchen, name, rest);
}

static void run_recipes(struct kitchen *kitchen, const char *folder)
{
	char pattern[4096], line[LINE_LEN];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/*.txt", folder);
	if (glob(pattern, 0, NULL, &found) != 0)
		die(pattern, "no recipes");
	for (size_t i = 0; i < found.gl_pathc; i++) {
		FILE *file = fopen(found.gl_pathv[i], "r");

		if (!file)
			die(found.gl_pathv[i], strerror(errno));
		while (fgets(line, sizeof(line), file))
			run_line(kitchen, found.gl_pathv[i], line);
		fclose(file);
		if (kitchen->name[0] != '\0')
			die(kitchen->name, "does not say what is expected");
	}
	globfree(&found);
}

/* --- the program ------------------------------------------------------------------------------ */

#define SECRET_PREFIX "diosix-ed25519-secret-v1 "

static void load_key(const char *path)
{
	char text[sizeof(SECRET_PREFIX) + 2 * crypto_sign_SEEDBYTES + 2] = "";
	uint8_t seed[crypto_sign_SEEDBYTES], public[DMFS_PUBLIC_KEY_LEN], key[DMFS_SECRET_KEY_LEN];
	const char *hex = text + strlen(SECRET_PREFIX);
	FILE *file = fopen(path, "rb");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0, bytes;

	if (!file)
		die(path, strerror(errno));
	fclose(file);
	if (len < strlen(SECRET_PREFIX) ||
	    memcmp(text, SECRET_PREFIX, strlen(SECRET_PREFIX)) != 0 ||
	    sodium_hex2bin(seed, sizeof(seed), hex, len - strlen(SECRET_PREFIX), "\n", &bytes,
			   NULL) != 0 ||
	    bytes != sizeof(seed))
		die(path, "no secret key");
	crypto_sign_seed_keypair(public, key, seed);
	forge_use_key(key);
}

int main(int argc, char **argv)
{
	struct kitchen kitchen = {.good = true};
	char path[4096];

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: forge_images DIR RECIPES [KEY]\n");
		return 2;
	}
	if (argc == 4)
		load_key(argv[3]);
	if (mkdir(argv[1], 0777) != 0 && errno != EEXIST)
		die(argv[1], strerror(errno));
	snprintf(path, sizeof(path), "%s/expect.txt", argv[1]);
	kitchen.dir = argv[1];
	kitchen.expect = fopen(path, "w");
	if (!kitchen.expect)
		die(path, strerror(errno));
	kitchen.valid = valid_image();
	begin(&kitchen, "accepted");
	finish(&kitchen, dmfs_strerror(DMFS_OK));
	run_recipes(&kitchen, argv[2]);
	forge_free(&kitchen.valid);
	if (fclose(kitchen.expect) != 0)
		die(path, strerror(errno));
	return kitchen.good ? 0 : 1;
}
