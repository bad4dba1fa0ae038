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
#include "base/text.h"
#include "dns/message.h"
#include "dns/resolver.h"
#include "http/proxy.h"
#include "pki/verify.h"

struct acquire;
struct address_book;
struct cert;
struct cert_list;
struct delegates;
struct fetch_pool;
struct health;
struct sealer;
struct staple;

enum {
	ACQUIRE_TIMEOUT_MS = 15000, /* a whole attempt, unless told */
	ACQUIRE_STAGGER_MS = 250,   /* between classes of claims, RFC 8305 */
	ACQUIRE_CONNECT_MS = 5000,  /* one connection */
	ACQUIRE_RACE_MAX = 8,       /* tries in progress at once */
	ACQUIRE_TRIES_MAX = 128,    /* tries recorded and made in all */
	ACQUIRE_PINS_MAX = 64,
	ACQUIRE_UPSTREAMS_MAX = 8,
	ACQUIRE_PRIVATE_MAX = 64,     /* hosts listed as private */
	ACQUIRE_PARTIES_MAX = 32,     /* outside parties remembered of a race */
	ACQUIRE_PROXY_HEAD_MS = 1000, /* start of the proxy that is used first,
					 before the roads without it join */
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
	const char *stub_conf;   /* and these, if the first of them is the stub
				    of systemd-resolved; NULL: not */
	bool ask_system;         /* getaddrinfo */
	enum resolver_family family;
	const struct proxy_plan *proxies; /* or NULL: none */
	const char *proxy_ca_file;        /* for https proxies, or NULL */
	const char *const *upstreams;     /* URLs of the operator, tried last */
	size_t upstream_count;
	bool allow_private; /* acquire/private.h: for all, or for these */
	const char *const *private_hosts;
	size_t private_host_count;
	int64_t timeout_ms;
	int64_t stagger_ms;    /* between classes; 0: ACQUIRE_STAGGER_MS */
	struct health *health; /* which resolvers are silent: read and kept up
				  to date; NULL: nobody remembers */
	struct address_book *book; /* asked for claims, and told which address
				      won and which lost; or NULL */
};

/* What a courier asks for, who has the request and no certificate: the answer
 * is not verified, it only has to be one to this request.  Borrowed. */
struct acquire_errand {
	struct span request; /* DER */
	char *const *urls;
	size_t url_count;
};

struct acquire_target {
	const struct cert *leaf, *issuer; /* borrowed; must outlive; NULL for an
					     errand */
	const struct acquire_errand *errand; /* or NULL */
	const struct cert_list *extra;       /* more signers; may be NULL */
	const struct cert_list *trusted;     /* vouched for; may be NULL */
	struct delegates *delegates; /* as pki/verify.h has it; or NULL */
	struct sealer *sealer;       /* the same */
	const char *url;             /* instead of the AIA's; or NULL */
	bool sha256;   /* the CertID's hash, instead of SHA-1 (B9) */
	bool nonce;    /* send one; the policy says if it must come back */
	int64_t floor; /* refuse a response whose thisUpdate is older than the
			  one at hand (A14); 0: none is */
	struct verify_policy policy;
};

/* One thing that was tried. */
struct acquire_try {
	char address[DNS_ADDRESS_TEXT]; /* "" when no address came of it, and
					   when a proxy looked it up */
	int port;
	char proxy[PROXY_URL_TEXT]; /* it went through, no credentials; "" */
	char source[ACQUIRE_SOURCE_TEXT]; /* CONTRACT: who claimed it */
	char asked_name[256]; /* a later CNAME name asked by itself, or "" */
	char url[256];        /* the responder's, cut if longer */
	const char *host;     /* of it; borrowed as the list is */
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
	uint8_t *carried; /* owned by the callback: what an errand brought */
	size_t carried_len;
	struct err err; /* of the try that got furthest, the latest among
			   equals; REASON_NONE with a staple, and for a signed
			   revoked or unknown */
	const struct acquire_try *tries; /* borrowed during the callback */
	size_t try_count;
	const struct acquire_try *winner; /* of TRIES, or NULL */
	int64_t elapsed_ms;
	int64_t max_age_s, retry_after_s; /* hints of HTTP; -1: none */
	/* Those outside this network and beside the responder who were asked:
	 * URLs of resolvers, proxies and upstreams; borrowed, each once. */
	const char *const *parties;
	size_t party_count;
};

enum { ACQUIRE_WHERE_TEXT = 640 };

/* "192.0.2.1, named by system", "the proxy http://192.0.2.2:3128": where TRY
 * got to, for messages. */
const char *acquire_try_where(
    const struct acquire_try *try, char out[ACQUIRE_WHERE_TEXT]);

/* True if LEAF names a responder that can be asked: by http or https (RFC 6960,
 * appendix A), not by ldap: and the like. */
bool acquire_can_ask(const struct cert *leaf);

enum { ACQUIRE_NOBODY_TEXT = 256 };

/* "names no OCSP responder", or which one that cannot be asked LEAF names
 * instead: for sentences. */
const char *acquire_nobody(
    const struct cert *leaf, char out[ACQUIRE_NOBODY_TEXT]);

/* CB comes once.  Errors, beside those of the network and response groups:
 * REASON_NO_OCSP_URL, REASON_CERTIFICATE_EXPIRED (B10),
 * REASON_CERTIFICATE_NOT_YET_VALID. */
struct acquire *acquire_start(uv_loop_t *loop, struct fetch_pool *pool,
    const struct acquire_target *target, const struct acquire_options *options,
    void (*cb)(void *cookie, struct acquire_result *result), void *cookie);
void acquire_cancel(struct acquire **acquire);

#endif
