/* SPDX-License-Identifier: MIT */
/*
 * From a plan to the bytes of the signed region (sections 2 to 6), but for what the payload
 * decides.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host_internal.h"

/* Strings of the image, each stored once, in the order of their first use. */
struct strings {
	char *bytes;
	uint32_t len;
	struct entry {
		uint32_t offset, len;
	} *entries;
	uint32_t count;
};

/* A position in the region. All of the region was zero before. */
struct pen {
	uint8_t *at;
	struct strings *strings;
	enum dmfs_status status;
};

void host_put_u32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static void put_u32(struct pen *pen, uint32_t value)
{
	host_put_u32(pen->at, value);
	pen->at += 4;
}

static void put_u64(struct pen *pen, uint64_t value)
{
	put_u32(pen, (uint32_t)value);
	put_u32(pen, (uint32_t)(value >> 32));
}

/* Section 2: a string of length 0 has offset 0. */
static void put_string(struct pen *pen, const char *data, uint64_t len)
{
	struct strings *s = pen->strings;
	uint32_t offset = s->len;

	if (len > DMFS_MAX_STRINGS_LEN) {
		pen->status = DMFS_ERR_LIMIT;
		return;
	}
	for (uint32_t i = 0; i < s->count && offset == s->len; i++)
		if (s->entries[i].len == len &&
		    memcmp(s->bytes + s->entries[i].offset, data, len) == 0)
			offset = s->entries[i].offset;
	if (len > 0 && offset == s->len) {
		if (len > DMFS_MAX_STRINGS_LEN - s->len) {
			pen->status = DMFS_ERR_LIMIT;
			return;
		}
		memcpy(s->bytes + s->len, data, len);
		s->entries[s->count++] = (struct entry){s->len, (uint32_t)len};
		s->len += (uint32_t)len;
	}
	put_u32(pen, len > 0 ? offset : 0);
	put_u32(pen, (uint32_t)len);
}

static void put_text(struct pen *pen, const char *text)
{
	put_string(pen, text ? text : "", text ? strlen(text) : 0);
}

static uint64_t chunks_of(uint64_t raw_len, uint32_t chunk_len)
{
	return raw_len / chunk_len + (raw_len % chunk_len != 0);
}

static void put_objects(struct pen *pen, const struct dmfs_write_plan *plan, uint32_t chunk_len)
{
	uint32_t first = 0;

	for (uint32_t i = 0; i < plan->object_count; i++) {
		const struct dmfs_write_object *o = &plan->objects[i];
		uint8_t *start = pen->at;
		uint32_t count = (uint32_t)chunks_of(o->raw_len, chunk_len);

		put_text(pen, o->name);
		put_u32(pen, o->type);
		put_u32(pen, o->encrypted ? DMFS_OBJECT_ENCRYPTED : 0);
		put_u64(pen, o->raw_len);
		put_u32(pen, first);
		put_u32(pen, count);
		put_u64(pen, o->mem_len);
		pen->at = start + DMFS_OBJECT_LEN;
		first += count;
	}
}

static void put_capsules(struct pen *pen, const struct dmfs_write_plan *plan)
{
	for (uint32_t i = 0; i < plan->capsule_count; i++) {
		const struct dmfs_capsule *p = &plan->capsules[i];
		uint8_t *start = pen->at;

		put_string(pen, p->name.data, p->name.len);
		put_u32(pen, p->kind);
		put_u32(pen, p->cpus);
		put_u64(pen, p->memory);
		put_u64(pen, p->entry);
		put_u64(pen, p->kernel_load);
		put_u64(pen, p->initrd_load);
		put_u64(pen, p->devicetree_load);
		put_u32(pen, p->kernel);
		put_u32(pen, p->initrd);
		put_u32(pen, p->devicetree);
		put_u32(pen, p->flags);
		put_u32(pen, p->priority);
		put_u32(pen, p->restart);
		put_u32(pen, p->cpu_limit);
		put_u32(pen, p->restart_limit);
		put_u64(pen, p->affinity);
		put_u64(pen, p->permissions);
		put_string(pen, p->cmdline.data, p->cmdline.len);
		pen->at = start + DMFS_CAPSULE_LEN;
	}
}

