/* SPDX-License-Identifier: ISC */
/* acquire/race.c -- what is tried when.
 *
 * One `road` for each responder URL: its claims, and the addresses that wait
 * to be tried.  A try starts at once if it is the first of its answer (a voice
 * of its own: a forged datagram must not hold up the genuine one behind it) or
 * if nothing is under way; the further addresses of an answer follow one by
 * one, ACQUIRE_STAGGER_MS apart or when a try fails (RFC 8305, section 5).
 *
 *   claims of URL 1 -> tries ... -> a response verifies -> finish
 *     | all settled and failed: next class, next URL
 *     `-> nothing left -> finish */
#include "acquire/race.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"

static void advance(struct acquire *a);

static bool
any_running(const struct acquire *a)
{
	for (size_t i = 0; i < ACQUIRE_RACE_MAX; i++) {
		if (a->runners[i] != NULL)
			return true;
	}
	return false;
}

static void
end_runner(struct runner *runner)
{
	struct acquire *a = runner->acquire;

	for (size_t i = 0; i < ACQUIRE_RACE_MAX; i++) {
		if (a->runners[i] == runner)
			a->runners[i] = NULL;
	}
	free(runner);
}

static void
take_outcome(struct acquire *a, const struct attempt_outcome *outcome)
{
	a->result.staple = outcome->staple;
	a->result.accepted = true;
	a->result.facts = outcome->facts;
	a->result.max_age_s = outcome->max_age_s;
	a->result.retry_after_s = outcome->retry_after_s;
	a->won = true;
	a->winner = a->try_count - 1;
}

/* A signed answer ends the race: a staple, or a signed revoked or unknown.
 * One that is accepted but too old to be a staple does not: another address
 * may have a newer one. */
static bool
is_final(const struct attempt_outcome *outcome)
{
	return outcome->accepted && outcome->err.reason == REASON_NONE;
}

static void
attempt_done(void *cookie, struct attempt_outcome *outcome)
{
	struct runner *runner = cookie;
	struct acquire *a = runner->acquire;
	struct acquire_try *try =
	    acquire_add_try(a, runner->road, &runner->what);

	try->method = outcome->method;
	try->stage = outcome->stage;
	try->err = outcome->err;
	try->elapsed_ms = outcome->elapsed_ms;
	if (outcome->retry_after_s > a->result.retry_after_s)
		a->result.retry_after_s = outcome->retry_after_s;
	if (is_final(outcome)) {
		take_outcome(a, outcome);
		end_runner(runner);
		acquire_finish(a);
		return;
	}
	runner->started_ms = clock_mono_ms();
	if (!outcome->last)
		return;
	end_runner(runner);
	a->last_start_ms = 0; /* the next one need not wait */
	advance(a);
}

/* Start the next address that waits on ROAD, if there is room. */
static bool
start_try(struct acquire *a, struct road *road)
{
	struct runner *runner;

	for (size_t i = 0; i < ACQUIRE_RACE_MAX; i++) {
		if (a->runners[i] != NULL)
			continue;
		runner = mem_new(sizeof(*runner));
		runner->acquire = a;
		runner->road = road;
		runner->what = road->waiting[road->waiting_next++];
		runner->started_ms = a->last_start_ms = clock_mono_ms();
		runner->attempt = attempt_start(a->pool, &road->job,
		    runner->what.address, a->deadline_ms, attempt_done, runner);
		a->runners[i] = runner;
		return true;
	}
	return false;
}

static void
stagger_passed(void *cookie)
{
	struct acquire *a = cookie;

	a->stagger = NULL;
	advance(a);
}

/* The road whose turn it is: the first with an address that waits. */
static struct road *
waiting_road(struct acquire *a)
{
	for (size_t i = 0; i < a->road_count; i++) {
		if (a->roads[i].waiting_next < a->roads[i].waiting_count)
			return &a->roads[i];
	}
	return NULL;
}

/* Nothing runs and nothing waits: open what is left, or end. */
static void
advance_claims(struct acquire *a)
{
	bool all_done = true;

	for (size_t i = 0; i < a->road_count; i++) {
		struct road *road = &a->roads[i];

		if (!road->begun) {
			race_begin_next_road(a);
			return;
		}
		if (road->claims != NULL && !claims_are_settled(road->claims))
			return; /* somebody will answer yet */
		if (road->claims != NULL)
			claims_hurry(road->claims);
		all_done = all_done && road->done;
	}
	if (all_done)
		acquire_finish(a);
}

/* What can be started now? */
static void
advance(struct acquire *a)
{
	struct road *road = waiting_road(a);
	int64_t since = clock_mono_ms() - a->last_start_ms;

	if (road == NULL) {
		if (!any_running(a))
			advance_claims(a);
		return;
	}
	if (!any_running(a) || a->last_start_ms == 0 ||
	    since >= ACQUIRE_STAGGER_MS) {
		if (!start_try(a, road))
			return; /* the race is full; an end comes back here */
		since = 0;
	}
	if (waiting_road(a) != NULL && a->stagger == NULL)
		a->stagger = loop_timer_start(
		    a->loop, ACQUIRE_STAGGER_MS - since, stagger_passed, a);
}

/* --- claims --- */

static void
claim_came(void *cookie, const struct claim *claim)
{
	struct road *road = cookie;
	struct waiting *w;

	if (road->waiting_count == CLAIMS_MAX)
		return;
	w = &road->waiting[road->waiting_count++];
	(void)snprintf(w->address, sizeof(w->address), "%s", claim->address);
	(void)snprintf(w->source, sizeof(w->source), "%s", claim->source);
	(void)snprintf(w->asked_name, sizeof(w->asked_name), "%s",
	    claim->asked_name == NULL ? "" : claim->asked_name);
	if (claim->first && waiting_road(road->acquire) == road &&
	    road->waiting_next + 1 == road->waiting_count)
		(void)start_try(road->acquire, road);
	else
		advance(road->acquire);
}

static void
source_silent(void *cookie, const char *source, const char *asked_name,
    const struct err *err, int64_t elapsed_ms)
{
	struct road *road = cookie;
	struct waiting what = {0};
	struct acquire_try *try;

	(void)snprintf(what.source, sizeof(what.source), "%s", source);
	if (asked_name != NULL)
		(void)snprintf(
		    what.asked_name, sizeof(what.asked_name), "%s", asked_name);
	try = acquire_add_try(road->acquire, road, &what);
	try->stage = "dns";
	try->err = *err;
	try->elapsed_ms = elapsed_ms;
}

static void
claims_settled(void *cookie)
{
	struct road *road = cookie;

	advance(road->acquire);
}

static void
claims_done(void *cookie)
{
	struct road *road = cookie;

	road->done = true;
	claims_cancel(&road->claims);
	advance(road->acquire);
}

void
race_begin_next_road(void *cookie)
{
	static const struct claims_callbacks callbacks = {
	    .claim = claim_came,
	    .silent = source_silent,
	    .settled = claims_settled,
	    .done = claims_done,
	};
	struct acquire *a = cookie;

	loop_timer_cancel(&a->next_url);
	for (size_t i = 0; i < a->road_count; i++) {
		struct road *road = &a->roads[i];

		if (road->begun)
			continue;
		road->begun = true;
		road->claims = claims_start(
		    a->loop, a->pool, road->host, a->options, &callbacks, road);
		if (i + 1 < a->road_count)
			a->next_url = loop_timer_start(
			    a->loop, URL_STAGGER_MS, race_begin_next_road, a);
		return;
	}
}
