/* SPDX-License-Identifier: ISC */
/* acquire/race.c -- what is tried when.
 *
 * One `road` for each responder URL: its claims, and the addresses that wait
 * to be tried.  The first of an answer is a voice of its own and starts at once:
 * a forged datagram of many addresses must not hold up the genuine one behind
 * it, and neither must many forged datagrams hold up what another resolver says:
 * of each the first is tried before anybody's second.  The further addresses
 * follow one by one, the roads in turn, ACQUIRE_STAGGER_MS apart or when a try
 * fails (RFC 8305, section 5).
 *
 * One place of the race is kept free for what a proxy or an upstream carries:
 * addresses that all hang must not keep it waiting.
 *
 *   claims of URL 1 -> tries ... -> a response verifies -> finish
 *     | all settled and failed: next class, next URL; upstreams when the
 *     | certificate's URLs have nothing left, or in their turn
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
	for (size_t i = 0; i < RUNNERS_MAX; i++) {
		if (a->runners[i] != NULL)
			return true;
	}
	return false;
}

static void
end_runner(struct runner *runner)
{
	struct acquire *a = runner->acquire;

	for (size_t i = 0; i < RUNNERS_MAX; i++) {
		if (a->runners[i] == runner)
			a->runners[i] = NULL;
	}
	free(runner);
}

static void
take_outcome(struct acquire *a, const struct attempt_outcome *outcome)
{
	a->result.staple = outcome->staple;
	a->result.accepted = outcome->accepted;
	a->result.facts = outcome->facts;
	a->result.carried = outcome->carried;
	a->result.carried_len = outcome->carried_len;
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
	return (outcome->accepted || outcome->carried != NULL) &&
	       outcome->err.reason == REASON_NONE;
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

/* Whether one more may run, which is WHAT. */
static bool
has_place(const struct acquire *a, const struct road *road,
    const struct waiting *what)
{
	const struct acquire_options *o = a->options;
	bool is_carried = what->proxy != NULL || road->upstream;
	bool keep_one =
	    !is_carried && (o->proxies != NULL || o->upstream_count > 0);
	int64_t since = clock_mono_ms() - PLACE_MS;
	size_t taken = keep_one ? 1 : 0;

	for (size_t i = 0; i < RUNNERS_MAX; i++) {
		if (a->runners[i] != NULL && a->runners[i]->begun_ms > since)
			taken++;
	}
	return taken < ACQUIRE_RACE_MAX;
}

static void
start_runner(struct runner *runner)
{
	struct acquire *a = runner->acquire;
	const struct waiting *what = &runner->what;
	const struct attempt_way way = {
	    .address = what->address[0] != '\0' ? what->address : NULL,
	    .proxy = what->proxy,
	    .proxy_addresses = what->proxy_addresses,
	    .proxy_ca_file = a->options->proxy_ca_file,
	};

	if (what->proxy != NULL)
		acquire_note_party(a, what->proxy->url);
	if (runner->road->upstream)
		acquire_note_party(a, runner->road->job.url);
	runner->begun_ms = runner->started_ms = clock_mono_ms();
	a->last_start_ms = runner->begun_ms;
	runner->attempt = attempt_start(a->pool, &runner->road->job, &way,
	    a->tries_until_ms, attempt_done, runner);
}

