/* SPDX-License-Identifier: MIT */
/* RAM above the program: malloc's grows from below, pages are taken from above. And the C library's locks. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "diosix.h"
#include "runtime.h"

static char *heap = __image_end;

void *sbrk(ptrdiff_t bytes)
{
	char *old = heap;

	if (bytes > 0 ? (uint64_t)bytes > machine.heap_end - (uint64_t)heap : heap + bytes < __image_end) {
		errno = ENOMEM;
		return (void *)-1;
	}
	heap += bytes;
	return old;
}

void *memory_take_pages(size_t count)
{
	uint64_t len = count * DIOSIX_PAGE_SIZE;

	if (len > machine.heap_end - (uint64_t)heap)
		return NULL;
	machine.heap_end -= len;
	return memset((void *)machine.heap_end, 0, len);
}
