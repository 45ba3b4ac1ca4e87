/* SPDX-License-Identifier: MIT */
/*
 * The board's store: a number that only grows, the least rollback index that the board takes, in flash memory
 * (docs/hypervisor.md has its layout). Plain code over the two things that flash can do, so that it runs on a host.
 */
#ifndef BOARD_STORE_H
#define BOARD_STORE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Flash memory. Offsets are bytes, multiples of 4. Programming a word works once after its sector was erased to ones;
 * either may fail, or be interrupted and leave anything in the words that it was about.
 */
struct store_flash {
	uint64_t base;       /* the driver's */
	uint64_t sector_len; /* a multiple of STORE_RECORD_LEN; STORE_SECTORS of them are there */
	uint32_t (*read)(const struct store_flash *flash, uint64_t offset);
	bool (*program)(const struct store_flash *flash, uint64_t offset, uint32_t word);
	bool (*erase)(const struct store_flash *flash, uint64_t offset);
};

/* The mark of a store, and the sectors: the mark's, which may begin with code, then two for records. */
#define STORE_MARK_AT    16u
#define STORE_MARK       "DIOSIX STORE V1"
#define STORE_MARK_LEN   16u
#define STORE_SECTORS    3u
#define STORE_RECORD_LEN 32u

/* Is it a store? Flash without the mark is somebody else's, and never written. */
bool store_is_marked(const struct store_flash *flash);

/* The highest number that was stored as a whole, 0 when there is none. */
uint64_t store_read(const struct store_flash *flash);

/* Stores a number, unless one as high is there. False when it could not be: then the old one still holds. */
bool store_raise(const struct store_flash *flash, uint64_t number);

#endif
