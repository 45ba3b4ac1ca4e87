/* SPDX-License-Identifier: MIT */
/*
 * NOR flash with the Intel command set, found by the Common Flash Interface (JEDEC JESD68.01): two chips of 16 bits side by
 * side, so that each command goes to both. The board's second bank of it is its store.
 */
#include "board_io.h"
#include "board_store.h"
#include "mmio.h"

#define BOTH(x) ((uint32_t)(x) << 16 | (x))

/* Commands, to any address of the sector or bank. */
#define READ_ARRAY   BOTH(0xff)
#define QUERY        BOTH(0x98)
#define PROGRAM      BOTH(0x40)
#define ERASE        BOTH(0x20)
#define LOCK         BOTH(0x60)
#define CONFIRM      BOTH(0xd0) /* an erase, or an unlock */
#define CLEAR_STATUS BOTH(0x50)

#define STATUS_READY  BOTH(0x80)
#define STATUS_FAILED BOTH(0x3a) /* erase, program, voltage, locked */
/* So often a status is read: sectors take a second or two to erase, a read takes 100 ns at least. */
#define PATIENCE 40000000u

/* Words of the query. */
#define QUERY_AT    0x55u
#define QUERY_TEXT  0x10u
#define QUERY_BLOCK 0x2fu /* bytes of a chip's sector, in units of 256, two bytes */

static uint32_t read_word(const struct store_flash *flash, uint64_t offset)
{
	return mmio_read32(flash->base + offset);
}

/* Waits until the command is done, and gives the array back. */
static bool finish(const struct store_flash *flash)
{
	uint32_t status = 0;

	for (uint32_t i = 0; i < PATIENCE && (status & STATUS_READY) != STATUS_READY; i++)
		status = mmio_read32(flash->base);
	mmio_write32(flash->base, CLEAR_STATUS);
	mmio_write32(flash->base, READ_ARRAY);
	return (status & STATUS_READY) == STATUS_READY && (status & STATUS_FAILED) == 0;
}

static void unlock(const struct store_flash *flash, uint64_t offset)
{
	mmio_write32(flash->base + offset, LOCK);
	mmio_write32(flash->base + offset, CONFIRM);
	finish(flash);
}

static bool program_word(const struct store_flash *flash, uint64_t offset, uint32_t word)
{
	unlock(flash, offset);
	mmio_write32(flash->base + offset, PROGRAM);
	mmio_write32(flash->base + offset, word);
	return finish(flash);
}

static bool erase_sector(const struct store_flash *flash, uint64_t offset)
{
	unlock(flash, offset);
	mmio_write32(flash->base + offset, ERASE);
	mmio_write32(flash->base + offset, CONFIRM);
	return finish(flash);
}

static bool find_sectors(struct store_flash *flash)
{
	static const char text[] = "QRY";
	uint64_t units;
	bool good = true;

	mmio_write32(flash->base + 4 * QUERY_AT, QUERY);
	for (unsigned i = 0; i < 3; i++)
		good &= mmio_read32(flash->base + 4 * (QUERY_TEXT + i)) == BOTH(text[i]);
	units = (mmio_read32(flash->base + 4 * QUERY_BLOCK) & 0xff) |
		(mmio_read32(flash->base + 4 * (QUERY_BLOCK + 1)) & 0xff) << 8;
	mmio_write32(flash->base, READ_ARRAY);
	flash->sector_len = units * 256 * 2;
	return good && units != 0 && flash->sector_len <= board.store.size / STORE_SECTORS;
}

/* The board's store, if it has one. */
static bool open_store(struct store_flash *flash)
{
	*flash = (struct store_flash){
		.base = board.store.base, .read = read_word, .program = program_word, .erase = erase_sector};
	return board.store.size != 0 && find_sectors(flash) && store_is_marked(flash);
}

bool board_stored_index(uint64_t *index)
{
	struct store_flash flash;

	if (!open_store(&flash))
		return false;
	*index = store_read(&flash);
	return true;
}

bool board_store_index(uint64_t index)
{
	struct store_flash flash;

	return open_store(&flash) && store_raise(&flash, index);
}
