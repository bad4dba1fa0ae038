/* SPDX-License-Identifier: ISC */
/* doctor/penalty.c -- what asking the responder itself costs from here: tries.
 *
 *   resolve (first answer) -> fetch (its first address that connects) -> judge
 *
 * A few at once; one that hangs gives up its place and is waited for beside
 * the others. */
#include "doctor/penalty.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/acquire.h"
#include "acquire/private.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "doctor/penalty_client.h"
#include "http/fetch.h"
#include "pki/cert.h"
#include "pki/request.h"

enum {
	ADDRESSES_MAX = 4, /* of one answer */
	GRACE_MS = 100,    /* for an exchange to report its own time-out */
};

/* One try under way. */
struct run {
	struct penalty_probe *probe;
	struct penalty_row *row;
	struct penalty_try *try;
	const char *host;
	struct resolver_query *query;
	struct fetch *fetch;
	struct loop_timer *patience, *limit;
	bool hangs; /* has given up its place */
	char addresses[ADDRESSES_MAX][DNS_ADDRESS_TEXT];
	size_t address_count, address_next;
	int64_t started_ms, fetch_ms;
};

struct penalty_probe {
	uv_loop_t *loop;
	struct fetch_pool *pool;
	struct penalty_request request;
	struct resolver system;
	uint8_t *ocsp; /* DER of the request */
	size_t ocsp_len;
	char *hosts[PENALTY_ROWS_MAX], *get_urls[PENALTY_ROWS_MAX];
	struct run runs[PENALTY_TRIES_MAX];
	size_t run_count, total; /* begun; to begin */
	size_t busy, under_way;  /* that have a place; all */
	struct loop_timer *end, *first;
	struct penalty result;
	void (*cb)(void *cookie, const struct penalty *penalty);
	void *cookie;
};

static void pump(struct penalty_probe *p);

static void
stop(struct run *run)
{
	resolver_cancel(&run->query);
	fetch_cancel(&run->fetch);
	loop_timer_cancel(&run->patience);
	loop_timer_cancel(&run->limit);
}

void
penalty_cancel(struct penalty_probe **probe)
{
	struct penalty_probe *p = *probe;

	*probe = NULL;
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->run_count; i++)
		stop(&p->runs[i]);
	for (size_t i = 0; i < PENALTY_ROWS_MAX; i++) {
		free(p->hosts[i]);
		free(p->get_urls[i]);
	}
	loop_timer_cancel(&p->end);
	loop_timer_cancel(&p->first);
	free(p->ocsp);
	free(p);
}

static void
finish(void *cookie)
{
	struct penalty_probe *p = cookie;
	void (*cb)(void *, const struct penalty *) = p->cb;
	void *cb_cookie = p->cookie;
	struct penalty *result = mem_new(sizeof(*result));

	*result = p->result;
	penalty_cancel(&p);
	cb(cb_cookie, result);
	free(result);
}

/* --- the end of one try --- */

static int64_t
spent(const struct run *run)
{
	return clock_mono_ms() - run->started_ms;
}

static int64_t
try_ms(const struct penalty_probe *p)
{
	return p->request.try_ms > 0 ? p->request.try_ms : PENALTY_TRY_MS;
}

static void
note(struct run *run, const struct err *err, bool cut)
{
	stop(run);
	run->try->done = true;
	run->try->reason = err->reason;
	run->try->cut = cut;
	run->try->elapsed_ms = spent(run);
	run->row->count++;
	run->row->err = *err;
	if (run->address_next > 0)
		(void)snprintf(run->row->address, sizeof(run->row->address),
		    "%s", run->addresses[run->address_next - 1]);
	run->probe->under_way--;
	if (!run->hangs)
		run->probe->busy--;
}

static void
ended(struct run *run, const struct err *err, bool cut)
{
	struct penalty_probe *p = run->probe;

	note(run, err, cut);
	pump(p);
}

/* Our time for it is over, its own is not. */
static void
cut(struct run *run)
{
	struct err err = {0};
	const char *address =
	    run->address_next == 0 ? "" : run->addresses[run->address_next - 1];

	(void)err_set(&err,
	    address[0] == '\0' ? REASON_DNS_NO_ANSWER : REASON_HTTP_TIMEOUT,
	    "no answer from '%s'%s%s within %lld ms", run->row->url,
	    address[0] == '\0' ? "" : " at ", address, (long long)spent(run));
	note(run, &err, true);
}

static void
limit_reached(void *cookie)
{
	struct run *run = cookie;
	struct penalty_probe *p = run->probe;

	run->limit = NULL;
	cut(run);
	pump(p);
}

