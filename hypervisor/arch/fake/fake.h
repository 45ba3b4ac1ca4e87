/* SPDX-License-Identifier: MIT */
/* What tests may set of the board that is not there. */
#ifndef FAKE_H
#define FAKE_H

#include "arch/hart.h"
#include "board_io.h"
#include "hart.h"

extern uint64_t fake_time; /* what arch_time() returns */

#endif
