/* SPDX-License-Identifier: ISC */
/* doctor/examine.c -- all probes, in their order, within one deadline. */
#include "doctor/examine.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sockaddr.h"
#include "doctor/inventory.h"
#include "doctor/names.h"
#include "doctor/ways.h"
#include "servers/hosts_text.h"
#include "tls/handshake.h"

enum {
	HTTPS_PORT = 443,
	TLS_MS = 3000,
	TLS_NAMES = 2, /* its own name, and another */
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

struct examination {
	uv_loop_t *loop;
	struct fetch_pool *pool;
	struct facts *facts;
	int64_t began_ms;
	struct examine_request request;
	char *host, *url;
	struct names *names;
	struct ways *ways;
	struct tls_try tls[RESOLVERS_MAX * TLS_NAMES];
	size_t tls_count, tls_running;
	struct loop_timer *deadline, *next;
	void (*cb)(void *cookie);
	void *cookie;
};

static void
finish(void *cookie)
{
	struct examination *x = cookie;
	void (*cb)(void *cookie) = x->cb;
	void *cb_cookie = x->cookie;

	examine_cancel(&x);
	cb(cb_cookie);
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
	if (--x->tls_running == 0)
		finish(x);
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

	if (r->kind == RESOLVER_HTTPS) {
		if (r->bootstrap_count == 0)
			return false;
		fact_copy(try->address, sizeof(try->address), r->bootstrap[0]);
		try->port = HTTPS_PORT;
		return true;
	}
	if (sa->sa_family != AF_INET && sa->sa_family != AF_INET6)
		return false;
	try->port = ntohs(((const struct sockaddr_in *)sa)->sin_port);
	return inet_ntop(sa->sa_family, octets, try->address,
		   sizeof(try->address)) != NULL;
}

/* Whether RESOLVER was asked for the host in vain, and why. */
static bool
gave_nothing(
    const struct examination *x, const struct resolver *r, enum reason *reason)
{
	for (size_t i = 0; i < x->facts->count; i++) {
		const struct fact_question *q = &x->facts->items[i].u.question;

		if (x->facts->items[i].kind == FACT_QUESTION &&
		    q->role == ROLE_RESPONDER &&
		    strcmp(q->asked, r->url) == 0 &&
		    q->err.reason != REASON_NONE) {
			*reason = q->err.reason;
			return true;
		}
	}
	return false;
}

static void
shake(struct examination *x, const struct resolver *r, const char *sni,
    enum reason reason)
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
	    .own = sni != x->request.control,
	    .refused = reason == REASON_TLS_FAILED};
	if (!tls_address(r, try) ||
	    !sockaddr_make(try->address, try->port, &where))
		return;
	x->tls_count++;
	x->tls_running++;
	try->handshake = handshake_start(x->loop, &request, shaken, try);
}

/* Those that gave nothing: by their own name, and by another (SNI swap). */
static void
look_at_encrypted(void *cookie)
{
	struct examination *x = cookie;

	x->ways = NULL;
	tell(x, "encrypted resolvers");
	for (size_t i = 0; i < x->request.resolver_count; i++) {
		const struct resolver *r = &x->request.resolvers[i];
		enum reason reason;

		if ((r->kind != RESOLVER_TLS && r->kind != RESOLVER_HTTPS) ||
		    !gave_nothing(x, r, &reason))
			continue;
		shake(x, r, r->name[0] == '\0' ? NULL : r->name, reason);
		shake(x, r, x->request.control, REASON_NONE);
	}
	if (x->tls_running == 0)
		finish(x);
}

/* --- the ways --- */

static void
look_at_ways(void *cookie)
{
	struct examination *x = cookie;
	const struct examine_request *r = &x->request;
	const struct ways_request request = {
	    .leaf = r->id->leaf,
	    .issuer = r->id->issuer,
	    .extra = &r->id->extra,
	    .url = x->url,
	    .host = x->host,
	    .control = r->control,
	    .resolvers = r->resolvers,
	    .resolver_count = r->resolver_count,
	    .policy = r->policy,
	    .options = r->options,
	};

	x->names = NULL;
	if (r->id->issuer == NULL) {
		untested(x, "which address gives the genuine response",
		    "the issuer's certificate is missing");
		look_at_encrypted(x);
		return;
	}
	tell(x, "the responder's addresses");
	x->ways = ways_start(x->loop, x->pool, x->facts, x->began_ms, &request,
	    look_at_encrypted, x);
}

