/* SPDX-License-Identifier: ISC */
/* doctor/served.c -- what a server really serves: two handshakes, judged.
 *
 *   resolve HOST -> first address that shakes hands -> once more at the same
 *   -> several at once, if wanted -> penalty, if no staple came -> finish
 *
 * Two, because a server that fetches lazily (nginx by itself) leaves the first
 * without a staple and gives one to the next. */
#include "doctor/served.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "acquire/private.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sockaddr.h"

struct served_probe {
	uv_loop_t *loop;
	struct fetch_pool *pool;
	struct served_request request;
	struct resolver system;
	struct resolver_query *query;
	struct handshake *handshake;
	struct served_more *more;
	struct penalty_probe *penalty;
	struct loop_timer *timer;
	struct loop_timer *deadline; /* of the look-up (I5) */
	char addresses[SERVED_ADDRESSES_MAX][DNS_ADDRESS_TEXT];
	size_t address_count, address_next;
	struct sockaddr_storage where; /* of the last handshake */
	int64_t deadline_ms;
	struct served served;
	void (*cb)(void *cookie, const struct served *served);
	void *cookie;
};

static void shake_hands(struct served_probe *p);

static void
release(struct served_probe *p)
{
	resolver_cancel(&p->query);
	handshake_cancel(&p->handshake);
	served_more_cancel(&p->more);
	penalty_cancel(&p->penalty);
	loop_timer_cancel(&p->timer);
	loop_timer_cancel(&p->deadline);
	identity_done(&p->served.id);
	free(p);
}

void
served_cancel(struct served_probe **probe)
{
	if (*probe != NULL)
		release(*probe);
	*probe = NULL;
}

static void
finish(struct served_probe *p)
{
	p->cb(p->cookie, &p->served);
	release(p);
}

/* --- the penalty --- */

static void
penalty_measured(void *cookie, const struct penalty *penalty)
{
	struct served_probe *p = cookie;

	p->penalty = NULL;
	p->served.has_penalty = true;
	penalty_one_try(penalty, &p->served.penalty);
	finish(p);
}

static void
measure_or_finish(struct served_probe *p)
{
	const struct identity *id = &p->served.id;
	const struct penalty_request request = {
	    .leaf = id->leaf,
	    .issuer = id->issuer,
	    .extra = &id->extra,
	    .policy = p->request.policy,
	    .options = p->request.options,
	    .outside = !private_is_address(p->served.address),
	    .tries = 1,
	    .try_ms = PENALTY_URL_MS,
	    .apple_only = true,
	};

	for (size_t i = 0; i < p->served.handshake_count; i++)
		p->served.stapled =
		    p->served.stapled || p->served.handshakes[i].accepted;
	if (id->leaf == NULL || id->issuer == NULL ||
	    !acquire_can_ask(id->leaf) || p->request.no_penalty ||
	    (p->served.stapled && !p->request.always_penalty)) {
		finish(p);
		return;
	}
	p->penalty =
	    penalty_start(p->loop, p->pool, &request, penalty_measured, p);
}

/* --- the handshakes --- */

/* Copy the chain that was served; its first is the leaf, whatever follows
 * (RFC 8446, section 4.4.2). */
static void
take_chain(struct served_probe *p, const struct cert_list *chain)
{
	struct identity *id = &p->served.id;

	for (size_t i = 0; i < chain->count; i++) {
		struct cert *copy;
		uint8_t *der;
		size_t len;

		cert_der(chain->items[i], &der, &len);
		p->served.chain_octets += len;
		copy = cert_from_der(der, len, NULL);
		free(der);
		if (copy != NULL)
			cert_list_add(&id->chain, copy);
	}
	p->served.chain_count = chain->count;
	if (id->chain.count == 0)
		return;
	id->leaf = id->chain.items[0];
	if (p->request.ca_file != NULL &&
	    cert_list_load(&id->extra, p->request.ca_file, &p->served.issuer) ==
		-1)
		return;
	(void)identity_find_issuer(id, false, &p->served.issuer);
}

/* The staple is of the certificate that came with it: where several servers
 * answer, or one is being renewed, another one than the first time. */
