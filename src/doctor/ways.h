/* SPDX-License-Identifier: ISC */
/* doctor/ways.h -- every way to the responder that anybody named, tried.
 *
 * Each address is asked for the genuine response, several times, so that a
 * loss is no verdict; the proxies too.  Beside them the controls: an unrelated
 * web host, another Host at the same address, another port of it.  Facts
 * only. */
#ifndef OCLASP_DOCTOR_WAYS_H
#define OCLASP_DOCTOR_WAYS_H

#include <uv.h>

#include "acquire/acquire.h"
#include "doctor/fact.h"

struct cert;
struct cert_list;
struct fetch_pool;
struct ways;

enum {
	WAYS_ADDRESSES_MAX = 16,
	WAYS_AT_ONCE = 8,
	WAYS_TRIES = 3,      /* of an address that fails */
	WAYS_REPEATS = 5,    /* of one that works */
	WAYS_SPACE_MS = 250, /* between their beginnings */
	WAYS_SLOW_MS = 1500, /* then what else an address answers is asked */
	WAYS_TRY_MS = 4000,  /* one try: Apple's clients wait 3 s */
};

struct ways_request {
	const struct cert *leaf, *issuer;
	const struct cert_list *extra;    /* or NULL */
	const char *url, *host;           /* the responder's */
	const char *control;              /* an unrelated web host */
	const struct resolver *resolvers; /* their HTTPS tells the time */
	size_t resolver_count;
	struct verify_policy policy;
	const struct acquire_options *options; /* pins and proxies */
};

/* An address that is tried, and who named it first: "pin", "book", "hosts",
 * "error log", or whom was asked. */
struct ways_address {
	char address[DNS_ADDRESS_TEXT], source[RESOLVER_URL_TEXT];
};

/* Of the addresses that FACTS claim for HOST those for which there is room: of
 * each source one before a second of any, so that who forges many does not keep
 * the others out.  Pure; returns how many. */
size_t ways_choose(const struct facts *facts, const char *host,
    const struct acquire_options *options,
    struct ways_address out[WAYS_ADDRESSES_MAX]);

/* The addresses are those of FACTS.  What REQUEST names is borrowed and must
 * outlive.  CB comes once. */
struct ways *ways_start(uv_loop_t *loop, struct fetch_pool *pool,
    struct facts *facts, int64_t began_ms, const struct ways_request *request,
    void (*cb)(void *cookie), void *cookie);
void ways_cancel(struct ways **ways);

#endif
