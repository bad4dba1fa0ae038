/* SPDX-License-Identifier: ISC */
/* doctor/survey.c -- the hosts of a survey, some at once. */
#include "doctor/survey.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "acquire/private.h"
#include "base/loop.h"
#include "base/mem.h"
#include "doctor/survey_priv.h"
#include "http/fetch.h"
#include "pki/request.h"

static void
release(struct survey *survey)
{
	loop_timer_cancel(&survey->turn);
	for (size_t i = 0; i < survey->host_count; i++) {
		host_release(&survey->hosts[i]);
		free(survey->hosts[i].roads);
		free(survey->hosts[i].name);
	}
	for (size_t i = 0; i < survey->member_count; i++) {
		struct member *member = &survey->members[i];

		tries_release(member);
		survey_responder_done(&member->facts);
		free(member->get_url);
		free(member->request);
	}
	for (size_t i = 0; i < survey->party_count; i++)
		free(survey->parties[i]);
	free(survey->hosts);
	free(survey->members);
	free(survey);
}

void
survey_cancel(struct survey **survey)
{
	struct survey *s = *survey;

	*survey = NULL;
	if (s != NULL)
		release(s);
}

void
survey_note_party(struct survey *survey, const char *party)
{
	for (size_t i = 0; i < survey->party_count; i++) {
		if (strcmp(survey->parties[i], party) == 0)
			return;
	}
	if (survey->party_count < SURVEY_PARTIES_MAX)
		survey->parties[survey->party_count++] = mem_string(party);
}

/* --- the end --- */

/* Every responder has the roads of its host. */
static void
copy_roads(struct member *member)
{
	struct survey_responder *facts = &member->facts;

	facts->road_count = member->host->road_count;
	facts->roads = mem_array(facts->road_count, sizeof(facts->roads[0]));
	memcpy(facts->roads, member->host->roads,
	    facts->road_count * sizeof(facts->roads[0]));
}

static void
finish(struct survey *survey)
{
	size_t count = survey->member_count;
	struct survey_responder *list = mem_array(count, sizeof(list[0]));
	const struct survey_result result = {
	    .responders = list,
	    .count = count,
	    .parties = (const char *const *)survey->parties,
	    .party_count = survey->party_count,
	};

	for (size_t i = 0; i < count; i++) {
		copy_roads(&survey->members[i]);
		list[i] = survey->members[i].facts;
		survey->members[i].facts = (struct survey_responder){0};
	}
	survey_mark_dead(list, count);
	for (size_t i = 0; i < count; i++)
		survey_judge(&list[i]);
	survey->callbacks.end(survey->cookie, &result);
	for (size_t i = 0; i < count; i++)
		survey_responder_done(&list[i]);
	free(list);
	release(survey);
}

static void
turn(void *cookie)
{
	struct survey *survey = cookie;

	survey->turn = NULL;
	while (survey->running_hosts < SURVEY_HOSTS_AT_ONCE &&
	       survey->next_host < survey->host_count) {
		survey->running_hosts++;
		host_begin(&survey->hosts[survey->next_host++]);
	}
	if (survey->done_hosts == survey->host_count)
		finish(survey);
}

void
survey_host_done(struct host *host)
{
	struct survey *survey = host->survey;

	for (size_t i = 0; i < survey->member_count; i++) {
		if (survey->members[i].host == host)
			tries_release(&survey->members[i]);
	}
	survey->running_hosts--;
	survey->done_hosts++;
	if (survey->turn == NULL)
		survey->turn = loop_timer_start(survey->loop, 0, turn, survey);
	if (survey->callbacks.progress != NULL)
		survey->callbacks.progress(survey->cookie, survey->done_hosts,
		    survey->host_count, host->name);
}

/* --- the beginning --- */

