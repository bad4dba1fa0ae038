/* SPDX-License-Identifier: ISC */
/* acquire/acquire.c -- how an acquisition begins and ends; race.c runs it. */
#include "acquire/acquire.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "acquire/book_learn.h"
#include "acquire/race.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "http/fetch.h"
#include "pki/cert.h"
#include "pki/cert_text.h"
#include "pki/request.h"
#include "pki/staple.h"

int
acquire_pin_parse(const char *text, struct acquire_pin *out, struct err *err)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "-_.";
	const char *equal = strchr(text, '=');
	struct in6_addr address;
	struct acquire_pin pin;

	if (equal == NULL || equal == text ||
	    text + strspn(text, letters) != equal ||
	    (size_t)(equal - text) >= sizeof(pin.host) ||
	    strlen(equal + 1) >= sizeof(pin.address) ||
	    (inet_pton(AF_INET, equal + 1, &address) != 1 &&
		inet_pton(AF_INET6, equal + 1, &address) != 1))
		return err_set(err, REASON_USAGE,
		    "'%s' is no pin: give HOST=ADDR, such as "
		    "ocsp.example=192.0.2.1",
		    text);
	memset(&pin, 0, sizeof(pin));
	memcpy(pin.host, text, (size_t)(equal - text));
	(void)snprintf(pin.address, sizeof(pin.address), "%s", equal + 1);
	*out = pin;
	return 0;
}

/* --- who can be asked --- */

_Static_assert((int)CERT_TEXT_URL_MAX >= (int)FETCH_URL_MAX,
    "what was cut off is no URL to ask");

bool
acquire_can_ask(const struct cert *leaf)
{
	bool can = false;

	for (size_t i = 0; i < leaf->ocsp_url_count && !can; i++) {
		char *host = NULL;
		int port;

		can = fetch_split_url(leaf->ocsp_urls[i], &host, &port);
		free(host);
	}
	return can;
}

const char *
acquire_nobody(const struct cert *leaf, char out[ACQUIRE_NOBODY_TEXT])
{
	if (leaf->ocsp_url_count == 0)
		(void)snprintf(
		    out, ACQUIRE_NOBODY_TEXT, "names no OCSP responder");
	else
		(void)snprintf(out, ACQUIRE_NOBODY_TEXT,
		    "names no OCSP responder that can be asked by http, only "
		    "'%.100s%s' (--url can name another)",
		    leaf->ocsp_urls[0],
		    strlen(leaf->ocsp_urls[0]) > 100 ? "..." : "");
	return out;
}

/* --- the end --- */

static void
release(struct acquire *a)
{
	for (size_t i = 0; i < RUNNERS_MAX; i++) {
		if (a->runners[i] != NULL)
			attempt_cancel(&a->runners[i]->attempt);
		free(a->runners[i]);
	}
	for (size_t i = 0; i < a->road_count; i++) {
		claims_cancel(&a->roads[i].claims);
		free(a->roads[i].host);
		free(a->roads[i].get_url);
		for (size_t k = 0; k < a->roads[i].waiting_count; k++)
			free(a->roads[i].waiting[k].proxy_addresses);
		free(a->roads[i].waiting);
	}
	for (size_t i = 0; i < a->result.party_count; i++)
		free(a->parties[i]);
	loop_timer_cancel(&a->deadline);
	loop_timer_cancel(&a->stagger);
	loop_timer_cancel(&a->next_url);
	free(a->roads);
	free(a->request);
	free(a->tries);
	free(a);
}

void
acquire_cancel(struct acquire **acquire)
{
	if (*acquire != NULL && !(*acquire)->finishing)
		release(*acquire);
	*acquire = NULL;
}

static int
stage_rank(const char *stage)
{
	static const char *const order[] = {
	    "dns", "connect", "http", "response"};

	for (int i = 0; i < 4; i++) {
		if (strcmp(stage, order[i]) == 0)
			return i;
	}
	return -1;
}

const char *
acquire_try_where(const struct acquire_try *try, char out[ACQUIRE_WHERE_TEXT])
{
	bool by_proxy = try->proxy[0] != '\0';

	if (try->address[0] == '\0')
		(void)snprintf(out, ACQUIRE_WHERE_TEXT, "%s%s",
		    by_proxy ? "the proxy " : "no address",
		    by_proxy ? try->proxy : "");
	else
		(void)snprintf(out, ACQUIRE_WHERE_TEXT, "%s, %s%s%s%s",
		    try->address,
		    strcmp(try->source, "upstream") == 0 ? "an " : "named by ",
		    try->source, by_proxy ? ", through the proxy " : "",
		    by_proxy ? try->proxy : "");
	return out;
}

void
acquire_note_party(struct acquire *a, const char *party)
{
	for (size_t i = 0; i < a->result.party_count; i++) {
		if (strcmp(a->parties[i], party) == 0)
			return;
	}
	if (a->result.party_count < ACQUIRE_PARTIES_MAX)
		a->parties[a->result.party_count++] = mem_string(party);
}

