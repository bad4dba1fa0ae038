/* SPDX-License-Identifier: ISC */
/* doctor/penalty.c -- what a client waits that is given no staple.
 *
 *   next URL -> resolve (first answer) -> fetch (first address) -> answered: end
 *      ^------------- failed, or 3 s are over --------------' */
#include "doctor/penalty.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/acquire.h"
#include "acquire/private.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "http/fetch.h"
#include "pki/cert.h"
#include "pki/request.h"

enum { GRACE_MS = 100 }; /* for an exchange to report its own time-out */

struct penalty_probe {
	uv_loop_t *loop;
	struct fetch_pool *pool;
	const struct cert *leaf;
	const struct acquire_options *options;
	struct resolver system;
	bool outside, guarded; /* of the leaf's server; of this URL */
	uint8_t *request;
	size_t request_len;
	size_t next; /* of the certificate's URLs */
	int64_t url_started_ms;
	struct resolver_query *query;
	struct fetch *fetch;
	char *get_url;
	struct loop_timer *timer;
	struct penalty result;
	void (*cb)(void *cookie, const struct penalty *penalty);
	void *cookie;
};

static void next_url(void *cookie);

static void
release(struct penalty_probe *p)
{
	resolver_cancel(&p->query);
	fetch_cancel(&p->fetch);
	loop_timer_cancel(&p->timer);
	free(p->get_url);
	free(p->request);
	free(p);
}

void
penalty_cancel(struct penalty_probe **probe)
{
	if (*probe != NULL)
		release(*probe);
	*probe = NULL;
}

static void
finish(struct penalty_probe *p)
{
	void (*cb)(void *, const struct penalty *) = p->cb;
	void *cookie = p->cookie;
	struct penalty result = p->result;

	release(p);
	cb(cookie, &result);
}

/* One URL is over: with an answer, or after its time. */
static void
url_ended(struct penalty_probe *p, const struct err *err)
{
	int64_t spent = clock_mono_ms() - p->url_started_ms;

	resolver_cancel(&p->query);
	fetch_cancel(&p->fetch);
	loop_timer_cancel(&p->timer);
	p->result.wait_ms += spent < PENALTY_URL_MS ? spent : PENALTY_URL_MS;
	p->result.err = *err;
	if (err->reason == REASON_NONE || p->next == p->leaf->ocsp_url_count)
		finish(p);
	else
		p->timer = loop_timer_start(p->loop, 0, next_url, p);
}

static void
url_timed_out(void *cookie)
{
	struct penalty_probe *p = cookie;
	struct err err = {0};
	const char *address = p->result.address;

	p->timer = NULL;
	(void)err_set(&err,
	    address[0] == '\0' ? REASON_DNS_NO_ANSWER : REASON_HTTP_TIMEOUT,
	    "no answer from '%s'%s%s within 3 s", p->result.url,
	    address[0] == '\0' ? "" : " at ", address);
	url_ended(p, &err);
}

static void
fetched(void *cookie, const struct fetch_result *result)
{
	struct penalty_probe *p = cookie;

	p->fetch = NULL;
	url_ended(p, &result->err);
}

/* True, with the URL ended, if the address must not be asked. */
static bool
refuses_address(struct penalty_probe *p)
{
	struct err err = {0};

	if (!p->guarded || !private_is_address(p->result.address))
		return false;
	(void)err_set(&err, REASON_UNREACHABLE,
	    "'%s' leads to %s, inside this network, which a server outside has "
	    "no business in naming: it is not asked",
	    p->result.url, p->result.address);
	url_ended(p, &err);
	return true;
}

static void
resolved(void *cookie, const struct resolver_answer *answer)
{
	struct penalty_probe *p = cookie;
	const char *url = p->leaf->ocsp_urls[p->next - 1];
	struct fetch_request request = {.address = p->result.address};

	if (answer->address_count == 0 || p->fetch != NULL)
		return;
	/* the first answer is believed; the rest is of no interest */
	(void)snprintf(p->result.address, sizeof(p->result.address), "%s",
	    answer->addresses[0]);
	if (refuses_address(p))
		return;
	free(p->get_url);
	p->get_url = request_get_url(url, p->request, p->request_len);
	request.url = p->get_url;
	if (strlen(p->get_url) > REQUEST_GET_URL_MAX) {
		request.url = url;
		request.body = (struct span){p->request, p->request_len};
	}
	/* the exchange ends by itself, and says how far it got */
	request.total_ms =
	    PENALTY_URL_MS - (clock_mono_ms() - p->url_started_ms);
	if (request.total_ms < 1)
		request.total_ms = 1;
	request.connect_ms = request.total_ms;
	p->fetch = fetch_start(p->pool, &request, fetched, p);
}

static void
resolver_settled(void *cookie)
{
	(void)cookie; /* the first answer and the end are what counts */
}

static void
resolver_ended(void *cookie, const struct err *err)
{
	struct penalty_probe *p = cookie;

	p->query = NULL;
	if (p->fetch == NULL && err->reason != REASON_NONE)
		url_ended(p, err);
}

static void
next_url(void *cookie)
{
	static const struct resolver_callbacks callbacks = {
	    .answer = resolved,
	    .settled = resolver_settled,
	    .end = resolver_ended,
	};
	struct penalty_probe *p = cookie;
	struct err err = {0};
	const char *url;
	char *host = NULL;
	int port;

	p->timer = NULL;
	url = p->leaf->ocsp_urls[p->next++];
	p->url_started_ms = clock_mono_ms();
	p->result.address[0] = '\0';
	(void)snprintf(p->result.url, sizeof(p->result.url), "%.255s", url);
	if (!fetch_split_url(url, &host, &port)) {
		(void)err_set(&err, REASON_NO_OCSP_URL,
		    "'%s' is no http URL: clients do not ask it", url);
		url_ended(p, &err);
		return;
	}
	p->timer = loop_timer_start(
	    p->loop, PENALTY_URL_MS + GRACE_MS, url_timed_out, p);
	p->guarded = p->outside && !private_is_allowed(p->options, host);
	p->query = resolver_ask(p->loop,
	    p->options->resolver_count > 0 ? &p->options->resolvers[0]
					   : &p->system,
	    host, p->options->family, &callbacks, p);
	free(host);
}

static void
finish_later(void *cookie)
{
	struct penalty_probe *p = cookie;

	p->timer = NULL;
	finish(p);
}

struct penalty_probe *
penalty_start(uv_loop_t *loop, struct fetch_pool *pool, const struct cert *leaf,
    const struct cert *issuer, const struct acquire_options *options,
    bool outside, void (*cb)(void *cookie, const struct penalty *penalty),
    void *cookie)
{
	struct penalty_probe *p = mem_new(sizeof(*p));

	p->loop = loop;
	p->pool = pool;
	p->leaf = leaf;
	p->system.kind = RESOLVER_SYSTEM;
	(void)snprintf(p->system.url, sizeof(p->system.url), "system");
	p->options = options;
	p->outside = outside;
	p->cb = cb;
	p->cookie = cookie;
	if (leaf->ocsp_url_count == 0)
		(void)err_set(&p->result.err, REASON_NO_OCSP_URL,
		    "the certificate names no responder: no client asks");
	else
		(void)request_make(
		    leaf, issuer, &p->request, &p->request_len, &p->result.err);
	p->timer = loop_timer_start(loop, 0,
	    p->result.err.reason == REASON_NONE ? next_url : finish_later, p);
	return p;
}