static void
judge(const struct served_probe *p, const struct handshake_result *result,
    struct served_handshake *out)
{
	const struct identity *id = &p->served.id;
	const struct cert_list *const lists[] = {
	    result->chain, &id->chain, &id->extra, NULL};
	struct verify_input input = {
	    .leaf = id->leaf,
	    .issuer = id->issuer,
	    .extra = &id->extra,
	    .der = result->staple.at,
	    .len = result->staple.len,
	};

	out->stapled = result->staple.len > 0;
	if (!out->stapled || id->leaf == NULL)
		return;
	out->verdict = p->served.issuer;
	if (result->chain->count > 0 &&
	    strcmp(result->chain->items[0]->fingerprint,
		id->leaf->fingerprint) != 0) {
		input.leaf = result->chain->items[0];
		err_clear(&out->verdict);
		input.issuer =
		    cert_find_issuer(input.leaf, lists, &out->verdict);
	}
	if (input.issuer != NULL)
		out->accepted = verify_response(&input, &p->request.policy,
				    &out->facts, &out->verdict) == 0;
}

static void
paused(void *cookie)
{
	struct served_probe *p = cookie;

	p->timer = NULL;
	shake_hands(p);
}

static void
shake_hands_again(struct served_probe *p)
{
	const struct served_handshake *first = &p->served.handshakes[0];
	const struct cert *leaf = p->served.id.leaf;

	if (p->request.pause_ms > 0 && !first->stapled && leaf != NULL &&
	    leaf->ocsp_url_count > 0)
		p->timer =
		    loop_timer_start(p->loop, p->request.pause_ms, paused, p);
	else
		shake_hands(p);
}

static void
take_handshake(const struct served_probe *p,
    const struct handshake_result *result, struct served_handshake *h)
{
	h->err = result->err;
	h->ended_ms = clock_mono_ms();
	h->connect_ms = result->connect_ms;
	h->tls_ms = result->tls_ms;
	(void)snprintf(
	    h->protocol, sizeof(h->protocol), "%s", result->protocol);
	if (result->err.reason != REASON_NONE)
		return;
	if (h->other)
		h->stapled = result->staple.len > 0;
	else
		judge(p, result, h);
}

/* --- several at once --- */

static void
more_came(void *cookie, bool nameless, const struct handshake_result *result)
{
	struct served_probe *p = cookie;
	struct served *s = &p->served;
	struct served_handshake *h =
	    nameless ? &s->nameless : &s->more[s->more_count++];

	s->has_nameless = s->has_nameless || nameless;
	h->other = result->err.reason == REASON_NONE &&
		   (result->chain->count == 0 ||
		       strcmp(result->chain->items[0]->fingerprint,
			   s->id.leaf->fingerprint) != 0);
	take_handshake(p, result, h);
}

static void
more_ended(void *cookie)
{
	struct served_probe *p = cookie;

	p->more = NULL;
	measure_or_finish(p);
}

/* Where nothing can be stapled there is nothing to compare. */
static void
shake_more_hands(struct served_probe *p)
{
	const struct cert *leaf = p->served.id.leaf;
	const struct handshake_request request = {
	    .servername = p->request.servername,
	    .starttls = p->request.starttls,
	    .address = (struct sockaddr *)&p->where,
	};

	if (p->request.more && leaf != NULL && leaf->ocsp_url_count > 0)
		p->more = served_more_start(
		    p->loop, &request, more_came, more_ended, p);
	else
		measure_or_finish(p);
}

/* --- the first two --- */

static void
handshake_done(void *cookie, const struct handshake_result *result)
{
	struct served_probe *p = cookie;
	struct served_handshake *h;

	p->handshake = NULL;
	if (p->served.handshake_count == 0 &&
	    result->err.reason != REASON_NONE) {
		/* perhaps the next address is better */
		err_clear(&p->served.err);
		p->served.err = result->err;
		p->address_next++;
		shake_hands(p);
		return;
	}
	err_clear(&p->served.err);
	h = &p->served.handshakes[p->served.handshake_count++];
	if (result->err.reason == REASON_NONE && p->served.id.leaf == NULL)
		take_chain(p, result->chain);
	take_handshake(p, result, h);
	if (p->served.handshake_count < SERVED_HANDSHAKES)
		shake_hands_again(p);
	else
		shake_more_hands(p);
}

