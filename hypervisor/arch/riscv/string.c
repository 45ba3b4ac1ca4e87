/* SPDX-License-Identifier: MIT */
/*
 * The memory functions of <string.h> by words. The C library's go by bytes on harts without fast unaligned access, and
 * copying is a quarter of what a chunk's hash costs then (docs/hypervisor.md, costs).
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WORD sizeof(uint64_t)

/* Words are read from memory of any type. */
typedef uint64_t __attribute__((may_alias)) word;

static size_t bytes_to_boundary(const void *at)
{
	return -(uintptr_t)at & (WORD - 1);
}

/* Both at word boundaries; eight words a turn. Returns the bytes copied. */
static size_t copy_aligned(unsigned char *to, const unsigned char *from, size_t len)
{
	word *d = (word *)to;
	const word *s = (const word *)from;
	size_t done = 0;

	for (; len - done >= 8 * WORD; done += 8 * WORD, d += 8, s += 8) {
		word a = s[0], b = s[1], c = s[2], e = s[3];
		word f = s[4], g = s[5], h = s[6], i = s[7];

		d[0] = a, d[1] = b, d[2] = c, d[3] = e;
		d[4] = f, d[5] = g, d[6] = h, d[7] = i;
	}
	for (; len - done >= WORD; done += WORD)
		*d++ = *s++;
	return done;
}

/* `to` at a word boundary, `from` not: each word is put together from two. Reads nothing outside its words. */
static size_t copy_shifted(unsigned char *to, const unsigned char *from, size_t len)
{
	unsigned right = (unsigned)((uintptr_t)from & (WORD - 1)) * 8, left = 64 - right;
	const word *s = (const word *)(from - right / 8);
	word *d = (word *)to;
	size_t done = 0;
	word low = *s++;

	for (; len - done >= 4 * WORD; done += 4 * WORD, d += 4, s += 4) {
		word a = s[0], b = s[1], c = s[2], e = s[3];

		d[0] = low >> right | a << left;
		d[1] = a >> right | b << left;
		d[2] = b >> right | c << left;
		d[3] = c >> right | e << left;
		low = e;
	}
	for (; len - done >= WORD; done += WORD) {
		word high = *s++;

		*d++ = low >> right | high << left;
		low = high;
	}
	return done;
}

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
	unsigned char *d = to;
	const unsigned char *s = from;
	size_t done;

	if (len >= 2 * WORD) {
		for (size_t n = bytes_to_boundary(d); n != 0; n--, len--)
			*d++ = *s++;
		done = (uintptr_t)s % WORD == 0 ? copy_aligned(d, s, len) : copy_shifted(d, s, len);
		d += done;
		s += done;
		len -= done;
	}
	while (len-- != 0)
		*d++ = *s++;
	return to;
}

void *memmove(void *to, const void *from, size_t len)
{
	unsigned char *d = to;
	const unsigned char *s = from;

	if ((uintptr_t)d - (uintptr_t)s >= len)
		return memcpy(to, from, len);
	while (len-- != 0)
		d[len] = s[len];
	return to;
}

void *memset(void *at, int value, size_t len)
{
	unsigned char *d = at;
	word fill = (unsigned char)value * UINT64_C(0x0101010101010101);

	if (len >= 2 * WORD) {
		for (size_t n = bytes_to_boundary(d); n != 0; n--, len--)
			*d++ = (unsigned char)value;
		for (; len >= 8 * WORD; len -= 8 * WORD, d += 8 * WORD) {
			word *w = (word *)d;

			w[0] = fill, w[1] = fill, w[2] = fill, w[3] = fill;
			w[4] = fill, w[5] = fill, w[6] = fill, w[7] = fill;
		}
		for (; len >= WORD; len -= WORD, d += WORD)
			*(word *)d = fill;
	}
	while (len-- != 0)
		*d++ = (unsigned char)value;
	return at;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const unsigned char *x = a, *y = b;

	for (; len != 0; x++, y++, len--)
		if (*x != *y)
			return *x - *y;
	return 0;
}
