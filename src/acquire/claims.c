/* SPDX-License-Identifier: ISC */
/* acquire/claims.c -- who says which address, class by class, for one host. */
#include "acquire/claims.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "dns/health.h"

enum claims_class { PINS, SYSTEM, RESOLVERS, CHAIN, SILENT, CLASSES };

/* One question to one resolver. */
struct ask {
	struct claims *claims;
	struct resolver_query *query;
	const struct resolver *resolver;
	const char *name;       /* what was asked: borrowed of claims */
	const char *asked_name; /* the same for a later name, else NULL */
	int64_t started_ms;
	bool heard;    /* an answer came, were it a refusal */
	bool answered; /* one with an address */
	bool settled, ended;
};

/* A resolver through our own sockets. */
struct source {
	struct resolver resolver;
	bool silent; /* lately: it is asked last */
};

struct claims {
	uv_loop_t *loop;
	struct fetch_pool *pool;
	char *host;
	const struct acquire_options *options;
	struct claims_callbacks callbacks;
	void *cookie;
	enum claims_class next; /* the class to open next */
	struct loop_timer *timer;
	struct resolver system;
	struct source sources[RESOLVERS_MAX];
	size_t source_count;
	struct ask asks[CLAIMS_ASKS_MAX];
	size_t ask_count;
	char *names[CLAIMS_NAMES_MAX];
	size_t name_count;
	char told[CLAIMS_MAX][DNS_ADDRESS_TEXT];
	size_t told_count;
	bool telling;   /* a callback of ours is on the stack */
	bool cancelled; /* within it */
};

static void open_next(void *cookie);

static void
release(struct claims *claims)
{
	for (size_t i = 0; i < claims->ask_count; i++)
		resolver_cancel(&claims->asks[i].query);
	loop_timer_cancel(&claims->timer);
	for (size_t i = 0; i < claims->name_count; i++)
		free(claims->names[i]);
	free(claims->host);
	free(claims);
}

/* A callback may cancel us: it is bracketed by enter() and leave(), and after
 * leave() has said false nothing of CLAIMS is left. */
static void
enter(struct claims *claims)
{
	assert(!claims->telling);
	claims->telling = true;
}

static bool
leave(struct claims *claims)
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

static bool
already_told(struct claims *claims, const char *address)
{
	for (size_t i = 0; i < claims->told_count; i++) {
		if (strcmp(claims->told[i], address) == 0)
			return true;
	}
	return false;
}

/* False if the address is old, unwanted or one too many. */
static bool
note_address(struct claims *claims, const char *address)
{
	bool v6 = strchr(address, ':') != NULL;

	if ((claims->options->family == RESOLVER_IPV4 && v6) ||
	    (claims->options->family == RESOLVER_IPV6 && !v6) ||
	    claims->told_count == CLAIMS_MAX || already_told(claims, address))
		return false;
	(void)snprintf(claims->told[claims->told_count++], DNS_ADDRESS_TEXT,
	    "%s", address);
	return true;
}

/* The order in which an answer's addresses are tried: as they came, but the
 * families in turn (RFC 8305, section 4), so that eight addresses behind a
 * broken IPv6 do not come before the first IPv4. */
static void
take_turns(const char *const *in, size_t count, const char **out)
{
	bool want_v6 = count > 0 && strchr(in[0], ':') != NULL;
	size_t next[2] = {0, 0};

	for (size_t n = 0; n < count; want_v6 = !want_v6) {
		size_t *at = &next[want_v6 ? 1 : 0];

		while (*at < count && (strchr(in[*at], ':') != NULL) != want_v6)
			(*at)++;
		if (*at < count)
			out[n++] = in[(*at)++];
	}
}

/* False if we were cancelled meanwhile. */
static bool
tell_addresses(struct claims *claims, const char *source,
    const char *asked_name, const char *const *addresses, size_t count)
{
	const char *order[DNS_ADDRESSES_MAX];
	bool first = true;

	if (count > DNS_ADDRESSES_MAX)
		count = DNS_ADDRESSES_MAX;
	take_turns(addresses, count, order);
	for (size_t i = 0; i < count; i++) {
		const struct claim claim = {
		    order[i], source, asked_name, first};

		if (!note_address(claims, order[i]))
			continue;
		first = false;
		enter(claims);
		claims->callbacks.claim(claims->cookie, &claim);
		if (!leave(claims))
			return false;
	}
	return true;
}

static void
tell_progress(struct claims *claims)
{
	bool done = all_ended(claims);

	if (!claims_are_settled(claims))
		return;
	enter(claims);
	if (done)
		claims->callbacks.done(claims->cookie);
	else
		claims->callbacks.settled(claims->cookie);
	(void)leave(claims);
}

/* --- asking --- */

static void ask(
    struct claims *claims, const struct resolver *resolver, const char *name);

/* Ask the resolvers of class 3 (or, if SILENT, those of class 5) for NAME. */
static void
ask_sources(struct claims *claims, bool silent, const char *name)
{
	for (size_t i = 0; i < claims->source_count; i++) {
		if (claims->sources[i].silent == silent)
			ask(claims, &claims->sources[i].resolver, name);
	}
}

/* Remember the later names of a chain, and ask for them if their time has
 * come. */
static void
note_chain(struct claims *claims, const struct resolver_answer *answer)
{
	for (size_t i = 0; i < answer->chain_length; i++) {
		const char *name = answer->chain[i];
		bool known = strcasecmp(name, claims->host) == 0;

		for (size_t k = 0; k < claims->name_count && !known; k++)
			known = strcasecmp(name, claims->names[k]) == 0;
		if (known || claims->name_count == CLAIMS_NAMES_MAX)
			continue;
		claims->names[claims->name_count++] = mem_string(name);
		if (claims->next > CHAIN)
			ask_sources(claims, false,
			    claims->names[claims->name_count - 1]);
	}
}

