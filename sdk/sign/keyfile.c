/* SPDX-License-Identifier: MIT */
#include "keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/file.h"

/*
 * A protected secret (docs/keys.md): how Argon2id was used, its salt, and the secret under
 * XChaCha20-Poly1305. Numbers are little-endian.
 */
#define LOCKED_PASSES 0u /* u32 */
#define LOCKED_MEMORY 4u /* u32, KiB */
#define LOCKED_SALT   8u
#define LOCKED_SEALED 24u
#define LOCKED_LEN    (LOCKED_SEALED + KEY_LEN + crypto_aead_xchacha20poly1305_ietf_ABYTES)
_Static_assert(LOCKED_SEALED - LOCKED_SALT == crypto_pwhash_argon2id_SALTBYTES, "Argon2id's salt");

/* What a key file may ask for at most, so that a hostile one cannot exhaust the machine. */
#define MAX_PASSES     16u
#define MAX_MEMORY_KIB (1u << 20)

enum form { PUBLIC, SECRET, LOCKED };

static const struct kind {
	const char *prefix;
	enum key_type type;
	enum form form;
	unsigned len; /* bytes, two digits each */
} kinds[] = {
	{"diosix-ed25519-public-v1 ", KEY_SIGNING, PUBLIC, KEY_LEN},
	{"diosix-ed25519-secret-v1 ", KEY_SIGNING, SECRET, KEY_LEN},
	{"diosix-ed25519-locked-v1 ", KEY_SIGNING, LOCKED, LOCKED_LEN},
	{"diosix-x25519-public-v1 ", KEY_SEALING, PUBLIC, KEY_LEN},
	{"diosix-x25519-secret-v1 ", KEY_SEALING, SECRET, KEY_LEN},
	{"diosix-x25519-locked-v1 ", KEY_SEALING, LOCKED, LOCKED_LEN},
};

#define KINDS    (sizeof(kinds) / sizeof(kinds[0]))
#define TEXT_LEN 256u

/* A key file's contents, in memory of sodium_malloc(). */
struct key_line {
	const struct kind *kind; /* NULL: it is no key */
	uint8_t bytes[LOCKED_LEN];
	char text[TEXT_LEN + 1];
	size_t len;
};

int keyfile_no_memory(void)
{
	diag_error("no memory to hold a secret in");
	return STATUS_FAILED;
}

static const struct kind *find_kind(enum key_type type, enum form form)
{
	const struct kind *kind = kinds;

	while (kind->type != type || kind->form != form)
		kind++;
	return kind;
}

/* --- reading --------------------------------------------------------------------------------- */

/* Nowhere but into `line`, as it may be secret. Returns 0 or an errno. */
static int read_line(const char *path, struct key_line *line, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), error = 0;
	ssize_t n = 1;

	if (fd < 0)
		return errno;
	if (fstat(fd, st) < 0)
		error = errno;
	while (!error && n != 0 && line->len < TEXT_LEN) {
		n = read(fd, line->text + line->len, TEXT_LEN - line->len);
		if (n < 0)
			error = errno;
		else
			line->len += (size_t)n;
	}
	close(fd);
	return error;
}

/* Finds what the line is, and its bytes. */
static void parse(struct key_line *line)
{
	size_t len = line->len, got;

	if (len > 0 && line->text[len - 1] == '\n')
		len--;
	for (size_t i = 0; i < KINDS && !line->kind; i++) {
		size_t prefix = strlen(kinds[i].prefix);

		if (len == prefix + 2 * (size_t)kinds[i].len &&
		    memcmp(line->text, kinds[i].prefix, prefix) == 0 &&
		    sodium_hex2bin(line->bytes, kinds[i].len, line->text + prefix, len - prefix,
				   NULL, &got, NULL) == 0 &&
		    got == kinds[i].len)
			line->kind = &kinds[i];
	}
}

