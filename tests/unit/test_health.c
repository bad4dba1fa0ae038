/* SPDX-License-Identifier: ISC */
/* test_health.c -- dns/health: who is sick, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dns/health.h"

#define A "udp://192.0.2.1"
#define B "tls://192.0.2.1"

static void
test_story(void **state)
{
	enum what { FAILS, ANSWERS, IS_SICK, IS_WELL };
	static const struct {
		int64_t at_s;
		enum what what;
		const char *url;
	} rows[] = {
	    {0, IS_WELL, A},
	    {0, FAILS, A},
	    {0, IS_SICK, A},
	    {0, IS_WELL, B},
	    {59, IS_SICK, A},
	    {60, IS_WELL, A},
	    /* again: twice as long */
	    {100, FAILS, A},
	    {219, IS_SICK, A},
	    {220, IS_WELL, A},
	    /* failures of one illness count once */
	    {300, FAILS, A},
	    {301, FAILS, A},
	    {302, FAILS, A},
	    {539, IS_SICK, A},
	    {540, IS_WELL, A},
	    {600, FAILS, A},
	    {1079, IS_SICK, A},
	    {1080, IS_WELL, A},
	    /* no longer than a quarter of an hour */
	    {1100, FAILS, A},
	    {1999, IS_SICK, A},
	    {2000, IS_WELL, A},
	    {3000, FAILS, A},
	    {3899, IS_SICK, A},
	    {3900, IS_WELL, A},
	    /* an answer heals at once, and the past is forgotten */
	    {4000, FAILS, A},
	    {4000, FAILS, B},
	    {4001, ANSWERS, A},
	    {4001, IS_WELL, A},
	    {4001, IS_SICK, B},
	    {4002, FAILS, A},
	    {4061, IS_SICK, A},
	    {4062, IS_WELL, A},
	    {5000, ANSWERS, "udp://192.0.2.9"},
	    {5000, IS_WELL, "udp://192.0.2.9"},
	};
	struct health health = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t now = 7777 + rows[i].at_s * 1000;
		bool sick = health_is_sick(&health, rows[i].url, now);

		switch (rows[i].what) {
		case FAILS:
		case ANSWERS:
			health_note(
			    &health, rows[i].url, rows[i].what == ANSWERS, now);
			break;
		case IS_SICK:
		case IS_WELL:
			if (sick != (rows[i].what == IS_SICK))
				fail_msg("row %zu: %s at %d s", i, rows[i].url,
				    (int)rows[i].at_s);
			break;
		}
	}
}

static void
test_nobody_remembers(void **state)
{
	(void)state;
	assert_false(health_is_sick(NULL, A, 0));
}

/* More than there is room for: the oldest is forgotten, not the newest. */
static void
test_bounded(void **state)
{
	struct health health = {0};
	char url[RESOLVER_URL_TEXT];

	(void)state;
	for (int i = 0; i < HEALTH_MAX + 5; i++) {
		(void)snprintf(url, sizeof(url), "udp://192.0.2.1:%d", i + 1);
		health_note(&health, url, false, i);
		assert_true(health_is_sick(&health, url, i));
	}
	assert_false(health_is_sick(&health, "udp://192.0.2.1:1", 100));
	assert_false(health_is_sick(&health, "udp://192.0.2.1:5", 100));
	assert_true(health_is_sick(&health, "udp://192.0.2.1:6", 100));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_story),
	    cmocka_unit_test(test_nobody_remembers),
	    cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
