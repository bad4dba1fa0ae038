/* SPDX-License-Identifier: ISC */
/* pki/staple.h -- a staple: a response that was verified as good.
 *
 * I1: only pki/verify.c can make one, so whoever holds a `struct staple *`
 * holds proof.  Immutable and opaque. */
#ifndef OCLASP_PKI_STAPLE_H
#define OCLASP_PKI_STAPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "pki/verify.h"

struct staple;

/* One more holder of STAPLE, who frees it too, on whatever thread. */
struct staple *staple_share(struct staple *staple);

void staple_free(struct staple *staple);

/* Have STAPLE on its way out of memory, while something else is done: of many
 * hardly any is in the processor's caches. */
void staple_fetch_ahead(const struct staple *staple);

/* The DER as it came; borrowed. */
struct span staple_der(const struct staple *staple);

/* Our seal on it, see pki/seal.h; empty: it has none.  Borrowed. */
struct span staple_seal(const struct staple *staple);

/* What was verified of it; borrowed. */
const struct verdict *staple_facts(const struct staple *staple);

/* Hex SHA-256 of the certificate that it is for; borrowed. */
const char *staple_fingerprint(const struct staple *staple);

/* The moment from which it is not to be served any more: its effective end
 * (I3) less min(300 s, a tenth of its life).  Wall seconds. */
int64_t staple_usable_until(const struct staple *staple);
bool staple_usable(const struct staple *staple, int64_t now);

/* I2: true if NEXT may replace HAVE (NULL: nothing yet): the same certificate
 * and a newer thisUpdate. */
bool staple_better(const struct staple *have, const struct staple *next);

#endif
