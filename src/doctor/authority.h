/* SPDX-License-Identifier: ISC */
/* doctor/authority.h -- what the zones' own name servers say (NETWORK-TRUTH
 * 4.1, A).
 *
 * Of the responder's name and of the last name of its CNAME chain: resolvers
 * are asked which servers the zone has and where they are, and those are asked
 * directly, over UDP with RD=0 and over TCP.  A forger on the path speaks for
 * them over UDP as for any other; what came over TCP is theirs.  Facts only. */
#ifndef OCLASP_DOCTOR_AUTHORITY_H
#define OCLASP_DOCTOR_AUTHORITY_H

#include <uv.h>

#include "dns/resolver.h"
#include "doctor/fact.h"

struct authority;

enum {
	AUTHORITY_RESOLVERS = 2, /* asked for the servers: encrypted first */
	AUTHORITY_SUFFIXES = 6,  /* of a name that may be a zone */
	AUTHORITY_SERVERS = 4,   /* of a zone */
	AUTHORITY_ADDRESSES = 4, /* of all its servers */
	AUTHORITY_HOLD_MS = 700, /* for who the servers are */
};

/* FACTS have HOST's chain already.  RESOLVERS are borrowed and must outlive, as
 * HOST.  CB comes once. */
struct authority *authority_start(uv_loop_t *loop, struct facts *facts,
    int64_t began_ms, const char *host, const struct resolver *resolvers,
    size_t resolver_count, void (*cb)(void *cookie), void *cookie);
void authority_cancel(struct authority **authority);

#endif
