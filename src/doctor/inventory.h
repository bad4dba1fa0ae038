/* SPDX-License-Identifier: ISC */
/* doctor/inventory.h -- what this machine says before anybody is asked: the
 * certificate, the hosts file, resolv.conf, proxies.  Facts only. */
#ifndef OCLASP_DOCTOR_INVENTORY_H
#define OCLASP_DOCTOR_INVENTORY_H

#include "base/text.h"
#include "doctor/fact.h"
#include "http/proxy.h"

struct cert;

/* The certificate, or why there is none (UNUSABLE).  URL is the operator's
 * choice of a responder, or NULL; *HOST (owned) is that of the one that will be
 * asked, or NULL if there is none. */
void inventory_certificate(struct facts *facts, const struct cert *leaf,
    const struct err *unusable, const char *url, int64_t now, char **host);

/* The OCSP URLs of LEAF that can be asked, each once, in its order; borrowed.
 * *LEFT_OUT: how many more there are. */
size_t inventory_urls(
    const struct cert *leaf, const char *out[FACT_URLS_MAX], size_t *left_out);

/* The lines of a hosts file that name one of NAMES (ignoring case), which FACTS
 * may lend.  Pure. */
void inventory_hosts(struct facts *facts, const char *file, struct span text,
    const char *const *names, size_t count);

void inventory_resolvers(struct facts *facts, const char *file,
    const struct resolver *resolvers, size_t count);
void inventory_proxies(struct facts *facts, const struct proxy_plan *plan);

#endif
