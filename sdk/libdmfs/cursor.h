/* SPDX-License-Identifier: MIT */
/*
 * Bounded little-endian loads: all that libdmfs reads of an image, it reads through here. A load
 * past the end gives zero and leaves nothing to load; it never touches a byte outside. Alignment does
 * not matter.
 */
#ifndef DMFS_CURSOR_H
#define DMFS_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const uint8_t *at;
	uint64_t left;
};

static inline struct cursor cursor_over(const void *bytes, uint64_t len)
{
	return (struct cursor){.at = bytes, .left = len};
}

/* The next `len` bytes, or NULL when there are fewer. */
static inline const uint8_t *cursor_take(struct cursor *c, uint64_t len)
{
	const uint8_t *bytes = c->at;

	if (len > c->left) {
		c->left = 0;
		return NULL;
	}
	c->at += len;
	c->left -= len;
	return bytes;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	const uint8_t *b = cursor_take(c, 4);

	if (!b)
		return 0;
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t cursor_u64(struct cursor *c)
{
	uint64_t low = cursor_u32(c);

	return low | (uint64_t)cursor_u32(c) << 32;
}

/* Skips `len` reserved bytes; true when they are there and all zero. */
static inline bool cursor_zeros(struct cursor *c, uint64_t len)
{
	const uint8_t *b = cursor_take(c, len);
	uint8_t seen = 0;

	if (!b)
		return false;
	while (len--)
		seen |= *b++;
	return seen == 0;
}

#endif
