/* SPDX-License-Identifier: MIT */
#include "keys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"

#define HEX_LEN    64u /* of the 32 bytes of a public key or a seed */
#define PREFIX_LEN (sizeof(KEY_PUBLIC_PREFIX) - 1)
#define LINE_LEN   (PREFIX_LEN + HEX_LEN + 1)
_Static_assert(sizeof(KEY_PUBLIC_PREFIX) == sizeof(KEY_SECRET_PREFIX), "one length for both");

const char *key_id_text(char text[KEY_ID_TEXT_LEN], const uint8_t key[DMFS_PUBLIC_KEY_LEN])
{
	uint8_t id[DMFS_KEY_ID_LEN];

	dmfs_key_id(id, key);
	return sodium_bin2hex(text, KEY_ID_TEXT_LEN, id, sizeof(id));
}

/* --- reading --------------------------------------------------------------------------------- */

/* Reads at most len bytes into `line` and nowhere else, as it may be secret. Returns how many, or
 * -1. */
static ssize_t read_line(const char *path, char *line, size_t len, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = -1, done = 0;
	int saved;

	if (fd < 0)
		return -1;
	if (fstat(fd, st) == 0) {
		do {
			n = read(fd, line + done, len - (size_t)done);
			done += n > 0 ? n : 0;
		} while (n > 0 && (size_t)done < len);
	}
	saved = errno;
	close(fd);
	errno = saved;
	return n < 0 ? -1 : done;
}

static bool begins(const char *line, size_t len, const char *prefix)
{
	return len >= strlen(prefix) && memcmp(line, prefix, strlen(prefix)) == 0;
}

/* Reads a key file of the given prefix into 32 bytes. `line` is room for more than a whole one. */
static int read_key(const char *path, const char *prefix, char *line, size_t room, uint8_t *out)
{
	bool secret = strcmp(prefix, KEY_SECRET_PREFIX) == 0;
	struct stat st;
	ssize_t got = read_line(path, line, room, &st);
	size_t len = got < 0 ? 0 : (size_t)got, out_len;

	if (got < 0)
		return diag_file("read", path, errno);
	if (begins(line, len, secret ? KEY_PUBLIC_PREFIX : KEY_SECRET_PREFIX)) {
		diag_error("'%s' is a %s key; a %s is needed here", path,
			   secret ? "public" : "secret",
			   secret ? "secret key, NAME.key," : "public key, NAME.pub,");
		return STATUS_REFUSED;
	}
	if (len == LINE_LEN && line[len - 1] == '\n')
		len--;
	if (len != PREFIX_LEN + HEX_LEN || !begins(line, len, prefix) ||
	    sodium_hex2bin(out, 32, line + PREFIX_LEN, HEX_LEN, NULL, &out_len, NULL) != 0 ||
	    out_len != 32) {
		diag_error("'%s' is no %s key of dmfs ('dmfs keygen' makes them)", path,
			   secret ? "secret" : "public");
		return STATUS_REFUSED;
	}
	if (secret && (st.st_mode & 077) && S_ISREG(st.st_mode))
		diag_warning("'%s' can be read by others; 'chmod 600 %s' ends that", path, path);
	return STATUS_DONE;
}

int key_read_public(const char *path, uint8_t key[DMFS_PUBLIC_KEY_LEN])
{
	char line[LINE_LEN + 1];

	return read_key(path, KEY_PUBLIC_PREFIX, line, sizeof(line), key);
}

static int read_secret(const char *path, uint8_t key[DMFS_SECRET_KEY_LEN])
{
	uint8_t public_key[DMFS_PUBLIC_KEY_LEN];
	uint8_t *seed = sodium_malloc(32);
	char *line = sodium_malloc(LINE_LEN + 1);
	int status = STATUS_FAILED;

	if (seed && line)
		status = read_key(path, KEY_SECRET_PREFIX, line, LINE_LEN + 1, seed);
	else
		diag_error("no memory to hold a secret key in");
	if (status == STATUS_DONE)
		crypto_sign_seed_keypair(public_key, key, seed);
	sodium_free(line);
	sodium_free(seed);
	return status;
}

int secret_keys_read(struct secret_keys *secret, const struct args *args)
{
	unsigned count = args_count(args, "key");

	*secret = (struct secret_keys){NULL, 0};
	if (count > DMFS_MAX_SIGNATURES)
		return args_wrong(args->command, "%u keys; an image has at most %u signatures",
				  count, DMFS_MAX_SIGNATURES);
	if (count == 0)
		return STATUS_DONE;
	/* sodium_malloc() locks what it gives, and sodium_free() wipes it. */
	secret->keys = sodium_allocarray(count, DMFS_SECRET_KEY_LEN);
	if (!secret->keys) {
		diag_error("no memory to hold a secret key in");
		return STATUS_FAILED;
	}
	for (unsigned i = 0; i < count; i++) {
		int status = read_secret(args_value(args, "key", i), secret->keys[i]);

		for (unsigned j = 0; status == STATUS_DONE && j < i; j++) {
			if (sodium_memcmp(secret->keys[i], secret->keys[j], DMFS_SECRET_KEY_LEN) ==
			    0)
				status = args_wrong(args->command, "'%s' and '%s' are the same key",
						    args_value(args, "key", j),
						    args_value(args, "key", i));
		}
		if (status != STATUS_DONE) {
			secret_keys_free(secret);
			return status;
		}
	}
	secret->count = count;
	return STATUS_DONE;
}

