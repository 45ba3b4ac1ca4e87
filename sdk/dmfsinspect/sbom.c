/* SPDX-License-Identifier: MIT */
/* What an image is made of, as an SPDX 2.3 document. */
#include "inspect.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/json.h"
#include "common/size.h"
#include "sign/seal.h"
#include "unpack.h"

#define HASH_TEXT_LEN (2 * crypto_hash_sha256_BYTES + 1)

struct sums {
	char sha256[HASH_TEXT_LEN];
	char blake2b[HASH_TEXT_LEN];
};

struct summing {
	crypto_hash_sha256_state sha256;
	crypto_generichash_state blake2b;
};

static void sum_begin(struct summing *summing)
{
	crypto_hash_sha256_init(&summing->sha256);
	crypto_generichash_init(&summing->blake2b, NULL, 0, DMFS_HASH_LEN);
}

static void sum_add(struct summing *summing, const uint8_t *data, size_t len)
{
	crypto_hash_sha256_update(&summing->sha256, data, len);
	crypto_generichash_update(&summing->blake2b, data, len);
}

static void sum_end(struct summing *summing, struct sums *sums)
{
	uint8_t hash[DMFS_HASH_LEN];

	crypto_hash_sha256_final(&summing->sha256, hash);
	sodium_bin2hex(sums->sha256, sizeof(sums->sha256), hash, sizeof(hash));
	crypto_generichash_final(&summing->blake2b, hash, sizeof(hash));
	sodium_bin2hex(sums->blake2b, sizeof(sums->blake2b), hash, sizeof(hash));
}

/* Sums of what an object unpacks to, whatever the compression; for want of a key, of its stored bytes. */
static enum dmfs_status sum_object(const struct image_file *file, const struct dmfs_object *object,
				   struct sums *sums)
{
	struct unpack_rooms rooms;
	enum dmfs_status status = unpack_rooms_init(&rooms, file) ? DMFS_OK : DMFS_ERR_SPACE;
	bool readable = unpack_has_key(file, object);
	struct summing summing;

	sum_begin(&summing);
	for (uint32_t i = 0; i < object->chunk_count && status == DMFS_OK; i++) {
		struct dmfs_chunk chunk = dmfs_chunk(&file->image, object->first_chunk + i);
		const uint8_t *stored =
			file->bytes.data + file->image.extent.payload_offset + chunk.offset;

		status = readable ? unpack_one(file, object, &chunk, &rooms)
				  : dmfs_check_chunk(&chunk, stored);
		if (status == DMFS_OK)
			sum_add(&summing, readable ? rooms.raw : stored,
				readable ? chunk.raw_len : chunk.stored_len);
	}
	sum_end(&summing, sums);
	unpack_rooms_free(&rooms);
	return status;
}

static void print_sums(struct json *json, const struct sums *sums)
{
	const char *const names[] = {"SHA256", "BLAKE2b-256"};
	const char *const values[] = {sums->sha256, sums->blake2b};

	json_begin_array(json, "checksums");
	for (unsigned i = 0; i < 2; i++) {
		json_begin_object(json, NULL);
		json_text(json, "algorithm", names[i]);
		json_text(json, "checksumValue", values[i]);
		json_end_object(json);
	}
	json_end_array(json);
}

/* SPDXRef- identifiers take letters, digits, '.' and '-'; numbers keep them apart. */
static void package_id(char id[32], uint32_t object)
{
	snprintf(id, 32, "SPDXRef-Object-%u", object);
}

static void print_package(struct json *json, const char *id, struct dmfs_str name,
			  const char *purpose, const struct sums *sums)
{
	json_begin_object(json, NULL);
	json_text(json, "SPDXID", id);
	json_bytes(json, "name", name.data, name.len);
	json_text(json, "downloadLocation", "NOASSERTION");
	json_bool(json, "filesAnalyzed", false);
	json_text(json, "licenseConcluded", "NOASSERTION");
	json_text(json, "licenseDeclared", "NOASSERTION");
	json_text(json, "copyrightText", "NOASSERTION");
	json_text(json, "supplier", "NOASSERTION");
	json_text(json, "primaryPackagePurpose", purpose);
	print_sums(json, sums);
}

