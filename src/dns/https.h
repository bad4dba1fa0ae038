/* SPDX-License-Identifier: ISC */
/* dns/https.h -- DNS questions over HTTPS (RFC 8484).
 *
 * POST, HTTP/2 where the server speaks it, the certificate verified for the
 * URL's host.  The connection goes to the addresses given, one joining after
 * the other; only without any is the host looked up, by the system. */
#ifndef OCLASP_DNS_HTTPS_H
#define OCLASP_DNS_HTTPS_H

#include <stdint.h>
#include <uv.h>

#include "dns/question.h"

struct fetch_pool;
struct https;

enum {
	HTTPS_ADDRESSES_MAX = 4,
	HTTPS_DEADLINE_MS = 5000, /* of the whole, unless told */
	HTTPS_STAGGER_MS = 250,   /* until the next address joins */
};

struct https_server {
	const char *url;
	const char *host; /* of the URL: looked up if ADDRESS_COUNT is 0 */
	const char *addresses[HTTPS_ADDRESSES_MAX];
	size_t address_count;
	const char *ca_file;     /* PEM, instead of the system's; or NULL */
	struct fetch_pool *pool; /* borrowed; NULL: one of its own */
	int64_t deadline_ms;     /* 0: HTTPS_DEADLINE_MS */
};

/* Copies what SERVER and QUESTIONS name, but for the pool.  Errors: those of
 * http/fetch.h and dns/system.h, REASON_DNS_NO_ANSWER. */
struct https *https_start(uv_loop_t *loop, const struct https_server *server,
    const struct questions *questions,
    const struct question_callbacks *callbacks, void *cookie);
void https_cancel(struct https **https);

#endif
