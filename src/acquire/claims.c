/* SPDX-License-Identifier: ISC */
/* acquire/claims.c -- who says which address, class by class, for one host. */
#include "acquire/claims.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "acquire/address_book.h"
#include "acquire/claims_priv.h"
#include "acquire/private.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "dns/health.h"

static void open_next(void *cookie);

static const struct resolver the_system = {
    .kind = RESOLVER_SYSTEM, .url = "system"};

static void
release(struct claims *claims)
{
	for (size_t i = 0; i < claims->ask_count; i++)
		resolver_cancel(&claims->asks[i].query);
	loop_timer_cancel(&claims->timer);
	for (size_t i = 0; i < claims->name_count; i++)
		free(claims->names[i]);
	for (size_t i = 0; i < claims->wanting_count; i++)
		free(claims->wanting[i].addresses);
	free(claims->told);
	free(claims->asks);
	free(claims->sources);
	free(claims->host);
	free(claims);
}

void
claims_enter(struct claims *claims)
{
	assert(!claims->telling);
	claims->telling = true;
}

bool
claims_leave(struct claims *claims)
{
	claims->telling = false;
	if (!claims->cancelled)
		return true;
	release(claims);
	return false;
}

void
claims_cancel(struct claims **claims)
{
	struct claims *c = *claims;

	*claims = NULL;
	if (c == NULL)
		return;
	c->cancelled = true;
	if (!c->telling)
		release(c);
}

bool
claims_are_settled(const struct claims *claims)
{
	for (size_t i = 0; i < claims->ask_count; i++) {
		if (!claims->asks[i].settled)
			return false;
	}
	return true;
}

static bool
all_ended(const struct claims *claims)
{
	for (size_t i = 0; i < claims->ask_count; i++) {
		if (!claims->asks[i].ended)
			return false;
	}
	return claims->next == CLASSES;
}

/* --- telling --- */

static void
tell_progress(struct claims *claims)
{
	bool done = all_ended(claims);

	if (!claims_are_settled(claims))
		return;
	claims_enter(claims);
	if (done)
		claims->callbacks.done(claims->cookie);
	else
		claims->callbacks.settled(claims->cookie);
	(void)claims_leave(claims);
}

/* --- asking --- */

/* True if what A's resolver says is the network's own view of the responder:
 * also of a later name, that it is one must be.  An outsider's CNAME to a name
 * of this network is as much of a rebinding as its address (B13). */
static bool
is_near(const struct ask *a)
{
	const struct claims *claims = a->claims;

	for (size_t i = 0; i < claims->name_count; i++) {
		if (a->asked_name == claims->names[i] && !claims->name_near[i])
			return false;
	}
	return a->near;
}

static void
ask_answered(void *cookie, const struct resolver_answer *answer)
{
	struct ask *a = cookie;

	a->heard = true;
	if (answer->address_count > 0)
		a->answered = true;
	if (a->proxy != NULL) {
		if (answer->address_count > 0)
			claims_tell_proxy(a->claims, a->proxy,
			    answer->addresses, answer->address_count);
		return;
	}
	claims_note_chain(a->claims, answer, is_near(a));
	(void)claims_tell_addresses(a->claims, a->resolver->url, a->asked_name,
	    is_near(a) ? WORD_NEAR : WORD_OUTSIDE, answer->addresses,
	    answer->address_count);
}

static void
ask_settled(void *cookie)
{
	struct ask *a = cookie;

	a->settled = true;
	tell_progress(a->claims);
}

/* A came to nothing.  False if we were cancelled meanwhile. */
static bool
tell_silence(const struct ask *a, const struct err *err)
{
	struct claims *claims = a->claims;
	const struct claim claim = {.address = "",
	    .source = a->proxy != NULL ? "proxy" : a->resolver->url,
	    .asked_name = a->asked_name,
	    .proxy = a->proxy};
	struct err why = *err;

	if (a->proxy != NULL) {
		err_clear(&why);
		(void)err_set(&why, REASON_PROXY_FAILED,
		    "the proxy %s cannot be found: %s", a->proxy->url,
		    err->text);
	}
	claims_enter(claims);
	claims->callbacks.silent(
	    claims->cookie, &claim, &why, clock_mono_ms() - a->started_ms);
	return claims_leave(claims);
}

