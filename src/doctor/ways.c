/* SPDX-License-Identifier: ISC */
/* doctor/ways.c -- every way to the responder that anybody named, tried. */
#include "doctor/ways.h"

#include <stdlib.h>
#include <string.h>

#include "acquire/attempt.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "doctor/knock.h"
#include "pki/request.h"
#include "pki/staple.h"

enum { WAYS_MAX = WAYS_ADDRESSES_MAX + PROXIES_MAX };

/* One try of a way. */
struct trial {
	struct way *way;
	struct attempt *attempt;
};

/* One address, or one proxy.  Its tries begin one after the other, and do not
 * wait for each other: where each of them hangs, that costs the time of one. */
struct way {
	struct ways *ways;
	char address[DNS_ADDRESS_TEXT];
	char source[RESOLVER_URL_TEXT];
	struct attempt_way how;
	struct trial trials[WAYS_REPEATS];
	struct loop_timer *pause; /* before the next one */
	struct loop_timer *slow;  /* until it is called hanging */
	struct knock *knock;      /* what else the one that hangs answers */
	unsigned begun, running;
	bool worked; /* at least once */
};

struct ways {
	uv_loop_t *loop;
	struct fetch_pool *pool;
	struct facts *facts;
	int64_t began_ms;
	struct ways_request request;
	struct acquire_target target;
	struct attempt_job job;
	uint8_t *ocsp; /* DER of the request */
	size_t ocsp_len;
	char *get_url;
	struct way list[WAYS_MAX];
	size_t count, running;
	struct knock *around; /* controls that ask for no address of these */
	struct knock *knock;  /* those of addresses that failed, at last */
	bool knocked;
	bool clock_noted; /* by a signature; once is enough */
	struct loop_timer *failed;
	void (*cb)(void *cookie);
	void *cookie;
};

/* --- which ways there are --- */

static void
add_addresses(struct ways *w)
{
	struct ways_address chosen[WAYS_ADDRESSES_MAX];

	w->count =
	    ways_choose(w->facts, w->request.host, w->request.options, chosen);
	for (size_t i = 0; i < w->count; i++) {
		fact_copy(w->list[i].address, sizeof(w->list[i].address),
		    chosen[i].address);
		fact_copy(w->list[i].source, sizeof(w->list[i].source),
		    chosen[i].source);
	}
}

static void
add_proxies(struct ways *w)
{
	const struct proxy_plan *plan = w->request.options->proxies;

	if (plan == NULL)
		return;
	if (plan->has_http && w->count < WAYS_MAX)
		w->list[w->count++].how.proxy = &plan->http;
	for (size_t i = 0; i < plan->last_count && w->count < WAYS_MAX; i++)
		w->list[w->count++].how.proxy = &plan->last[i];
}

/* --- trying --- */

static void start_ways(struct ways *w);
static void begin_trial(void *cookie);
static void go_on(struct way *way);

static void
note(const struct trial *trial, const struct attempt_outcome *outcome)
{
	const struct way *way = trial->way;
	struct ways *w = way->ways;
	struct fact_fetch *f =
	    &facts_add(w->facts, FACT_FETCH, "S", clock_mono_ms() - w->began_ms)
		 ->u.fetch;

	fact_copy(f->address, sizeof(f->address), way->address);
	fact_copy(f->url, sizeof(f->url), w->request.url);
	fact_copy(f->source, sizeof(f->source), way->source);
	if (way->how.proxy != NULL)
		fact_copy(f->proxy, sizeof(f->proxy), way->how.proxy->url);
	f->method = outcome->method;
	f->err = outcome->err;
	if (outcome->accepted)
		f->status = outcome->facts.status;
	f->connect_ms = outcome->connect_ms;
	f->elapsed_ms = outcome->elapsed_ms;
	f->repeat = (unsigned)(trial - way->trials);
}

/* A signature that is younger than our clock is a clock. */
static void
note_time(struct ways *w, int64_t signed_at)
{
	int64_t ahead = w->request.policy.now - signed_at;
	struct fact_clock *clock;

	if (signed_at == 0 || ahead >= -VERIFY_SKEW || w->clock_noted)
		return;
	w->clock_noted = true;
	clock =
	    &facts_add(w->facts, FACT_CLOCK, "K", clock_mono_ms() - w->began_ms)
		 ->u.clock;
	fact_copy(clock->host, sizeof(clock->host), w->request.host);
	clock->ahead_s = ahead;
	clock->authenticated = clock->bound = true;
	clock->how = "signed response";
}

/* --- controls --- */

static struct knock *
start_knock(struct ways *w, enum knock_kind kind, const char *address,
    void (*cb)(void *cookie), void *cookie)
{
	struct knock_request request = {
	    .kind = kind,
	    .address = address,
	    .host = w->request.host,
	    .url = w->request.url,
	    .get_url = w->get_url,
	    .control = w->request.control,
	    .resolvers = w->request.resolvers,
	    .resolver_count = w->request.resolver_count,
	    .tls_ca = w->request.options->proxy_ca_file,
	};

	for (size_t i = 0; i < w->count; i++)
		request.ipv6 =
		    request.ipv6 || strchr(w->list[i].address, ':') != NULL;
	return knock_start(
	    w->loop, w->pool, w->facts, w->began_ms, &request, cb, cookie);
}

static void
end_when_over(struct ways *w)
{
	void (*cb)(void *cookie) = w->cb;
	void *cb_cookie = w->cookie;

	if (w->around != NULL || w->knock != NULL || !w->knocked)
		return;
	ways_cancel(&w);
	cb(cb_cookie);
}

