/* SPDX-License-Identifier: ISC */
/* acquire/claims_priv.h -- the inside of the claims, for claims.c (the classes,
 * and the questions), claims_sources.c (who is asked what, and when) and
 * claims_tell.c (what is told of the answers). */
#ifndef OCLASP_ACQUIRE_CLAIMS_PRIV_H
#define OCLASP_ACQUIRE_CLAIMS_PRIV_H

#include "acquire/claims.h"
#include "dns/resolver.h"
#include "http/proxy.h"

enum claims_class { PINS, PROVEN, SYSTEM, RESOLVERS, LAST, CLASSES };

/* What somebody's word for a private address is worth: acquire/private.h. */
enum claims_word { WORD_OUTSIDE, WORD_NEAR, WORD_OPERATOR };

/* One question to one resolver. */
struct ask {
	struct claims *claims;
	struct resolver_query *query;
	const struct resolver *resolver;
	const char *name;          /* what was asked: borrowed of claims */
	const char *asked_name;    /* the same for a later name, else NULL */
	const struct proxy *proxy; /* whose name this is; else NULL */
	bool near;                 /* may name private addresses */
	bool quiet;                /* nobody is told that it failed */
	int64_t started_ms;
	bool heard;    /* an answer came, were it a refusal */
	bool answered; /* one with an address */
	bool settled, ended;
};

/* A resolver through our own sockets. */
struct source {
	struct resolver resolver;
	bool near;  /* may name private addresses: acquire/private.h */
	bool quiet; /* nobody has named it: it is news only if it answers */
	enum claims_class opens; /* when it is asked for the host, */
	enum claims_class names; /* and for later names; CLASSES: never */
};

struct claims {
	uv_loop_t *loop;
	struct fetch_pool *pool;
	char *host;
	enum claims_word least; /* everybody's word is worth so much here */
	const struct acquire_options *options;
	struct claims_callbacks callbacks;
	void *cookie;
	enum claims_class next; /* the class to open next */
	struct loop_timer *timer;
	/* RESOLVERS_MAX of them, and CLAIMS_ASKS_MAX: they stay where they are.
	 * Owned; NULL until somebody is to be asked, which is seldom: what the
	 * book has is tried first */
	struct source *sources;
	size_t source_count;
	const struct proxy *first; /* the proxy used before all else, or NULL */
	struct wanting { /* a SOCKS5 proxy that wants addresses from us */
		const struct proxy *proxy;
		char *addresses; /* its own; owned; NULL: its host is one */
	} wanting[PROXIES_MAX + 1];
	size_t wanting_count;
	struct ask *asks;
	size_t ask_count;
	size_t opened; /* those of ASKS that opened a road: not later names */
	char *names[CLAIMS_NAMES_MAX];
	bool name_near[CLAIMS_NAMES_MAX]; /* somebody near has named it */
	size_t name_count;
	struct told { /* owned; at most CLAIMS_MAX */
		char address[DNS_ADDRESS_TEXT];
		const char *source; /* who named it first; borrowed; NULL: the
				       operator */
		bool refused;       /* so far */
		bool voice;         /* it was told as one, */
		unsigned turn;      /* in this turn */
	} * told;
	size_t told_count;
	bool telling;   /* a callback of ours is on the stack */
	bool cancelled; /* within it */
};

/* --- claims.c --- */

/* A callback may cancel us: it is bracketed by these two, and after the second
 * has said false nothing of CLAIMS is left. */
void claims_enter(struct claims *claims);
bool claims_leave(struct claims *claims);

/* How somebody is asked: as one of this network, else outside it; without a
 * word to anybody, unless there is an answer. */
enum { ASK_NEAR = 1, ASK_QUIETLY = 2 };

/* Ask RESOLVER in this MANNER for NAME, the host or one of the later names.
 * NULL if that is one question too many, or none for him. */
struct ask *claims_ask(struct claims *claims, const struct resolver *resolver,
    int manner, const char *name);

/* --- claims_sources.c --- */

/* Fill the list of sources. */
void claims_find_sources(struct claims *claims);

/* WHICH is open from now on: ask those whose time has come. */
void claims_ask_sources(struct claims *claims, enum claims_class which);

/* The resolver that is asked has named later names of a chain; NEAR: he may
 * name private addresses.  They are asked for if their time has come. */
void claims_note_chain(
    struct claims *claims, const struct resolver_answer *answer, bool near);

/* --- claims_tell.c --- */

bool claims_is_numeric(const char *host);

/* SOURCE, whose word is WORD, has named ADDRESSES.  SOURCE is borrowed as long
 * as CLAIMS live.  False if we were cancelled meanwhile. */
bool claims_tell_addresses(struct claims *claims, const char *source,
    const char *asked_name, enum claims_word word, const char *const *addresses,
    size_t count);

/* The addresses of PROXY itself are known: it is a way. */
void claims_tell_proxy(struct claims *claims, const struct proxy *proxy,
    const char *const *addresses, size_t count);

#endif