static void
add_source(struct survey *survey, const struct resolver *resolver, bool of_conf)
{
	struct source *source = &survey->sources[survey->source_count];

	for (size_t i = 0; i < survey->source_count; i++) {
		if (strcmp(survey->sources[i].resolver.url, resolver->url) != 0)
			continue;
		if (of_conf) /* the operator has named it too */
			survey->sources[i].near = true;
		return;
	}
	if (survey->source_count == sizeof(survey->sources) / sizeof(*source))
		return;
	survey->source_count++;
	source->resolver = *resolver;
	source->resolver.pool = survey->pool;
	source->near = private_is_near(resolver, of_conf);
}

static void
add_sources(struct survey *survey)
{
	const struct acquire_options *o = survey->options;
	struct resolver list[RESOLVERS_MAX];
	size_t count = 0;
	struct resolver system = {.kind = RESOLVER_SYSTEM};

	(void)snprintf(system.url, sizeof(system.url), "system");
	add_source(survey, &system, true);
	if (o->resolv_conf != NULL)
		count = resolver_read_conf(o->resolv_conf, list, RESOLVERS_MAX);
	for (size_t i = 0; i < count; i++)
		add_source(survey, &list[i], true);
	for (size_t i = 0; i < o->resolver_count; i++)
		add_source(survey, &o->resolvers[i], false);
}

static struct host *
find_host(struct survey *survey, const char *name)
{
	for (size_t i = 0; i < survey->host_count; i++) {
		if (strcasecmp(survey->hosts[i].name, name) == 0)
			return &survey->hosts[i];
	}
	return NULL;
}

static struct host *
add_host(struct survey *survey, const char *name, bool is_https)
{
	struct host *host = find_host(survey, name);

	if (host != NULL)
		return host;
	host = &survey->hosts[survey->host_count++];
	host->survey = survey;
	host->name = mem_string(name);
	host->is_https = is_https;
	return host;
}

static void
make_request(struct member *member)
{
	const struct survey_question *q = member->question;

	if (q->leaf == NULL || q->issuer == NULL ||
	    request_make(q->leaf, q->issuer, &member->request,
		&member->errand.request.len, NULL) == -1) {
		request_make_fictitious(
		    &member->request, &member->errand.request.len);
		member->target.errand = &member->errand;
	} else {
		member->target.leaf = q->leaf;
		member->target.issuer = q->issuer;
		member->target.extra = q->extra;
	}
	member->errand.request.at = member->request;
	member->target.policy = q->policy;
}

static void
add_member(struct survey *survey, const struct survey_question *question)
{
	struct member *member = &survey->members[survey->member_count++];
	bool is_url = fetch_split_url(
	    question->url, &member->facts.host, &member->facts.port);

	assert(is_url); /* the contract */
	(void)is_url;
	member->question = question;
	member->facts.url = question->url;
	member->host = add_host(
	    survey, member->facts.host, text_starts(question->url, "https:"));
	make_request(member);
	member->get_url = request_get_url(
	    question->url, member->request, member->errand.request.len);
	member->job = (struct attempt_job){
	    .target = &member->target,
	    .request = member->errand.request,
	    .url = question->url,
	    .get_url = member->get_url,
	    .post_first = strlen(member->get_url) > REQUEST_GET_URL_MAX,
	};
}

struct survey *
survey_start(uv_loop_t *loop, struct fetch_pool *pool,
    const struct survey_question *questions, size_t count,
    const struct acquire_options *options,
    const struct survey_callbacks *callbacks, void *cookie)
{
	struct survey *survey = mem_new(sizeof(*survey));

	assert(count <= SURVEY_RESPONDERS_MAX);
	survey->loop = loop;
	survey->pool = pool;
	survey->options = options;
	survey->timeout_ms =
	    options->timeout_ms > 0 ? options->timeout_ms : SURVEY_TIMEOUT_MS;
	survey->callbacks = *callbacks;
	survey->cookie = cookie;
	survey->members = mem_array(count, sizeof(survey->members[0]));
	survey->hosts = mem_array(count, sizeof(survey->hosts[0]));
	add_sources(survey);
	for (size_t i = 0; i < count; i++)
		add_member(survey, &questions[i]);
	survey->turn = loop_timer_start(loop, 0, turn, survey);
	return survey;
}