static void
addresses_done(void *cookie)
{
	struct ways *w = cookie;

	w->knock = NULL;
	end_when_over(w);
}

static void
around_done(void *cookie)
{
	struct ways *w = cookie;

	w->around = NULL;
	end_when_over(w);
}

static void
hanging_done(void *cookie)
{
	struct way *way = cookie;

	way->knock = NULL;
	way->running--;
	go_on(way);
}

/* Nothing came so far: what else is to be asked there need not wait until the
 * last try has given up. */
static void
is_slow(void *cookie)
{
	struct way *way = cookie;

	way->slow = NULL;
	if (way->worked || way->running == 0 || way->how.proxy != NULL)
		return;
	way->running++;
	way->knock = start_knock(
	    way->ways, KNOCK_HANGING, way->address, hanging_done, way);
}

/* --- the next try --- */

/* One that fails is tried less often than one that works. */
static bool
wants_more(const struct way *way)
{
	return way->begun < (way->worked ? WAYS_REPEATS : WAYS_TRIES);
}

static void
go_on(struct way *way)
{
	struct ways *w = way->ways;

	if (way->pause != NULL)
		return;
	if (wants_more(way)) {
		way->pause =
		    loop_timer_start(w->loop, WAYS_SPACE_MS, begin_trial, way);
	} else if (way->running == 0) {
		w->running--;
		start_ways(w);
	}
}

static void
tried(void *cookie, struct attempt_outcome *outcome)
{
	struct trial *trial = cookie;
	struct way *way = trial->way;
	bool last = outcome->last;
	bool good = outcome->accepted;

	note(trial, outcome);
	note_time(way->ways, outcome->signed_at);
	staple_free(outcome->staple);
	free(outcome->carried);
	way->worked = way->worked || good;
	if (!last)
		return;
	trial->attempt = NULL;
	way->running--;
	go_on(way);
}

static void
begin_trial(void *cookie)
{
	struct way *way = cookie;
	struct ways *w = way->ways;
	struct trial *trial = &way->trials[way->begun++];

	way->pause = NULL;
	way->running++;
	trial->way = way;
	trial->attempt = attempt_start(w->pool, &w->job, &way->how,
	    clock_mono_ms() + WAYS_TRY_MS, tried, trial);
	go_on(way);
}

/* As many as may run; after the last, the controls. */
static void
start_ways(struct ways *w)
{
	for (size_t i = 0; i < w->count && w->running < WAYS_AT_ONCE; i++) {
		struct way *way = &w->list[i];

		if (way->begun > 0)
			continue;
		w->running++;
		way->slow =
		    loop_timer_start(w->loop, WAYS_SLOW_MS, is_slow, way);
		begin_trial(way);
	}
	if (w->running == 0 && !w->knocked) {
		w->knocked = true;
		w->knock =
		    start_knock(w, KNOCK_ADDRESSES, NULL, addresses_done, w);
	}
}

static void
start_later(void *cookie)
{
	struct ways *w = cookie;

	w->failed = NULL;
	w->around = start_knock(w, KNOCK_GENERAL, NULL, around_done, w);
	start_ways(w);
}

static void
make_job(struct ways *w)
{
	const struct ways_request *r = &w->request;

	w->target = (struct acquire_target){.leaf = r->leaf,
	    .issuer = r->issuer,
	    .extra = r->extra,
	    .url = r->url,
	    .policy = r->policy};
	if (request_make(r->leaf, r->issuer, &w->ocsp, &w->ocsp_len, NULL) ==
	    -1) {
		w->count = 0;
		return;
	}
	w->get_url = request_get_url(r->url, w->ocsp, w->ocsp_len);
	w->job = (struct attempt_job){
	    .target = &w->target,
	    .request = {w->ocsp, w->ocsp_len},
	    .url = r->url,
	    .get_url = w->get_url,
	    .post_first = strlen(w->get_url) > REQUEST_GET_URL_MAX,
	    /* a connection that is up says nothing of the next one */
	    .fresh = true,
	};
}

struct ways *
ways_start(uv_loop_t *loop, struct fetch_pool *pool, struct facts *facts,
    int64_t began_ms, const struct ways_request *request,
    void (*cb)(void *cookie), void *cookie)
{
	struct ways *w = mem_new(sizeof(*w));

	w->loop = loop;
	w->pool = pool;
	w->facts = facts;
	w->began_ms = began_ms;
	w->request = *request;
	w->cb = cb;
	w->cookie = cookie;
	add_addresses(w);
	add_proxies(w);
	for (size_t i = 0; i < w->count; i++) {
		struct way *way = &w->list[i];

		way->ways = w;
		way->how.address =
		    way->address[0] == '\0' ? NULL : way->address;
		way->how.proxy_ca_file = request->options->proxy_ca_file;
	}
	make_job(w);
	w->failed = loop_timer_start(loop, 0, start_later, w);
	return w;
}

void
ways_cancel(struct ways **ways)
{
	struct ways *w = *ways;

	*ways = NULL;
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->count; i++) {
		for (size_t t = 0; t < WAYS_REPEATS; t++)
			attempt_cancel(&w->list[i].trials[t].attempt);
		loop_timer_cancel(&w->list[i].pause);
		loop_timer_cancel(&w->list[i].slow);
		knock_cancel(&w->list[i].knock);
	}
	loop_timer_cancel(&w->failed);
	knock_cancel(&w->around);
	knock_cancel(&w->knock);
	free(w->ocsp);
	free(w->get_url);
	free(w);
}
