/* SPDX-License-Identifier: MIT */
#include "trust_set.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/file.h"
#include "signer.h"

/* The file (docs/keys.md), all bytes: what is signed, then signatures. Numbers are little-endian. */
#define DOMAIN     "DIOSIX TRUST SET V1"
#define DOMAIN_LEN 32u

struct set_file {
	char domain[DOMAIN_LEN]; /* DOMAIN, then zeros */
	uint64_t version;
	uint32_t count, threshold;
	uint8_t keys[DMFS_MAX_ANCHORS][KEY_LEN]; /* zeros after the last */
	/* Up to here it is signed. */
	uint64_t signatures;
	uint8_t records[2 * DMFS_MAX_ANCHORS][SIGNER_ANSWER_LEN]; /* as many as there are are stored */
};
#define SIGNED_LEN offsetof(struct set_file, signatures)
#define HEAD_LEN   offsetof(struct set_file, records)
_Static_assert(SIGNED_LEN == 560 && sizeof(struct set_file) == 568 + 32 * 96, "docs/keys.md");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file is little-endian");

static bool is_well_formed(const struct set_file *set, uint64_t len)
{
	static const char domain[DOMAIN_LEN] = DOMAIN;

	if (len < HEAD_LEN || set->signatures > 2 * DMFS_MAX_ANCHORS ||
	    len != HEAD_LEN + set->signatures * SIGNER_ANSWER_LEN ||
	    memcmp(set->domain, domain, sizeof(domain)) != 0 || set->version == 0 ||
	    set->count == 0 || set->count > DMFS_MAX_ANCHORS || set->threshold == 0 ||
	    set->threshold > set->count ||
	    !sodium_is_zero(set->keys[0] + set->count * KEY_LEN,
			    (DMFS_MAX_ANCHORS - set->count) * KEY_LEN))
		return false;
	for (uint32_t i = 1; i < set->count; i++)
		for (uint32_t j = 0; j < i; j++)
			if (memcmp(set->keys[i], set->keys[j], KEY_LEN) == 0)
				return false;
	return true;
}

static int read_set(struct set_file *set, const char *path)
{
	struct bytes bytes;
	int status = file_read_or_say(path, FILE_LIMIT, &bytes);

	if (status != STATUS_DONE)
		return status;
	memset(set, 0, sizeof(*set));
	memcpy(set, bytes.data, bytes.len < sizeof(*set) ? bytes.len : sizeof(*set));
	if (!is_well_formed(set, bytes.len)) {
		diag_error("'%s' is no trust set ('dmfs trust new' makes one)", path);
		status = STATUS_REFUSED;
	}
	free(bytes.data);
	return status;
}

static int write_set(const struct set_file *set, const char *path)
{
	return file_write(path, set, HEAD_LEN + set->signatures * SIGNER_ANSWER_LEN);
}

static bool holds(const struct set_file *set, const uint8_t *record)
{
	return crypto_sign_verify_detached(record + KEY_LEN, (const uint8_t *)set, SIGNED_LEN,
					   record) == 0;
}

/* How many of these distinct keys have signed. */
static uint32_t count_signers(const struct set_file *set, const uint8_t (*keys)[KEY_LEN], uint32_t count)
{
	uint32_t signers = 0;

	for (uint32_t i = 0; i < count; i++) {
		bool good = false;

		for (uint64_t j = 0; j < set->signatures; j++)
			good |= memcmp(set->records[j], keys[i], KEY_LEN) == 0 &&
				holds(set, set->records[j]);
		signers += good;
	}
	return signers;
}

int trust_set_add(struct trust_keys *trust, const struct args *args)
{
	const char *path = args_value(args, "trust-set", 0);
	struct set_file set;
	uint32_t before, own;
	int status;

	memset(&trust->next, 0, sizeof(trust->next));
	if (!path)
		return STATUS_DONE;
	status = read_set(&set, path);
	if (status != STATUS_DONE)
		return status;
	before = count_signers(&set, trust->trust.keys, trust->trust.count);
	own = count_signers(&set, (const uint8_t(*)[KEY_LEN])set.keys, set.count);
	if (before < trust->trust.threshold || own < set.threshold) {
		diag_error("'%s' is refused: it is signed by %u of the %u trusted keys that are "
			   "needed, and by %u of its own %u",
			   path, before, trust->trust.threshold, own, set.threshold);
		return STATUS_REFUSED;
	}
	memcpy(trust->next_keys, set.keys, sizeof(set.keys));
	trust->next_version = set.version;
	trust->next = (struct dmfs_trust){(const uint8_t(*)[KEY_LEN])trust->next_keys, set.count,
					  set.threshold, NULL};
	trust->trust.next = &trust->next;
	return STATUS_DONE;
}

