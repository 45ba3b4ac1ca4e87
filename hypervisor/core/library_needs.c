/* SPDX-License-Identifier: MIT */
/*
 * What the parts of libsodium and zlib that are compiled in need of the parts that are not. libsodium's own
 * files with these want an operating system, or bring signing along. Tags of what is encrypted are compared
 * by libsodium's own crypto_verify; what is compared here is public.
 */
#include <stddef.h>
#include <string.h>

#include <sodium/crypto_hash_sha512.h>

#include "boot.h"
#include "log.h"

void no_scalarmult_base(void *result, const unsigned char *scalar);
void *zcalloc(void *opaque, unsigned items, unsigned size);
void zcfree(void *opaque, void *block);
void sodium_memzero(void *at, size_t len);
int sodium_memcmp(const void *a, const void *b, size_t len);
int sodium_is_zero(const unsigned char *at, size_t len);
_Noreturn void sodium_misuse(void);
void _crypto_sign_ed25519_ref10_hinit(crypto_hash_sha512_state *state, int prehashed);

void sodium_memzero(void *at, size_t len)
{
	memset(at, 0, len);
	__asm__ volatile("" ::"r"(at) : "memory"); /* not to be optimised away */
}

int sodium_memcmp(const void *a, const void *b, size_t len)
{
	return memcmp(a, b, len) == 0 ? 0 : -1;
}

int sodium_is_zero(const unsigned char *at, size_t len)
{
	unsigned char all = 0;

	while (len-- != 0)
		all |= *at++;
	return all == 0;
}

void sodium_misuse(void)
{
	log_line(DIOSIX_LOG_ERROR, "diosix: panic: libsodium was called in a way that it forbids");
	board_end(false);
}

/* Pure Ed25519 begins its hash with nothing; the prehashed variant is never asked for. */
void _crypto_sign_ed25519_ref10_hinit(crypto_hash_sha512_state *state, int prehashed)
{
	if (prehashed)
		sodium_misuse();
	crypto_hash_sha512_init(state);
}

/* X25519 with the base point, which would need a table of 30 KiB; libdmfs multiplies by it as by any other. */
void no_scalarmult_base(void *result, const unsigned char *scalar)
{
	(void)result;
	(void)scalar;
	sodium_misuse();
}

/* zlib's default allocator: inflate is always given another. */
void *zcalloc(void *opaque, unsigned items, unsigned size)
{
	(void)opaque;
	(void)items;
	(void)size;
	return NULL;
}

void zcfree(void *opaque, void *block)
{
	(void)opaque;
	(void)block;
}
