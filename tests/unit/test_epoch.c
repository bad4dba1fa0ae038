/* SPDX-License-Identifier: ISC */
/* test_epoch.c -- keep/epoch: what a reader may see is not freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "base/mem.h"
#include "keep/epoch.h"

static int released;

static void
count(void *what)
{
	released++;
	free(what);
}

static void
test_in_and_out(void **state)
{
	struct epoch epoch;
	struct epoch_reader early = {0}, late = {0};

	(void)state;
	released = 0;
	epoch_init(&epoch);
	epoch_retire(&epoch, mem_new(1), count);
	assert_int_equal(released, 1); /* nobody reads */
	epoch_join(&epoch, &early);
	epoch_join(&epoch, &late);
	epoch_enter(&epoch, &early);
	epoch_retire(&epoch, mem_new(1), count);
	epoch_enter(&epoch, &late); /* cannot see it any more */
	epoch_reclaim(&epoch);
	assert_int_equal(released, 1);
	epoch_retire(&epoch, mem_new(1), count);
	epoch_leave(&early);
	epoch_reclaim(&epoch);
	assert_int_equal(released, 2); /* the first; late sees the second */
	epoch_leave(&late);
	epoch_reclaim(&epoch);
	assert_int_equal(released, 3);
	epoch_enter(&epoch, &early);
	epoch_retire(&epoch, mem_new(1), count);
	assert_int_equal(released, 3);
	epoch_part(&epoch, &early);
	epoch_part(&epoch, &late);
	epoch_reclaim(&epoch);
	assert_int_equal(released, 4);
	epoch_done(&epoch);
}

static void
test_done_frees(void **state)
{
	struct epoch epoch;
	struct epoch_reader reader = {0};

	(void)state;
	released = 0;
	epoch_init(&epoch);
	epoch_join(&epoch, &reader);
	epoch_enter(&epoch, &reader);
	for (int i = 0; i < 1000; i++)
		epoch_retire(&epoch, mem_new(1), count);
	assert_int_equal(released, 0);
	epoch_leave(&reader);
	epoch_part(&epoch, &reader);
	epoch_done(&epoch);
	assert_int_equal(released, 1000);
}

/* --- threads: what they see is whole, and not freed --- */

enum { VALUES = 8, ROUNDS = 20000, READERS = 3 };

struct value {
	uint64_t a, b;
};

struct shared {
	struct epoch epoch;
	_Atomic(struct value *) values[VALUES];
	_Atomic int ended;
};

struct thread {
	pthread_t id;
	struct shared *shared;
	struct epoch_reader reader;
	uint64_t wrong, seen;
};

static void
free_value(void *what)
{
	struct value *value = what;

	value->a = 1; /* wrong from here on */
	value->b = 2;
	free(value);
}

static void *
read_values(void *cookie)
{
	struct thread *t = cookie;

	while (atomic_load(&t->shared->ended) == 0) {
		for (size_t i = 0; i < VALUES; i++) {
			const struct value *value;

			epoch_enter(&t->shared->epoch, &t->reader);
			value = atomic_load(&t->shared->values[i]);
			t->wrong += value->a != value->b ? 1 : 0;
			t->seen++;
			epoch_leave(&t->reader);
		}
	}
	return NULL;
}

static struct value *
value_new(uint64_t n)
{
	struct value *value = mem_new(sizeof(*value));

	value->a = value->b = n;
	return value;
}

static void
test_threads(void **state)
{
	static struct thread threads[READERS];
	struct shared shared = {.ended = 0};

	(void)state;
	epoch_init(&shared.epoch);
	for (size_t i = 0; i < VALUES; i++)
		atomic_store(&shared.values[i], value_new(i));
	for (size_t i = 0; i < READERS; i++) {
		threads[i] = (struct thread){.shared = &shared};
		epoch_join(&shared.epoch, &threads[i].reader);
		assert_int_equal(0, pthread_create(&threads[i].id, NULL,
					read_values, &threads[i]));
	}
	for (uint64_t i = 0; i < ROUNDS; i++) {
		struct value *old =
		    atomic_exchange(&shared.values[i % VALUES], value_new(i));

		epoch_retire(&shared.epoch, old, free_value);
		if (i % 64 == 0)
			(void)sched_yield(); /* one core may be all there is */
	}
	atomic_store(&shared.ended, 1);
	for (size_t i = 0; i < READERS; i++) {
		(void)pthread_join(threads[i].id, NULL);
		assert_int_equal(threads[i].wrong, 0);
		epoch_part(&shared.epoch, &threads[i].reader);
	}
	for (size_t i = 0; i < VALUES; i++)
		free(atomic_load(&shared.values[i]));
	epoch_done(&shared.epoch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_in_and_out),
	    cmocka_unit_test(test_done_frees),
	    cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
