/* SPDX-License-Identifier: MIT */
/*
 * The errors of one manifest, all of one run together.
 */
#ifndef MKDMFS_REPORT_H
#define MKDMFS_REPORT_H

#include "common/diag.h"

/* So many are shown; then one line says that there are more. */
#define REPORT_LIMIT 100u

struct report {
	struct diag_source source;
	unsigned errors;
	unsigned warnings;
	bool silent; /* count only */
};

/* An error at a place of the manifest; `hint` may be NULL. */
void report_error(struct report *report, struct diag_place place, const char *hint,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same for what may be meant as it is: it does not count as an error. */
void report_warning(struct report *report, struct diag_place place, const char *hint,
		    const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