/* The time of all of them is over. */
static void
out_of_time(void *cookie)
{
	struct penalty_probe *p = cookie;

	p->end = NULL;
	for (size_t i = 0; i < p->run_count; i++) {
		if (!p->runs[i].try->done)
			cut(&p->runs[i]);
	}
	finish(p);
}

static void
gives_up_its_place(void *cookie)
{
	struct run *run = cookie;

	run->patience = NULL;
	run->hangs = true;
	run->probe->busy--;
	pump(run->probe);
}

/* --- the steps of one try --- */

static void fetch_next(struct run *run);

/* What a client makes of the answer: it verifies, as we do. */
static void
judge(const struct penalty_probe *p, struct span body, struct err *err)
{
	const struct verify_input input = {
	    .leaf = p->request.leaf,
	    .issuer = p->request.issuer,
	    .extra = p->request.extra,
	    .der = body.at,
	    .len = body.len,
	};
	struct verdict facts;

	(void)verify_response(&input, &p->request.policy, &facts, err);
}

static void
fetched(void *cookie, const struct fetch_result *result)
{
	struct run *run = cookie;
	struct err err = result->err;
	/* fetch ends by itself only with what we gave it of our time */
	bool timed_out = err.reason == REASON_CONNECT_TIMEOUT ||
			 err.reason == REASON_HTTP_TIMEOUT;

	run->fetch = NULL;
	if (result->connect_ms >= 0)
		run->try->connect_ms =
		    run->fetch_ms - run->started_ms + result->connect_ms;
	if (result->stage == FETCH_CONNECT && !timed_out &&
	    run->address_next < run->address_count) {
		fetch_next(run);
		return;
	}
	if (result->stage == FETCH_DONE)
		judge(run->probe, result->body, &err);
	ended(run, &err, timed_out);
}

/* True, with the try ended, if the address must not be asked. */
static bool
refuses(struct run *run, const char *address)
{
	const struct penalty_request *r = &run->probe->request;
	struct err err = {0};

	if (!r->outside || !private_is_address(address) ||
	    private_is_allowed(r->options, run->host))
		return false;
	(void)err_set(&err, REASON_UNREACHABLE,
	    "'%s' leads to %s, inside this network, which a server outside has "
	    "no business in naming: it is not asked",
	    run->row->url, address);
	ended(run, &err, false);
	return true;
}

static void
fetch_next(struct run *run)
{
	struct penalty_probe *p = run->probe;
	size_t row = (size_t)(run->row - p->result.rows);
	const char *address = run->addresses[run->address_next++];
	int64_t left = try_ms(p) - spent(run);
	struct fetch_request request = {
	    .address = address,
	    .fresh = true,
	    .url = run->row->post ? run->row->url : p->get_urls[row],
	    .connect_ms = left < 1 ? 1 : left,
	    .total_ms = left < 1 ? 1 : left,
	};

	if (refuses(run, address))
		return;
	if (run->row->post)
		request.body = (struct span){p->ocsp, p->ocsp_len};
	run->fetch_ms = clock_mono_ms();
	run->fetch = fetch_start(p->pool, &request, fetched, run);
}

static void
resolved(void *cookie, const struct resolver_answer *answer)
{
	struct run *run = cookie;

	/* the first answer is believed; the rest is of no interest */
	if (answer->address_count == 0 || run->address_count > 0)
		return;
	for (size_t i = 0;
	     i < answer->address_count && run->address_count < ADDRESSES_MAX;
	     i++)
		(void)snprintf(run->addresses[run->address_count++],
		    DNS_ADDRESS_TEXT, "%s", answer->addresses[i]);
	fetch_next(run);
}

static void
resolver_settled(void *cookie)
{
	(void)cookie; /* the first answer and the end are what counts */
}

static void
resolver_ended(void *cookie, const struct err *err)
{
	struct run *run = cookie;

	run->query = NULL;
	if (run->address_count == 0)
		ended(run, err, false);
}

static void
begin(struct penalty_probe *p)
{
	static const struct resolver_callbacks callbacks = {
	    .answer = resolved,
	    .settled = resolver_settled,
	    .end = resolver_ended,
	};
	const struct acquire_options *o = p->request.options;
	size_t row = p->run_count % p->result.row_count;
	struct run *run = &p->runs[p->run_count];

	run->probe = p;
	run->row = &p->result.rows[row];
	run->try = &run->row->tries[p->run_count / p->result.row_count];
	run->try->connect_ms = -1;
	run->host = p->hosts[row];
	run->started_ms = clock_mono_ms();
	p->run_count++;
	p->busy++;
	p->under_way++;
	run->patience = loop_timer_start(
	    p->loop, PENALTY_PATIENCE_MS, gives_up_its_place, run);
	run->limit =
	    loop_timer_start(p->loop, try_ms(p) + GRACE_MS, limit_reached, run);
	run->query = resolver_ask(p->loop,
	    o->resolver_count > 0 ? &o->resolvers[0] : &p->system, run->host,
	    o->family, &callbacks, run);
}

