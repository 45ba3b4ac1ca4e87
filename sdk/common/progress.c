/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <stdio.h>

#include "diag.h"

#define BAR_LEN  24
#define REDRAW_S 0.1
#define MIB      (1024.0 * 1024.0)

static double seconds_between(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

/* "12s", "3m05s", "2h07m": never wider than six. */
static void print_time(double seconds)
{
	unsigned long s = seconds < 100 * 3600 ? (unsigned long)(seconds + 0.5) : 100 * 3600 - 1;

	if (s < 60)
		fprintf(stderr, "%lus", s);
	else if (s < 3600)
		fprintf(stderr, "%lum%02lus", s / 60, s % 60);
	else
		fprintf(stderr, "%luh%02lum", s / 3600, s / 60 % 60);
}

/* At most 80 columns, so that a line is never broken; what is left of a longer one is taken away. */
static void draw(const struct progress *progress, double done, double total, double seconds)
{
	static const char full[] = "########################";
	double part = done / total, rate = done / seconds;

	fprintf(stderr, "\r%s [%-*.*s] %3d%% %.1f/%.1f MiB %.1f MiB/s ", progress->doing, BAR_LEN,
		(int)(part * BAR_LEN), full, (int)(part * 100), done / MIB, total / MIB, rate / MIB);
	if (done > 0) {
		print_time((total - done) / rate);
		fputs(" left", stderr);
	}
	fputs("\033[K", stderr);
	fflush(stderr);
}

void progress_update(void *context, uint64_t done, uint64_t total)
{
	struct progress *progress = context;
	struct timespec now;

	if (!diag_can_draw() || total == 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	/* The first call only starts the clock: what is done at once needs no bar. */
	if (progress->started.tv_sec == 0)
		progress->started = progress->drawn = now;
	if (seconds_between(&progress->drawn, &now) < REDRAW_S)
		return;
	progress->drawn = now;
	progress->active = 1;
	draw(progress, (double)done, (double)total, seconds_between(&progress->started, &now));
}

void progress_end(struct progress *progress)
{
	if (progress->active)
		fputs("\r\033[K", stderr);
	progress->active = 0;
}
