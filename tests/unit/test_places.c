/* SPDX-License-Identifier: ISC */
/* test_places.c -- keep/places: limits, order, and who hangs (A15, I5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "keep/places.h"

enum { MANY = 40, HOLD_MS = 3000 };

static struct places places;
static struct place entries[MANY];

static int
set_up(void **state)
{
	(void)state;
	places = (struct places){.per_host_max = 2,
	    .all_max = 5,
	    .hold_ms = HOLD_MS,
	    .held_max = 12};
	memset(entries, 0, sizeof(entries));
	return 0;
}

/* Everybody leaves: nothing of a host is left then, or the leak is seen. */
static int
tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < MANY; i++)
		places_leave(&places, &entries[i]);
	assert_int_equal(places.held_count, 0);
	assert_int_equal(places.waiting_count, 0);
	assert_null(places.hosts);
	assert_null(places.held);
	return 0;
}

static void
test_per_host_in_order(void **state)
{
	(void)state;
	assert_true(places_take(&places, &entries[0], "a", 0));
	assert_true(places_take(&places, &entries[1], "a", 0));
	assert_false(places_take(&places, &entries[2], "a", 0));
	assert_false(places_take(&places, &entries[3], "a", 0));
	assert_true(places_take(&places, &entries[4], "b", 0));
	assert_null(places_next(&places, 0));
	places_leave(&places, &entries[1]);
	/* the next to come does not overtake those who wait */
	assert_false(places_take(&places, &entries[5], "a", 0));
	assert_ptr_equal(places_next(&places, 0), &entries[2]);
	assert_null(places_next(&places, 0));
	places_leave(&places, &entries[3]); /* tired of waiting */
	places_leave(&places, &entries[0]);
	assert_ptr_equal(places_next(&places, 0), &entries[5]);
	assert_int_equal(places.waiting_count, 0);
	assert_int_equal(places.held_count, 3);
}

static void
test_all(void **state)
{
	static const char *const hosts[] = {"a", "b", "c", "d", "e", "f"};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_true(places_take(&places, &entries[i], hosts[i], 0));
	assert_false(places_take(&places, &entries[5], "f", 0));
	assert_false(places_take(&places, &entries[6], "a", 0));
	assert_null(places_next(&places, 0));
	places_leave(&places, &entries[3]);
	assert_non_null(places_next(&places, 0));
	assert_null(places_next(&places, 0));
}

/* A15: a responder that hangs gives way after HOLD_MS, its own queue and that
 * of the others; but never so many that they all add up. */
static void
test_who_hangs_gives_way(void **state)
{
	int64_t now = 0;

	(void)state;
	for (size_t i = 0; i < MANY - 1; i++)
		(void)places_take(&places, &entries[i], "hangs", now);
	assert_int_equal(places.held_count, 2);
	now = HOLD_MS - 1;
	assert_null(places_next(&places, now));
	now = HOLD_MS;
	assert_ptr_equal(places_next(&places, now), &entries[2]);
	assert_ptr_equal(places_next(&places, now), &entries[3]);
	assert_null(places_next(&places, now));
	assert_true(places_take(&places, &entries[MANY - 1], "well", now));
	places_leave(&places, &entries[MANY - 1]);
	for (int turn = 0; turn < 10; turn++) {
		now += HOLD_MS;
		while (places_next(&places, now) != NULL)
			continue;
	}
	assert_int_equal(places.held_count, places.held_max);
	assert_false(places_take(&places, &entries[MANY - 1], "well", now));
	/* an old one that ends at last makes room */
	places_leave(&places, &entries[0]);
	assert_non_null(places_next(&places, now + HOLD_MS));
}

static void
test_leave_twice_is_fine(void **state)
{
	(void)state;
	places_leave(&places, &entries[0]);
	assert_true(places_take(&places, &entries[0], "a", 0));
	places_leave(&places, &entries[0]);
	places_leave(&places, &entries[0]);
	assert_true(places_take(&places, &entries[0], "a", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_per_host_in_order, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_all, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_who_hangs_gives_way, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_leave_twice_is_fine, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