static void put_properties(struct pen *pen, const struct dmfs_write_plan *plan)
{
	for (uint32_t i = 0; i < plan->property_count; i++) {
		const struct dmfs_write_property *p = &plan->properties[i];
		uint8_t *start = pen->at;

		put_u32(pen, p->owner);
		put_u32(pen, 0);
		put_text(pen, p->key);
		put_text(pen, p->value);
		pen->at = start + DMFS_PROPERTY_LEN;
	}
}

static bool encrypts(const struct dmfs_write_plan *plan)
{
	for (uint32_t i = 0; i < plan->object_count; i++)
		if (plan->objects[i].encrypted)
			return true;
	return false;
}

/* payload_len stays 0; host_put_payload_len() fills it. */
static void put_header(struct pen *pen, const struct dmfs_write_plan *plan,
		       const struct host_head *head)
{
	memcpy(pen->at, dmfs_domain, DMFS_DOMAIN_LEN);
	pen->at += DMFS_DOMAIN_LEN;
	put_u32(pen, DMFS_FORMAT_VERSION);
	put_u32(pen, DMFS_HEADER_LEN);
	put_u64(pen, head->signed_len);
	put_u64(pen, 0);
	put_u32(pen, DMFS_SIGNATURE_ED25519);
	put_u32(pen, DMFS_HASH_BLAKE2B_256);
	put_u32(pen, DMFS_COMPRESSION_ZLIB);
	put_u32(pen, encrypts(plan) ? DMFS_ENCRYPTION_XCHACHA20_POLY1305 : DMFS_ENCRYPTION_NONE);
	put_u64(pen, plan->rollback);
	put_u64(pen, plan->created);
	put_u32(pen, DMFS_XLEN);
	put_u32(pen, head->chunk_len);
	put_u32(pen, plan->object_count);
	put_u32(pen, plan->capsule_count);
	put_u32(pen, plan->property_count);
	put_u32(pen, head->chunks);
	put_u32(pen, pen->strings->len);
	put_u32(pen, 0);
	put_text(pen, plan->name);
	put_text(pen, plan->version);
}

void host_put_payload_len(struct host_head *head, uint64_t payload_len)
{
	struct pen pen = {.at = head->bytes + DMFS_DOMAIN_LEN + 16};

	put_u64(&pen, payload_len);
}

void host_put_chunk(struct host_head *head, uint32_t index, const struct host_chunk *chunk)
{
	struct pen pen = {.at = head->bytes + head->chunks_at + (uint64_t)index * DMFS_CHUNK_LEN};

	put_u64(&pen, chunk->offset);
	put_u32(&pen, chunk->stored_len);
	put_u32(&pen, chunk->raw_len);
	memcpy(pen.at, chunk->hash, DMFS_HASH_LEN);
}

/*
 * What would make sums or allocations run away is refused here; dmfs_open_region() finds the rest.
 */
static enum dmfs_status count_chunks(struct host_head *head, const struct dmfs_write_plan *plan)
{
	uint64_t chunks = 0;

	head->chunk_len = plan->chunk_len ? plan->chunk_len : DMFS_DEFAULT_CHUNK_LEN;
	if (plan->object_count > DMFS_MAX_OBJECTS || plan->capsule_count > DMFS_MAX_CAPSULES ||
	    plan->property_count > DMFS_MAX_PROPERTIES ||
	    plan->recipient_count > DMFS_MAX_SEALED_KEYS || head->chunk_len < DMFS_MIN_CHUNK_LEN ||
	    head->chunk_len > DMFS_MAX_CHUNK_LEN)
		return DMFS_ERR_LIMIT;
	if (encrypts(plan) != (plan->recipient_count > 0) || (encrypts(plan) && !plan->content_key))
		return DMFS_ERR_SEALED;
	for (uint32_t i = 0; i < plan->object_count; i++) {
		if (plan->objects[i].raw_len > DMFS_MAX_RAW_LEN)
			return DMFS_ERR_LIMIT;
		chunks += chunks_of(plan->objects[i].raw_len, head->chunk_len);
	}
	head->chunks = (uint32_t)chunks;
	return chunks > DMFS_MAX_CHUNKS ? DMFS_ERR_LIMIT : DMFS_OK;
}