static void
ask_ended(void *cookie, const struct err *err)
{
	struct ask *a = cookie;
	struct claims *claims = a->claims;

	a->query = NULL;
	a->settled = a->ended = true;
	if (claims->options->health != NULL &&
	    a->resolver->kind != RESOLVER_SYSTEM)
		health_note(claims->options->health, a->resolver->url, a->heard,
		    clock_mono_ms());
	if (!a->answered && !a->quiet && !tell_silence(a, err))
		return;
	tell_progress(claims);
}

struct ask *
claims_ask(struct claims *claims, const struct resolver *resolver, int manner,
    const char *name)
{
	static const struct resolver_callbacks callbacks = {
	    .answer = ask_answered,
	    .settled = ask_settled,
	    .end = ask_ended,
	};
	struct ask *a;

	if (claims->ask_count == CLAIMS_ASKS_MAX ||
	    ((manner & ASK_NEAR) == 0 && private_is_name(name)))
		return NULL;
	if (claims->asks == NULL)
		claims->asks =
		    mem_array(CLAIMS_ASKS_MAX, sizeof(claims->asks[0]));
	a = &claims->asks[claims->ask_count++];
	*a = (struct ask){
	    .claims = claims,
	    .resolver = resolver,
	    .name = name,
	    .asked_name = name == claims->host ? NULL : name,
	    .near = (manner & ASK_NEAR) != 0,
	    .quiet = (manner & ASK_QUIETLY) != 0,
	    .started_ms = clock_mono_ms(),
	};
	if (a->asked_name == NULL && !a->quiet)
		claims->opened++;
	a->query = resolver_ask(claims->loop, resolver, name,
	    claims->options->family, &callbacks, a);
	if (!a->near && !a->quiet)
		claims->callbacks.asked(claims->cookie, resolver->url);
	return a;
}

/* --- the classes --- */

/* Make PROXY a way: its name is looked up as for any program here. */
static void
open_proxy(struct claims *claims, const struct proxy *proxy)
{
	struct ask *a = claims_ask(claims, &the_system, ASK_NEAR, proxy->host);

	if (a == NULL)
		return;
	a->proxy = proxy;
	a->asked_name = NULL;
	claims->opened++;
}

/* The operator's, less the one that was used first. */
static void
open_proxies(struct claims *claims)
{
	const struct proxy_plan *plan = claims->options->proxies;
	const struct proxy *first = claims->first;

	if (plan == NULL || !proxy_plan_has_last(plan, claims->host))
		return;
	for (size_t i = 0; i < plan->last_count; i++) {
		const struct proxy *proxy = &plan->last[i];

		if (first == NULL || strcmp(first->url, proxy->url) != 0 ||
		    strcmp(first->user, proxy->user) != 0)
			open_proxy(claims, proxy);
	}
}

/* False if we were cancelled meanwhile. */
static bool
open_pins(struct claims *claims)
{
	const struct acquire_options *o = claims->options;

	for (size_t i = 0; i < o->pin_count; i++) {
		const char *address = o->pins[i].address;

		if (strcasecmp(o->pins[i].host, claims->host) == 0 &&
		    !claims_tell_addresses(
			claims, "pin", NULL, WORD_OPERATOR, &address, 1))
			return false;
	}
	return true;
}

static size_t
find_in_book(const struct claims *claims, int64_t now,
    const struct book_entry *entries[BOOK_PER_HOST_MAX])
{
	return claims->options->book == NULL
		   ? 0
		   : address_book_find(
			 claims->options->book, claims->host, now, entries);
}

/* The best of the book, if it was proven a moment ago: it goes alone.  False if
 * we were cancelled meanwhile. */
static bool
open_proven(struct claims *claims)
{
	const struct book_entry *entries[BOOK_PER_HOST_MAX];
	int64_t now = clock_wall_s();
	char copy[DNS_ADDRESS_TEXT];
	const char *address = copy;

	if (find_in_book(claims, now, entries) == 0 ||
	    entries[0]->failures > 0 || entries[0]->proven_at > now ||
	    entries[0]->proven_at <= now - CLAIMS_PROVEN_S)
		return true;
	memcpy(copy, entries[0]->address, sizeof(copy));
	return claims_tell_addresses(
	    claims, "book", NULL, WORD_NEAR, &address, 1);
}

