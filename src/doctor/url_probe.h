/* SPDX-License-Identifier: ISC */
/* doctor/url_probe.h -- one OCSP URL: who says where it is, and what is there.
 *
 *   names -> hosts file -> proven before -> ways to the addresses and controls
 *
 * Facts only. */
#ifndef OCLASP_DOCTOR_URL_PROBE_H
#define OCLASP_DOCTOR_URL_PROBE_H

#include <uv.h>

#include "acquire/acquire.h"
#include "doctor/fact.h"
#include "pki/identity.h"

struct fetch_pool;
struct url_probe;

/* The same for every URL of an examination.  All borrowed. */
struct probe_terms {
	const struct identity *id; /* issuer NULL: nothing can be fetched */
	const char *hosts_file;    /* "/etc/hosts" */
	const struct resolver *resolvers;
	size_t resolver_count;
	const struct resolver *dark; /* or NULL */
	const char *control;
	struct verify_policy policy;
	const struct acquire_options *options;
	/* addresses of HOST that were proven before, to FACTS; may be NULL */
	void (*proven)(void *cookie, const char *host, struct facts *facts);
	void *proven_cookie;
};

struct url_probe_request {
	const struct probe_terms *terms;
	const char *url, *host;
	/* everybody was asked for its host; may be NULL */
	void (*named)(void *cookie);
};

/* REQUEST is copied; what it names must outlive, as FACTS.  CB comes once, as
 * NAMED before it, with the same COOKIE. */
struct url_probe *url_probe_start(uv_loop_t *loop, struct fetch_pool *pool,
    struct facts *facts, int64_t began_ms,
    const struct url_probe_request *request, void (*cb)(void *cookie),
    void *cookie);
void url_probe_cancel(struct url_probe **probe);

#endif
