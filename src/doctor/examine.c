/* SPDX-License-Identifier: ISC */
/* doctor/examine.c -- all probes, in their order, within one deadline. */
#include "doctor/examine.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sockaddr.h"
#include "doctor/ask.h"
#include "doctor/inventory.h"
#include "doctor/names.h"
#include "doctor/url_probe.h"
#include "http/fetch.h"
#include "tls/handshake.h"

enum {
	TLS_MS = 3000,
	TLS_NAMES = 3, /* its own name, another, and none */
};

/* One handshake with an encrypted resolver that gave nothing. */
struct tls_try {
	struct examination *x;
	struct handshake *handshake;
	const struct resolver *resolver;
	const char *sni;
	bool own;     /* SNI is its own name */
	bool refused; /* our own client did not believe the certificate */
	char address[DNS_ADDRESS_TEXT];
	int port;
};

/* One OCSP URL; the first one's facts are the examination's. */
struct one_url {
	struct examination *x;
	char *url, *host; /* owned */
	struct facts own, *facts;
	struct url_probe *probe;
};

struct examination {
	uv_loop_t *loop;
	struct fetch_pool *pool;
	struct facts *facts;
	int64_t began_ms;
	struct examine_request request;
	struct one_url urls[FACT_URLS_MAX];
	size_t url_count, urls_running; /* of those that have a host */
	struct tls_try tls[RESOLVERS_MAX * TLS_NAMES];
	size_t tls_count, tls_running;
	struct loop_timer *deadline, *next;
	void (*cb)(void *cookie);
	void *cookie;
};

/* The facts of each later URL, behind all others. */
static void
append_facts(struct examination *x)
{
	for (size_t i = 1; i < x->url_count; i++)
		facts_append(x->facts, &x->urls[i].own, (unsigned)i);
}

static void
finish(void *cookie)
{
	struct examination *x = cookie;
	void (*cb)(void *cookie) = x->cb;
	void *cb_cookie = x->cookie;

	for (size_t i = 0; i < FACT_URLS_MAX; i++)
		url_probe_cancel(&x->urls[i].probe);
	append_facts(x);
	examine_cancel(&x);
	cb(cb_cookie);
}

static void
finish_when_over(struct examination *x)
{
	if (x->urls_running == 0 && x->tls_running == 0)
		finish(x);
}

static void
untested(struct examination *x, const char *what, const char *why)
{
	struct fact_untested *u = &facts_add(
	    x->facts, FACT_UNTESTED, "-", clock_mono_ms() - x->began_ms)
				       ->u.untested;

	fact_copy(u->what, sizeof(u->what), what);
	fact_copy(u->why, sizeof(u->why), why);
}

static void
out_of_time(void *cookie)
{
	struct examination *x = cookie;

	x->deadline = NULL;
	untested(x, "the rest of the probes", "the time was over");
	finish(x);
}

static void
tell(const struct examination *x, const char *stage)
{
	if (x->request.progress != NULL)
		x->request.progress(x->cookie, stage);
}

/* --- encrypted resolvers --- */

static void
shaken(void *cookie, const struct handshake_result *result)
{
	struct tls_try *try = cookie;
	struct examination *x = try->x;
	struct fact_tls *tls =
	    &facts_add(x->facts, FACT_TLS, "E", clock_mono_ms() - x->began_ms)
		 ->u.tls;

	try->handshake = NULL;
	fact_copy(tls->resolver, sizeof(tls->resolver), try->resolver->url);
	fact_copy(tls->address, sizeof(tls->address), try->address);
	fact_copy(tls->sni, sizeof(tls->sni), try->sni == NULL ? "" : try->sni);
	tls->port = try->port;
	tls->own = try->own;
	tls->err = result->err;
	tls->connected = result->connect_ms >= 0;
	tls->certificate_bad =
	    try->refused && result->err.reason == REASON_NONE;
	x->tls_running--;
	finish_when_over(x);
}

