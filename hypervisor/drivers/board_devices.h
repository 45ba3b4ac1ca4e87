/* SPDX-License-Identifier: MIT */
/* The part of board_read() that finds devices. */
#ifndef BOARD_DEVICES_H
#define BOARD_DEVICES_H

#include "board.h"

/*
 * Fills in timer, console, interrupt controller and reset of a board whose harts are known. `intc` has
 * the phandle of each hart's own interrupt controller, 0 without. As board_read().
 */
const char *board_read_devices(struct board *board, const void *fdt, const uint32_t *intc);

#endif
