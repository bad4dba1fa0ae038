/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"

static void
parses_times(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: refused */
	} cases[] = {
	    {"2026-11-23T10:00:00Z", 1795428000},
	    {"2026-11-23t10:00:00z", 1795428000},
	    {"2026-11-23 10:00:00Z", 1795428000},
	    {"2026-11-23T12:00:00+02:00", 1795428000},
	    {"2026-11-23T10:00:00.123Z", 1795428000},
	    {"1970-01-01T00:00:00Z", 0},
	    {"0", 0},
	    {"1795428000", 1795428000},
	    {"2024-02-29T00:00:00Z", 1709164800},
	    {"2023-02-29T00:00:00Z", -1},
	    {"2026-13-01T00:00:00Z", -1},
	    {"2026-11-23T24:00:00Z", -1},
	    {"2026-11-23T10:00:60Z", -1},
	    {"2026-11-23T10:00:00", -1},
	    {"2026-11-23", -1},
	    {"tomorrow", -1},
	    {"", -1},
	    {"-5", -1},
	    {"99999999999999999999", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		int64_t got = -7;
		int rc = clock_parse(cases[i].text, &got, &err);

		if (cases[i].want == -1) {
			assert_int_equal(rc, -1);
			assert_int_equal(got, -7);
			assert_int_equal(err.reason, REASON_USAGE);
		} else {
			assert_int_equal(rc, 0);
			assert_int_equal(got, cases[i].want);
		}
	}
}

static void
writes_spans(void **state)
{
	static const struct {
		int64_t seconds;
		const char *want;
	} cases[] = {
	    {0, "0 s"},
	    {119, "119 s"},
	    {120, "2 min"},
	    {7199, "119 min"},
	    {7200, "2 h 0 min"},
	    {-12000, "3 h 20 min"},
	    {86400 * 3 + 3600 * 4, "3 d 4 h"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[CLOCK_SPAN];

		assert_string_equal(
		    clock_span(cases[i].seconds, text), cases[i].want);
	}
}

static void
writes_http(void **state)
{
	char text[CLOCK_HTTP];

	(void)state;
	/* RFC 9110, section 5.6.7 */
	assert_string_equal(
	    clock_http(784111777, text), "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_string_equal(
	    clock_http(951782400, text), "Tue, 29 Feb 2000 00:00:00 GMT");
	assert_string_equal(
	    clock_http(0, text), "Thu, 01 Jan 1970 00:00:00 GMT");
	assert_string_equal(
	    clock_http(-1, text), "Thu, 01 Jan 1970 00:00:00 GMT");
	assert_string_equal(
	    clock_http(INT64_MAX, text), "Fri, 31 Dec 9999 23:59:59 GMT");
}

/* Each day of nine hundred years, and each second of one, as the C library has
 * it. */
static void
reads_and_writes_as_libc(void **state)
{
	enum { FIRST = -140000, DAYS = 193600, STEP = 43201 };
	char text[CLOCK_HTTP], want[64];
	int64_t wall;

	(void)state;
	for (int64_t i = FIRST; i < DAYS + CLOCK_DAY; i++) {
		time_t t =
		    (time_t)(i < DAYS ? i * CLOCK_DAY + (i * STEP & 0xffff)
				      : i);
		struct tm tm;

		(void)gmtime_r(&t, &tm);
		(void)strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
		assert_string_equal(clock_rfc3339(t, text), want);
		assert_int_equal(
		    clock_civil(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
			tm.tm_hour, tm.tm_min, tm.tm_sec, &wall),
		    0);
		assert_int_equal(wall, t);
		(void)strftime(
		    want, sizeof(want), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		if (t >= 0)
			assert_string_equal(clock_http(t, text), want);
	}
	assert_string_equal(
	    clock_rfc3339(-INT64_C(62135596800), text), "0001-01-01T00:00:00Z");
	assert_string_equal(
	    clock_rfc3339(INT64_C(253402300799), text), "9999-12-31T23:59:59Z");
	assert_string_equal(
	    clock_rfc3339(INT64_MIN, text), "-9223372036854775808");
}

static void
writes_what_it_reads(void **state)
{
	char text[CLOCK_TEXT];

	(void)state;
	assert_string_equal(
	    clock_rfc3339(1795428000, text), "2026-11-23T10:00:00Z");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parses_times),
	    cmocka_unit_test(writes_spans),
	    cmocka_unit_test(writes_http),
	    cmocka_unit_test(reads_and_writes_as_libc),
	    cmocka_unit_test(writes_what_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