/* What is said of a key that is a good one of another kind, or none. */
static int wrong_kind(const char *path, const struct kind *found, enum key_type type, bool secret)
{
	const char *maker = type == KEY_SIGNING ? "dmfs keygen" : "dmfs keygen --seal";

	if (!found)
		diag_error("'%s' is no %s key of dmfs ('%s' makes them)", path,
			   secret ? "secret" : "public", maker);
	else if (found->type != type)
		diag_error("'%s' is a key that %s; one of '%s' is needed here", path,
			   found->type == KEY_SIGNING ? "signs" : "unseals", maker);
	else
		diag_error("'%s' is a %s key; a %s is needed here", path,
			   secret ? "public" : "secret",
			   secret ? "secret key, NAME.key," : "public key, NAME.pub,");
	return STATUS_REFUSED;
}

/* Reads any key file into a new *line, which is to be freed with sodium_free() unless it is NULL. */
static int open_line(const char *path, struct key_line **out)
{
	struct key_line *line = sodium_malloc(sizeof(*line));
	struct stat st;
	int error;

	*out = line;
	if (!line)
		return keyfile_no_memory();
	memset(line, 0, sizeof(*line));
	error = read_line(path, line, &st);
	if (error)
		return diag_file("read", path, error);
	parse(line);
	if (line->kind && line->kind->form == SECRET && (st.st_mode & 077) && S_ISREG(st.st_mode))
		diag_warning("'%s' can be read by others; 'chmod 600 %s' ends that", path, path);
	return STATUS_DONE;
}

int keyfile_read_public(const char *path, enum key_type type, uint8_t key[KEY_LEN])
{
	struct key_line *line;
	int status = open_line(path, &line);

	if (status == STATUS_DONE &&
	    (!line->kind || line->kind->type != type || line->kind->form != PUBLIC))
		status = wrong_kind(path, line->kind, type, false);
	if (status == STATUS_DONE)
		memcpy(key, line->bytes, KEY_LEN);
	sodium_free(line);
	return status;
}

/* --- passphrases ----------------------------------------------------------------------------- */

static void put_u32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_u32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The key that a passphrase makes with the parameters and salt of `locked`; NULL when memory ends. */
static uint8_t *stretch(const uint8_t *locked, const struct passphrase *passphrase)
{
	uint8_t *key = sodium_malloc(crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

	if (key && crypto_pwhash(key, crypto_aead_xchacha20poly1305_ietf_KEYBYTES, passphrase->text,
				 passphrase->len, locked + LOCKED_SALT,
				 get_u32(locked + LOCKED_PASSES),
				 (size_t)get_u32(locked + LOCKED_MEMORY) << 10,
				 crypto_pwhash_ALG_ARGON2ID13) != 0) {
		sodium_free(key);
		return NULL;
	}
	return key;
}

/* The salt makes each key of its own, and it is used once: the nonce may always be the same. */
static const uint8_t no_nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES];

static int unlock(const char *path, const uint8_t *locked, const struct passphrase *passphrase,
		  uint8_t secret[KEY_LEN])
{
	uint32_t passes = get_u32(locked + LOCKED_PASSES), memory = get_u32(locked + LOCKED_MEMORY);
	uint8_t *key;
	int bad;

	if (passes < crypto_pwhash_OPSLIMIT_MIN || passes > MAX_PASSES ||
	    memory < crypto_pwhash_MEMLIMIT_MIN >> 10 || memory > MAX_MEMORY_KIB) {
		diag_error("'%s' asks for %u passes over %u KiB; at most %u over %u are done", path,
			   passes, memory, MAX_PASSES, MAX_MEMORY_KIB);
		return STATUS_REFUSED;
	}
	key = stretch(locked, passphrase);
	if (!key)
		return keyfile_no_memory();
	bad = crypto_aead_xchacha20poly1305_ietf_decrypt(
		secret, NULL, NULL, locked + LOCKED_SEALED, LOCKED_LEN - LOCKED_SEALED, locked,
		LOCKED_SEALED, no_nonce, key);
	sodium_free(key);
	if (bad)
		diag_error("the passphrase of '%s' is wrong, or the file is damaged", path);
	return bad ? STATUS_REFUSED : STATUS_DONE;
}

