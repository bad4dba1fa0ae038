/* SPDX-License-Identifier: ISC */
/* keep/target_quick.h -- a target's files, read quickly where they are as they
 * mostly are: a leaf, and certificates that other files had before. */
#ifndef OCLASP_KEEP_TARGET_QUICK_H
#define OCLASP_KEEP_TARGET_QUICK_H

#include <stdbool.h>

#include "keep/target.h"

/* OUT: leaf and issuer, both the caller's, just those that identity_load()
 * would find.  False: read them as a whole; nothing is wrong by that. */
bool target_read_quick(const struct target *target,
    const struct target_sources *sources, struct target_pair *out);

#endif
