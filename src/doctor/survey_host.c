/* SPDX-License-Identifier: ISC */
/* doctor/survey_host.c -- one host: who says where it is, until all have spoken
 * and all addresses are asked, or time is up.
 *
 *   begin -> pins, the system, resolvers  --each answer--> tries
 *         -> the system has ended, or SURVEY_PROXY_MS: proxies -> tries
 *         -> nothing under way and nothing waits, or the deadline: done */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "acquire/claims.h"
#include "acquire/private.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sockaddr.h"
#include "doctor/survey_priv.h"

enum { MARGIN_MS = 200 }; /* tries end before the host: each says why */

/* --- roads --- */

static size_t
add_road(struct host *host, const char *name, const char *proxy)
{
	struct survey_road *road;

	for (size_t i = 0; i < host->road_count; i++) {
		if (strcmp(host->roads[i].name, name) == 0 &&
		    strcmp(host->roads[i].proxy, proxy) == 0)
			return i;
	}
	/* pins, resolvers and proxies are bounded, each by its own maximum */
	if (host->road_count == SURVEY_ROADS_MAX)
		return SURVEY_ROADS_MAX - 1;
	host->roads = mem_resize(
	    host->roads, host->road_count + 1, sizeof(host->roads[0]));
	road = &host->roads[host->road_count];
	*road = (struct survey_road){.lookup_ms = -1};
	(void)snprintf(road->name, sizeof(road->name), "%s", name);
	(void)snprintf(road->proxy, sizeof(road->proxy), "%s", proxy);
	return host->road_count++;
}

static void
add_address(struct survey_road *road, const char *address)
{
	for (size_t i = 0; i < road->address_count; i++) {
		if (strcmp(road->addresses[i], address) == 0)
			return;
	}
	if (road->address_count == SURVEY_ADDRESSES_MAX) {
		road->left_out++;
		return;
	}
	(void)snprintf(road->addresses[road->address_count++],
	    sizeof(road->addresses[0]), "%s", address);
}

/* ROAD has named ADDRESSES: list them all, ask the first of each family. */
static void
take_answer(struct host *host, size_t index, bool near,
    const char *const *addresses, size_t count)
{
	size_t of_family[2] = {0, 0};

	for (size_t i = 0; i < count; i++) {
		size_t v6 = strchr(addresses[i], ':') != NULL;
		const struct way way = {
		    .address = addresses[i],
		    .source = host->roads[index].name,
		    .near = near,
		    .first = of_family[v6] == 0,
		};

		add_address(&host->roads[index], addresses[i]);
		if (of_family[v6]++ < SURVEY_OF_ANSWER)
			tries_add(host, &way);
	}
}

/* --- proxies --- */

static void
proxy_claimed(void *cookie, const struct claim *claim)
{
	struct host *host = cookie;
	const struct way way = {
	    .address = claim->address,
	    .proxy = claim->proxy,
	    .proxy_addresses = claim->proxy_addresses,
	    .source = "proxy",
	    .near = true,
	    .first = true,
	};

	if (claim->proxy == NULL)
		return; /* the direct way: asked already */
	(void)add_road(host, "proxy", claim->proxy->url);
	tries_add(host, &way);
}

static void
proxy_refused(void *cookie, const struct claim *claim, const struct err *err)
{
	(void)cookie; /* every address here was named by us, as a pin */
	(void)claim;
	(void)err;
}

static void
proxy_asked(void *cookie, const char *party)
{
	struct host *host = cookie;

	survey_note_party(host->survey, party);
}

static void
proxy_silent(void *cookie, const struct claim *claim, const struct err *err,
    int64_t elapsed_ms)
{
	struct host *host = cookie;
	size_t index;

	(void)elapsed_ms;
	if (claim->proxy == NULL)
		return;
	/* first: the roads may go elsewhere in memory */
	index = add_road(host, "proxy", claim->proxy->url);
	host->roads[index].err = *err;
}

static void
proxies_settled(void *cookie)
{
	struct host *host = cookie;

	if (host->claims != NULL)
		claims_hurry(host->claims);
}

static void
proxies_done(void *cookie)
{
	struct host *host = cookie;

	claims_cancel(&host->claims);
	host_check(host);
}

/* What the roads have named so far, for proxies that look nothing up. */
static size_t
collect_pins(struct host *host)
{
	size_t count = 0;

	for (size_t i = 0; i < host->road_count; i++) {
		const struct survey_road *road = &host->roads[i];

		for (size_t k = 0;
		     k < road->address_count && k < SURVEY_OF_ANSWER &&
		     count < SURVEY_ADDRESSES_MAX;
		     k++) {
			struct acquire_pin *pin = &host->pins[count++];

			(void)snprintf(
			    pin->host, sizeof(pin->host), "%.255s", host->name);
			memcpy(pin->address, road->addresses[k],
			    sizeof(pin->address));
		}
	}
	return count;
}

