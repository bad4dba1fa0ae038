/* SPDX-License-Identifier: ISC */
/* keep/issuers.h -- issuers' certificates, each held once.
 *
 * A hundred thousand certificates have a handful of issuers: they share them,
 * and what the operator says of each.  Pure. */
#ifndef OCLASP_KEEP_ISSUERS_H
#define OCLASP_KEEP_ISSUERS_H

#include <stddef.h>
#include <uthash.h>

#include "keep/rules.h"

struct issuer {
	struct cert *cert;       /* whole, for signatures; owned */
	const struct rule *rule; /* what is said of it, or NULL; borrowed */
	struct issuers *home;
	size_t users;
	UT_hash_handle hh; /* by fingerprint */
};

/* All zero: none yet. */
struct issuers {
	struct issuer *all;
	const struct rules *rules; /* those in force; borrowed */
};

/* The shared copy of CERT (which has its X509), with one more user. */
struct issuer *issuers_take(struct issuers *issuers, const struct cert *cert);

/* One user less; sets *ISSUER to NULL, which it may be.  The last one frees. */
void issuer_leave(struct issuer **issuer);

/* Other RULES are in force from now on. */
void issuers_obey(struct issuers *issuers, const struct rules *rules);

#endif
