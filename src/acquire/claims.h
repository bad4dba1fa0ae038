/* SPDX-License-Identifier: ISC */
/* acquire/claims.h -- who says which address, class by class, for one host.
 *
 * Nobody is believed; everybody is heard.  The classes, each opened
 * ACQUIRE_STAGGER_MS after the one before it, or at once by claims_hurry():
 *   1 pins of the operator
 *   2 the system's own answer
 *   3 resolvers through our own sockets: those of resolv.conf and those that
 *     were named; each datagram is an answer of its own
 *   4 the later names of the CNAME chain, asked by themselves at each resolver
 *     of class 3: where only the first name is lied about, they answer truly
 *   5 the resolvers that gave no answer at all lately (dns/health.h), with
 *     CLAIMS_PATIENCE_MS for each
 * An address is told once, with the source that named it first. */
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

/* One address; valid during the callback. */
struct claim {
	const char *address;
	const char *source;     /* "pin", "system", a resolver's URL */
	const char *asked_name; /* a later CNAME name, or NULL */
	bool first; /* the first of its answer: a voice of its own */
};

struct claims_callbacks {
	void (*claim)(void *cookie, const struct claim *claim);
	/* a source ended without any address */
	void (*silent)(void *cookie, const char *source, const char *asked_name,
	    const struct err *err, int64_t elapsed_ms);
	/* all that was asked so far has been answered once or has failed;
	 * comes again after each new question */
	void (*settled)(void *cookie);
	/* every source has ended and no class is left; once, the last */
	void (*done)(void *cookie);
};

/* Gather for HOST (copied).  POOL, over which DoH resolvers are asked, and
 * OPTIONS are borrowed and must outlive. */
struct claims *claims_start(uv_loop_t *loop, struct fetch_pool *pool,
    const char *host, const struct acquire_options *options,
    const struct claims_callbacks *callbacks, void *cookie);

/* All that was claimed so far has failed: open the next class now.  Calls no
 * callback from within. */
void claims_hurry(struct claims *claims);

/* True if no question waits for its first answer. */
bool claims_are_settled(const struct claims *claims);

/* From within a callback too; sets *CLAIMS to NULL. */
void claims_cancel(struct claims **claims);

#endif
