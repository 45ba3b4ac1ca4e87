/* SPDX-License-Identifier: MIT */
/*
 * What a board answers, for people: within 100 columns, reasons of crashes aside. What is missing or of another type is shown as '-'.
 */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include <jansson.h>

void show_list(const char *capsule, const json_t *result);
void show_stats(const char *capsule, const json_t *result);
void show_words(const char *capsule, const json_t *result);
void show_image(const char *capsule, const json_t *result);
void show_state(const char *capsule, const json_t *result);
void show_focus(const char *capsule, const json_t *result);

/* A line of the log: {"time_us", "level", "text"}. */
void show_log_line(const json_t *line);

#endif