static void
begin_proxies(void *cookie)
{
	static const struct claims_callbacks callbacks = {
	    .claim = proxy_claimed,
	    .refused = proxy_refused,
	    .asked = proxy_asked,
	    .silent = proxy_silent,
	    .settled = proxies_settled,
	    .done = proxies_done,
	};
	struct host *host = cookie;
	const struct acquire_options *options = host->survey->options;
	const struct claims_host about = {
	    .name = host->name, .is_https = host->is_https};

	loop_timer_cancel(&host->proxy_timer);
	if (host->proxies_begun || host->done)
		return;
	host->proxies_begun = true;
	if (options->proxies == NULL)
		return;
	/* nobody is asked again: only proxies are left of the options */
	host->proxy_options = (struct acquire_options){
	    .pins = host->pins,
	    .pin_count = collect_pins(host),
	    .family = options->family,
	    .proxies = options->proxies,
	    .proxy_ca_file = options->proxy_ca_file,
	    .timeout_ms = options->timeout_ms,
	};
	host->claims = claims_start(host->survey->loop, host->survey->pool,
	    &about, &host->proxy_options, &callbacks, host);
}

/* --- names --- */

static void
ask_answered(void *cookie, const struct resolver_answer *answer)
{
	struct ask *ask = cookie;
	struct survey_road *road = &ask->host->roads[ask->road];

	if (road->lookup_ms == -1)
		road->lookup_ms = clock_mono_ms() - ask->started_ms;
	take_answer(ask->host, ask->road, ask->source->near, answer->addresses,
	    answer->address_count);
}

static void
ask_ended(void *cookie, const struct err *err)
{
	struct ask *ask = cookie;
	struct host *host = ask->host;

	ask->query = NULL;
	if (host->roads[ask->road].address_count == 0)
		host->roads[ask->road].err = *err;
	if (ask->source->resolver.kind == RESOLVER_SYSTEM)
		begin_proxies(host);
	host_check(host);
}

static void
ask(struct host *host, const struct source *source)
{
	static const struct resolver_callbacks callbacks = {
	    .answer = ask_answered, .end = ask_ended};
	struct survey *survey = host->survey;
	struct ask *ask = &host->asks[host->ask_count++];

	*ask = (struct ask){
	    .host = host,
	    .source = source,
	    .road = add_road(host, source->resolver.url, ""),
	    .started_ms = clock_mono_ms(),
	};
	host->roads[ask->road].is_outside = !source->near;
	if (!source->near)
		survey_note_party(survey, source->resolver.url);
	ask->query = resolver_ask(survey->loop, &source->resolver, host->name,
	    survey->options->family, &callbacks, ask);
}

/* --- begin and end --- */

static void
take_pins(struct host *host)
{
	const struct acquire_options *options = host->survey->options;

	for (size_t i = 0; i < options->pin_count; i++) {
		const char *address = options->pins[i].address;

		if (strcasecmp(options->pins[i].host, host->name) == 0)
			take_answer(
			    host, add_road(host, "pin", ""), true, &address, 1);
	}
}

/* Who has not spoken has not answered in time. */
static void
time_is_up(void *cookie)
{
	struct host *host = cookie;

	host->deadline = NULL;
	for (size_t i = 0; i < host->ask_count; i++) {
		const struct ask *ask = &host->asks[i];
		struct survey_road *road = &host->roads[ask->road];

		if (ask->query != NULL && road->address_count == 0)
			(void)err_set(&road->err, REASON_DNS_NO_ANSWER,
			    "%s gave no answer within %lld ms", road->name,
			    (long long)host->survey->timeout_ms);
	}
	host_release(host);
	host->done = true;
	survey_host_done(host);
}

void
host_check(struct host *host)
{
	if (host->done || host->running > 0 || host->claims != NULL ||
	    host->deadline == NULL || !host->proxies_begun || tries_wait(host))
		return;
	for (size_t i = 0; i < host->ask_count; i++) {
		if (host->asks[i].query != NULL)
			return;
	}
	/* from the loop: whoever called is still at work on us */
	loop_timer_cancel(&host->deadline);
	host->deadline =
	    loop_timer_start(host->survey->loop, 0, time_is_up, host);
	host->tries_until_ms = 0;
}

void
host_begin(struct host *host)
{
	struct survey *survey = host->survey;
	struct sockaddr_storage literal;
	bool is_address = sockaddr_make(host->name, 0, &literal);
	int64_t margin = survey->timeout_ms / 10;

	if (margin > MARGIN_MS)
		margin = MARGIN_MS;
	host->deadline = loop_timer_start(
	    survey->loop, survey->timeout_ms, time_is_up, host);
	host->tries_until_ms = clock_mono_ms() + survey->timeout_ms - margin;
	host->proxy_timer = loop_timer_start(
	    survey->loop, SURVEY_PROXY_MS, begin_proxies, host);
	take_pins(host);
	/* an address is its own answer, whoever is asked */
	for (size_t i = 0; i < survey->source_count; i++) {
		if (i == 0 || !is_address)
			ask(host, &survey->sources[i]);
	}
}

void
host_release(struct host *host)
{
	for (size_t i = 0; i < host->ask_count; i++)
		resolver_cancel(&host->asks[i].query);
	claims_cancel(&host->claims);
	loop_timer_cancel(&host->deadline);
	loop_timer_cancel(&host->proxy_timer);
}