/* What no client can ask costs none of them anything. */
static void
pass_over(struct penalty_probe *p)
{
	struct penalty_row *row =
	    &p->result.rows[p->run_count % p->result.row_count];
	struct penalty_try *try =
	    &row->tries[p->run_count / p->result.row_count];
	struct run *run = &p->runs[p->run_count++];

	run->try = try;
	*try = (struct penalty_try){
	    .done = true, .reason = REASON_NO_OCSP_URL, .connect_ms = -1};
	row->count++;
	(void)err_set(&row->err, REASON_NO_OCSP_URL,
	    "'%s' is no http URL: clients do not ask it", row->url);
}

static void
pump(struct penalty_probe *p)
{
	while (p->run_count < p->total && p->busy < PENALTY_AT_ONCE) {
		if (p->hosts[p->run_count % p->result.row_count] == NULL)
			pass_over(p);
		else
			begin(p);
	}
	if (p->under_way == 0 && p->run_count == p->total && p->first == NULL)
		p->first = loop_timer_start(p->loop, 0, finish, p);
}

/* --- what there is to ask --- */

static void
add_row(struct penalty_probe *p, size_t url_index, char *get_url, bool post)
{
	struct penalty_row *row = &p->result.rows[p->result.row_count];
	const char *url = p->request.leaf->ocsp_urls[url_index];
	int port;

	(void)snprintf(row->url, sizeof(row->url), "%.255s", url);
	row->url_index = url_index;
	row->post = post;
	p->get_urls[p->result.row_count] = mem_string(get_url);
	/* one that is cut short would be another */
	if (strlen(url) < sizeof(row->url))
		(void)fetch_split_url(
		    url, &p->hosts[p->result.row_count], &port);
	p->result.row_count++;
}

/* A row for each URL and each method that a client would use for it. */
static void
make_rows(struct penalty_probe *p)
{
	const struct cert *leaf = p->request.leaf;
	unsigned tries =
	    p->request.tries < PENALTY_TRIES ? p->request.tries : PENALTY_TRIES;
	size_t most = PENALTY_TRIES_MAX / (tries == 0 ? 1 : tries);

	if (most > PENALTY_ROWS_MAX)
		most = PENALTY_ROWS_MAX;
	p->result.url_count = leaf->ocsp_url_count;
	p->result.wanted = tries;
	for (size_t i = 0; i < leaf->ocsp_url_count; i++) {
		char *get_url =
		    request_get_url(leaf->ocsp_urls[i], p->ocsp, p->ocsp_len);
		bool is_long = strlen(get_url) > REQUEST_GET_URL_MAX;
		bool both = !is_long && !p->request.apple_only;

		if (p->result.row_count + (both ? 2 : 1) <= most) {
			add_row(p, i, get_url, is_long);
			if (both)
				add_row(p, i, get_url, true);
		}
		free(get_url);
	}
	p->total = p->result.row_count * tries;
}

static void
start_later(void *cookie)
{
	struct penalty_probe *p = cookie;

	p->first = NULL;
	pump(p);
}

struct penalty_probe *
penalty_start(uv_loop_t *loop, struct fetch_pool *pool,
    const struct penalty_request *request,
    void (*cb)(void *cookie, const struct penalty *penalty), void *cookie)
{
	struct penalty_probe *p = mem_new(sizeof(*p));
	int64_t left = request->until_ms - clock_mono_ms();

	p->loop = loop;
	p->pool = pool;
	p->request = *request;
	p->system.kind = RESOLVER_SYSTEM;
	(void)snprintf(p->system.url, sizeof(p->system.url), "system");
	p->cb = cb;
	p->cookie = cookie;
	if (!acquire_can_ask(request->leaf))
		(void)err_set(&p->result.err, REASON_NO_OCSP_URL,
		    "the certificate names no responder that can be asked: no "
		    "client asks");
	else if (request_make(request->leaf, request->issuer, &p->ocsp,
		     &p->ocsp_len, &p->result.err) == 0)
		make_rows(p);
	if (request->until_ms > 0)
		p->end =
		    loop_timer_start(loop, left < 0 ? 0 : left, out_of_time, p);
	p->first = loop_timer_start(loop, 0, start_later, p);
	return p;
}
