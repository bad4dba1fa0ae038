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

/* Fill "half" with one that answers in 50 ms and one that hangs. */
static void
learn_fifty(void)
{
	assert_true(places_take(&places, &entries[0], "half", 0));
	assert_true(places_take(&places, &entries[1], "half", 0));
	for (size_t i = 2; i < 20; i++)
		assert_false(places_take(&places, &entries[i], "half", 0));
	places_done(&places, &entries[1], 50);
	assert_ptr_equal(places_next(&places, 50), &entries[2]);
	assert_null(places_next(&places, 50));
}

/* A15: where others are answered in 50 ms, one that hangs is waited for so long
 * only, and as many as there are places. */
static void
test_late_ones_do_not_count(void **state)
{
	(void)state;
	learn_fifty();
	assert_null(places_next(&places, PLACES_PATIENCE_MS - 1));
	assert_ptr_equal(places_next(&places, PLACES_PATIENCE_MS), &entries[3]);
	assert_null(places_next(&places, PLACES_PATIENCE_MS));
	/* 2 and 3 hang too: 0 and 2 are late, 3 counts, although it is late */
	assert_ptr_equal(
	    places_next(&places, 50 + PLACES_PATIENCE_MS), &entries[4]);
	assert_null(places_next(&places, 3 * PLACES_PATIENCE_MS));
	assert_int_equal(places.held_count, 4);
	/* the others go on by the place that is left */
	for (size_t i = 4; i < 15; i++) {
		int64_t now = 700 + 50 * (int64_t)i;

		places_done(&places, &entries[i], now);
		assert_ptr_equal(places_next(&places, now), &entries[i + 1]);
		assert_null(places_next(&places, now));
	}
	/* and in the end nobody is waited for who was there from the first */
	assert_ptr_equal(places_next(&places, HOLD_MS), &entries[16]);
}

/* What hangs for long tells nothing of what is usual; a host that is slow with
 * all is given the time that it takes. */
static void
test_what_is_usual(void **state)
{
	static const struct {
		const char *name;
		int64_t took[3];
		int64_t patience;
	} rows[] = {
	    {"nothing is known", {-1, -1, -1}, HOLD_MS},
	    {"at once", {0, 0, 0}, PLACES_PATIENCE_MS},
	    {"quick", {50, 50, 50}, PLACES_PATIENCE_MS},
	    {"slower", {100, 100, 100}, 400},
	    {"one slow, the first", {600, 100, 100}, 1680},
	    {"one slow, the last", {100, 100, 600}, 800},
	    {"slow", {700, 700, 700}, 2800},
	    {"very slow", {2000, 2000, 2000}, HOLD_MS},
	    {"one hung", {100, HOLD_MS, 100}, 400},
	    {"all hung", {HOLD_MS, HOLD_MS, 4 * HOLD_MS}, HOLD_MS},
	    {"a clock gone wrong", {-50, 100, -50}, 400},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t at = 1000000;

		print_message("%s\n", rows[i].name);
		/* so that the host is not forgotten */
		assert_true(places_take(&places, &entries[0], "h", 0));
		for (size_t k = 0; k < 3 && rows[i].took[0] != -1; k++) {
			assert_true(places_take(&places, &entries[1], "h", at));
			places_done(&places, &entries[1], at + rows[i].took[k]);
		}
		at *= 2;
		assert_true(places_take(&places, &entries[1], "h", at));
		assert_true(places_take(&places, &entries[2], "h", at));
		assert_false(places_take(&places, &entries[3], "h", at));
		assert_null(places_next(&places, at + rows[i].patience - 1));
		assert_ptr_equal(
		    places_next(&places, at + rows[i].patience), &entries[3]);
		for (size_t k = 0; k < 4; k++)
			places_leave(&places, &entries[k]);
	}
}

/* Those that are late take nothing from other hosts, but hold a place all the
 * same where all hold too many. */
static void
test_late_ones_in_all(void **state)
{
	int64_t now = PLACES_PATIENCE_MS;

	(void)state;
	places.all_max = 2;
	learn_fifty();
	assert_false(places_take(&places, &entries[20], "well", 50));
	assert_non_null(places_next(&places, now));
	places.held_max = 3;
	assert_null(places_next(&places, now + 50));
	places.held_max = 4;
	assert_non_null(places_next(&places, now + 50));
}

/* A15: where many hosts hang, and all of their certificates wait, the one that
 * answers does not wait until their queues are empty. */
static void
test_fewest_first(void **state)
{
	static const char *const hosts[] = {"a", "b", "c"};
	size_t n = 0;

	(void)state;
	for (; n < 30; n++)
		(void)places_take(&places, &entries[n], hosts[n % 3], 0);
	assert_int_equal(places.held_count, 5);
	for (; n < 34; n++)
		assert_false(places_take(&places, &entries[n], "well", 0));
	assert_null(places_next(&places, HOLD_MS - 1));
	/* who has none is first, then those who have less than others */
	assert_ptr_equal(places_next(&places, HOLD_MS), &entries[30]);
	assert_ptr_equal(places_next(&places, HOLD_MS), &entries[5]);
	assert_ptr_equal(places_next(&places, HOLD_MS), &entries[31]);
	places_done(&places, &entries[30], HOLD_MS + 10);
	assert_ptr_equal(places_next(&places, HOLD_MS + 10), &entries[32]);
	places_done(&places, &entries[31], HOLD_MS + 10);
	assert_ptr_equal(places_next(&places, HOLD_MS + 10), &entries[33]);
	/* also where no more are held than may be */
	places.held_max = places.held_count;
	assert_false(places_take(&places, &entries[34], "late", 2 * HOLD_MS));
	assert_null(places_next(&places, 2 * HOLD_MS));
	places_leave(&places, &entries[0]);
	assert_ptr_equal(places_next(&places, 2 * HOLD_MS), &entries[34]);
}

/* A15: where more hosts wait than there are places in all, each has its turn,
 * and those that came first have not every turn. */
static void
test_all_hosts_in_turn(void **state)
{
	static const char *const hosts[] = {"a", "b", "c", "d"};
	size_t turns = 0;

	(void)state;
	places.all_max = 3;
	for (size_t i = 0; i < MANY; i++)
		(void)places_take(
		    &places, &entries[i], hosts[i < 18 ? i % 3 : 3], 0);
	for (; entries[18].state != PLACE_HELD; turns++) {
		/* the oldest is done */
		places_done(&places, places.held, 1);
		assert_non_null(places_next(&places, 1));
		if (turns > 3)
			fail_msg("A15: the host that came last waits still");
	}
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
		test_late_ones_do_not_count, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_what_is_usual, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_late_ones_in_all, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_fewest_first, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_all_hosts_in_turn, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_leave_twice_is_fine, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
