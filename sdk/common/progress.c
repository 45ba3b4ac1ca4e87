/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <stdio.h>

#include "diag.h"

#define BAR_LEN   32u
#define REDRAW_NS 100000000L

static long elapsed_ns(const struct timespec *from, const struct timespec *to)
{
	if (to->tv_sec - from->tv_sec > 1)
		return REDRAW_NS;
	return (to->tv_sec - from->tv_sec) * 1000000000L + to->tv_nsec - from->tv_nsec;
}

void progress_update(void *context, uint64_t done, uint64_t total)
{
	static const char full[] = "################################";
	struct progress *progress = context;
	struct timespec now;
	unsigned filled;

	if (!diag_can_draw() || total == 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	/* The first call only starts the clock: what is done at once needs no bar. */
	if (progress->drawn.tv_sec == 0)
		progress->drawn = now;
	if (elapsed_ns(&progress->drawn, &now) < REDRAW_NS)
		return;
	progress->drawn = now;
	progress->active = 1;
	filled = (unsigned)((double)done / (double)total * BAR_LEN);
	fprintf(stderr, "\r%s [%-*.*s] %3u%%  %.1f of %.1f MiB", progress->doing, (int)BAR_LEN,
		(int)filled, full, (unsigned)((double)done / (double)total * 100),
		(double)done / (1 << 20), (double)total / (1 << 20));
	fflush(stderr);
}

void progress_end(struct progress *progress)
{
	if (progress->active)
		fputs("\r\033[K", stderr);
	progress->active = 0;
}
