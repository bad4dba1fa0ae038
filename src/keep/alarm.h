/* SPDX-License-Identifier: ISC */
/* keep/alarm.h -- the operator's own program is run when a certificate comes
 * to need a person, and when it is well again.
 *
 *   none -> alarm (a state that needs a person) -> another such state
 *             -> well (fresh, due, or nothing to do) -> none
 *
 * Retrying and pending end no alarm: they are on the way.  A program is run
 * for one certificate at a time once, and for ALARM_AT_ONCE in all; while one
 * runs or waits, the newest state wins, and one that is well before it was told
 * is not told.  What the program does is its own affair: its failure is logged,
 * its deadline ends it, and nothing here waits for it. */
#ifndef OCLASP_KEEP_ALARM_H
#define OCLASP_KEEP_ALARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "keep/status.h"

struct alarm;

enum {
	ALARM_AT_ONCE = 4,         /* programs that run */
	ALARM_WAITING_MAX = 10000, /* certificates that wait for theirs */
	ALARM_DEADLINE_MS = 30000,
	ALARM_VARIABLES = 13,
};

/* What came of one run: FAILED says why, or is NULL. */
typedef void (*alarm_ended)(void *cookie, const char *name, const char *failed);

/* Nobody is told until there is a command.  ENDED may free the alarm. */
struct alarm *alarm_new(uv_loop_t *loop, alarm_ended ended, void *cookie);

/* The program to run from now on: ARGV, NULL-terminated, is copied; NULL or
 * empty: none.  DEADLINE_MS 0: ALARM_DEADLINE_MS. */
void alarm_command(
    struct alarm *alarm, const char *const *argv, int64_t deadline_ms);

/* What runs is killed, what waits is dropped; ENDED is not called any more. */
void alarm_free(struct alarm *alarm);

/* ROW is how its certificate stands at NOW; cheap where nothing changed. */
void alarm_tell(struct alarm *alarm, const struct status_row *row, int64_t now);

/* The certificate at PATH is not kept any more: what is not told yet is not. */
void alarm_forget(struct alarm *alarm, const char *path);

/* True while a program runs or waits to. */
bool alarm_is_busy(const struct alarm *alarm);

/* The variables of the program's environment; owned, with their array. */
char **alarm_variables(const struct status_row *row, bool well, int64_t now);
void alarm_variables_free(char **variables);

#endif
