/* SPDX-License-Identifier: ISC */
/* bench/week.c -- when a million certificates are refreshed.
 *
 *	bench-week [COUNT]
 *
 * All are met in the same five minutes, as at a first start, with responses that
 * live seven days; keep/policy and keep/schedule decide, a simulated clock
 * runs, and each refresh succeeds at once.  What is printed are the refreshes of
 * each half day, and for the second week, when chance has had its turn, the
 * fullest minute beside the mean; then what the schedule costs, beside one of a
 * thousandth of the size. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "keep/policy.h"
#include "keep/schedule.h"

enum {
	COUNT = 1000000,
	SMALL = 1000,
	START = 1800000000,
	LIFE = 7 * CLOCK_DAY,
	MEETING_S = 300,
	DAYS = 14,
	HALF_DAYS = 2 * DAYS,
	MINUTES = DAYS * 24 * 60,
	BAR = 50, /* columns of the fullest half day */
};

struct one {
	struct schedule_entry entry;
	struct policy_facts facts;
};

struct week {
	struct schedule schedule;
	struct one *all;
	size_t count, refreshes;
	size_t of_half_day[HALF_DAYS], of_minute[MINUTES];
};

static void
decide(struct week *w, struct one *one, int64_t now)
{
	one->facts.now = now;
	schedule_set(
	    &w->schedule, &one->entry, policy_decide(&one->facts).next_attempt);
}

static void
answer(struct one *one, int64_t now)
{
	struct policy_facts *f = &one->facts;

	f->first_at = f->has_staple ? 0 : now;
	f->has_staple = true;
	f->this_update = f->last_attempt = now;
	f->end = now + LIFE;
	f->usable_until = f->end - 300;
}

static void
meet(struct week *w, size_t count)
{
	*w = (struct week){
	    .all = mem_array(count, sizeof(w->all[0])), .count = count};
	for (size_t i = 0; i < count; i++) {
		struct one *one = &w->all[i];
		int64_t now = START + (int64_t)(i * MEETING_S / count);

		one->entry.subject = one;
		one->facts = (struct policy_facts){
		    .random = (uint32_t)(i * UINT64_C(2654435761)),
		    .readable = true,
		    .responder = true,
		    .not_before = START - 30 * CLOCK_DAY,
		    .not_after = START + 60 * CLOCK_DAY};
		answer(one, now);
		decide(w, one, now);
	}
}

static void
run(struct week *w)
{
	struct schedule_entry *first;

	while ((first = schedule_first(&w->schedule)) != NULL &&
	       first->when < START + DAYS * CLOCK_DAY) {
		struct one *one = first->subject;
		int64_t now = first->when;

		w->of_half_day[(now - START) * 2 / CLOCK_DAY]++;
		w->of_minute[(now - START) / 60]++;
		w->refreshes++;
		answer(one, now);
		decide(w, one, now);
	}
}

static void
done(struct week *w)
{
	schedule_done(&w->schedule);
	free(w->all);
}

static void
print(const struct week *w)
{
	size_t fullest = 1, minute = 0, sum = 0;

	for (int i = 0; i < HALF_DAYS; i++)
		if (w->of_half_day[i] > fullest)
			fullest = w->of_half_day[i];
	for (int i = 0; i < HALF_DAYS; i++) {
		printf("day %4.1f %8zu ", i / 2.0, w->of_half_day[i]);
		for (size_t bar = w->of_half_day[i] * BAR / fullest; bar > 0;
		     bar--)
			putchar('#');
		putchar('\n');
	}
	for (int i = MINUTES / 2; i < MINUTES; i++) {
		sum += w->of_minute[i];
		if (w->of_minute[i] > minute)
			minute = w->of_minute[i];
	}
	printf("second week: %zu refreshes, %.1f a minute, %zu in the fullest "
	       "(%.2f times)\n",
	    sum, (double)sum / (MINUTES / 2.0), minute,
	    (double)minute * (MINUTES / 2.0) / (double)sum);
}

/* Microseconds of CPU for each refresh: decided, and put in its place. */
static double
cost(size_t count, bool tell)
{
	struct week w;
	clock_t before;
	double cpu;

	meet(&w, count);
	before = clock();
	run(&w);
	cpu = (double)(clock() - before) / CLOCKS_PER_SEC;
	if (tell)
		print(&w);
	cpu = cpu * 1e6 / (double)w.refreshes;
	done(&w);
	return cpu;
}

int
main(int argc, char **argv)
{
	size_t given = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	size_t count = given > 0 ? given : COUNT;
	double large = cost(count, true);
	double small = cost(SMALL, false);

	printf("a decision and its place in the heap: %.2f us of CPU among "
	       "%zu, %.2f among %d, which the processor's cache holds\n",
	    large, count, small, SMALL);
	return 0;
}
