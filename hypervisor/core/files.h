/* SPDX-License-Identifier: MIT */
/*
 * Files that the image carries for a capsule, read from the verified image whenever it asks. Nothing is kept of them but the
 * chunk that a hart unpacked last.
 */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "capsule.h"
#include "dmfs.h"

/*
 * At boot, before there are guests: the image, which stays, and memory for each hart to unpack a chunk into if there is a
 * file at all. False when there is no such memory.
 */
bool files_init(const struct dmfs_image *image);

/* The capsule's file of that name, which is copied before it is looked at: its object, or DMFS_NONE. */
uint32_t files_find(const struct capsule *capsule, struct dmfs_str name);

/* Its length in bytes, never 0; 0 when that is no file of this capsule's. */
uint64_t files_len(const struct capsule *capsule, uint64_t file);

/* A part of a file that is in one chunk. */
struct file_piece {
	uint32_t chunk;	 /* of the image */
	uint32_t offset; /* in the chunk */
	bool encrypted;
	uint64_t len;	 /* 0 at the file's end */
};

/* What can be read at once of a file of files_len() bytes: at most `room` bytes from `offset` on. */
struct file_piece files_piece(uint64_t file, uint64_t offset, uint64_t room);

/* Copies it, which takes a chunk's unpacking at most, on this hart. False when the chunk is damaged. */
bool files_copy(const struct file_piece *piece, void *to);

#endif
