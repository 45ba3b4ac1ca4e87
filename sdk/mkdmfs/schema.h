/* SPDX-License-Identifier: MIT */
/*
 * The manifest's keys, as tables: what the reader goes by and the JSON Schema is printed from.
 */
#ifndef MKDMFS_SCHEMA_H
#define MKDMFS_SCHEMA_H

#include "manifest.h"

/* How a value looks, and the type of the field that it goes to. */
enum value_kind {
	VALUE_TEXT,     /* manifest_text; max bytes of printable ASCII, or anything with min 1 */
	VALUE_CMDLINE,  /* manifest_text; at most max bytes */
	VALUE_NAME,     /* manifest_text; name alphabet, at most max bytes */
	VALUE_FILE,     /* manifest_text; a file that exists */
	VALUE_NUMBER,   /* manifest_number from min to max */
	VALUE_PERCENT,  /* the same, with or without a % */
	VALUE_SIZE,     /* manifest_number of bytes from min to max, K, M and G allowed */
	VALUE_MEMORY,   /* the same, a multiple of DMFS_MEMORY_UNIT */
	VALUE_BOOL,     /* manifest_number */
	VALUE_WORD,     /* manifest_number: the index of one of `words` */
	VALUE_WORDS,    /* manifest_number: a bit for each of `words` in a list */
	VALUE_BITS,     /* manifest_number: a bit for each number in a list, of 0 to max */
	VALUE_FILES,    /* manifest_list */
	VALUE_SOME_FILES,  /* manifest_list; a file alone stands for a list of it */
	VALUE_NAMED_FILES, /* manifest_named_files; a mapping of names, of at most max bytes, to files */
	VALUE_BOARDS,   /* manifest_list */
	VALUE_MAPPING,  /* keys of their own, in the same record */
	VALUE_KERNEL,   /* a file, or a mapping with keys of its own */
	VALUE_CAPSULES, /* a list of mappings: manifest_capsule */
};

struct key {
	const char *name; /* NULL ends a table */
	enum value_kind kind;
	bool required;
	size_t offset; /* of the field in its record */
	uint64_t min, max;
	const char *(*words)(unsigned index);
	const struct key *keys; /* of VALUE_MAPPING, VALUE_KERNEL, VALUE_CAPSULES */
	const char *about;      /* a sentence for people and editors */
};

extern const struct key schema_manifest[];

#endif
