/* SPDX-License-Identifier: ISC */
/* test_parties.c -- keep/parties: an outside party is news once a day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "keep/parties.h"

enum { DAY = 20000 };

static void
test_once_a_day(void **state)
{
	static const struct {
		const char *party;
		int64_t at;
		bool news;
	} rows[] = {
	    {"udp://9.9.9.9", DAY * CLOCK_DAY, true},
	    {"udp://9.9.9.9", DAY * CLOCK_DAY + 1, false},
	    {"tcp://9.9.9.9", DAY * CLOCK_DAY + 1, true},
	    {"udp://9.9.9.9", (DAY + 1) * CLOCK_DAY - 1, false},
	    {"udp://9.9.9.9", (DAY + 1) * CLOCK_DAY, true},
	    {"udp://9.9.9.9", (DAY + 1) * CLOCK_DAY, false},
	    {"tcp://9.9.9.9", (DAY + 9) * CLOCK_DAY, true},
	};
	struct parties parties = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (parties_note(&parties, rows[i].party, rows[i].at) !=
		    rows[i].news)
			fail_msg("row %zu: %s", i, rows[i].party);
	}
	assert_int_equal(parties.count, 2);
}

/* A bound costs a repetition, never a silence. */
static void
test_many(void **state)
{
	struct parties parties = {0};
	char long_name[2 * PARTY_TEXT];
	char name[32];

	(void)state;
	for (int i = 0; i < 3 * PARTIES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "http://proxy%d:1080", i);
		assert_true(parties_note(&parties, name, 0));
		assert_false(parties_note(&parties, name, 0));
	}
	assert_int_equal(parties.count, PARTIES_MAX);
	assert_true(parties_note(&parties, "http://proxy0:1080", 0));
	memset(long_name, 'x', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	assert_true(parties_note(&parties, long_name, 0));
	assert_false(parties_note(&parties, long_name, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_once_a_day),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
