/* SPDX-License-Identifier: ISC */
/* doctor/names.h -- who says what of a name, its CNAME chain and neighbours.
 *
 * First the name itself, with controls, by everybody; then, when the chain is
 * known, each later name by itself and names beside them that cannot exist.
 * With BISECT each question to the dark address is put often enough for the
 * statistics (NETWORK-TRUTH 4.3), and one that was answered is put again with
 * few hops to go (4.1, D).  Facts only. */
#ifndef OCLASP_DOCTOR_NAMES_H
#define OCLASP_DOCTOR_NAMES_H

#include <uv.h>

#include "dns/resolver.h"
#include "doctor/fact.h"

struct names;

enum {
	NAMES_REPEATS = 5, /* of a plain resolver for the name's address: for
			      what rotates, is lost, or forged now and then */
	NAMES_DARK_REPEATS = 3,
	NAMES_BISECT_REPEATS = 10,
	NAMES_CHAIN_MAX = 8, /* later names looked at */
	NAMES_HOPS_MAX = 20, /* how far away a forger is looked for */
	NAMES_HOP_REPEATS = 2,
	NAMES_HOP_MS = 800, /* a forger is near, and fast */
};

struct names_request {
	const char *host;
	const struct resolver *resolvers;
	size_t resolver_count;
	bool ask_system;
	const struct resolver *dark; /* udp://, where no resolver is; or NULL */
	const char *control;         /* a name that nobody lists */
	bool bisect;
	/* everybody was asked for HOST, once; may be NULL.  Of the same cookie
	 * as the end */
	void (*asked)(void *cookie);
};

/* What REQUEST names is borrowed and must outlive.  CB comes once. */
struct names *names_start(uv_loop_t *loop, struct facts *facts,
    int64_t began_ms, const struct names_request *request,
    void (*cb)(void *cookie), void *cookie);
void names_cancel(struct names **names);

/* The later names of HOST's chain, as anybody named them, in order and each
 * once; borrowed of FACTS. */
size_t names_chain(const struct facts *facts, const char *host,
    const char *out[NAMES_CHAIN_MAX]);

/* -1 if NAME cannot be asked for: it is no host name, or an address.
 * Errors: REASON_USAGE. */
int names_check(const char *name, struct err *err);

#endif
