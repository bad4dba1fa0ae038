/* SPDX-License-Identifier: ISC */
/* doctor/authority.c -- what the zones' own name servers say.
 *
 *   NS of each suffix -> the longest that has any is the zone -> addresses of
 *   its servers -> ask them */
#include "doctor/authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "acquire/private.h"
#include "base/clock.h"
#include "base/mem.h"
#include "doctor/names.h"
#include "doctor/round.h"

enum { TARGETS = 2 }; /* the first name and the last one */

/* A name whose authority is asked. */
struct subject {
	char name[FACT_NAME_TEXT];
	enum fact_role role;
	char zone[FACT_NAME_TEXT]; /* "" not found */
	char servers[AUTHORITY_SERVERS][FACT_NAME_TEXT];
	size_t server_count;
	char addresses[AUTHORITY_ADDRESSES][DNS_ADDRESS_TEXT];
	size_t address_count;
};

struct authority {
	uv_loop_t *loop;
	struct facts *facts;
	int64_t began_ms;
	const struct resolver *resolvers[AUTHORITY_RESOLVERS];
	size_t resolver_count;
	struct subject subjects[TARGETS];
	size_t subject_count;
	struct round *round;
	void (*cb)(void *cookie);
	void *cookie;
};

static void
finish(void *cookie)
{
	struct authority *a = cookie;
	void (*cb)(void *cookie) = a->cb;
	void *cb_cookie = a->cookie;

	free(a);
	cb(cb_cookie);
}

static void
untested(struct authority *a, const char *why)
{
	struct fact_untested *u = &facts_add(
	    a->facts, FACT_UNTESTED, "-", clock_mono_ms() - a->began_ms)
				       ->u.untested;

	fact_copy(u->what, sizeof(u->what), "the zone's own name servers");
	fact_copy(u->why, sizeof(u->why), why);
}

/* --- asking resolvers about the zone --- */

static void
ask_resolvers(struct authority *a, const char *name, enum fact_role role,
    enum dns_type type)
{
	for (size_t i = 0; i < a->resolver_count; i++) {
		const struct ask_request request = {
		    .party = PARTY_RESOLVER,
		    .resolver = a->resolvers[i],
		    .name = name,
		    .role = role,
		    .type = type,
		    .hold_ms = a->resolvers[i]->kind == RESOLVER_UDP
				   ? AUTHORITY_HOLD_MS
				   : 0,
		};

		round_add(a->round, &request);
	}
}

/* NAME itself and what it is under, but no top-level domain. */
static void
ask_for_zones(struct authority *a, const char *name)
{
	const char *suffix = name;

	for (size_t i = 0; i < AUTHORITY_SUFFIXES && suffix != NULL &&
			   strchr(suffix, '.') != NULL;
	     i++) {
		ask_resolvers(a, suffix, ROLE_ZONE, DNS_NS);
		suffix = strchr(suffix, '.') + 1;
	}
}

/* SUFFIX is NAME, or what it is under. */
static bool
is_under(const char *name, const char *suffix)
{
	size_t len = strlen(name), tail = strlen(suffix);

	return tail <= len && strcasecmp(name + len - tail, suffix) == 0 &&
	       (tail == len || name[len - tail - 1] == '.');
}

static void
add_server(struct subject *s, const char *server)
{
	for (size_t i = 0; i < s->server_count; i++) {
		if (strcasecmp(s->servers[i], server) == 0)
			return;
	}
	if (s->server_count < AUTHORITY_SERVERS)
		fact_copy(
		    s->servers[s->server_count++], FACT_NAME_TEXT, server);
}

/* The longest suffix for which anybody named servers. */
static void
find_zone(const struct facts *facts, struct subject *s)
{
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_datagram *d = &facts->items[i].u.datagram;
		const struct fact_question *q;

		if (facts->items[i].kind != FACT_DATAGRAM || d->elsewhere ||
		    d->server_count == 0)
			continue;
		q = &facts->items[d->question].u.question;
		if (q->role != ROLE_ZONE || !is_under(s->name, q->name) ||
		    strlen(q->name) < strlen(s->zone))
			continue;
		if (strlen(q->name) > strlen(s->zone))
			s->server_count = 0;
		fact_copy(s->zone, sizeof(s->zone), q->name);
		for (size_t k = 0; k < d->server_count; k++)
			add_server(s, d->servers[k]);
	}
}

/* --- the servers themselves --- */

/* Whoever is outside this network has no business in leading us into it. */
static bool
may_be_asked(const struct authority *a, const struct fact_question *q,
    const char *address)
{
	if (!private_is_address(address))
		return true;
	for (size_t i = 0; i < a->resolver_count; i++) {
		if (strcmp(a->resolvers[i]->url, q->asked) == 0)
			return private_is_near(a->resolvers[i], false);
	}
	return false;
}

static void
add_address(struct subject *s, const char *address)
{
	for (size_t i = 0; i < s->address_count; i++) {
		if (strcmp(s->addresses[i], address) == 0)
			return;
	}
	if (s->address_count < AUTHORITY_ADDRESSES)
		fact_copy(s->addresses[s->address_count++], DNS_ADDRESS_TEXT,
		    address);
}

