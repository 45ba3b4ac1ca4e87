/* SPDX-License-Identifier: MIT */
/* The hypervisor's log: its last lines, numbered from 1, each printed on the console as well. */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "service_abi.h"

#define LOG_LINE_LEN 255u /* what is longer is cut off */

/*
 * One line, without newline. Capsules with hv_log_read are told, so the caller holds no lock of a machine. Before harts
 * are known its time is 0.
 */
__attribute__((format(printf, 2, 3))) void log_line(enum diosix_level level, const char *format, ...);

/*
 * The line of number `from`, or the first after it that is still there: false when there is none. `line` and `text`, of
 * LOG_LINE_LEN bytes, get what it is.
 */
bool log_get(uint64_t from, struct diosix_log_line *line, char *text);

/* The number that the next line will have. */
uint64_t log_next(void);

/* From here on nobody is waited for, and nobody is told: the hart that panics has the log and the console. */
void log_panic(void);

#endif
