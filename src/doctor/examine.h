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

#include "base/err.h"
#include "doctor/url_probe.h"

struct examination;

enum { EXAMINE_MS = 25000 }; /* after BEGAN_MS what is there has to do */

struct examine_request {
	struct probe_terms terms; /* leaf of its id NULL: none could be read */
	struct err unusable;      /* why the id is not whole, or REASON_NONE */
	const char *url; /* of the responder, or NULL: those of the AIA */
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
