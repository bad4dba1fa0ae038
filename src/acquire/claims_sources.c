/* SPDX-License-Identifier: ISC */
/* acquire/claims_sources.c -- who is asked through our own sockets, when, and
 * for which names.
 *
 * The order is one of manners: first those whom every program on this machine
 * asks, then those whom the operator has named, and what costs somebody else a
 * connection for each question only when the cheaper questions had their turn. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "acquire/claims_priv.h"
#include "acquire/private.h"
#include "base/clock.h"
#include "base/mem.h"
#include "dns/health.h"

enum { TCP_HOLD_MS = 2500 }; /* about as long as the datagrams' window */

static struct source *
find_source(struct claims *claims, const char *url)
{
	for (size_t i = 0; i < claims->source_count; i++) {
		if (strcmp(claims->sources[i].resolver.url, url) == 0)
			return &claims->sources[i];
	}
	return NULL;
}

static bool
is_sick(const struct claims *claims, const struct resolver *resolver)
{
	return health_is_sick(
	    claims->options->health, resolver->url, clock_mono_ms());
}

/* RESOLVER, of resolv.conf if OF_CONF, is asked from class OPENS on.  NULL if he
 * is there already, or one too many. */
static struct source *
add_source(struct claims *claims, const struct resolver *resolver, bool of_conf,
    enum claims_class opens)
{
	struct source *source = find_source(claims, resolver->url);

	if (source != NULL) { /* the operator has named him too */
		source->near = source->near || of_conf;
		return NULL;
	}
	if (claims->source_count == RESOLVERS_MAX)
		return NULL;
	source = &claims->sources[claims->source_count++];
	source->resolver = *resolver;
	source->resolver.pool = claims->pool;
	source->near = private_is_near(resolver, of_conf);
	source->opens = opens;
	source->names = resolver->kind == RESOLVER_UDP ? RESOLVERS : LAST;
	if (is_sick(claims, resolver)) {
		source->opens = LAST;
		source->names = CLASSES;
		source->resolver.hold_ms = CLAIMS_PATIENCE_MS;
	}
	return source;
}

static size_t
read_conf(const char *path, struct resolver out[RESOLVERS_MAX])
{
	return path == NULL ? 0 : resolver_read_conf(path, out, RESOLVERS_MAX);
}

/* Of LIST, a resolv.conf's, the first goes with the system: it is the one that
 * the C library asks, or, if that was silent lately, the one that it comes to
 * after a while. */
static void
add_first(struct claims *claims, const struct resolver *list, size_t count)
{
	size_t first = 0;

	while (first < count && is_sick(claims, &list[first]))
		first++;
	if (first < count)
		(void)add_source(claims, &list[first], true, SYSTEM);
}

static void
add_rest(struct claims *claims, const struct resolver *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)add_source(claims, &list[i], true, RESOLVERS);
}

/* Who is asked by datagrams is asked by TCP one class later: some who forge
 * datagrams, or drop them, leave connections alone. */
static void
add_by_tcp(struct claims *claims)
{
	static const char udp[] = "udp://";
	size_t count = claims->source_count;

	for (size_t i = 0; i < count; i++) {
		const struct source *by_udp = &claims->sources[i];
		struct resolver by_tcp = by_udp->resolver;
		struct source *source;

		if (by_tcp.kind != RESOLVER_UDP || by_udp->opens == LAST ||
		    resolver_is_stub(&by_udp->resolver))
			continue;
		by_tcp.kind = RESOLVER_TCP;
		by_tcp.hold_ms = TCP_HOLD_MS;
		(void)snprintf(by_tcp.url, sizeof(by_tcp.url), "tcp://%s",
		    by_udp->resolver.url + sizeof(udp) - 1);
		source = add_source(
		    claims, &by_tcp, by_udp->near, by_udp->opens + 1);
		if (source != NULL)
			source->quiet = true;
	}
}

void
claims_find_sources(struct claims *claims)
{
	const struct acquire_options *o = claims->options;
	struct resolver conf[RESOLVERS_MAX], behind[RESOLVERS_MAX];
	size_t conf_count, behind_count = 0;

	if (claims_is_numeric(claims->host))
		return;
	claims->sources = mem_array(RESOLVERS_MAX, sizeof(claims->sources[0]));
	conf_count = read_conf(o->resolv_conf, conf);
	if (conf_count > 0 && resolver_is_stub(&conf[0]))
		behind_count = read_conf(o->stub_conf, behind);
	add_first(claims, conf, conf_count);
	add_first(claims, behind, behind_count);
	/* the operator's own words before what is left of resolv.conf, should
	 * there be more than we take */
	for (size_t i = 0; i < o->resolver_count; i++) {
		if (o->resolvers[i].kind != RESOLVER_SYSTEM || !o->ask_system)
			(void)add_source(
			    claims, &o->resolvers[i], false, RESOLVERS);
	}
	add_rest(claims, conf, conf_count);
	add_rest(claims, behind, behind_count);
	add_by_tcp(claims);
}

static void
ask_source(struct claims *claims, const struct source *source, const char *name)
{
	(void)claims_ask(claims, &source->resolver,
	    (source->near ? ASK_NEAR : 0) | (source->quiet ? ASK_QUIETLY : 0),
	    name);
}

void
claims_ask_sources(struct claims *claims, enum claims_class which)
{
	for (size_t i = 0; i < claims->source_count; i++) {
		const struct source *source = &claims->sources[i];

		if (source->opens == which)
			ask_source(claims, source, claims->host);
		if (source->names != which)
			continue;
		for (size_t k = 0; k < claims->name_count; k++)
			ask_source(claims, source, claims->names[k]);
	}
}

void
claims_note_chain(
    struct claims *claims, const struct resolver_answer *answer, bool near)
{
	for (size_t i = 0; i < answer->chain_length; i++) {
		const char *name = answer->chain[i];
		size_t k = 0;

		if (strcasecmp(name, claims->host) == 0)
			continue;
		while (k < claims->name_count &&
		       strcasecmp(name, claims->names[k]) != 0)
			k++;
		if (k == CLAIMS_NAMES_MAX)
			continue;
		claims->name_near[k] = claims->name_near[k] || near;
		if (k < claims->name_count)
			continue;
		claims->names[claims->name_count++] = mem_string(name);
		for (size_t s = 0; s < claims->source_count; s++) {
			if (claims->sources[s].names < claims->next)
				ask_source(claims, &claims->sources[s],
				    claims->names[k]);
		}
	}
}
