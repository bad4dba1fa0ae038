/* SPDX-License-Identifier: ISC */
/* acquire/attempt.h -- one way tried, by GET or POST, and the answer judged.
 *
 * The other method is tried once where it may help: after an HTTP error, an
 * answer that is no OCSP, or a response that does not verify (a cache may hold
 * an old one for GET; an old responder may know only POST).  After a response
 * whose time is over it is asked past all caches, "Cache-Control: no-cache",
 * and never otherwise (RFC 9919; B11). */
#ifndef OCLASP_ACQUIRE_ATTEMPT_H
#define OCLASP_ACQUIRE_ATTEMPT_H

#include "acquire/acquire.h"
#include "base/text.h"

struct attempt;

/* What to ask and how to judge it.  Borrowed; must outlive the attempt. */
struct attempt_job {
	const struct acquire_target *target;
	struct span request; /* DER */
	struct span nonce;   /* in it; empty: none */
	const char *url;     /* the responder's */
	const char *host;    /* of it */
	const char *get_url; /* the same for a GET, with the request in it */
	bool post_first;     /* the GET URL is longer than RFC 9919 allows */
	bool fresh;          /* a connection of its own, never an old one's */
};

/* By which way.  Borrowed; must outlive the attempt. */
struct attempt_way {
	const char *address;       /* NULL: the proxy looks the host up */
	const struct proxy *proxy; /* or NULL */
	const char *proxy_addresses, *proxy_ca_file; /* see http/fetch.h */
};

struct attempt_outcome {
	const char *method;
	const char *stage;
	struct err err;        /* REASON_NONE: accepted */
	struct staple *staple; /* owned by the callback; NULL: none */
	bool accepted;         /* FACTS hold a verified response */
	/* when it was signed, of one whose signature is good, whatever its
	 * times are by our clock; wall seconds, 0: no such response */
	int64_t signed_at;
	struct verdict facts;
	uint8_t *carried; /* of an errand: owned by the callback, or NULL */
	size_t carried_len;
	int64_t max_age_s, retry_after_s;
	int64_t connect_ms; /* until the connection was up, 0 for one that was;
			       -1: never */
	int64_t elapsed_ms;
	bool last; /* no other method follows; the attempt has ended */
};

/* CB comes once for each method that was tried; the last has `last` set. */
struct attempt *attempt_start(struct fetch_pool *pool,
    const struct attempt_job *job, const struct attempt_way *way,
    int64_t deadline_ms,
    void (*cb)(void *cookie, struct attempt_outcome *outcome), void *cookie);

/* From within the callback too. */
void attempt_cancel(struct attempt **attempt);

/* "GET" or "POST": what is under way. */
const char *attempt_method(const struct attempt *attempt);

#endif
