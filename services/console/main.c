/* SPDX-License-Identifier: MIT */
/* The console service, docs/console.md: the board's user interface over its serial line. */
#include "ui.h"

static struct ui ui;

static uint64_t now(void)
{
	return ui_time(&ui, diosix_time());
}

/* The first tick at or behind a time in microseconds. */
static uint64_t ticks(uint64_t time)
{
	uint64_t hz = ui.timebase;

	if (time == UINT64_MAX)
		return UINT64_MAX;
	return time / 1000000 * hz + (time % 1000000 * hz + 999999) / 1000000;
}

int main(int argc, char **argv)
{
	uint64_t events = ~(uint64_t)DIOSIX_EVENT_STOP;

	ui.timebase = diosix_timebase();
	ui_begin(&ui, argc, argv, diosix_timebase(), now());
	for (;;) {
		ui_turn(&ui, events, now());
		if (ui.ended)
			return ui.lost; /* the hypervisor's mark says so */
		events = diosix_wait(ticks(ui_deadline(&ui)));
	}
}