static void
find_addresses(const struct authority *a, struct subject *s)
{
	const struct facts *facts = a->facts;

	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_datagram *d = &facts->items[i].u.datagram;
		const struct fact_question *q;
		bool ours = false;

		if (facts->items[i].kind != FACT_DATAGRAM || d->elsewhere)
			continue;
		q = &facts->items[d->question].u.question;
		for (size_t k = 0; k < s->server_count; k++)
			ours = ours || strcasecmp(s->servers[k], q->name) == 0;
		if (q->role != ROLE_SERVER || !ours)
			continue;
		for (size_t k = 0; k < d->address_count; k++) {
			if (may_be_asked(a, q, d->addresses[k]))
				add_address(s, d->addresses[k]);
		}
	}
}

static void
ask_server(struct authority *a, const struct subject *s, const char *address)
{
	static const struct {
		const char *scheme;
		enum dns_type type;
		unsigned manner;
	} ways[] = {
	    {"udp", DNS_A, DNS_NO_RD},
	    {"udp", DNS_AAAA, DNS_NO_RD},
	    {"tcp", DNS_A, 0},
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct ask_request request = {
		    .party = PARTY_AUTHORITY,
		    .name = s->name,
		    .role = s->role,
		    .type = ways[i].type,
		    .manner = ways[i].manner,
		};
		struct resolver server;
		char url[RESOLVER_URL_TEXT];

		(void)snprintf(url, sizeof(url),
		    strchr(address, ':') != NULL ? "%s://[%s]" : "%s://%s",
		    ways[i].scheme, address);
		if (resolver_parse(url, &server, NULL) == -1)
			continue;
		request.resolver = &server;
		round_add(a->round, &request);
	}
}

/* --- the three rounds --- */

static void
ask_servers(void *cookie)
{
	struct authority *a = cookie;
	size_t asked = 0;

	a->round = round_new(a->loop, a->facts, a->began_ms);
	for (size_t i = 0; i < a->subject_count; i++) {
		struct subject *s = &a->subjects[i];

		find_addresses(a, s);
		for (size_t k = 0; k < s->address_count; k++)
			ask_server(a, s, s->addresses[k]);
		asked += s->address_count;
	}
	if (asked == 0)
		untested(a, "no resolver says where they are");
	round_run(a->round, finish, a);
}

static void
ask_where(void *cookie)
{
	struct authority *a = cookie;

	a->round = round_new(a->loop, a->facts, a->began_ms);
	for (size_t i = 0; i < a->subject_count; i++) {
		struct subject *s = &a->subjects[i];

		find_zone(a->facts, s);
		for (size_t k = 0; k < s->server_count; k++) {
			ask_resolvers(a, s->servers[k], ROLE_SERVER, DNS_A);
			ask_resolvers(a, s->servers[k], ROLE_SERVER, DNS_AAAA);
		}
	}
	round_run(a->round, ask_servers, a);
}

/* Those that nobody on the path can speak for, first. */
static void
choose_resolvers(
    struct authority *a, const struct resolver *resolvers, size_t count)
{
	for (int encrypted = 1; encrypted >= 0; encrypted--) {
		for (size_t i = 0; i < count; i++) {
			bool is = resolvers[i].kind == RESOLVER_TLS ||
				  resolvers[i].kind == RESOLVER_HTTPS;

			if (is == (encrypted == 1) &&
			    resolvers[i].kind != RESOLVER_SYSTEM &&
			    !ask_is_dead(a->facts, &resolvers[i]) &&
			    a->resolver_count < AUTHORITY_RESOLVERS)
				a->resolvers[a->resolver_count++] =
				    &resolvers[i];
		}
	}
}

struct authority *
authority_start(uv_loop_t *loop, struct facts *facts, int64_t began_ms,
    const char *host, const struct resolver *resolvers, size_t resolver_count,
    void (*cb)(void *cookie), void *cookie)
{
	struct authority *a = mem_new(sizeof(*a));
	const char *chain[NAMES_CHAIN_MAX];
	size_t length = names_chain(facts, host, chain);

	a->loop = loop;
	a->facts = facts;
	a->began_ms = began_ms;
	a->cb = cb;
	a->cookie = cookie;
	choose_resolvers(a, resolvers, resolver_count);
	fact_copy(a->subjects[0].name, FACT_NAME_TEXT, host);
	a->subjects[0].role = ROLE_RESPONDER;
	a->subject_count = 1;
	if (length > 0) {
		fact_copy(
		    a->subjects[1].name, FACT_NAME_TEXT, chain[length - 1]);
		a->subjects[1].role = ROLE_CHAIN;
		a->subject_count = 2;
	}
	a->round = round_new(loop, facts, began_ms);
	for (size_t i = 0; i < a->subject_count; i++)
		ask_for_zones(a, a->subjects[i].name);
	round_run(a->round, ask_where, a);
	return a;
}

void
authority_cancel(struct authority **authority)
{
	struct authority *a = *authority;

	*authority = NULL;
	if (a == NULL)
		return;
	round_cancel(&a->round);
	free(a);
}
