/* SPDX-License-Identifier: ISC */
/* doctor/examine.h -- all probes, in their order, within one deadline.
 *
 *   inventory -> each OCSP URL (url_probe.h), side by side; when the first
 *   one's names are known, encrypted resolvers that failed
 *
 * What a stage needs is what the one before found; within a stage everything is
 * side by side.  Facts only: diagnose() says what they mean. */
#ifndef OCLASP_DOCTOR_EXAMINE_H
#define OCLASP_DOCTOR_EXAMINE_H

#include <uv.h>

#include "acquire/acquire.h"
#include "doctor/fact.h"
#include "pki/identity.h"

struct examination;
struct fetch_pool;

enum { EXAMINE_MS = 25000 }; /* after BEGAN_MS what is there has to do */

struct examine_request {
	const struct identity *id; /* leaf NULL: none could be read */
	struct err unusable;       /* why id is not whole, else REASON_NONE */
	const char *url; /* of the responder, or NULL: those of the AIA */
	const char *hosts_file; /* "/etc/hosts" */
	const struct resolver *resolvers;
	size_t resolver_count;
	const struct resolver *dark; /* or NULL */
	const char *control;
	struct verify_policy policy;
	const struct acquire_options *options;
	/* addresses of HOST that were proven before, to FACTS; may be NULL */
	void (*proven)(void *cookie, const char *host, struct facts *facts);
	void *proven_cookie;
	/* what is being done; may be NULL */
	void (*progress)(void *cookie, const char *stage);
};

/* FACTS may hold some already, and must outlive; so must all that REQUEST names.
 * CB comes once. */
struct examination *examine_start(uv_loop_t *loop, struct fetch_pool *pool,
    struct facts *facts, int64_t began_ms,
    const struct examine_request *request, void (*cb)(void *cookie),
    void *cookie);
void examine_cancel(struct examination **examination);

#endif
