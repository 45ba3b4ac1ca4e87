/* SPDX-License-Identifier: MIT */
/* Chunks: hash, compare, inflate (sections 6 and 9, step 6). */
#include <string.h>

#include <sodium/crypto_aead_xchacha20poly1305.h>
#include <sodium/crypto_generichash_blake2b.h>
#include <zlib.h>

#include "internal.h"

/*
 * What is left of a workspace. zlib's inflate takes one block, its state, and frees nothing but
 * that.
 */
struct arena {
	uint8_t *at;
	size_t left;
};

static void *arena_alloc(void *opaque, unsigned items, unsigned size)
{
	struct arena *arena = opaque;
	uint64_t len = ((uint64_t)items * size + 15) & ~UINT64_C(15);
	void *block = arena->at;

	/*
	 * Too much is asked for only where a stream does not end where it has to: zlib gives up
	 * then.
	 */
	if (len > arena->left)
		return NULL;
	arena->at += len;
	arena->left -= len;
	return block;
}

static void arena_free(void *opaque, void *block)
{
}

/*
 * zlib accepts the stream only when all of these hold: a zlib header (windowBits 15 without the
 * flags for gzip), no preset dictionary (that would be Z_NEED_DICT), and the four bytes of the
 * Adler-32 value there. inflateValidate(0) leaves that value uncomputed: the hash has covered the
 * very bytes that it is made of.
 */
static enum dmfs_status inflate_exactly(const void *stored, uint32_t stored_len, void *raw,
					uint32_t raw_len, struct dmfs_workspace *workspace)
{
	struct arena arena = {workspace->bytes, sizeof(workspace->bytes)};
	z_stream stream = {
		.next_in = (z_const Bytef *)stored,
		.avail_in = stored_len,
		.next_out = raw,
		.avail_out = raw_len,
		.zalloc = arena_alloc,
		.zfree = arena_free,
		.opaque = &arena,
	};
	int end;

	if (inflateInit(&stream) != Z_OK || inflateValidate(&stream, 0) != Z_OK)
		return DMFS_ERR_SPACE;
	end = inflate(&stream, Z_FINISH);
	inflateEnd(&stream);
	if (end != Z_STREAM_END || stream.avail_in != 0 || stream.avail_out != 0)
		return DMFS_ERR_INFLATE;
	return DMFS_OK;
}

enum dmfs_status dmfs_check_chunk(const struct dmfs_chunk *chunk, const void *stored)
{
	uint8_t hash[DMFS_HASH_LEN];

	crypto_generichash_blake2b(hash, sizeof(hash), stored, chunk->stored_len, NULL, 0);
	return memcmp(hash, chunk->hash, sizeof(hash)) == 0 ? DMFS_OK : DMFS_ERR_HASH;
}

enum dmfs_status dmfs_unpack_chunk(const struct dmfs_chunk *chunk, const void *stored, void *raw,
				   struct dmfs_workspace *workspace)
{
	enum dmfs_status status = dmfs_check_chunk(chunk, stored);

	if (status != DMFS_OK)
		return status;
	return inflate_exactly(stored, chunk->stored_len, raw, chunk->raw_len, workspace);
}

enum dmfs_status dmfs_unpack_encrypted(const struct dmfs_chunk *chunk, const void *stored,
				       const uint8_t content_key[DMFS_CONTENT_KEY_LEN],
				       void *opened, void *raw, struct dmfs_workspace *workspace)
{
	const uint8_t *nonce = stored;
	enum dmfs_status status = dmfs_check_chunk(chunk, stored);

	if (status != DMFS_OK)
		return status;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(opened, NULL, NULL, nonce + DMFS_NONCE_LEN,
						       chunk->stored_len - DMFS_NONCE_LEN, NULL, 0,
						       nonce, content_key) != 0)
		return DMFS_ERR_DECRYPT;
	return inflate_exactly(opened, chunk->stored_len - DMFS_COVER_LEN, raw, chunk->raw_len,
			       workspace);
}