/* Start the next address that waits on ROAD, if there is room. */
static bool
start_try(struct acquire *a, struct road *road)
{
	struct runner *runner;

	if (!has_place(a, road, &road->waiting[road->waiting_next]))
		return false;
	for (size_t i = 0; i < RUNNERS_MAX; i++) {
		if (a->runners[i] != NULL)
			continue;
		runner = a->runners[i] = mem_new(sizeof(*runner));
		runner->acquire = a;
		runner->road = road;
		runner->what = road->waiting[road->waiting_next++];
		start_runner(runner);
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

/* The road whose turn it is: with a voice that waits, else the one of which the
 * fewest addresses have been tried.  NULL: nothing waits. */
static struct road *
waiting_road(struct acquire *a)
{
	struct road *found = NULL;

	for (size_t i = 0; i < a->road_count; i++) {
		struct road *road = &a->roads[i];

		if (road->waiting_next == road->waiting_count)
			continue;
		if (road->waiting[road->waiting_next].first)
			return road;
		if (found == NULL || road->waiting_next < found->waiting_next)
			found = road;
	}
	return found;
}

/* Nothing runs and nothing waits: open what is left, or end. */
static void
advance_claims(struct acquire *a)
{
	bool all_done = true;

	for (size_t i = 0; i < a->road_count; i++) {
		struct road *road = &a->roads[i];

		if (!road->begun && road->upstream && !all_done)
			return; /* the certificate's own come first */
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
	int64_t now = clock_mono_ms();
	int64_t since = now - a->last_start_ms;

	if (now >= a->tries_until_ms)
		road = NULL; /* too late to begin; the deadline is near */
	if (road == NULL) {
		if (!any_running(a))
			advance_claims(a);
		return;
	}
	if (!any_running(a) || a->last_start_ms == 0 ||
	    since >= ACQUIRE_STAGGER_MS) {
		/* where the race is full, an end comes back here, or time
		 * makes room */
		(void)start_try(a, road);
		since = 0;
	}
	if (waiting_road(a) != NULL && a->stagger == NULL)
		a->stagger = loop_timer_start(
		    a->loop, ACQUIRE_STAGGER_MS - since, stagger_passed, a);
}

/* --- claims --- */

/* CLAIM as an entry of ROAD's queue. */
static struct waiting
waiting_of(const struct road *road, const struct claim *claim)
{
	struct waiting w = {
	    .proxy = claim->proxy, .first = claim->first, .turn = claim->turn};

	(void)snprintf(w.address, sizeof(w.address), "%s", claim->address);
	(void)snprintf(w.source, sizeof(w.source), "%s",
	    road->upstream ? "upstream" : claim->source);
	(void)snprintf(w.asked_name, sizeof(w.asked_name), "%s",
	    claim->asked_name == NULL ? "" : claim->asked_name);
	return w;
}

static void
claim_came(void *cookie, const struct claim *claim)
{
	struct road *road = cookie;
	size_t place = road->waiting_count;
	struct waiting *w;

	if (road->waiting_count == WAITING_MAX)
		return;
	road->waiting =
	    mem_resize(road->waiting, road->waiting_count + 1, sizeof(*w));
	/* a voice goes before the further addresses of those before it, and
	 * somebody's first one before another's second */
	while (claim->first && place > road->waiting_next &&
	       (!road->waiting[place - 1].first ||
		   road->waiting[place - 1].turn > claim->turn))
		place--;
	w = &road->waiting[place];
	memmove(w + 1, w, (road->waiting_count - place) * sizeof(*w));
	road->waiting_count++;
	*w = waiting_of(road, claim);
	w->proxy_addresses = mem_string(claim->proxy_addresses);
	if (claim->first)
		road->acquire->last_start_ms = 0; /* no stagger for it */
	advance(road->acquire);
}

/* Nobody connects to an address that we refuse; that it was named is
 * evidence. */
static void
claim_refused(void *cookie, const struct claim *claim, const struct err *err)
{
	struct road *road = cookie;
	const struct waiting what = waiting_of(road, claim);
	struct acquire_try *try = acquire_add_try(road->acquire, road, &what);

	try->stage = "dns";
	try->err = *err;
}

static void
party_asked(void *cookie, const char *party)
{
	struct road *road = cookie;

	acquire_note_party(road->acquire, party);
}

static void
source_silent(void *cookie, const struct claim *claim, const struct err *err,
    int64_t elapsed_ms)
{
	struct road *road = cookie;
	const struct waiting what = waiting_of(road, claim);
	struct acquire_try *try;

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
	    .refused = claim_refused,
	    .asked = party_asked,
	    .silent = source_silent,
	    .settled = claims_settled,
	    .done = claims_done,
	};
	struct acquire *a = cookie;

	loop_timer_cancel(&a->next_url);
	for (size_t i = 0; i < a->road_count; i++) {
		struct road *road = &a->roads[i];

		const struct claims_host about = {
		    .name = road->host,
		    .is_https = text_starts(road->job.url, "https:"),
		    .named_by_operator = road->upstream,
		};

		if (road->begun)
			continue;
		road->begun = true;
		road->claims = claims_start(
		    a->loop, a->pool, &about, a->options, &callbacks, road);
		if (i + 1 < a->road_count)
			a->next_url = loop_timer_start(
			    a->loop, URL_STAGGER_MS, race_begin_next_road, a);
		return;
	}
}
