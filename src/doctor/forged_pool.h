/* SPDX-License-Identifier: ISC */
/* doctor/forged_pool.h -- addresses that forged answers were seen to use.
 *
 * A list that the operator brings; none is compiled in, for such lists are
 * bound to a time and a name, and absence from one proves nothing.  That an
 * answer is in it is a circumstance (NETWORK-TRUTH 3.1, class C), and no
 * verdict rests on that alone. */
#ifndef OCLASP_DOCTOR_FORGED_POOL_H
#define OCLASP_DOCTOR_FORGED_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct facts;

enum { FORGED_POOL_MAX = 100000 };

struct forged_pool {
	char **addresses; /* owned, canonical, sorted */
	size_t count;
};

/* From a file with one address a line; '#' begins a comment.
 * Errors: REASON_FILE, REASON_USAGE with the line. */
int forged_pool_load(
    const char *path, struct forged_pool *out, struct err *err);
void forged_pool_done(struct forged_pool *pool);
bool forged_pool_has(const struct forged_pool *pool, const char *address);

/* Mark the answers of FACTS whose addresses are in POOL. */
void forged_pool_mark(const struct forged_pool *pool, struct facts *facts);

#endif
