/* SPDX-License-Identifier: MIT */
/*
 * What would go wrong on a board, found before one sees the image.
 */
#ifndef MKDMFS_CHECK_H
#define MKDMFS_CHECK_H

#include "common/boards.h"
#include "plan.h"

/* What needs no board: does each command line name the console that its device tree has? Warnings. */
void check_consoles(struct plan *plan);

/*
 * RAM, harts, PMP entries, and kernels for one address. Errors point into the manifest; `named` is
 * where it names the board, line 0 when it does not.
 */
void check_board(struct plan *plan, const struct board_facts *board, struct diag_place named);

/*
 * All boards that the manifest names and that are known. Those that are not are warned of with
 * `warn`. The number of boards that were checked.
 */
unsigned check_named_boards(struct plan *plan, bool warn);

#endif
