/* SPDX-License-Identifier: ISC */
/* base/clock.h -- the two clocks, and times as text.
 *
 * Wall time is int64_t seconds since 1970 (UTC), monotonic time is int64_t
 * milliseconds.  Nothing else in the program asks the system for the time;
 * decisions take `now` as a parameter. */
#ifndef OCLASP_BASE_CLOCK_H
#define OCLASP_BASE_CLOCK_H

#include <stdint.h>

struct err;

enum {
	CLOCK_TEXT = 32,   /* room for an RFC 3339 time */
	CLOCK_SPAN = 32,   /* room for a span such as "3 d 4 h" */
	CLOCK_HTTP = 32,   /* room for a time in HTTP */
	CLOCK_MINUTE = 60, /* seconds */
	CLOCK_HOUR = 3600,
	CLOCK_DAY = 86400,
};

int64_t clock_wall_s(void);
int64_t clock_mono_ms(void);

/* The smaller of two times or spans of one unit. */
static inline int64_t
clock_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Seconds since 1970 of a civil UTC time.  On a field that is out of range
 * return -1 and leave *OUT alone; second 60 is out of range (RFC 5280,
 * section 4.1.2.5.2 knows no leap seconds). */
int clock_civil(int year, int month, int day, int hour, int minute, int second,
    int64_t *out);

/* The same of a civil time of this machine's zone, with the offset that it has
 * about then: within the hour in which clocks are set back it may be the other
 * one. */
int clock_local(int year, int month, int day, int hour, int minute, int second,
    int64_t *out);

/* Read RFC 3339 ("2026-11-23T10:00:00Z", "...+02:00") or Unix seconds. */
int clock_parse(const char *text, int64_t *out, struct err *err);

/* Write WALL as RFC 3339 UTC, "2026-11-23T10:00:00Z". Returns OUT. */
const char *clock_rfc3339(int64_t wall, char out[CLOCK_TEXT]);

/* Write WALL as HTTP wants it (RFC 9110, section 5.6.7), "Sun, 06 Nov 1994
 * 08:49:37 GMT", whatever the locale. Returns OUT. */
const char *clock_http(int64_t wall, char out[CLOCK_HTTP]);

/* Write SECONDS for a reader: "45 s", "12 min", "3 h 20 min", "3 d 4 h"; the
 * sign is dropped. Returns OUT. */
const char *clock_span(int64_t seconds, char out[CLOCK_SPAN]);

#endif
