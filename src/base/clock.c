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

int
clock_civil(int year, int month, int day, int hour, int minute, int second,
    int64_t *out)
{
	struct tm tm = {0};

	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
	    day > days_in_month(year, month) || hour < 0 || hour > 23 ||
	    minute < 0 || minute > 59 || second < 0 || second > 59)
		return -1;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_sec = second;
	*out = timegm(&tm);
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
	    unix_s > INT64_C(253402300799)) /* the end of year 9999 */
		return err_set(err, REASON_USAGE,
		    "'%s' is no time: give RFC 3339, such as "
		    "2026-11-23T10:00:00Z, or Unix seconds",
		    text);
	*out = unix_s;
	return 0;
}

const char *
clock_rfc3339(int64_t wall, char out[CLOCK_TEXT])
{
	time_t t = (time_t)wall;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(out, CLOCK_TEXT, "%" PRId64, wall);
	return out;
}

static char *
put_digits(char *out, unsigned value, unsigned count)
{
	for (unsigned i = count; i-- > 0; value /= 10)
		out[i] = (char)('0' + value % 10);
	return out + count;
}

static char *
put_text(char *out, const char *text, size_t len)
{
	memcpy(out, text, len);
	return out + len;
}

/* A responder writes two for each answer: neither snprintf() nor gmtime_r(),
 * which takes a lock of all threads.  The year begins in March here, so that a
 * leap day is its last; 400 years, that begin anew with 2000, have 146,097
 * days. */
const char *
clock_http(int64_t wall, char out[CLOCK_HTTP])
{
	static const char days[7][6] = {
	    "Thu, ", "Fri, ", "Sat, ", "Sun, ", "Mon, ", "Tue, ", "Wed, "};
	static const char months[12][6] = {" Mar ", " Apr ", " May ", " Jun ",
	    " Jul ", " Aug ", " Sep ", " Oct ", " Nov ", " Dec ", " Jan ",
	    " Feb "};
	const int64_t last = INT64_C(253402300799); /* of year 9999 */
	const uint64_t t = (uint64_t)(wall < 0 ? 0 : wall > last ? last : wall);
	const unsigned second = (unsigned)(t % CLOCK_DAY);
	const unsigned since = (unsigned)(t / CLOCK_DAY);
	const unsigned z = since + 719468; /* days since March of year 0 */
	const unsigned in_era = z % 146097;
	const unsigned year_in_era =
	    (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	const unsigned in_year =
	    in_era - (365 * year_in_era + year_in_era / 4 - year_in_era / 100);
	const unsigned month = (5 * in_year + 2) / 153; /* of 5: 153 days */
	const unsigned day = in_year - (153 * month + 2) / 5 + 1;
	const unsigned year =
	    z / 146097 * 400 + year_in_era + (month >= 10 ? 1 : 0);
	char *at = put_text(out, days[since % 7], 5);

	at = put_digits(at, day, 2);
	at = put_text(at, months[month], 5);
	at = put_digits(at, year, 4);
	*at++ = ' ';
	at = put_digits(at, second / CLOCK_HOUR, 2);
	*at++ = ':';
	at = put_digits(at, second / CLOCK_MINUTE % 60, 2);
	*at++ = ':';
	at = put_digits(at, second % 60, 2);
	(void)put_text(at, " GMT", 5);
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