/* What was proven before.  False if we were cancelled meanwhile. */
static bool
open_book(struct claims *claims)
{
	const struct book_entry *entries[BOOK_PER_HOST_MAX];
	const char *addresses[BOOK_PER_HOST_MAX];
	char copies[BOOK_PER_HOST_MAX][DNS_ADDRESS_TEXT];
	size_t count = find_in_book(claims, clock_wall_s(), entries);

	/* the entries are good until the book changes, which a callback may
	 * bring about */
	for (size_t i = 0; i < count; i++) {
		memcpy(copies[i], entries[i]->address, sizeof(copies[i]));
		addresses[i] = copies[i];
	}
	/* proven by a signature from here: it may be private */
	return claims_tell_addresses(
	    claims, "book", NULL, WORD_NEAR, addresses, count);
}

/* False if we were cancelled meanwhile; pins and book call back at once. */
static bool
open_class(struct claims *claims, enum claims_class which)
{
	switch (which) {
	case PINS:
		if (claims->first != NULL)
			open_proxy(claims, claims->first);
		return open_pins(claims);
	case PROVEN:
		return open_proven(claims);
	case SYSTEM:
		if (!open_book(claims))
			return false;
		if (claims->options->ask_system)
			(void)claims_ask(
			    claims, &the_system, ASK_NEAR, claims->host);
		claims_find_sources(claims);
		break;
	case RESOLVERS:
		break;
	case LAST:
		open_proxies(claims);
		break;
	case CLASSES:
		break;
	}
	claims_ask_sources(claims, which);
	return true;
}

static int64_t
stagger_ms(const struct claims *claims)
{
	return claims->options->stagger_ms > 0 ? claims->options->stagger_ms
					       : ACQUIRE_STAGGER_MS;
}

/* The timer's turn: open the next class, and arm for the one after it. */
static void
open_next(void *cookie)
{
	struct claims *claims = cookie;
	enum claims_class which = claims->next++;
	size_t told = claims->told_count;
	size_t opened = claims->opened;
	const struct proxy *first = which == PINS ? claims->first : NULL;
	/* it can do nothing before somebody has named an address */
	bool wants = first != NULL && first->kind == PROXY_SOCKS5;

	claims->timer = NULL;
	if (claims->next < CLASSES)
		claims->timer = loop_timer_start(claims->loop,
		    first != NULL ? ACQUIRE_PROXY_HEAD_MS : stagger_ms(claims),
		    open_next, claims);
	if (!open_class(claims, which))
		return;
	if (wants || (claims->told_count == told && claims->opened == opened &&
			 claims->next < CLASSES))
		claims_hurry(claims); /* it has nobody new */
	else
		tell_progress(claims);
}

void
claims_hurry(struct claims *claims)
{
	if (claims->next == CLASSES)
		return;
	loop_timer_cancel(&claims->timer);
	claims->timer = loop_timer_start(claims->loop, 0, open_next, claims);
}

struct claims *
claims_start(uv_loop_t *loop, struct fetch_pool *pool,
    const struct claims_host *host, const struct acquire_options *options,
    const struct claims_callbacks *callbacks, void *cookie)
{
	struct claims *claims = mem_new(sizeof(*claims));

	claims->loop = loop;
	claims->pool = pool;
	claims->host = mem_string(host->name);
	claims->options = options;
	/* a literal in the URL is the certificate's own word, or, for an
	 * upstream, the operator's */
	claims->least = WORD_OUTSIDE;
	if (claims_is_numeric(host->name))
		claims->least = WORD_NEAR;
	if (host->named_by_operator || private_is_allowed(options, host->name))
		claims->least = WORD_OPERATOR;
	if (options->proxies != NULL)
		claims->first = proxy_plan_first(
		    options->proxies, host->name, host->is_https);
	claims->callbacks = *callbacks;
	claims->cookie = cookie;
	claims->timer = loop_timer_start(loop, 0, open_next, claims);
	return claims;
}
