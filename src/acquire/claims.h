/* SPDX-License-Identifier: ISC */
/* acquire/claims.h -- who says which address, class by class, for one host.
 *
 * Nobody is believed; everybody is heard.  The classes, each opened a stagger
 * (ACQUIRE_STAGGER_MS) after the one before it, or at once by claims_hurry():
 *   1 pins of the operator, and the proxy that the operator has chosen for this
 *     responder or the environment names (its head start is longer:
 *     ACQUIRE_PROXY_HEAD_MS)
 *   2 an address of the address book, if it was proven in the last
 *     CLAIMS_PROVEN_S: alone, since of a hundred certificates with one responder
 *     only the first need ask anybody
 *   3 the system's own view: the rest of the address book, getaddrinfo, and
 *     the first nameserver of resolv.conf, the one that the C library asks,
 *     through our own sockets as well.  Each of its datagrams is an answer of
 *     its own, so a forged first one costs no stagger; and it is asked twice
 *     for that.
 *     Behind the stub of systemd-resolved, which tells one datagram only, the
 *     first of the servers that the stub asks
 *   4 the resolvers that were named, and what else resolv.conf names; and the
 *     later names of the CNAME chain, asked by themselves at each udp resolver
 *     so far: where only one name is lied about, the others answer truly; and
 *     the nameserver of class 3 by TCP, where few inject and some drop nothing
 *   5 the operator's proxies; the udp resolvers of class 4 by TCP; the later
 *     names at the resolvers that want a connection for each question; and the
 *     resolvers that gave no answer at all lately (dns/health.h), with
 *     CLAIMS_PATIENCE_MS for each
 * A class that asks nobody new is passed at once.  A name that only this
 * network knows is told to nobody outside it (acquire/private.h).
 *
 * An address is told once, with the source that named it first; and once more
 * for each SOCKS5 proxy that wants addresses from us, once that one's class is
 * open.  Each source may name so many and no more: a liar's list, however long,
 * leaves room for the truth, which comes from somebody else, or as a voice of
 * its own from the same one.  A private address is refused where
 * acquire/private.h says so. */
#ifndef OCLASP_ACQUIRE_CLAIMS_H
#define OCLASP_ACQUIRE_CLAIMS_H

#include "acquire/acquire.h"

struct claims;

enum {
	CLAIMS_MAX = 256,       /* distinct addresses of one host */
	CLAIMS_SOURCE_MAX = 16, /* of one source: voices, and as many others */
	CLAIMS_ASKS_MAX = 96,   /* questions put for one host */
	CLAIMS_NAMES_MAX = 4,   /* later names asked by themselves */
	CLAIMS_PROVEN_S = 600,  /* a proof so young needs no other word */
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
	/* A voice of its own: the first address of all, and the first of each
	 * answer that contradicts what was told of its family before.  Answers
	 * that agree, and the other family, are no voices: where nobody lies
	 * one connection is enough. */
	bool first;
	unsigned turn; /* of a voice: how many its source has had before */
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
