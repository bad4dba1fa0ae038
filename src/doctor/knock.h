/* SPDX-License-Identifier: ISC */
/* doctor/knock.h -- the controls beside the responder: is it the responder, or
 * everything?
 *
 * An unrelated web host is asked for a page that cannot exist: an honest one
 * says 404, a portal something else.  An address that gave no response is asked
 * for the control's host, and knocked at on another port.  What time their
 * answers carry is a clock beside ours; over HTTPS it is theirs for sure.  Facts only. */
#ifndef OCLASP_DOCTOR_KNOCK_H
#define OCLASP_DOCTOR_KNOCK_H

#include <uv.h>

#include "dns/resolver.h"
#include "doctor/fact.h"

struct fetch_pool;
struct knock;

enum {
	KNOCK_MS = 3000,
	KNOCKS_MAX = 64,
};

/* Which of them. */
enum knock_kind {
	KNOCK_GENERAL,   /* an unrelated host, and clocks */
	KNOCK_HANGING,   /* ADDRESS alone, which has not answered for a while */
	KNOCK_ADDRESSES, /* those that failed, as it befits */
};

struct knock_request {
	enum knock_kind kind;
	const char *address;    /* of KNOCK_HANGING */
	bool ipv6;              /* there are IPv6 addresses of the responder */
	const char *host, *url; /* the responder's */
	const char *get_url;    /* the same with the request in it */
	const char *control;
	/* those of https tell the time; so does the control, over https */
	const struct resolver *resolvers;
	size_t resolver_count;
	const char *tls_ca; /* of the control's; NULL: the system's */
};

/* Where to knock is what FACTS say so far; REQUEST is copied, what it names
 * must outlive.  CB comes once. */
struct knock *knock_start(uv_loop_t *loop, struct fetch_pool *pool,
    struct facts *facts, int64_t began_ms, const struct knock_request *request,
    void (*cb)(void *cookie), void *cookie);
void knock_cancel(struct knock **knock);

#endif
