/* SPDX-License-Identifier: MIT */
/*
 * Two sectors take records, appended until one is full; then the other is erased and gets the next. So the sector with the
 * highest number is never the one that is erased, and what an interrupted write leaves is no record.
 */
#include "board_store.h"

#include <string.h>

#include <sodium/crypto_generichash_blake2b.h>

#define WORDS    (STORE_RECORD_LEN / 4)
#define HASH_LEN (STORE_RECORD_LEN - 8)
#define ERASED   UINT32_C(0xffffffff)

static void put_u64(uint8_t *at, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_u64(const uint8_t *at)
{
	uint64_t value = 0;

	for (int i = 7; i >= 0; i--)
		value = value << 8 | at[i];
	return value;
}

static void make_record(uint8_t record[STORE_RECORD_LEN], uint64_t number)
{
	static const char mark[STORE_MARK_LEN] = STORE_MARK;

	put_u64(record, number);
	crypto_generichash_blake2b(record + 8, HASH_LEN, record, 8, (const uint8_t *)mark, sizeof(mark));
}

/* Flash is little-endian, byte 0 of a word the lowest. True when the bytes were not all ones. */
static bool read_bytes(const struct store_flash *flash, uint64_t offset, uint8_t *bytes, uint32_t words)
{
	bool used = false;

	for (uint32_t i = 0; i < words; i++) {
		uint32_t word = flash->read(flash, offset + 4 * i);

		used |= word != ERASED;
		for (int b = 0; b < 4; b++)
			bytes[4 * i + b] = (uint8_t)(word >> (8 * b));
	}
	return used;
}

bool store_is_marked(const struct store_flash *flash)
{
	static const char mark[STORE_MARK_LEN] = STORE_MARK;
	uint8_t bytes[STORE_MARK_LEN];

	read_bytes(flash, STORE_MARK_AT, bytes, STORE_MARK_LEN / 4);
	return memcmp(bytes, mark, sizeof(mark)) == 0;
}

/* What a sector holds: its highest number, and where the first record goes behind which all are erased. */
struct sector {
	uint64_t at;
	uint64_t number;
	uint64_t free; /* offset into it; sector_len: it is full */
};

static struct sector look_through(const struct store_flash *flash, unsigned index)
{
	struct sector sector = {.at = index * flash->sector_len};
	uint8_t record[STORE_RECORD_LEN], good[STORE_RECORD_LEN];

	for (uint64_t at = 0; at < flash->sector_len; at += STORE_RECORD_LEN) {
		uint64_t number;

		if (!read_bytes(flash, sector.at + at, record, WORDS))
			continue;
		sector.free = at + STORE_RECORD_LEN;
		number = get_u64(record);
		make_record(good, number);
		if (memcmp(record, good, sizeof(good)) == 0 && number > sector.number)
			sector.number = number;
	}
	return sector;
}

uint64_t store_read(const struct store_flash *flash)
{
	uint64_t first = look_through(flash, 1).number, second = look_through(flash, 2).number;

	return first > second ? first : second;
}

static bool write_record(const struct store_flash *flash, uint64_t offset, uint64_t number)
{
	uint8_t record[STORE_RECORD_LEN], back[STORE_RECORD_LEN];

	make_record(record, number);
	for (uint32_t i = 0; i < WORDS; i++) {
		const uint8_t *b = record + 4 * i;
		uint32_t word = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;

		if (!flash->program(flash, offset + 4 * i, word))
			return false;
	}
	read_bytes(flash, offset, back, WORDS);
	return memcmp(back, record, sizeof(record)) == 0;
}

bool store_raise(const struct store_flash *flash, uint64_t number)
{
	struct sector newest = look_through(flash, 1), other = look_through(flash, 2);

	if (other.number > newest.number) {
		struct sector swap = newest;

		newest = other;
		other = swap;
	}
	if (newest.number >= number)
		return true;
	if (newest.free < flash->sector_len)
		return write_record(flash, newest.at + newest.free, number);
	/* What the other one has is lower, or damaged. */
	return flash->erase(flash, other.at) && write_record(flash, other.at, number);
}
