/* SPDX-License-Identifier: ISC */
/* test_schedule.c -- keep/schedule: a heap against a plain list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "keep/schedule.h"

enum { ENTRIES = 300, STEPS = 30000, SEEDS = 8 };

static struct schedule schedule;
static struct schedule_entry entries[ENTRIES];
static bool in[ENTRIES]; /* the reference */

static uint32_t
next_number(uint32_t *seed)
{
	*seed ^= *seed << 13; /* xorshift32: the same in every run */
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void
check_against_list(uint32_t seed)
{
	const struct schedule_entry *first = schedule_first(&schedule);
	size_t count = 0;
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < ENTRIES; i++) {
		assert_int_equal(in[i], entries[i].place != 0);
		if (!in[i])
			continue;
		count++;
		assert_true(entries[i].place <= schedule.count);
		assert_ptr_equal(
		    schedule.heap[entries[i].place - 1], &entries[i]);
		if (entries[i].when < least)
			least = entries[i].when;
	}
	if (count != schedule.count ||
	    (count == 0 ? first != NULL : first->when != least))
		fail_msg("seed %u: the heap has lost something", seed);
}

static void
start(void)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		entries[i] = (struct schedule_entry){.subject = &entries[i]};
		in[i] = false;
	}
}

static void
test_random_operations(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		uint32_t random = seed * 2654435761U;

		start();
		for (int step = 0; step < STEPS; step++) {
			size_t i = next_number(&random) % ENTRIES;
			/* few different moments: equal ones must do */
			int64_t when = next_number(&random) % 64;

			if (next_number(&random) % 3 == 0) {
				schedule_remove(&schedule, &entries[i]);
				in[i] = false;
			} else {
				schedule_set(&schedule, &entries[i], when);
				in[i] = true;
				assert_true(entries[i].when == when);
			}
			if (step % 16 == 0)
				check_against_list(seed);
		}
		check_against_list(seed);
		schedule_done(&schedule);
	}
}

static void
test_comes_out_in_order(void **state)
{
	uint32_t random = 42;
	int64_t before = INT64_MIN;

	(void)state;
	start();
	for (size_t i = 0; i < ENTRIES; i++)
		schedule_set(&schedule, &entries[i],
		    (int64_t)next_number(&random) - INT32_MAX);
	for (size_t i = 0; i < ENTRIES; i++) {
		struct schedule_entry *first = schedule_first(&schedule);

		assert_true(first->when >= before);
		before = first->when;
		schedule_remove(&schedule, first);
	}
	assert_null(schedule_first(&schedule));
	schedule_done(&schedule);
}

static void
test_not_in_is_fine(void **state)
{
	(void)state;
	start();
	schedule_remove(&schedule, &entries[0]);
	assert_null(schedule_first(&schedule));
	schedule_set(&schedule, &entries[0], 5);
	schedule_remove(&schedule, &entries[1]);
	assert_ptr_equal(schedule_first(&schedule), &entries[0]);
	schedule_set(&schedule, &entries[0], 5);
	assert_int_equal(schedule.count, 1);
	schedule_remove(&schedule, &entries[0]);
	schedule_remove(&schedule, &entries[0]);
	assert_int_equal(schedule.count, 0);
	schedule_done(&schedule);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random_operations),
	    cmocka_unit_test(test_comes_out_in_order),
	    cmocka_unit_test(test_not_in_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
