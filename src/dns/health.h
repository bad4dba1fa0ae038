/* SPDX-License-Identifier: ISC */
/* dns/health.h -- which resolvers gave no answer at all, lately.
 *
 * So that a dead one costs nothing the second time: who asks puts the sick
 * ones last and waits less long for them.  A resolver that answers, were it
 * with NXDOMAIN or with a lie, is well.  Pure; NOW_MS is monotonic time. */
#ifndef OCLASP_DNS_HEALTH_H
#define OCLASP_DNS_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "dns/resolver.h"

enum {
	HEALTH_MAX = RESOLVERS_MAX * 2, /* remembered; the oldest gives way */
	HEALTH_SICK_MS = 60000,         /* after a failure; doubles */
	HEALTH_SICK_MAX_MS = 900000,    /* with each further one, up to this */
};

struct health_entry {
	char url[RESOLVER_URL_TEXT]; /* "": free */
	int64_t until_ms;            /* sick until then */
	int64_t span_ms;             /* the last illness, doubled next time */
};

/* Zero is a world where everybody is well. */
struct health {
	struct health_entry entries[HEALTH_MAX];
};

/* The resolver URL has answered, or has not. */
void health_note(
    struct health *health, const char *url, bool answered, int64_t now_ms);

/* HEALTH may be NULL: nobody is sick then. */
bool health_is_sick(
    const struct health *health, const char *url, int64_t now_ms);

#endif