/* CONTRACT: the reason is that of the try that got furthest, the latest among
 * equals. */
static void
choose_reason(struct acquire *a)
{
	const struct acquire_try *best = NULL;
	char where[ACQUIRE_WHERE_TEXT];

	for (size_t i = 0; i < a->try_count; i++) {
		const struct acquire_try *try = &a->tries[i];

		if (try->err.reason != REASON_NONE &&
		    (best == NULL ||
			stage_rank(try->stage) >= stage_rank(best->stage)))
			best = try;
	}
	if (best == NULL)
		(void)err_set(&a->result.err, REASON_DNS_NO_ANSWER,
		    "nothing answered for the responder '%s' within %lld s",
		    a->roads[0].host,
		    (long long)(a->deadline_ms - a->started_ms) / 1000);
	else if (strcmp(best->stage, "response") == 0)
		(void)err_set(&a->result.err, best->err.reason, "%s (from %s)",
		    best->err.text, acquire_try_where(best, where));
	else if (best->address[0] != '\0')
		(void)err_set(&a->result.err, best->err.reason,
		    "%s (the address was named by %s)", best->err.text,
		    best->source);
	else
		(void)err_set(
		    &a->result.err, best->err.reason, "%s", best->err.text);
}

struct acquire_try *
acquire_add_try(
    struct acquire *a, const struct road *road, const struct waiting *what)
{
	struct acquire_try *try;

	/* when the list is full its last place is used again, so that the one
	 * that ends the race is always in it */
	if (a->try_count == ACQUIRE_TRIES_MAX)
		a->try_count--;
	a->tries = mem_resize(a->tries, a->try_count + 1, sizeof(a->tries[0]));
	try = &a->tries[a->try_count++];
	memset(try, 0, sizeof(*try));
	(void)snprintf(try->address, sizeof(try->address), "%s", what->address);
	(void)snprintf(try->source, sizeof(try->source), "%s", what->source);
	(void)snprintf(
	    try->asked_name, sizeof(try->asked_name), "%s", what->asked_name);
	if (what->proxy != NULL)
		(void)snprintf(
		    try->proxy, sizeof(try->proxy), "%s", what->proxy->url);
	try->port = road->port;
	(void)snprintf(try->url, sizeof(try->url), "%.255s", road->job.url);
	try->host = road->host;
	return try;
}

/* What is still under way was beaten, or ran into the deadline. */
static void
record_unfinished(struct acquire *a)
{
	for (size_t i = 0; i < RUNNERS_MAX; i++) {
		const struct runner *r = a->runners[i];
		struct acquire_try *try;
		char where[ACQUIRE_WHERE_TEXT];

		if (r == NULL || (a->won && a->try_count == ACQUIRE_TRIES_MAX))
			continue;
		try = acquire_add_try(a, r->road, &r->what);
		try->method = attempt_method(r->attempt);
		try->stage = "http";
		try->elapsed_ms = clock_mono_ms() - r->started_ms;
		try->cancelled = a->won;
		if (!a->won)
			(void)err_set(&try->err, REASON_HTTP_TIMEOUT,
			    "no whole answer came from %s in time",
			    acquire_try_where(try, where));
	}
}

void
acquire_finish(struct acquire *a)
{
	void (*cb)(void *, struct acquire_result *) = a->cb;
	struct acquire_result *result = &a->result;

	record_unfinished(a);
	result->tries = a->tries;
	result->try_count = a->try_count;
	result->parties = (const char *const *)a->parties;
	result->elapsed_ms = clock_mono_ms() - a->started_ms;
	if (a->won)
		result->winner = &a->tries[a->winner];
	else if (result->err.reason == REASON_NONE)
		choose_reason(a);
	/* an errand's answer is not verified: it proves nothing */
	if (a->options->book != NULL && a->won && result->accepted)
		book_learn(a->options->book, a->tries, a->try_count, a->winner,
		    clock_wall_s());
	a->finishing = true;
	cb(a->cookie, result);
	release(a);
}

static void
deadline_passed(void *cookie)
{
	struct acquire *a = cookie;

	a->deadline = NULL;
	acquire_finish(a);
}

/* An error that is known before anything was asked. */
static void
finish_later(void *cookie)
{
	struct acquire *a = cookie;

	a->stagger = NULL;
	acquire_finish(a);
}

/* --- the start --- */

/* Room for as many as there are URLs: mostly one. */
static void
make_room(struct acquire *a)
{
	const struct acquire_target *target = &a->target;
	size_t count = a->options->upstream_count;

	if (target->errand != NULL)
		count += target->errand->url_count;
	else
		count += target->url != NULL ? 1 : target->leaf->ocsp_url_count;
	a->road_room = count > ROADS_MAX ? ROADS_MAX : count;
	a->roads = mem_array(a->road_room, sizeof(a->roads[0]));
}

