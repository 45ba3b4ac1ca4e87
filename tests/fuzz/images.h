/* SPDX-License-Identifier: MIT */
/* What the targets that are about images share. */
#ifndef IMAGES_H
#define IMAGES_H

#include "dmfs.h"

/*
 * Goes over every record and string of an opened image; aborts where one breaks what the reader
 * promises.
 */
void image_walk(const struct dmfs_image *image);

/*
 * Unpacks chunks, up to a MiB of them, each in buffers of exactly the right size; with `as_signed`
 * false each with the hash that it has as well. Aborts where a chunk is outside the payload.
 */
void image_unpack(const struct dmfs_image *image, bool as_signed);

/*
 * A custom mutator of libFuzzer: changes any bytes, or a field of a record, or a chunk's stored
 * bytes, or counts; then, most of the time, sets the lengths and hashes right again and signs the
 * region by forge_key(0), so that what comes after the signature is fuzzed as well.
 */
size_t image_mutate(uint8_t *data, size_t len, size_t room, unsigned seed);

/* libFuzzer's own mutator. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t room);

#endif
