/* SPDX-License-Identifier: MIT */
/*
 * Short names of boards, as the manifest and the command line take them.
 */
#ifndef COMMON_BOARDS_H
#define COMMON_BOARDS_H

/* Short name number `index`, or NULL after the last; a suggest_candidate. */
const char *board_short_name(const void *context, unsigned index);

/*
 * The `compatible` string of the device tree's root node that a name stands for: that of a short
 * name, the name itself when it contains a comma (vendor,board), otherwise NULL.
 */
const char *board_compatible(const char *name);

#endif