static void
add_road(struct acquire *a, const char *url, bool upstream)
{
	struct road *road = &a->roads[a->road_count];
	char *host = NULL;
	int port = 0;

	if (a->road_count == a->road_room ||
	    !fetch_split_url(url, &host, &port))
		return; /* ldap: and the like: no road for us */
	a->road_count++;
	road->acquire = a;
	road->host = host;
	road->port = port;
	road->get_url = request_get_url(url, a->request, a->request_len);
	road->upstream = upstream;
	road->job = (struct attempt_job){
	    .target = &a->target,
	    .request = {a->request, a->request_len},
	    .nonce = {a->target.nonce ? a->nonce : NULL,
		a->target.nonce ? sizeof(a->nonce) : 0},
	    .url = url,
	    .host = host,
	    .get_url = road->get_url,
	    .post_first = strlen(road->get_url) > REQUEST_GET_URL_MAX,
	};
}

/* An errand: what to ask is at hand, what it is about is not known. */
static int
prepare_errand(struct acquire *a)
{
	const struct acquire_errand *errand = a->target.errand;

	a->request = mem_copy(errand->request.at, errand->request.len);
	a->request_len = errand->request.len;
	for (size_t i = 0; i < errand->url_count; i++)
		add_road(a, errand->urls[i], false);
	if (a->road_count == 0)
		return err_set(&a->result.err, REASON_NO_OCSP_URL,
		    "the request names no responder that speaks http");
	return 0;
}

/* B3, B9: as the target wants it. */
static int
make_request(struct acquire *a, struct err *err)
{
	struct request_kind kind = {.sha256 = a->target.sha256};

	if (a->target.nonce) {
		if (getrandom(a->nonce, sizeof(a->nonce), 0) !=
		    sizeof(a->nonce))
			return err_set(err, REASON_FILE,
			    "the system gives no random numbers for a nonce");
		kind.nonce = (struct span){a->nonce, sizeof(a->nonce)};
	}
	return request_make_as(a->target.leaf, a->target.issuer, &kind,
	    &a->request, &a->request_len, err);
}

/* B10, and that there is somebody to ask. */
static int
prepare(struct acquire *a)
{
	const struct cert *leaf = a->target.leaf;
	struct err *err = &a->result.err;
	int64_t now = a->target.policy.now;
	char at[CLOCK_TEXT], nobody[ACQUIRE_NOBODY_TEXT];

	if (leaf->not_after < now)
		return err_set(err, REASON_CERTIFICATE_EXPIRED,
		    "the certificate of '%s' was valid until %s: it needs no "
		    "staple",
		    cert_name(leaf), clock_rfc3339(leaf->not_after, at));
	if (leaf->not_before > now)
		return err_set(err, REASON_CERTIFICATE_NOT_YET_VALID,
		    "the certificate of '%s' is valid from %s on: it needs no "
		    "staple before (or is this clock wrong?)",
		    cert_name(leaf), clock_rfc3339(leaf->not_before, at));
	if (a->target.url == NULL && !acquire_can_ask(leaf))
		return err_set(err, REASON_NO_OCSP_URL,
		    "the certificate of '%s' %s%s", cert_name(leaf),
		    acquire_nobody(leaf, nobody),
		    leaf->ocsp_url_count == 0 ? ", so OCSP is not your problem"
					      : "");
	if (make_request(a, err) == -1)
		return -1;
	if (a->target.url != NULL)
		add_road(a, a->target.url, false);
	for (size_t i = 0; a->target.url == NULL && i < leaf->ocsp_url_count;
	     i++)
		add_road(a, leaf->ocsp_urls[i], false);
	if (a->road_count == 0)
		return err_set(err, REASON_NO_OCSP_URL,
		    "'%s' is no URL of a responder: give http://HOST/PATH",
		    a->target.url);
	for (size_t i = 0; i < a->options->upstream_count; i++)
		add_road(a, a->options->upstreams[i], true);
	return 0;
}

struct acquire *
acquire_start(uv_loop_t *loop, struct fetch_pool *pool,
    const struct acquire_target *target, const struct acquire_options *options,
    void (*cb)(void *cookie, struct acquire_result *result), void *cookie)
{
	struct acquire *a = mem_new(sizeof(*a));

	a->loop = loop;
	a->pool = pool;
	a->target = *target;
	a->options = options;
	a->cb = cb;
	a->cookie = cookie;
	a->started_ms = clock_mono_ms();
	a->deadline_ms = a->started_ms + options->timeout_ms;
	a->tries_until_ms =
	    a->deadline_ms - (options->timeout_ms / 10 < TRIES_MARGIN_MS
				     ? options->timeout_ms / 10
				     : TRIES_MARGIN_MS);
	a->result.max_age_s = a->result.retry_after_s = -1;
	make_room(a);
	if ((target->errand != NULL ? prepare_errand(a) : prepare(a)) == -1) {
		a->stagger = loop_timer_start(loop, 0, finish_later, a);
		return a;
	}
	a->deadline =
	    loop_timer_start(loop, options->timeout_ms, deadline_passed, a);
	race_begin_next_road(a);
	return a;
}