static void
finish_later(void *cookie)
{
	struct served_probe *p = cookie;

	p->timer = NULL;
	finish(p);
}

static void
shake_hands(struct served_probe *p)
{
	struct handshake_request request = {
	    .servername = p->request.servername,
	    .starttls = p->request.starttls,
	    .deadline_ms = p->deadline_ms - clock_mono_ms(),
	};

	/* one that hangs (an IPv6 that leads nowhere) leaves time for others */
	if (p->served.handshake_count == 0 &&
	    p->address_next + 1 < p->address_count &&
	    request.deadline_ms > SERVED_ADDRESS_MS)
		request.deadline_ms = SERVED_ADDRESS_MS;
	while (p->address_next < p->address_count &&
	       !sockaddr_make(
		   p->addresses[p->address_next], p->request.port, &p->where))
		p->address_next++;
	if (p->address_next == p->address_count || request.deadline_ms <= 0) {
		p->timer = loop_timer_start(p->loop, 0, finish_later, p);
		return;
	}
	(void)snprintf(p->served.address, sizeof(p->served.address), "%s",
	    p->addresses[p->address_next]);
	request.address = (struct sockaddr *)&p->where;
	p->handshake = handshake_start(p->loop, &request, handshake_done, p);
}

/* --- the name --- */

static void
add_address(struct served_probe *p, const char *address)
{
	if (p->address_count < SERVED_ADDRESSES_MAX)
		(void)snprintf(p->addresses[p->address_count++],
		    DNS_ADDRESS_TEXT, "%s", address);
}

static void
resolved(void *cookie, const struct resolver_answer *answer)
{
	for (size_t i = 0; i < answer->address_count; i++)
		add_address(cookie, answer->addresses[i]);
}

static void
resolver_settled(void *cookie)
{
	(void)cookie;
}

static void
resolver_ended(void *cookie, const struct err *err)
{
	struct served_probe *p = cookie;

	p->query = NULL;
	loop_timer_cancel(&p->deadline);
	if (err->reason != REASON_NONE && p->address_count == 0)
		p->served.err = *err;
	shake_hands(p);
}

static void
resolver_too_slow(void *cookie)
{
	struct served_probe *p = cookie;

	p->deadline = NULL;
	resolver_cancel(&p->query);
	(void)err_set(&p->served.err, REASON_DNS_NO_ANSWER,
	    "the system's resolver has not answered for '%.200s' within %lld s",
	    p->request.host, (long long)p->request.options->timeout_ms / 1000);
	finish(p);
}

/* The operator's addresses are there: nobody else is asked. */
static void
shake_hands_with_pins(void *cookie)
{
	struct served_probe *p = cookie;

	p->timer = NULL;
	shake_hands(p);
}

struct served_probe *
served_start(uv_loop_t *loop, struct fetch_pool *pool,
    const struct served_request *request,
    void (*cb)(void *cookie, const struct served *served), void *cookie)
{
	static const struct resolver_callbacks callbacks = {
	    .answer = resolved,
	    .settled = resolver_settled,
	    .end = resolver_ended,
	};
	const struct acquire_options *o = request->options;
	struct served_probe *p = mem_new(sizeof(*p));
	struct sockaddr_storage numeric;

	p->loop = loop;
	p->pool = pool;
	p->request = *request;
	p->cb = cb;
	p->cookie = cookie;
	p->deadline_ms = clock_mono_ms() + o->timeout_ms;
	/* an address is no server name: RFC 6066, section 3 */
	if (p->request.servername == NULL &&
	    !sockaddr_make(request->host, 1, &numeric))
		p->request.servername = request->host;
	for (size_t i = 0; i < o->pin_count; i++) {
		if (strcasecmp(o->pins[i].host, request->host) == 0)
			add_address(p, o->pins[i].address);
	}
	if (p->address_count > 0) {
		p->timer = loop_timer_start(loop, 0, shake_hands_with_pins, p);
		return p;
	}
	p->system.kind = RESOLVER_SYSTEM;
	(void)snprintf(p->system.url, sizeof(p->system.url), "system");
	p->deadline =
	    loop_timer_start(loop, o->timeout_ms, resolver_too_slow, p);
	p->query = resolver_ask(
	    loop, &p->system, request->host, o->family, &callbacks, p);
	return p;
}
