/* SPDX-License-Identifier: ISC */
/* base/clock.c -- the two clocks, and times as text. */
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

int64_t
clock_wall_s(void)
{
	struct timespec ts;

	/* of the last tick: cheap, and the same clock that files' times have */
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return ts.tv_sec;
}

int64_t
clock_mono_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_in_month(int year, int month)
{
	static const int days[12] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* A moment of UTC.  Neither gmtime_r() nor timegm(): they take a lock of all
 * threads. */
struct civil {
	int year, month, day, hour, minute, second;
	int weekday; /* 0: Sunday */
};

enum {
	/* 400 years, which begin anew with each, have so many days */
	ERA_DAYS = 146097,
	/* from 1st March of year 0 to 1st January 1970 */
	EPOCH_DAYS = 719468,
	EPOCH_WEEKDAY = 4,
};

static const int64_t first_wall = -INT64_C(62135596800), /* of year 1 */
    last_wall = INT64_C(253402300799);                   /* of year 9999 */

/* The year begins in March here, so that a leap day is its last. */
static int64_t
days_of(int year, int month, int day)
{
	const int y = month <= 2 ? year - 1 : year;
	const int in_year =
	    (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	const int64_t in_era =
	    y % 400 * 365 + y % 400 / 4 - y % 400 / 100 + in_year;

	return y / 400 * (int64_t)ERA_DAYS + in_era - EPOCH_DAYS;
}

/* WALL is within first_wall and last_wall. */
static struct civil
civil_of(int64_t wall)
{
	const int64_t since = wall - first_wall; /* not negative */
	const int second = (int)(since % CLOCK_DAY);
	const int days = (int)((wall - second) / CLOCK_DAY);
	const int z = days + EPOCH_DAYS;
	const int in_era = z % ERA_DAYS;
	const int year = (in_era - in_era / 1460 + in_era / 36524 -
			     in_era / (ERA_DAYS - 1)) /
			 365;
	const int in_year = in_era - (365 * year + year / 4 - year / 100);
	const int month = (5 * in_year + 2) / 153; /* from March */

	return (struct civil){
	    .year = z / ERA_DAYS * 400 + year + (month >= 10 ? 1 : 0),
	    .month = month < 10 ? month + 3 : month - 9,
	    .day = in_year - (153 * month + 2) / 5 + 1,
	    .hour = second / CLOCK_HOUR,
	    .minute = second / CLOCK_MINUTE % 60,
	    .second = second % 60,
	    .weekday = (z - EPOCH_DAYS % 7 + EPOCH_WEEKDAY) % 7,
	};
}

int
clock_civil(int year, int month, int day, int hour, int minute, int second,
    int64_t *out)
{
	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
	    day > days_in_month(year, month) || hour < 0 || hour > 23 ||
	    minute < 0 || minute > 59 || second < 0 || second > 59)
		return -1;
	*out = days_of(year, month, day) * CLOCK_DAY +
	       hour * (int64_t)CLOCK_HOUR + minute * (int64_t)CLOCK_MINUTE +
	       second;
	return 0;
}

int
clock_local(int year, int month, int day, int hour, int minute, int second,
    int64_t *out)
{
	struct tm tm;
	int64_t wall;
	time_t guess;

	if (clock_civil(year, month, day, hour, minute, second, &wall) == -1)
		return -1;
	/* twice: the offset at the first guess is that of hours before or
	 * after */
	guess = (time_t)wall;
	for (int i = 0; i < 2; i++) {
		if (localtime_r(&guess, &tm) == NULL)
			return -1;
		guess = (time_t)(wall - tm.tm_gmtoff);
	}
	*out = guess;
	return 0;
}

/* Exactly COUNT digits at TEXT, or -1. */
static int
digits(const char *text, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

/* "Z" or "+hh:mm", the whole rest of the text; seconds east of UTC. */
static int
parse_zone(const char *text, int64_t *out)
{
	int hours, minutes;

	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
		*out = 0;
		return 0;
	}
	if (strlen(text) != 6 || (text[0] != '+' && text[0] != '-') ||
	    text[3] != ':')
		return -1;
	hours = digits(text + 1, 2);
	minutes = digits(text + 4, 2);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return -1;
	*out = (text[0] == '-' ? -1 : 1) *
	       (hours * (int64_t)CLOCK_HOUR + minutes * (int64_t)CLOCK_MINUTE);
	return 0;
}

static int
parse_rfc3339(const char *text, int64_t *out)
{
	int64_t wall, zone;

	if (strlen(text) < sizeof("2026-11-23T10:00:00Z") - 1 ||
	    text[4] != '-' || text[7] != '-' ||
	    strchr("Tt ", text[10]) == NULL || text[13] != ':' ||
	    text[16] != ':')
		return -1;
	if (clock_civil(digits(text, 4), digits(text + 5, 2),
		digits(text + 8, 2), digits(text + 11, 2), digits(text + 14, 2),
		digits(text + 17, 2), &wall) == -1)
		return -1;
	text += 19;
	if (*text == '.') {
		do
			text++;
		while (isdigit((unsigned char)*text));
	}
	if (parse_zone(text, &zone) == -1)
		return -1;
	*out = wall - zone;
	return 0;
}

int
clock_parse(const char *text, int64_t *out, struct err *err)
{
	char *end = NULL;
	intmax_t unix_s;

	if (parse_rfc3339(text, out) == 0)
		return 0;
	errno = 0;
	unix_s = strtoimax(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || unix_s < 0 ||
	    unix_s > last_wall)
		return err_set(err, REASON_USAGE,
		    "'%s' is no time: give RFC 3339, such as "
		    "2026-11-23T10:00:00Z, or Unix seconds",
		    text);
	*out = unix_s;
	return 0;
}

static char *
put_digits(char *out, int value, int count)
{
	for (int i = count; i-- > 0; value /= 10)
		out[i] = (char)('0' + value % 10);
	return out + count;
}

/* With its NUL, which is not stepped over. */
static char *
put_text(char *out, const char *text)
{
	size_t len = strlen(text);

	memcpy(out, text, len + 1);
	return out + len;
}

static char *
put_time(char *out, const struct civil *at)
{
	out = put_text(put_digits(out, at->hour, 2), ":");
	out = put_text(put_digits(out, at->minute, 2), ":");
	return put_digits(out, at->second, 2);
}

const char *
clock_rfc3339(int64_t wall, char out[CLOCK_TEXT])
{
	struct civil civil;
	char *at;

	if (wall < first_wall || wall > last_wall) {
		(void)snprintf(out, CLOCK_TEXT, "%" PRId64, wall);
		return out;
	}
	civil = civil_of(wall);
	at = put_text(put_digits(out, civil.year, 4), "-");
	at = put_text(put_digits(at, civil.month, 2), "-");
	at = put_text(put_digits(at, civil.day, 2), "T");
	(void)put_text(put_time(at, &civil), "Z");
	return out;
}

const char *
clock_http(int64_t wall, char out[CLOCK_HTTP])
{
	static const char days[7][6] = {
	    "Sun, ", "Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, "};
	static const char months[12][6] = {" Jan ", " Feb ", " Mar ", " Apr ",
	    " May ", " Jun ", " Jul ", " Aug ", " Sep ", " Oct ", " Nov ",
	    " Dec "};
	const struct civil civil = civil_of(wall < 0           ? 0
					    : wall > last_wall ? last_wall
							       : wall);
	char *at = put_text(out, days[civil.weekday]);

	at = put_text(put_digits(at, civil.day, 2), months[civil.month - 1]);
	at = put_text(put_digits(at, civil.year, 4), " ");
	(void)put_text(put_time(at, &civil), " GMT");
	return out;
}

const char *
clock_span(int64_t seconds, char out[CLOCK_SPAN])
{
	int64_t s = seconds < 0 ? -seconds : seconds;

	if (s < 2 * CLOCK_MINUTE)
		(void)snprintf(out, CLOCK_SPAN, "%" PRId64 " s", s);
	else if (s < 2 * CLOCK_HOUR)
		(void)snprintf(
		    out, CLOCK_SPAN, "%" PRId64 " min", s / CLOCK_MINUTE);
	else if (s < CLOCK_DAY)
		(void)snprintf(out, CLOCK_SPAN, "%" PRId64 " h %" PRId64 " min",
		    s / CLOCK_HOUR, s % CLOCK_HOUR / CLOCK_MINUTE);
	else
		(void)snprintf(out, CLOCK_SPAN, "%" PRId64 " d %" PRId64 " h",
		    s / CLOCK_DAY, s % CLOCK_DAY / CLOCK_HOUR);
	return out;
}
