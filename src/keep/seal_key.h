/* SPDX-License-Identifier: ISC */
/* keep/seal_key.h -- the key of our seals (pki/seal.h), in the state folder.
 *
 * Who can read it, or have us take another one, could make us believe what
 * nobody has verified (I1).  So it is a file of this user's alone, and any that
 * is not so is replaced.  To lose it costs one slow start. */
#ifndef OCLASP_KEEP_SEAL_KEY_H
#define OCLASP_KEEP_SEAL_KEY_H

#include <stdbool.h>

struct err;
struct sealer;

/* The sealer by the key in DIR, owned by the caller.  MAY_MAKE: a key is made where
 * there is none that can be used.  NULL: there is none; then all is verified. */
struct sealer *seal_key_open(const char *dir, bool may_make, struct err *err);

#endif
