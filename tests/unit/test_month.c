/* SPDX-License-Identifier: ISC */
/* test_month.c -- keep/policy and keep/schedule together: thirty days of many
 * certificates and one responder, in milliseconds.
 *
 * The loop below does what keep/keeper_fetch.c does: it decides, waits for the
 * moment, and takes the end of a staple for an event too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "keep/policy.h"
#include "keep/schedule.h"

enum {
	START = 1800000000,
	MONTH = 30 * CLOCK_DAY,
	HOURS = MONTH / CLOCK_HOUR,
	MARGIN = 300, /* pki/verify.h: min(300 s, life / 10) */
};

/* What a responder answers. */
struct answer {
	bool good;
	int64_t this_update, life;
	int64_t max_age, retry_after, takes; /* seconds */
};

struct world;

struct scenario {
	const char *name;
	size_t targets;
	int64_t life;      /* of a response */
	int64_t first_age; /* of those that are there at the start; -1: none */
	int64_t down_from, down_until; /* after the start */
	int64_t hang;   /* what an attempt takes while it is down */
	int64_t resign; /* a new response each so many seconds; 0: each
			       time one is asked for */
	int64_t max_age, retry_after;
	int64_t days;
	bool all_at_first; /* the first hour is not looked at */
	/* what must come of it */
	int64_t requests_max; /* for each target */
	int64_t in_one_second_max, in_one_hour_max;
	int64_t bare_max;    /* seconds without a staple, for each target */
	int64_t back_within; /* of the responder's return; 0: not looked at */
};

struct one {
	struct schedule_entry entry;
	struct world *world;
	struct policy_facts facts;
	bool serving;
	int64_t serving_until;
	int64_t bare_since; /* 0: it serves */
	int64_t bare, requests;
	int64_t asked_at; /* since the staple it has; 0: not yet */
};

struct world {
	const struct scenario *s;
	struct schedule schedule;
	struct one *ones;
	uint32_t seed;
	int64_t now;
	int64_t in_hour[HOURS + 1];
	int64_t in_second, second;
	int64_t most_in_second;
};