static void
ask_answered(void *cookie, const struct resolver_answer *answer)
{
	struct ask *a = cookie;

	a->heard = true;
	if (answer->address_count > 0)
		a->answered = true;
	note_chain(a->claims, answer);
	(void)tell_addresses(a->claims, a->resolver->url, a->asked_name,
	    answer->addresses, answer->address_count);
}

static void
ask_settled(void *cookie)
{
	struct ask *a = cookie;

	a->settled = true;
	tell_progress(a->claims);
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
	if (!a->answered) {
		enter(claims);
		claims->callbacks.silent(claims->cookie, a->resolver->url,
		    a->asked_name, err, clock_mono_ms() - a->started_ms);
		if (!leave(claims))
			return;
	}
	tell_progress(claims);
}

static void
ask(struct claims *claims, const struct resolver *resolver, const char *name)
{
	static const struct resolver_callbacks callbacks = {
	    .answer = ask_answered,
	    .settled = ask_settled,
	    .end = ask_ended,
	};
	struct ask *a;

	if (claims->ask_count == CLAIMS_ASKS_MAX)
		return;
	a = &claims->asks[claims->ask_count++];
	*a = (struct ask){
	    .claims = claims,
	    .resolver = resolver,
	    .name = name,
	    .asked_name = name == claims->host ? NULL : name,
	    .started_ms = clock_mono_ms(),
	};
	a->query = resolver_ask(claims->loop, resolver, name,
	    claims->options->family, &callbacks, a);
}

/* --- the classes --- */

/* False if we were cancelled meanwhile. */
static bool
open_pins(struct claims *claims)
{
	const struct acquire_options *o = claims->options;

	for (size_t i = 0; i < o->pin_count; i++) {
		const char *address = o->pins[i].address;

		if (strcasecmp(o->pins[i].host, claims->host) == 0 &&
		    !tell_addresses(claims, "pin", NULL, &address, 1))
			return false;
	}
	return true;
}

static bool
is_numeric(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 ||
	       inet_pton(AF_INET6, host, &address) == 1;
}

static void
add_source(struct claims *claims, const struct resolver *resolver)
{
	struct source *source = &claims->sources[claims->source_count];

	for (size_t i = 0; i < claims->source_count; i++) {
		if (strcmp(claims->sources[i].resolver.url, resolver->url) == 0)
			return;
	}
	if (claims->source_count == RESOLVERS_MAX)
		return;
	claims->source_count++;
	source->resolver = *resolver;
	source->resolver.pool = claims->pool;
	source->silent = health_is_sick(
	    claims->options->health, resolver->url, clock_mono_ms());
	if (source->silent)
		source->resolver.hold_ms = CLAIMS_PATIENCE_MS;
}

/* Who is asked in the classes 3 to 5, without what would be asked twice. */
static void
open_resolvers(struct claims *claims)
{
	const struct acquire_options *o = claims->options;
	struct resolver conf[RESOLVERS_MAX];
	size_t count = 0;

	if (is_numeric(claims->host))
		return;
	for (size_t i = 0; i < o->resolver_count; i++) {
		if (o->resolvers[i].kind != RESOLVER_SYSTEM || !o->ask_system)
			add_source(claims, &o->resolvers[i]);
	}
	if (o->resolv_conf != NULL)
		count = resolver_read_conf(o->resolv_conf, conf, RESOLVERS_MAX);
	for (size_t i = 0; i < count; i++)
		add_source(claims, &conf[i]);
	ask_sources(claims, false, claims->host);
}

/* False if we were cancelled meanwhile; only pins call back at once. */
static bool
open_class(struct claims *claims, enum claims_class which)
{
	switch (which) {
	case PINS:
		return open_pins(claims);
	case SYSTEM:
		if (claims->options->ask_system)
			ask(claims, &claims->system, claims->host);
		break;
	case RESOLVERS:
		open_resolvers(claims);
		break;
	case CHAIN:
		for (size_t i = 0; i < claims->name_count; i++)
			ask_sources(claims, false, claims->names[i]);
		break;
	case SILENT:
		ask_sources(claims, true, claims->host);
		break;
	case CLASSES:
		break;
	}
	return true;
}

/* The timer's turn: open the next class, and arm for the one after it. */
static void
open_next(void *cookie)
{
	struct claims *claims = cookie;
	enum claims_class which = claims->next++;
	size_t told = claims->told_count;
	size_t asked = claims->ask_count;

	claims->timer = NULL;
	if (claims->next < CLASSES)
		claims->timer = loop_timer_start(
		    claims->loop, ACQUIRE_STAGGER_MS, open_next, claims);
	if (!open_class(claims, which))
		return;
	if (claims->told_count == told && claims->ask_count == asked &&
	    claims->next < CLASSES)
		claims_hurry(claims); /* it was empty */
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
claims_start(uv_loop_t *loop, struct fetch_pool *pool, const char *host,
    const struct acquire_options *options,
    const struct claims_callbacks *callbacks, void *cookie)
{
	struct claims *claims = mem_new(sizeof(*claims));

	claims->loop = loop;
	claims->pool = pool;
	claims->host = mem_string(host);
	claims->options = options;
	claims->callbacks = *callbacks;
	claims->cookie = cookie;
	claims->system.kind = RESOLVER_SYSTEM;
	(void)snprintf(
	    claims->system.url, sizeof(claims->system.url), "system");
	claims->timer = loop_timer_start(loop, 0, open_next, claims);
	return claims;
}
