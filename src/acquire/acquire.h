/* SPDX-License-Identifier: ISC */
/* acquire/acquire.h -- from claims to one verified staple.
 *
 * Trust signatures, not paths: collect every claim of an address for the
 * responder, class by class, race them, and let the first response that
 * verifies win.  What fails on the way is recorded: it is evidence. */
#ifndef OCLASP_ACQUIRE_ACQUIRE_H
#define OCLASP_ACQUIRE_ACQUIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "dns/message.h"
#include "dns/resolver.h"
#include "pki/verify.h"

struct acquire;
struct cert;
struct cert_list;
struct fetch_pool;
struct health;
struct staple;

enum {
	ACQUIRE_TIMEOUT_MS = 15000, /* a whole attempt, unless told */
	ACQUIRE_STAGGER_MS = 250,   /* between classes of claims, RFC 8305 */
	ACQUIRE_CONNECT_MS = 5000,  /* one connection */
	ACQUIRE_RACE_MAX = 8,       /* tries in progress at once */
	ACQUIRE_TRIES_MAX = 128,    /* tries recorded and made in all */
	ACQUIRE_PINS_MAX = 64,
	ACQUIRE_SOURCE_TEXT = RESOLVER_URL_TEXT,
};

/* HOST=ADDR of the operator. */
struct acquire_pin {
	char host[256];
	char address[DNS_ADDRESS_TEXT];
};

/* "HOST=ADDR".  Errors: REASON_USAGE. */
int acquire_pin_parse(
    const char *text, struct acquire_pin *out, struct err *err);

/* How to go about it; the same for many targets.  Borrowed; must outlive. */
struct acquire_options {
	const struct acquire_pin *pins;
	size_t pin_count;
	const struct resolver *resolvers; /* the operator's, after the system */
	size_t resolver_count;
	const char *resolv_conf; /* its nameservers are asked by our own
				    sockets too; NULL: not */
	bool ask_system;         /* getaddrinfo */
	enum resolver_family family;
	int64_t timeout_ms;
	struct health *health; /* which resolvers are silent: read and kept up
				  to date; NULL: nobody remembers */
};

struct acquire_target {
	const struct cert *leaf, *issuer; /* borrowed; must outlive */
	const struct cert_list *extra;    /* more signers; may be NULL */
	const char *url;                  /* instead of the AIA's; or NULL */
	int64_t floor; /* refuse a response whose thisUpdate is older than the
			  one at hand (A14); 0: none is */
	struct verify_policy policy;
};

/* One thing that was tried. */
struct acquire_try {
	char address[DNS_ADDRESS_TEXT]; /* "" when no address came of it */
	int port;
	char source[ACQUIRE_SOURCE_TEXT]; /* CONTRACT: who claimed it */
	char asked_name[256]; /* a later CNAME name asked by itself, or "" */
	char url[256];        /* the responder's, cut if longer */
	const char *method;   /* "GET", "POST"; NULL when not that far */
	const char *stage;    /* "dns" "connect" "http" "response" */
	struct err err;       /* REASON_NONE: this one won, or was cancelled */
	bool cancelled;       /* another one won first */
	int64_t elapsed_ms;
};

struct acquire_result {
	struct staple *staple; /* owned by the callback; NULL: none */
	bool accepted;         /* FACTS hold a verified response */
	struct verdict facts;
	struct err err; /* of the try that got furthest, the latest among
			   equals; REASON_NONE with a staple, and for a signed
			   revoked or unknown */
	const struct acquire_try *tries; /* borrowed during the callback */
	size_t try_count;
	const struct acquire_try *winner; /* of TRIES, or NULL */
	int64_t elapsed_ms;
	int64_t max_age_s, retry_after_s; /* hints of HTTP; -1: none */
};

/* CB comes once.  Errors, beside those of the network and response groups:
 * REASON_NO_OCSP_URL, REASON_CERTIFICATE_EXPIRED (B10). */
struct acquire *acquire_start(uv_loop_t *loop, struct fetch_pool *pool,
    const struct acquire_target *target, const struct acquire_options *options,
    void (*cb)(void *cookie, struct acquire_result *result), void *cookie);
void acquire_cancel(struct acquire **acquire);

#endif