int keyfile_read_secret(const char *path, enum key_type type, struct passphrases *passphrases,
			uint8_t secret[KEY_LEN])
{
	const struct passphrase *passphrase;
	struct key_line *line;
	int status = open_line(path, &line);

	if (status == STATUS_DONE &&
	    (!line->kind || line->kind->type != type || line->kind->form == PUBLIC))
		status = wrong_kind(path, line->kind, type, true);
	if (status == STATUS_DONE && line->kind->form == LOCKED) {
		status = passphrases_next(passphrases, path, &passphrase);
		if (status == STATUS_DONE)
			status = unlock(path, line->bytes, passphrase, secret);
	} else if (status == STATUS_DONE) {
		memcpy(secret, line->bytes, KEY_LEN);
	}
	sodium_free(line);
	return status;
}

int keyfile_identify(const char *path, enum key_type *type, bool *protected)
{
	struct key_line *line;
	int status = open_line(path, &line);

	if (status == STATUS_DONE && (!line->kind || line->kind->form == PUBLIC))
		status = wrong_kind(path, line->kind, line->kind ? line->kind->type : KEY_SIGNING,
				    true);
	if (status == STATUS_DONE) {
		*type = line->kind->type;
		*protected = line->kind->form == LOCKED;
	}
	sodium_free(line);
	return status;
}

/* --- writing --------------------------------------------------------------------------------- */

static int write_new(const char *path, mode_t mode, const char *line, size_t len)
{
	int error = file_create(path, mode, line, len);

	if (error != EEXIST)
		return error ? diag_file("write", path, error) : STATUS_DONE;
	diag_error("'%s' exists, and keys are never overwritten; choose another name", path);
	return STATUS_FAILED;
}

static int write_line(const char *path, const struct kind *kind, const uint8_t *bytes)
{
	size_t prefix = strlen(kind->prefix), len = prefix + 2 * (size_t)kind->len;
	char *text = sodium_malloc(TEXT_LEN + 1);
	int status;

	if (!text)
		return keyfile_no_memory();
	memcpy(text, kind->prefix, prefix);
	sodium_bin2hex(text + prefix, TEXT_LEN + 1 - prefix, bytes, kind->len);
	text[len] = '\n';
	status = write_new(path, kind->form == PUBLIC ? 0644 : 0600, text, len + 1);
	sodium_free(text);
	return status;
}

int keyfile_write_public(const char *path, enum key_type type, const uint8_t key[KEY_LEN])
{
	return write_line(path, find_kind(type, PUBLIC), key);
}

int keyfile_write_secret(const char *path, enum key_type type, const struct passphrase *passphrase,
			 const uint8_t secret[KEY_LEN])
{
	uint8_t locked[LOCKED_LEN], *key;

	if (!passphrase)
		return write_line(path, find_kind(type, SECRET), secret);
	put_u32(locked + LOCKED_PASSES, crypto_pwhash_OPSLIMIT_MODERATE);
	put_u32(locked + LOCKED_MEMORY, crypto_pwhash_MEMLIMIT_MODERATE >> 10);
	randombytes_buf(locked + LOCKED_SALT, LOCKED_SEALED - LOCKED_SALT);
	key = stretch(locked, passphrase);
	if (!key)
		return keyfile_no_memory();
	crypto_aead_xchacha20poly1305_ietf_encrypt(locked + LOCKED_SEALED, NULL, secret, KEY_LEN,
						   locked, LOCKED_SEALED, NULL, no_nonce, key);
	sodium_free(key);
	return write_line(path, find_kind(type, LOCKED), locked);
}
