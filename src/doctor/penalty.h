/* SPDX-License-Identifier: ISC */
/* doctor/penalty.h -- what a client waits that is given no staple.
 *
 * Some clients then ask the CA's responder themselves, in the middle of the
 * connection.  This does what Apple's trustd does, from here: the URLs one
 * after the other, the system's first answer believed, GET where the URL is
 * short, no redirects, 3 s for each URL at most (NETWORK-TRUTH 5.1).  Whoever
 * runs a server writes the URLs of its certificate, though: from one outside
 * this network none may lead us to an address in it (acquire/private.h). */
#ifndef OCLASP_DOCTOR_PENALTY_H
#define OCLASP_DOCTOR_PENALTY_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "dns/message.h"

struct acquire_options;
struct cert;
struct fetch_pool;
struct penalty_probe;

enum { PENALTY_URL_MS = 3000 }; /* Apple: timeoutIntervalForResource */

struct penalty {
	int64_t wait_ms; /* over all URLs that had to be asked */
	struct err err;  /* of the last one; REASON_NONE: it answered */
	char address[DNS_ADDRESS_TEXT]; /* the last one asked; "" none */
	char url[256];
};

/* The first resolver of OPTIONS is whom the client would ask, by its first
 * answer; without any it is the system.  OUTSIDE: LEAF is that of a server
 * outside this network.  All borrowed; must outlive.  CB comes once. */
struct penalty_probe *penalty_start(uv_loop_t *loop, struct fetch_pool *pool,
    const struct cert *leaf, const struct cert *issuer,
    const struct acquire_options *options, bool outside,
    void (*cb)(void *cookie, const struct penalty *penalty), void *cookie);
void penalty_cancel(struct penalty_probe **probe);

#endif