/* --- dmfs trust ------------------------------------------------------------------------------ */

static int make(const struct args *args, const char *path)
{
	struct set_file set = {.domain = DOMAIN};
	struct trust_keys trust;
	int status;

	if (!args_has(args, "version"))
		return args_wrong(args->command, "--version N is missing");
	if (!args_number(args, "version", 1, UINT64_MAX, &set.version))
		return STATUS_USAGE;
	status = trust_keys_read_alone(&trust, args);
	if (status != STATUS_DONE)
		return status;
	set.count = trust.trust.count;
	set.threshold = trust.trust.threshold;
	memcpy(set.keys, trust.keys, set.count * sizeof(set.keys[0]));
	return write_set(&set, path);
}

/* Adds a signature, checked first. */
static int add(struct set_file *set, const char *path, const uint8_t *record)
{
	char id[KEY_ID_TEXT_LEN];

	key_id_text(id, record);
	for (uint64_t i = 0; i < set->signatures; i++)
		if (memcmp(set->records[i], record, KEY_LEN) == 0) {
			diag_error("'%s' is signed by key %s already", path, id);
			return STATUS_REFUSED;
		}
	if (set->signatures == 2 * DMFS_MAX_ANCHORS || !holds(set, record)) {
		diag_error(holds(set, record) ? "'%s' has %u signatures, the most that are possible"
					      : "the signature is not one of '%s'",
			   path, 2 * DMFS_MAX_ANCHORS);
		return STATUS_REFUSED;
	}
	memcpy(set->records[set->signatures++], record, SIGNER_ANSWER_LEN);
	diag_info("%s: signed by key %s", path, id);
	return STATUS_DONE;
}

static int sign_all(struct set_file *set, const struct args *args, const struct secret_keys *secret,
		    const char *path)
{
	uint8_t record[SIGNER_ANSWER_LEN];
	int status = STATUS_DONE;

	for (uint32_t i = 0; i < secret->count && status == STATUS_DONE; i++) {
		memcpy(record, secret->keys[i] + KEY_LEN, KEY_LEN);
		crypto_sign_detached(record + KEY_LEN, NULL, (const uint8_t *)set, SIGNED_LEN,
				     secret->keys[i]);
		status = add(set, path, record);
	}
	for (unsigned i = 0; i < args_count(args, "signer") && status == STATUS_DONE; i++) {
		status = signer_run(args, i, set, SIGNED_LEN, record);
		if (status == STATUS_DONE)
			status = add(set, path, record);
	}
	return status;
}

static int sign(const struct args *args, const char *path)
{
	const char *out = args_value(args, "output", 0);
	struct secret_keys secret;
	struct set_file set;
	int status;

	if (!args_has(args, "key") && !args_has(args, "signer"))
		return args_wrong(args->command, "--key NAME.key or --signer COMMAND is missing");
	status = secret_keys_read(&secret, args);
	if (status != STATUS_DONE)
		return status;
	status = read_set(&set, path);
	if (status == STATUS_DONE)
		status = sign_all(&set, args, &secret, path);
	if (status == STATUS_DONE)
		status = write_set(&set, out ? out : path);
	secret_keys_free(&secret);
	return status;
}

static int show(const struct args *args, const char *path)
{
	char id[KEY_ID_TEXT_LEN];
	struct set_file set;
	int status = read_set(&set, path);

	if (status != STATUS_DONE)
		return status;
	printf("trust set version %" PRIu64 ", %u of %u keys\n", set.version, set.threshold, set.count);
	for (uint32_t i = 0; i < set.count; i++)
		printf("key %s\n", key_id_text(id, set.keys[i]));
	for (uint64_t i = 0; i < set.signatures; i++)
		printf("signed by %s%s\n", key_id_text(id, set.records[i]),
		       holds(&set, set.records[i]) ? "" : ", which does not hold");
	return STATUS_DONE;
}

int trust_command(const struct args *args)
{
	static const struct {
		const char *name;
		int (*run)(const struct args *args, const char *path);
	} actions[] = {{"new", make}, {"sign", sign}, {"show", show}};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(args->operands[0], actions[i].name) == 0)
			return actions[i].run(args, args->operands[1]);
	return args_wrong(args->command, "'%s' is none of new, sign and show", args->operands[0]);
}