static enum dmfs_status fill(struct host_head *head, const struct dmfs_write_plan *plan,
			     struct strings *strings)
{
	uint64_t tables = DMFS_HEADER_LEN + (uint64_t)plan->object_count * DMFS_OBJECT_LEN +
			  (uint64_t)plan->capsule_count * DMFS_CAPSULE_LEN +
			  (uint64_t)plan->property_count * DMFS_PROPERTY_LEN;
	struct pen pen = {.strings = strings};

	head->chunks_at = tables;
	tables += (uint64_t)head->chunks * DMFS_CHUNK_LEN;
	/*
	 * The strings' length is known only when all are put: room for the most, and they are
	 * copied.
	 */
	head->bytes = calloc(1, tables + DMFS_MAX_STRINGS_LEN + DMFS_STRINGS_ALIGN +
					DMFS_SIGNATURE_BLOCK_LEN +
					DMFS_MAX_SIGNATURES * DMFS_SIGNATURE_RECORD_LEN +
					DMFS_MAX_SEALED_KEYS * DMFS_SEALED_KEY_LEN);
	if (!head->bytes)
		return DMFS_ERR_SPACE;
	pen.at = head->bytes + DMFS_HEADER_LEN;
	put_objects(&pen, plan, head->chunk_len);
	put_capsules(&pen, plan);
	put_properties(&pen, plan);
	pen.at = head->bytes;
	put_header(&pen, plan, head);
	/* Again, now that the name and version are among the strings and all lengths are known. */
	head->signed_len = tables + ((strings->len + DMFS_STRINGS_ALIGN - 1) / DMFS_STRINGS_ALIGN *
				     DMFS_STRINGS_ALIGN);
	pen.at = head->bytes;
	put_header(&pen, plan, head);
	memcpy(head->bytes + tables, strings->bytes, strings->len);
	return pen.status;
}

/* At the end of the head. */
static enum dmfs_status put_sealed_keys(struct host_head *head, const struct dmfs_write_plan *plan)
{
	uint8_t *at = head->bytes + head->len - plan->recipient_count * DMFS_SEALED_KEY_LEN;

	for (uint32_t i = 0; i < plan->recipient_count; i++, at += DMFS_SEALED_KEY_LEN)
		if (!host_seal(at, plan->content_key, plan->recipients[i]))
			return DMFS_ERR_SEALED;
	return DMFS_OK;
}

enum dmfs_status host_encode(struct host_head *head, const struct dmfs_write_plan *plan,
			     uint32_t signatures)
{
	uint64_t most = 2 + DMFS_MAX_OBJECTS + 2 * DMFS_MAX_CAPSULES + 2 * DMFS_MAX_PROPERTIES;
	struct strings strings = {0};
	enum dmfs_status status;

	*head = (struct host_head){0};
	status = count_chunks(head, plan);
	if (status != DMFS_OK)
		return status;
	strings.bytes = malloc(DMFS_MAX_STRINGS_LEN);
	strings.entries = malloc(most * sizeof(*strings.entries));
	status = strings.bytes && strings.entries ? fill(head, plan, &strings) : DMFS_ERR_SPACE;
	free(strings.bytes);
	free(strings.entries);
	if (status == DMFS_ERR_SPACE)
		errno = ENOMEM;
	if (status != DMFS_OK)
		return status;
	host_put_u32(head->bytes + head->signed_len, signatures);
	host_put_u32(head->bytes + head->signed_len + 4, plan->recipient_count);
	head->len = head->signed_len + DMFS_SIGNATURE_BLOCK_LEN +
		    (uint64_t)signatures * DMFS_SIGNATURE_RECORD_LEN +
		    (uint64_t)plan->recipient_count * DMFS_SEALED_KEY_LEN;
	return put_sealed_keys(head, plan);
}
