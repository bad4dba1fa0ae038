/* SPDX-License-Identifier: ISC */
/* test_config_value.c -- face/config_value: spans, switches, slips. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "face/config_value.h"

static const struct span_row {
	const char *text;
	int64_t seconds; /* -1: refused */
} spans[] = {
    {"0", 0},
    {"20", 20},
    {"15 s", 15},
    {"15s", 15},
    {"  15  s  ", 15},
    {"10 min", 600},
    {"10 m", 600},
    {"2 h", 7200},
    {"3 d", 259200},
    {"2 w", 1209600},
    {"1 h 30 min", 5400},
    {"1h30m", 5400},
    {"1 d 2 h 3 min 4 s", 93784},
    {"999999999999", INT64_C(999999999999)},
    {"", -1},
    {" ", -1},
    {"s", -1},
    {"h 2", -1},
    {"-1", -1},
    {"+1", -1},
    {"1.5 h", -1},
    {"1,5", -1},
    {"0x10", -1},
    {"1e3", -1},
    {"1 2", -1},
    {"1 h 30", -1},
    {"15 S", -1},
    {"3 days", -1},
    {"3 ms", -1},
    {"3 mo", -1},
    {"3 d x", -1},
    {"1 s 1 s 1 s 1 s 1 s 1 s", -1},
    {"9999999999999", -1},
    {"999999999999 w 999999999999 w", INT64_C(999999999999) * 1209600},
    {"15 \xc2\xa0s", -1},
};

static void
test_durations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		int64_t got = -1;
		bool taken = config_duration(spans[i].text, 0, INT64_MAX, &got);

		if (got != spans[i].seconds || taken != (got != -1))
			fail_msg("'%s': %lld", spans[i].text, (long long)got);
	}
}

static void
test_duration_bounds(void **state)
{
	int64_t got = 7;

	(void)state;
	assert_false(config_duration("59 s", 60, 3600, &got));
	assert_false(config_duration("2 h", 60, 3600, &got));
	assert_true(got == 7);
	assert_true(config_duration("1 min", 60, 3600, &got) && got == 60);
	assert_true(config_duration("1 h", 60, 3600, &got) && got == 3600);
}

static void
test_range(void **state)
{
	char out[CONFIG_RANGE];

	(void)state;
	assert_string_equal(
	    config_duration_range(1, 3600, out), "from 1 s to 1 h");
	assert_string_equal(
	    config_duration_range(0, 90, out), "from 0 s to 90 s");
	assert_string_equal(
	    config_duration_range(600, 1209600, out), "from 10 min to 2 w");
}

static void
test_bools(void **state)
{
	static const struct {
		const char *text;
		int value; /* -1: refused */
	} rows[] = {
	    {"true", 1},
	    {"yes", 1},
	    {"On", 1},
	    {"false", 0},
	    {"NO", 0},
	    {"off", 0},
	    {"", -1},
	    {"1", -1},
	    {"0", -1},
	    {"tru", -1},
	    {"truee", -1},
	    {" true", -1},
	    {"perhaps", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool value = false;
		bool taken = config_bool(rows[i].text, &value);

		if (taken != (rows[i].value != -1) ||
		    (taken && value != (rows[i].value == 1)))
			fail_msg("'%s'", rows[i].text);
	}
}

static void
test_distance(void **state)
{
	static const struct {
		const char *a, *b;
		size_t far;
	} rows[] = {
	    {"", "", 0}, {"a", "", 1}, {"", "abc", 3},
	    {"resolvers", "resolvers", 0}, {"resolvrs", "resolvers", 1},
	    {"resolversx", "resolvers", 1}, {"resolvesr", "resolvers", 1},
	    {"ab", "ba", 1}, {"abcd", "badc", 2}, {"kitten", "sitting", 3},
	    {"ca", "abc", 3}, /* no letter is touched twice */
	};
	char longer[CONFIG_WORD_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    config_distance(rows[i].a, rows[i].b), rows[i].far);
		assert_int_equal(
		    config_distance(rows[i].b, rows[i].a), rows[i].far);
	}
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(config_distance(longer, longer), CONFIG_WORD_MAX);
}

static void
test_near(void **state)
{
	static const struct {
		const char *typed, *name;
		bool near;
	} rows[] = {
	    {"resolvrs", "resolvers", true},
	    {"resolver", "resolvers", true},
	    {"urls", "url", true},
	    {"pin", "pins", true},
	    {"allow_sha1", "allow-sha1", true},
	    {"allowsha1", "allow-sha1", true},
	    {"statedir", "state-dir", true},
	    {"alow-no-nextupdate", "allow-no-next-update", true},
	    {"colour", "command", false},
	    {"a", "url", false},
	    {"", "url", false},
	    {"x", "y", false}, /* nothing is left of it */
	    {"server", "resolvers", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (config_is_near(rows[i].typed, rows[i].name) != rows[i].near)
			fail_msg("%s, %s", rows[i].typed, rows[i].name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_durations),
	    cmocka_unit_test(test_duration_bounds),
	    cmocka_unit_test(test_range),
	    cmocka_unit_test(test_bools),
	    cmocka_unit_test(test_distance),
	    cmocka_unit_test(test_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