/* Where RESOLVER is, if that is known without asking anybody. */
static bool
tls_address(const struct resolver *r, struct tls_try *try)
{
	const struct sockaddr *sa = (const struct sockaddr *)&r->address;
	const void *octets =
	    sa->sa_family == AF_INET6
		? (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr
		: (const void *)&((const struct sockaddr_in *)sa)->sin_addr;
	char *host = NULL;

	if (r->kind == RESOLVER_HTTPS) {
		if (r->bootstrap_count == 0)
			return false;
		fact_copy(try->address, sizeof(try->address), r->bootstrap[0]);
		if (fetch_split_url(r->url, &host, &try->port))
			free(host);
		return true;
	}
	if (sa->sa_family != AF_INET && sa->sa_family != AF_INET6)
		return false;
	try->port = ntohs(((const struct sockaddr_in *)sa)->sin_port);
	return inet_ntop(sa->sa_family, octets, try->address,
		   sizeof(try->address)) != NULL;
}

/* Whether RESOLVER was asked for the host in vain. */
static bool
gave_nothing(const struct examination *x, const struct resolver *r)
{
	for (size_t i = 0; i < x->facts->count; i++) {
		const struct fact_question *q = &x->facts->items[i].u.question;

		if (x->facts->items[i].kind == FACT_QUESTION &&
		    q->role == ROLE_RESPONDER &&
		    strcmp(q->asked, r->url) == 0 &&
		    q->err.reason != REASON_NONE)
			return true;
	}
	return false;
}

static void
shake(
    struct examination *x, const struct resolver *r, const char *sni, bool own)
{
	struct tls_try *try = &x->tls[x->tls_count];
	struct sockaddr_storage where;
	const struct handshake_request request = {
	    .address = (const struct sockaddr *)&where,
	    .servername = sni,
	    .deadline_ms = TLS_MS,
	};

	*try = (struct tls_try){.x = x,
	    .resolver = r,
	    .sni = sni,
	    .own = own,
	    .refused = own && ask_failed_in_tls(x->facts, r)};
	if (!tls_address(r, try) ||
	    !sockaddr_make(try->address, try->port, &where))
		return;
	x->tls_count++;
	x->tls_running++;
	try->handshake = handshake_start(x->loop, &request, shaken, try);
}

/* Those that gave nothing: by their own name, by another, and by none (SNI
 * swap), beside the fetches. */
static void
look_at_encrypted(struct examination *x)
{
	const struct probe_terms *terms = &x->request.terms;

	for (size_t i = 0; i < terms->resolver_count; i++) {
		const struct resolver *r = &terms->resolvers[i];
		bool named = r->name[0] != '\0';

		if ((r->kind != RESOLVER_TLS && r->kind != RESOLVER_HTTPS) ||
		    !gave_nothing(x, r))
			continue;
		shake(x, r, named ? r->name : NULL, true);
		shake(x, r, terms->control, false);
		if (named)
			shake(x, r, NULL, false);
	}
}

/* --- the URLs --- */

static void
url_probed(void *cookie)
{
	struct one_url *one = cookie;
	struct examination *x = one->x;

	one->probe = NULL;
	x->urls_running--;
	finish_when_over(x);
}

static void
url_named(void *cookie)
{
	struct one_url *one = cookie;

	if (one == &one->x->urls[0])
		look_at_encrypted(one->x);
}

static void
look_at_url(struct examination *x, struct one_url *one)
{
	const struct url_probe_request request = {
	    .terms = &x->request.terms,
	    .url = one->url,
	    .host = one->host,
	    .named = url_named,
	};

	x->urls_running++;
	one->probe = url_probe_start(x->loop, x->pool, one->facts, x->began_ms,
	    &request, url_probed, one);
}

static void
look_at_urls(void *cookie)
{
	struct examination *x = cookie;
	const struct probe_terms *terms = &x->request.terms;

	x->next = NULL;
	if (x->url_count == 0) {
		finish(x);
		return;
	}
	if (terms->id->issuer == NULL)
		untested(x, "which address gives the genuine response",
		    "the issuer's certificate is missing");
	if (terms->dark == NULL && names_check(x->urls[0].host, NULL) == 0)
		untested(x, "forged answers where no resolver is",
		    "no --blackhole was given");
	if (terms->resolver_count == 0)
		untested(x, "resolvers by themselves",
		    "resolv.conf names none, and none was given");
	tell(x, "names and addresses");
	for (size_t i = 0; i < x->url_count; i++)
		look_at_url(x, &x->urls[i]);
}

/* The URLs that are asked: the operator's, or those of the certificate. */
static void
take_urls(struct examination *x)
{
	const struct examine_request *r = &x->request;
	const struct cert *leaf = r->terms.id->leaf;
	const char *urls[FACT_URLS_MAX] = {r->url};
	size_t count = 1, left_out = 0;

	if (r->url == NULL && leaf != NULL)
		count = inventory_urls(leaf, urls, &left_out);
	for (size_t i = 0; i < (count == 0 ? 1 : count); i++) {
		struct one_url *one = &x->urls[i];

		one->x = x;
		one->facts = i == 0 ? x->facts : &one->own;
		inventory_certificate(one->facts, leaf, &r->unusable, urls[i],
		    r->terms.policy.now, &one->host);
		one->url = mem_string(
		    one->facts->items[one->facts->count - 1].u.input.url);
		if (one->host == NULL)
			break;
		x->url_count++;
	}
	if (left_out > 0)
		untested(x, "more OCSP URLs of the certificate",
		    "four are examined; --url examines another");
}

struct examination *
examine_start(uv_loop_t *loop, struct fetch_pool *pool, struct facts *facts,
    int64_t began_ms, const struct examine_request *request,
    void (*cb)(void *cookie), void *cookie)
{
	struct examination *x = mem_new(sizeof(*x));
	int64_t left;

	x->loop = loop;
	x->pool = pool;
	x->facts = facts;
	x->began_ms = began_ms;
	x->request = *request;
	x->cb = cb;
	x->cookie = cookie;
	take_urls(x);
	inventory_resolvers(facts, "/etc/resolv.conf", request->terms.resolvers,
	    request->terms.resolver_count);
	inventory_proxies(facts, request->terms.options->proxies);
	/* what came before has taken its part of the time */
	left = EXAMINE_MS - (clock_mono_ms() - began_ms);
	x->deadline =
	    loop_timer_start(loop, left < 0 ? 0 : left, out_of_time, x);
	x->next = loop_timer_start(loop, 0, look_at_urls, x);
	return x;
}

void
examine_cancel(struct examination **examination)
{
	struct examination *x = *examination;

	*examination = NULL;
	if (x == NULL)
		return;
	for (size_t i = 0; i < FACT_URLS_MAX; i++) {
		url_probe_cancel(&x->urls[i].probe);
		facts_done(&x->urls[i].own);
		free(x->urls[i].host);
		free(x->urls[i].url);
	}
	for (size_t i = 0; i < x->tls_count; i++)
		handshake_cancel(&x->tls[i].handshake);
	loop_timer_cancel(&x->deadline);
	loop_timer_cancel(&x->next);
	free(x);
}