/* --- names --- */

static void
read_hosts(struct examination *x)
{
	const char *names[NAMES_CHAIN_MAX + 1];
	size_t count = names_chain(x->facts, x->host, names);
	uint8_t *bytes = NULL;
	size_t len = 0;

	names[count++] = x->host;
	if (file_read(
		x->request.hosts_file, HOSTS_TEXT_MAX, &bytes, &len, NULL) == 0)
		inventory_hosts(x->facts, x->request.hosts_file,
		    (struct span){bytes, len}, names, count);
	free(bytes);
}

static void
names_known(void *cookie)
{
	struct examination *x = cookie;

	/* a pin of any name of the chain counts */
	read_hosts(x);
	look_at_ways(x);
}

static void
look_at_names(void *cookie)
{
	struct examination *x = cookie;
	const struct examine_request *r = &x->request;
	struct names_request request = {
	    .host = x->host,
	    .resolvers = r->resolvers,
	    .resolver_count = r->resolver_count,
	    .ask_system = true,
	    .dark = r->dark,
	    .control = r->control,
	};

	x->next = NULL;
	if (x->host == NULL) {
		finish(x);
		return;
	}
	/* an address leads to itself, and that is all there is to ask */
	if (x->host != NULL && names_check(x->host, NULL) == -1) {
		request.resolver_count = 0;
		request.dark = NULL;
	} else if (r->dark == NULL)
		untested(x, "forged answers where no resolver is",
		    "no --blackhole was given");
	if (r->resolver_count == 0)
		untested(x, "resolvers by themselves",
		    "resolv.conf names none, and none was given");
	tell(x, "names");
	x->names = names_start(
	    x->loop, x->facts, x->began_ms, &request, names_known, x);
}

struct examination *
examine_start(uv_loop_t *loop, struct fetch_pool *pool, struct facts *facts,
    int64_t began_ms, const struct examine_request *request,
    void (*cb)(void *cookie), void *cookie)
{
	struct examination *x = mem_new(sizeof(*x));
	const struct fact_input *input;
	int64_t left;

	x->loop = loop;
	x->pool = pool;
	x->facts = facts;
	x->began_ms = began_ms;
	x->request = *request;
	x->cb = cb;
	x->cookie = cookie;
	inventory_certificate(facts, request->id->leaf, &request->unusable,
	    request->url, request->policy.now, &x->host);
	input = &facts->items[facts->count - 1].u.input;
	x->url = mem_string(input->url);
	if (request->url == NULL && request->id->leaf != NULL &&
	    request->id->leaf->ocsp_url_count > 1)
		untested(x, "the certificate's other OCSP URLs",
		    "most servers ask only the first; --url examines another");
	inventory_resolvers(facts, "/etc/resolv.conf", request->resolvers,
	    request->resolver_count);
	inventory_proxies(facts, request->options->proxies);
	/* what came before has taken its part of the time */
	left = EXAMINE_MS - (clock_mono_ms() - began_ms);
	x->deadline =
	    loop_timer_start(loop, left < 0 ? 0 : left, out_of_time, x);
	x->next = loop_timer_start(loop, 0, look_at_names, x);
	return x;
}

void
examine_cancel(struct examination **examination)
{
	struct examination *x = *examination;

	*examination = NULL;
	if (x == NULL)
		return;
	names_cancel(&x->names);
	ways_cancel(&x->ways);
	for (size_t i = 0; i < x->tls_count; i++)
		handshake_cancel(&x->tls[i].handshake);
	loop_timer_cancel(&x->deadline);
	loop_timer_cancel(&x->next);
	free(x->host);
	free(x->url);
	free(x);
}