static uint32_t
next_number(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static int64_t
margin(int64_t life)
{
	return life / 10 < MARGIN ? life / 10 : MARGIN;
}

static struct answer
respond(const struct world *w)
{
	const struct scenario *s = w->s;
	int64_t since = w->now - START;

	if (since >= s->down_from && since < s->down_until)
		return (struct answer){
		    .takes = s->hang, .retry_after = s->retry_after};
	return (struct answer){
	    .good = true,
	    .this_update = s->resign == 0 ? w->now : w->now - since % s->resign,
	    .life = s->life,
	    .max_age = s->max_age,
	};
}

/* --- one target --- */

static void
serve(struct one *one)
{
	one->serving =
	    one->facts.has_staple && one->world->now < one->facts.usable_until;
	one->serving_until = one->facts.end;
	if (one->serving && one->bare_since != 0) {
		one->bare += one->world->now - one->bare_since;
		one->bare_since = 0;
	} else if (!one->serving && one->bare_since == 0) {
		one->bare_since = one->world->now;
	}
}

static void
decide(struct one *one)
{
	struct world *w = one->world;
	struct policy_decision d;
	int64_t when;

	one->facts.now = w->now;
	d = policy_decide(&one->facts);
	when = d.next_attempt;
	serve(one);
	if (one->serving && (when == 0 || one->facts.usable_until < when))
		when = one->facts.usable_until;
	assert_true(when != 0);
	schedule_set(&w->schedule, &one->entry, when);
}

static void
take_staple(struct one *one, int64_t this_update, int64_t life)
{
	one->facts.first_at =
	    one->facts.has_staple ? 0 : one->facts.last_attempt;
	one->facts.has_staple = true;
	one->facts.this_update = this_update;
	one->facts.end = this_update + life;
	one->facts.usable_until = one->facts.end - margin(life);
	one->facts.failures = 0;
	one->asked_at = 0;
}

static void
count_request(struct one *one)
{
	struct world *w = one->world;
	int64_t hour = (w->now - START) / CLOCK_HOUR;

	one->requests++;
	if (hour <= HOURS)
		w->in_hour[hour]++;
	w->in_second = w->now == w->second ? w->in_second + 1 : 1;
	w->second = w->now;
	if (w->in_second > w->most_in_second)
		w->most_in_second = w->in_second;
}

static void
attempt(struct one *one)
{
	struct world *w = one->world;
	struct policy_facts *f = &one->facts;
	struct answer answer = respond(w);
	int64_t end = w->now + answer.takes;

	count_request(one);
	/* A4: the first look for a newer one is not after the half */
	if (f->has_staple && one->asked_at == 0) {
		one->asked_at = w->now;
		assert_true(
		    w->now <= f->this_update + (f->end - f->this_update) / 2 ||
		    w->now == START);
	}
	f->last_attempt = end;
	f->fetch_again = answer.max_age > 0 ? end + answer.max_age : 0;
	f->retry_after = answer.retry_after > 0 ? end + answer.retry_after : 0;
	if (!answer.good)
		f->failures++;
	else
		f->failures = 0;
	if (answer.good &&
	    (!f->has_staple || answer.this_update > f->this_update) &&
	    w->now < answer.this_update + answer.life - margin(answer.life))
		take_staple(one, answer.this_update, answer.life);
}

static void
run_one(struct one *one)
{
	struct world *w = one->world;
	struct policy_decision d;

	/* I3: it was withdrawn in time, or this is the time */
	assert_true(!one->serving || w->now <= one->serving_until);
	one->facts.now = w->now;
	d = policy_decide(&one->facts);
	if (d.next_attempt <= w->now)
		attempt(one);
	if (one->facts.last_attempt > w->now) {
		/* an attempt that takes its time: its end is the next event,
		 * unless the staple ends before */
		serve(one);
		schedule_set(&w->schedule, &one->entry,
		    one->serving &&
			    one->facts.usable_until < one->facts.last_attempt
			? one->facts.usable_until
			: one->facts.last_attempt);
		return;
	}
	decide(one);
}

/* --- the whole --- */

static void
begin(struct world *w)
{
	for (size_t i = 0; i < w->s->targets; i++) {
		struct one *one = &w->ones[i];

		*one = (struct one){.world = w, .entry.subject = one};
		one->facts.readable = one->facts.responder = true;
		one->facts.not_before = START - MONTH;
		one->facts.not_after = START + 10 * MONTH;
		one->facts.random = next_number(&w->seed);
		if (w->s->first_age >= 0)
			take_staple(one, START - w->s->first_age, w->s->life);
		decide(one);
	}
}

static void
judge(const struct world *w)
{
	const struct scenario *s = w->s;

	for (size_t i = 0; i < s->targets; i++) {
		const struct one *one = &w->ones[i];
		int64_t bare = one->bare;

		if (one->bare_since != 0)
			bare += w->now - one->bare_since;
		if (one->requests > s->requests_max)
			fail_msg("%s: %lld requests", s->name,
			    (long long)one->requests);
		if (bare > s->bare_max)
			fail_msg("%s: %lld s without a staple", s->name,
			    (long long)bare);
	}
	if (s->in_one_second_max > 0 &&
	    w->most_in_second > s->in_one_second_max)
		fail_msg("%s: %lld requests in one second", s->name,
		    (long long)w->most_in_second);
	for (size_t i = s->all_at_first ? 1 : 0;
	     s->in_one_hour_max > 0 && i <= HOURS; i++) {
		if (w->in_hour[i] > s->in_one_hour_max)
			fail_msg("%s: %lld requests in one hour", s->name,
			    (long long)w->in_hour[i]);
	}
}

/* Everybody has a staple so soon after the responder's return. */
static void
judge_return(const struct world *w)
{
	for (size_t i = 0; i < w->s->targets; i++) {
		if (!w->ones[i].serving)
			fail_msg("%s: target %zu is still bare %lld s after",
			    w->s->name, i, (long long)w->s->back_within);
	}
}

static void
simulate(const struct scenario *s, uint32_t seed)
{
	int64_t end = START + (s->days > 0 ? s->days * CLOCK_DAY : MONTH);
	int64_t back = s->back_within > 0
			   ? START + s->down_until + s->back_within
			   : INT64_MAX;
	struct world w = {.s = s, .seed = seed, .now = START};
	struct schedule_entry *first;
	int64_t steps = 0;

	w.ones = mem_array(s->targets, sizeof(w.ones[0]));
	begin(&w);
	while ((first = schedule_first(&w.schedule)) != NULL &&
	       first->when < end) {
		if (first->when > back) {
			judge_return(&w);
			back = INT64_MAX;
		}
		/* no entry may lie in the past for ever: that is a busy loop */
		if (++steps > (int64_t)s->targets * 4000000)
			fail_msg("%s: a busy loop", s->name);
		w.now = first->when > w.now ? first->when : w.now;
		run_one(first->subject);
	}
	w.now = end;
	judge(&w);
	schedule_done(&w.schedule);
	free(w.ones);
}

static const struct scenario scenarios[] = {
    /* A4: looked for each 2.8 to 3.5 days, ten times a month, and the first
     * time sooner */
    {.name = "healthy, 7 d",
	.targets = 50,
	.life = 7 * CLOCK_DAY,
	.first_age = -1,
	.requests_max = 12,
	.bare_max = 0},
    {.name = "healthy, signed once a day",
	.targets = 50,
	.life = 4 * CLOCK_DAY,
	.first_age = 0,
	.resign = CLOCK_DAY,
	.requests_max = 31,
	.bare_max = 0},
    {.name = "down for four days, 7 d responses",
	.targets = 50,
	.life = 7 * CLOCK_DAY,
	.first_age = 0,
	.down_from = 0,
	.down_until = 4 * CLOCK_DAY,
	.requests_max = 100,
	.bare_max = 0},
    {.name = "down for four days, 4 d responses",
	.targets = 50,
	.life = 4 * CLOCK_DAY,
	.first_age = 2 * CLOCK_DAY,
	.down_from = 0,
	.down_until = 4 * CLOCK_DAY,
	.requests_max = 1600,
	/* two days and the margin, and one pause of the slow pace */
	.bare_max = 2 * CLOCK_DAY + MARGIN + POLICY_RETRY_SLOW_S},
    {.name = "down for ever, A7",
	.targets = 50,
	.life = 7 * CLOCK_DAY,
	.first_age = 0,
	.down_from = 0,
	.down_until = 400 * CLOCK_DAY,
	/* 23 days at one each 150 s in the mean */
	.requests_max = 14500,
	.bare_max = 23 * CLOCK_DAY + MARGIN},
    {.name = "never answers, from the start",
	.targets = 50,
	.life = 7 * CLOCK_DAY,
	.first_age = -1,
	.down_from = 0,
	.down_until = 400 * CLOCK_DAY,
	.hang = 15,
	.requests_max = 17000,
	.bare_max = MONTH},
    /* BR 4.9.10: the next one may be as late as after 4 days */
    {.name = "nothing newer until after the half",
	.targets = 50,
	.life = 7 * CLOCK_DAY,
	.first_age = 0,
	.resign = 4 * CLOCK_DAY,
	.requests_max = 130,
	.bare_max = 0},
    {.name = "C21: nothing newer, and a cache that says so",
	.targets = 50,
	.life = 7 * CLOCK_DAY,
	.first_age = 0,
	.resign = 4 * CLOCK_DAY,
	.max_age = 3600,
	.requests_max = 130,
	.bare_max = 0},
    {.name = "A7: Retry-After 30 min",
	.targets = 50,
	.life = 7 * CLOCK_DAY,
	.first_age = 3 * CLOCK_DAY + CLOCK_HOUR,
	.down_from = 0,
	.down_until = 2 * CLOCK_DAY,
	.retry_after = 1800,
	.requests_max = 2 * 48 + 11,
	.bare_max = 0},
    /* it would have us wait until after the end */
    {.name = "A7: Retry-After 1 h, 1 h responses",
	.targets = 50,
	.life = CLOCK_HOUR,
	.first_age = 0,
	.down_from = 1600,
	.down_until = 2800,
	.retry_after = 3600,
	.days = 1,
	.requests_max = 70,
	.bare_max = 0},
    {.name = "5 minutes",
	.targets = 20,
	.life = 300,
	.first_age = 0,
	.days = 2,
	.requests_max = 2 * 288 * 3,
	.bare_max = 0},
    {.name = "1 minute",
	.targets = 20,
	.life = 60,
	.first_age = 0,
	.days = 1,
	.requests_max = 1440 * 3,
	.bare_max = 0},
    {.name = "1 minute, down for ten",
	.targets = 20,
	.life = 60,
	.first_age = 0,
	.days = 1,
	.down_from = 3600,
	.down_until = 4200,
	.requests_max = 1440 * 3,
	.bare_max = 600 + POLICY_RETRY_SLOW_S},
    {.name = "bare for a minute: back within 15 s",
	.targets = 200,
	.life = 7 * CLOCK_DAY,
	.first_age = -1,
	.down_from = 0,
	.down_until = 60,
	.days = 1,
	.requests_max = 30,
	.bare_max = 60 + 15,
	.back_within = 15},
    {.name = "bare for four minutes: back within 15 s",
	.targets = 200,
	.life = 7 * CLOCK_DAY,
	.first_age = -1,
	.down_from = 0,
	.down_until = 240,
	.days = 1,
	.requests_max = 80,
	.bare_max = 240 + 15,
	.back_within = 15},
    /* the jitter: signed in one second, and adopted in one */
    {.name = "A4: 1000 signed in one second",
	.targets = 1000,
	.life = 7 * CLOCK_DAY,
	.first_age = 0,
	.requests_max = 11,
	.in_one_second_max = 5,
	.in_one_hour_max = 120,
	.bare_max = 0},
    /* a start that finds nothing asks for all at once; from then on they come
     * evenly, two fifths of seven days long */
    {.name = "A4: 1000 met in one second",
	.targets = 1000,
	.life = 7 * CLOCK_DAY,
	.first_age = -1,
	.requests_max = 12,
	.in_one_hour_max = 40,
	.all_at_first = true,
	.bare_max = 0},
};

static void
test_scenarios(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		for (uint32_t seed = 1; seed <= 3; seed++)
			simulate(&scenarios[i], seed * 2654435761U);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_scenarios),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