void secret_keys_free(struct secret_keys *secret)
{
	sodium_free(secret->keys);
	*secret = (struct secret_keys){NULL, 0};
}

int trust_keys_read(struct trust_keys *trust, const struct args *args)
{
	unsigned count = args_count(args, "trust");
	uint64_t threshold = 1;

	if (count == 0 || count > DMFS_MAX_ANCHORS)
		return args_wrong(args->command,
				  count ? "%u --trust; at most %u are possible"
					: "--trust NAME.pub is missing",
				  count, DMFS_MAX_ANCHORS);
	if (!args_number(args, "threshold", 1, count, &threshold))
		return STATUS_USAGE;
	for (unsigned i = 0; i < count; i++) {
		int status = key_read_public(args_value(args, "trust", i), trust->keys[i]);

		if (status != STATUS_DONE)
			return status;
		for (unsigned j = 0; j < i; j++) {
			if (memcmp(trust->keys[i], trust->keys[j], DMFS_PUBLIC_KEY_LEN) == 0)
				return args_wrong(args->command, "'%s' and '%s' are the same key",
						  args_value(args, "trust", j),
						  args_value(args, "trust", i));
		}
	}
	trust->trust = (struct dmfs_trust){(const uint8_t(*)[DMFS_PUBLIC_KEY_LEN])trust->keys,
					   count, (uint32_t)threshold};
	return STATUS_DONE;
}

/* --- making ---------------------------------------------------------------------------------- */

static int write_new(const char *path, mode_t mode, const char *line)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	size_t done = 0, len = strlen(line);
	int error;

	if (fd < 0 && errno == EEXIST) {
		diag_error("'%s' exists, and keys are never overwritten; choose another name",
			   path);
		return STATUS_FAILED;
	}
	if (fd < 0)
		return diag_file("create", path, errno);
	while (done < len) {
		ssize_t n = write(fd, line + done, len - done);

		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	error = done < len || fsync(fd) < 0 ? errno : 0;
	close(fd);
	if (!error)
		return STATUS_DONE;
	unlink(path);
	return diag_file("write", path, error);
}

static int write_key(const char *path, mode_t mode, const char *prefix, const uint8_t *bytes)
{
	char *line = sodium_malloc(LINE_LEN + 1);
	int status;

	if (!line) {
		diag_error("no memory to hold a secret key in");
		return STATUS_FAILED;
	}
	memcpy(line, prefix, PREFIX_LEN);
	sodium_bin2hex(line + PREFIX_LEN, HEX_LEN + 1, bytes, 32);
	line[LINE_LEN - 1] = '\n';
	line[LINE_LEN] = '\0';
	status = write_new(path, mode, line);
	sodium_free(line);
	return status;
}

static int generate(const char *secret_path, const char *public_path)
{
	uint8_t public_key[DMFS_PUBLIC_KEY_LEN];
	uint8_t *secret = sodium_malloc(DMFS_SECRET_KEY_LEN);
	char id[KEY_ID_TEXT_LEN];
	int status;

	if (!secret) {
		diag_error("no memory to hold a secret key in");
		return STATUS_FAILED;
	}
	crypto_sign_keypair(public_key, secret);
	/* libsodium's secret key begins with the seed that it is made from. */
	status = write_key(secret_path, 0600, KEY_SECRET_PREFIX, secret);
	if (status == STATUS_DONE) {
		status = write_key(public_path, 0644, KEY_PUBLIC_PREFIX, public_key);
		if (status != STATUS_DONE)
			unlink(secret_path);
	}
	sodium_free(secret);
	if (status == STATUS_DONE)
		diag_info("%s is secret: keep it; %s goes to who verifies; key id %s", secret_path,
			  public_path, key_id_text(id, public_key));
	return status;
}

int key_generate(const char *path_prefix)
{
	char *secret_path = NULL, *public_path = NULL;
	int status = STATUS_FAILED;

	if (asprintf(&secret_path, "%s.key", path_prefix) >= 0 &&
	    asprintf(&public_path, "%s.pub", path_prefix) >= 0)
		status = generate(secret_path, public_path);
	free(public_path);
	free(secret_path);
	return status;
}
