/* SPDX-License-Identifier: ISC */
/* acquire/claims.h -- who says which address, class by class, for one host.
 *
 * Nobody is believed; everybody is heard.  The classes, each opened
 * ACQUIRE_STAGGER_MS after the one before it, or at once by claims_hurry():
 *   1 pins of the operator, and the proxy that the operator has chosen for this
 *     responder or the environment names (its head start is longer:
 *     ACQUIRE_PROXY_HEAD_MS)
 *   2 the address book, and the system's own answer
 *   3 resolvers through our own sockets: those of resolv.conf and those that
 *     were named; each datagram is an answer of its own
 *   4 the later names of the CNAME chain, asked by themselves at each resolver
 *     of class 3: where only the first name is lied about, they answer truly
 *   5 the resolvers that gave no answer at all lately (dns/health.h), with
 *     CLAIMS_PATIENCE_MS for each
 *   6 the operator's proxies
 * An address is told once, with the source that named it first; and once more
 * for each SOCKS5 proxy that wants addresses from us, once that one's class is
 * open.  A private address is refused where acquire/private.h says so. */
#ifndef OCLASP_ACQUIRE_CLAIMS_H
#define OCLASP_ACQUIRE_CLAIMS_H

#include "acquire/acquire.h"

struct claims;

enum {
	CLAIMS_MAX = 64,           /* distinct addresses of one host */
	CLAIMS_ASKS_MAX = 96,      /* questions put for one host */
	CLAIMS_NAMES_MAX = 4,      /* later names asked by themselves */
	CLAIMS_PATIENCE_MS = 1500, /* with a resolver that was silent lately */
};

/* Whose addresses are wanted. */
struct claims_host {
	const char *name; /* copied */
	bool is_https;
	bool named_by_operator; /* an upstream: may be private */
};

/* One address, or a way; valid during the callback. */
struct claim {
	const char *address;    /* "": the proxy looks the host up, or none */
	const char *source;     /* "pin", "book", "system", "proxy", or a URL */
	const char *asked_name; /* a later CNAME name, or NULL */
	bool first; /* the first of its answer: a voice of its own */
	const struct proxy *proxy;   /* go through it; outlives the claims */
	const char *proxy_addresses; /* of the proxy, as http/fetch.h has it */
};

struct claims_callbacks {
	void (*claim)(void *cookie, const struct claim *claim);
	/* an address was claimed that is not to be connected to */
	void (*refused)(
	    void *cookie, const struct claim *claim, const struct err *err);
	/* a resolver outside this network is being asked; must not cancel */
	void (*asked)(void *cookie, const char *party);
	/* a source ended without any address */
	void (*silent)(void *cookie, const struct claim *claim,
	    const struct err *err, int64_t elapsed_ms);
	/* all that was asked so far has been answered once or has failed;
	 * comes again after each new question */
	void (*settled)(void *cookie);
	/* every source has ended and no class is left; once, the last */
	void (*done)(void *cookie);
};

/* Gather for HOST.  POOL, over which DoH resolvers are asked, and OPTIONS are
 * borrowed and must outlive. */
struct claims *claims_start(uv_loop_t *loop, struct fetch_pool *pool,
    const struct claims_host *host, const struct acquire_options *options,
    const struct claims_callbacks *callbacks, void *cookie);

/* All that was claimed so far has failed: open the next class now.  Calls no
 * callback from within. */
void claims_hurry(struct claims *claims);

/* True if no question waits for its first answer. */
bool claims_are_settled(const struct claims *claims);

/* From within a callback too; sets *CLAIMS to NULL. */
void claims_cancel(struct claims **claims);

#endif
