/* SPDX-License-Identifier: ISC */
/* doctor/survey_try.c -- the addresses of one host, asked for OCSP.
 *
 * waiting -> running -> a grade.  A try may take half of the host's time, so
 * that addresses which hang leave some for those behind them; and the first
 * address of each answer goes before the second ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/private.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sockaddr.h"
#include "doctor/survey_priv.h"
#include "pki/staple.h"

static struct survey_try *
facts_of(const struct run *run)
{
	return &run->member->facts.tries[run->index];
}

/* --- what came of it --- */

/* An answer of any status is OCSP; what cannot be read as one is not. */
static enum survey_grade
grade_of(const struct attempt_outcome *outcome)
{
	if (outcome->accepted)
		return SURVEY_PROVEN;
	if (strcmp(outcome->stage, "response") != 0 ||
	    outcome->err.reason == REASON_NOT_OCSP ||
	    outcome->err.reason == REASON_MALFORMED ||
	    outcome->err.reason == REASON_TRAILING_DATA)
		return SURVEY_FAILED;
	return SURVEY_ANSWERED;
}

static void
attempt_done(void *cookie, struct attempt_outcome *outcome)
{
	struct run *run = cookie;
	struct host *host = run->member->host;
	struct survey_try *try = facts_of(run);
	enum survey_grade grade = grade_of(outcome);

	free(outcome->carried);
	staple_free(outcome->staple);
	/* of both methods the better one counts, of two failures the later */
	if (grade >= try->grade) {
		try->grade = grade;
		try->err = outcome->err;
		try->method = outcome->method;
		try->stage = outcome->stage;
		if (grade >= SURVEY_ANSWERED)
			try->answer_ms = outcome->elapsed_ms;
	}
	if (try->connect_ms == -1)
		try->connect_ms = outcome->connect_ms;
	/* nobody else's certificate can be proven by a second question */
	if (!outcome->last && grade != SURVEY_PROVEN &&
	    (grade != SURVEY_ANSWERED || run->member->question->leaf != NULL))
		return;
	attempt_cancel(&run->attempt);
	host->running--;
	tries_pump(host);
	host_check(host);
}

static void
start(struct run *run)
{
	struct host *host = run->member->host;
	const struct survey_try *try = facts_of(run);
	const struct attempt_way way = {
	    .address = try->address[0] != '\0' ? try->address : NULL,
	    .proxy = run->proxy,
	    .proxy_addresses = run->proxy_addresses,
	    .proxy_ca_file = host->survey->options->proxy_ca_file,
	};
	int64_t until = clock_mono_ms() + host->survey->timeout_ms / 2;

	if (run->proxy != NULL)
		survey_note_party(host->survey, run->proxy->url);
	run->state = RUN_BEGUN;
	host->running++;
	run->attempt = attempt_start(host->survey->pool, &run->member->job,
	    &way, until < host->tries_until_ms ? until : host->tries_until_ms,
	    attempt_done, run);
}

/* --- what is next --- */

static struct run *
next_of(struct member *member, bool first)
{
	for (size_t i = 0; i < member->facts.try_count; i++) {
		struct run *run = &member->runs[i];

		if (run->state == RUN_WAITING && (run->first || !first))
			return run;
	}
	return NULL;
}

static struct run *
next_run(const struct host *host, bool first)
{
	struct survey *survey = host->survey;

	for (size_t i = 0; i < survey->member_count; i++) {
		struct run *run = NULL;

		if (survey->members[i].host == host)
			run = next_of(&survey->members[i], first);
		if (run != NULL)
			return run;
	}
	return NULL;
}

bool
tries_wait(const struct host *host)
{
	return clock_mono_ms() < host->tries_until_ms &&
	       next_run(host, false) != NULL;
}

void
tries_pump(struct host *host)
{
	while (host->running < SURVEY_TRIES_AT_ONCE &&
	       clock_mono_ms() < host->tries_until_ms) {
		struct run *run = next_run(host, true);

		if (run == NULL)
			run = next_run(host, false);
		if (run == NULL)
			return;
		start(run);
	}
}

/* --- more of them --- */

static struct run *
find(struct member *member, const struct way *way)
{
	const char *proxy = way->proxy == NULL ? "" : way->proxy->url;

	for (size_t i = 0; i < member->facts.try_count; i++) {
		const struct survey_try *try = &member->facts.tries[i];

		if (strcmp(try->address, way->address) == 0 &&
		    strcmp(try->proxy, proxy) == 0)
			return &member->runs[i];
	}
	return NULL;
}

static struct run *
add(struct member *member, const struct way *way)
{
	struct survey_responder *facts = &member->facts;
	struct survey_try *try;
	struct run *run;

	if (facts->try_count == SURVEY_TRIES_MAX)
		return NULL;
	/* all at once: what runs has borrowed its address from here */
	if (facts->tries == NULL)
		facts->tries =
		    mem_array(SURVEY_TRIES_MAX, sizeof(facts->tries[0]));
	try = &facts->tries[facts->try_count];
	*try = (struct survey_try){.connect_ms = -1, .answer_ms = -1};
	(void)snprintf(try->address, sizeof(try->address), "%s", way->address);
	(void)snprintf(try->proxy, sizeof(try->proxy), "%s",
	    way->proxy == NULL ? "" : way->proxy->url);
	run = &member->runs[facts->try_count];
	*run = (struct run){.member = member,
	    .index = facts->try_count++,
	    .proxy = way->proxy,
	    .proxy_addresses = mem_string(way->proxy_addresses),
	    .state = RUN_WAITING};
	return run;
}

/* True if WAY's address is not for us to connect to (B13). */
static bool
is_refused(const struct host *host, const struct way *way)
{
	struct sockaddr_storage literal;

	return !way->near && way->proxy == NULL &&
	       private_is_address(way->address) &&
	       !sockaddr_make(host->name, 0, &literal) &&
	       !private_is_allowed(host->survey->options, host->name);
}

static void
refuse(struct run *run, const struct way *way)
{
	struct survey_try *try = facts_of(run);

	run->state = RUN_REFUSED;
	try->grade = SURVEY_FAILED;
	try->stage = "dns";
	private_refuse(
	    way->address, way->source, run->member->host->name, &try->err);
}

static void
add_to(struct member *member, const struct way *way)
{
	bool refused = is_refused(member->host, way);
	struct run *run = find(member, way);

	if (run == NULL) {
		run = add(member, way);
		if (run != NULL && refused)
			refuse(run, way);
	} else if (run->state == RUN_REFUSED && !refused) {
		/* now somebody names it whose word is good enough */
		struct survey_try *try = facts_of(run);

		run->state = RUN_WAITING;
		try->grade = SURVEY_UNTRIED;
		try->stage = NULL;
		err_clear(&try->err);
	}
	if (run != NULL && way->first)
		run->first = true;
}

void
tries_add(struct host *host, const struct way *way)
{
	struct survey *survey = host->survey;

	for (size_t i = 0; i < survey->member_count; i++) {
		if (survey->members[i].host == host)
			add_to(&survey->members[i], way);
	}
	tries_pump(host);
}

void
tries_release(struct member *member)
{
	for (size_t i = 0; i < member->facts.try_count; i++) {
		attempt_cancel(&member->runs[i].attempt);
		free(member->runs[i].proxy_addresses);
		member->runs[i].proxy_addresses = NULL;
	}
}
