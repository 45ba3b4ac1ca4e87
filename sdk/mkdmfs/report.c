/* SPDX-License-Identifier: MIT */
#include "report.h"

void report_error(struct report *report, struct diag_place place, const char *hint,
		  const char *format, ...)
{
	va_list args;

	report->errors++;
	if (report->silent || report->errors > REPORT_LIMIT + 1)
		return;
	if (report->errors == REPORT_LIMIT + 1) {
		diag_error("too many errors in '%s'; only the first %u are shown",
			   report->source.path, REPORT_LIMIT);
		return;
	}
	va_start(args, format);
	diag_error_at_v(&report->source, place, hint, format, args);
	va_end(args);
}

void report_warning(struct report *report, struct diag_place place, const char *hint,
		    const char *format, ...)
{
	va_list args;

	if (report->silent || report->warnings++ >= REPORT_LIMIT)
		return;
	va_start(args, format);
	diag_warning_at_v(&report->source, place, hint, format, args);
	va_end(args);
}
