/* SPDX-License-Identifier: ISC */
/* doctor/penalty.h -- what asking the responder itself costs from here: tries.
 *
 * Some clients that are given no staple ask the CA's responder themselves, in
 * the middle of the connection.  Here that is done, cold each time: the
 * system's first answer is believed, no redirect followed, no connection used
 * again.  What differs on the wire is measured once for all clients that do
 * the same; what each of them waits follows by its rule (penalty_client.h,
 * NETWORK-TRUTH 4.4).  Whoever runs a server writes the URLs of its
 * certificate, though: from one outside this network none may lead us to an
 * address in it (acquire/private.h). */
#ifndef OCLASP_DOCTOR_PENALTY_H
#define OCLASP_DOCTOR_PENALTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "dns/message.h"
#include "pki/verify.h"

struct acquire_options;
struct fetch_pool;
struct penalty_probe;

enum {
	PENALTY_TRIES = 20,        /* of each behaviour, for a distribution */
	PENALTY_TRIES_MAX = 80,    /* of all of them together */
	PENALTY_ROWS_MAX = 10,     /* behaviours: URLs by GET and by POST */
	PENALTY_TRY_MS = 15500,    /* no client waits longer for one URL */
	PENALTY_AT_ONCE = 4,       /* that still get somewhere */
	PENALTY_PATIENCE_MS = 500, /* a try that takes longer hangs: the next
				      begins beside it */
	PENALTY_URL_TEXT = 256,
};

/* One cold try. */
struct penalty_try {
	bool done; /* else it was never begun, or the time was over at once */
	enum reason reason; /* REASON_NONE: a genuine response */
	/* we gave up, not it: nothing had come by then */
	bool cut;
	int64_t connect_ms; /* from the try's beginning, until TCP was up; -1 */
	int64_t elapsed_ms;
};

/* One URL, asked in one way. */
struct penalty_row {
	char url[PENALTY_URL_TEXT];
	size_t url_index; /* in the certificate */
	bool post;
	struct penalty_try tries[PENALTY_TRIES];
	size_t count;                   /* of them that are done */
	char address[DNS_ADDRESS_TEXT]; /* last one asked; "" none */
	struct err err;                 /* of the last one; may be none */
};

struct penalty {
	struct err err; /* REASON_NO_OCSP_URL: no client asks anybody;
			   else why nothing could be asked */
	struct penalty_row rows[PENALTY_ROWS_MAX];
	size_t row_count;
	size_t url_count; /* of the certificate; more than the rows have were
			     not measured */
	unsigned wanted;  /* tries of each row */
};

struct penalty_request {
	/* All borrowed; must outlive. */
	const struct cert *leaf, *issuer;
	const struct cert_list *extra; /* delegates; or NULL */
	struct verify_policy policy;
	/* The first resolver of it is whom the client would ask, by its first
	 * answer; without any it is the system. */
	const struct acquire_options *options;
	bool outside;     /* LEAF is that of a server outside this network */
	unsigned tries;   /* of each behaviour, PENALTY_TRIES at most */
	int64_t try_ms;   /* one of them; 0: PENALTY_TRY_MS */
	int64_t until_ms; /* monotonic: what runs then is cut; 0: no limit */
	bool apple_only;  /* by the method that Apple's clients choose */
};

/* CB comes once; PENALTY is valid during it. */
struct penalty_probe *penalty_start(uv_loop_t *loop, struct fetch_pool *pool,
    const struct penalty_request *request,
    void (*cb)(void *cookie, const struct penalty *penalty), void *cookie);
void penalty_cancel(struct penalty_probe **probe);

#endif
