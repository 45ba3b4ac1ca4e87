/* SPDX-License-Identifier: MIT */
/*
 * YAML as a tree in which every node knows its line and column. Only what a manifest needs: one
 * document of mappings, sequences and scalars. Anchors, aliases and tags are errors, so a tree is
 * no larger than its text and has no cycles.
 */
#ifndef MKDMFS_YAMLTREE_H
#define MKDMFS_YAMLTREE_H

#include "common/arena.h"
#include "report.h"

#define YAML_MAX_LEN   (1u << 20)
#define YAML_MAX_DEPTH 32u

enum node_kind { NODE_SCALAR, NODE_MAPPING, NODE_SEQUENCE };

struct node {
	enum node_kind kind;
	struct diag_place place;
	const char *text; /* of a scalar, terminated, without NUL in it */
	bool plain;       /* a scalar without quotes */
	unsigned depth;
	struct node *first; /* children; of a mapping key, value, key, value, ... */
	struct node *last;
	struct node *next;
	struct node *parent;
};

/*
 * The tree of the report's source, allocated in the arena; NULL when an error made one impossible,
 * which was then reported.
 */
struct node *yaml_read(struct report *report, struct arena *arena);

/* A plain scalar that YAML takes for "nothing": empty, ~ or null. */
bool yaml_is_null(const struct node *node);

#endif
