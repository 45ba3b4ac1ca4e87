/* SPDX-License-Identifier: MIT */
/*
 * Sizes and numbers, as people write them.
 */
#ifndef COMMON_SIZE_H
#define COMMON_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A whole number, decimal or 0x hexadecimal, nothing around it. */
bool number_parse(const char *text, uint64_t *value);

/* The same with an optional suffix K, M or G (KiB, MiB and GiB may be written out). */
bool size_parse(const char *text, uint64_t *bytes);

/* Exact where that is short ("256M"), otherwise rounded ("21.3M"). `buf` has at least 24 bytes. */
const char *size_text(char *buf, uint64_t bytes);

#endif