static void print_packages(struct json *json, const struct image_file *file,
			   const struct sums *whole, const struct sums *objects)
{
	const struct dmfs_image *image = &file->image;
	char id[32], comment[128];

	json_begin_array(json, "packages");
	print_package(json, "SPDXRef-Image", image->name, "FIRMWARE", whole);
	if (image->version.len)
		json_bytes(json, "versionInfo", image->version.data, image->version.len);
	json_end_object(json);
	for (uint32_t i = 0; i < image->objects; i++) {
		struct dmfs_object object = dmfs_object(image, i);

		package_id(id, i);
		print_package(json, id, object.name,
			      object.type == DMFS_OBJECT_KERNEL ? "OPERATING-SYSTEM" : "OTHER",
			      &objects[i]);
		snprintf(comment, sizeof(comment), "%s, %" PRIu64 " bytes unpacked%s",
			 dmfs_object_type_name(object.type), object.raw_len,
			 unpack_has_key(file, &object)
				 ? ""
				 : "; encrypted, the checksums are those of its stored bytes");
		json_text(json, "comment", comment);
		json_end_object(json);
	}
	json_end_array(json);
}

static void print_relationship(struct json *json, const char *from, const char *type,
			       const char *to)
{
	json_begin_object(json, NULL);
	json_text(json, "spdxElementId", from);
	json_text(json, "relationshipType", type);
	json_text(json, "relatedSpdxElement", to);
	json_end_object(json);
}

static void print_relationships(struct json *json, const struct dmfs_image *image)
{
	char id[32];

	json_begin_array(json, "relationships");
	print_relationship(json, "SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image");
	for (uint32_t i = 0; i < image->objects; i++) {
		package_id(id, i);
		print_relationship(json, "SPDXRef-Image", "CONTAINS", id);
	}
	json_end_array(json);
}

static void print_document(const struct image_file *file, uint64_t created,
			   const struct sums *whole, const struct sums *objects)
{
	struct json json = {.out = stdout};
	char line[160], when[32];

	json_begin_object(&json, NULL);
	json_text(&json, "spdxVersion", "SPDX-2.3");
	json_text(&json, "dataLicense", "CC0-1.0");
	json_text(&json, "SPDXID", "SPDXRef-DOCUMENT");
	json_bytes(&json, "name", file->image.name.data, file->image.name.len);
	snprintf(line, sizeof(line), "https://spdx.org/spdxdocs/%.*s-%s", (int)file->image.name.len,
		 file->image.name.data, whole->sha256);
	json_text(&json, "documentNamespace", line);
	json_begin_object(&json, "creationInfo");
	json_text(&json, "created", created ? inspect_time(when, created) : "1970-01-01T00:00:00Z");
	json_begin_array(&json, "creators");
	json_text(&json, NULL, "Tool: dmfs-" DIOSIX_VERSION);
	json_end_array(&json);
	json_text(&json, "comment",
		  file->verified ? "The image's signatures were verified."
				 : "The image's signatures were not verified.");
	json_end_object(&json);
	print_packages(&json, file, whole, objects);
	print_relationships(&json, &file->image);
	json_end_object(&json);
}

/* SOURCE_DATE_EPOCH, or else the image's own time: never the clock, so that equal images give equal
 * documents. */
static bool read_created(const struct image_file *file, uint64_t *created)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");

	*created = file->image.created <= UINT32_MAX ? file->image.created : 0;
	if (!text || !*text || (number_parse(text, created) && *created <= UINT32_MAX))
		return true;
	diag_error("SOURCE_DATE_EPOCH is '%s', not a number of seconds", text);
	return false;
}

static int make_document(const struct image_file *file, struct sums *objects)
{
	struct summing summing;
	struct sums whole;
	uint64_t created;

	if (!read_created(file, &created))
		return STATUS_USAGE;
	for (uint32_t i = 0; i < file->image.objects; i++) {
		struct dmfs_object object = dmfs_object(&file->image, i);
		enum dmfs_status status = sum_object(file, &object, &objects[i]);

		if (status != DMFS_OK)
			return image_refused(file->path, status);
	}
	sum_begin(&summing);
	sum_add(&summing, file->bytes.data, file->bytes.len);
	sum_end(&summing, &whole);
	print_document(file, created, &whole, objects);
	return STATUS_DONE;
}

int sbom_command(const struct args *args)
{
	struct trust_keys trust;
	struct image_file file;
	struct sums *objects;
	int status = inspect_read(&file, args, args->operands[0], &trust);

	if (status != STATUS_DONE)
		return status;
	status = image_file_unseal(&file, args);
	objects = calloc(file.image.objects + 1, sizeof(*objects));
	if (status == STATUS_DONE)
		status = objects ? make_document(&file, objects)
				 : diag_file("read", file.path, ENOMEM);
	free(objects);
	image_file_free(&file);
	return status;
}
