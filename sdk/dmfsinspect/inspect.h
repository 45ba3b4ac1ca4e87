/* SPDX-License-Identifier: MIT */
/*
 * Subcommands that look into images; each returns an exit status.
 */
#ifndef DMFSINSPECT_INSPECT_H
#define DMFSINSPECT_INSPECT_H

#include "common/args.h"
#include "sign/image.h"

int inspect_command(const struct args *args);
int verify_command(const struct args *args);
int extract_command(const struct args *args);
int diff_command(const struct args *args);
int explain_command(const struct args *args);
int sbom_command(const struct args *args);

/* What --board and --rollback say of the board that an image is for. */
struct board_demand {
	const char *compatible; /* NULL: any board */
	uint64_t rollback;
};
int inspect_read_board(const struct args *args, struct board_demand *demand);
enum dmfs_status inspect_check_board(const struct dmfs_image *image,
				     const struct board_demand *demand);

/* Reads the image at `path`; verified when there is a --trust. */
int inspect_read(struct image_file *file, const struct args *args, const char *path,
		 struct trust_keys *trust);

/* Bytes that an object takes in the image. */
uint64_t inspect_stored_len(const struct dmfs_image *image, const struct dmfs_object *object);

/*
 * BLAKE2b-256 over the hashes of an object's chunks, its first 8 bytes as 16 hexadecimal digits:
 * equal for equal stored bytes.
 */
#define INSPECT_HASH_TEXT_LEN 17
const char *inspect_hash(char text[INSPECT_HASH_TEXT_LEN], const struct dmfs_image *image,
			 const struct dmfs_object *object);

/* "2024-01-31T12:00:00Z", in `buf` of at least 32 bytes; "no time" for 0. */
const char *inspect_time(char *buf, uint64_t seconds);

/* The image as JSON on standard output. */
void inspect_print_json(const struct image_file *file, const struct trust_keys *trust);

/* The image as a page of HTML that needs nothing else, written to the file. A STATUS_... */
int inspect_write_html(const char *path, const struct image_file *file,
		       const struct trust_keys *trust);

/* A label and text behind it, broken at blanks where it is too long for a line of 100 columns. */
void inspect_print_field(const char *indent, const char *label, const char *text, size_t len);

/* Is this key among those that are trusted and signed? */
bool inspect_is_trusted(const struct image_file *file, const struct trust_keys *trust,
			const uint8_t *key);

#endif
