/* SPDX-License-Identifier: ISC */
/* face/courier.h -- the parts of `oclasp courier`, for its three files. */
#ifndef OCLASP_FACE_COURIER_H
#define OCLASP_FACE_COURIER_H

#include "acquire/courier.h"
#include "base/err.h"
#include "face/options.h"

enum { COURIER_AT_ONCE = 16 }; /* acquisitions in progress */

/* The bundle on standard input, of the kind that is wanted. */
int courier_read(bool answers, struct courier_bundle *out, struct err *err);

/* BUNDLE to -o FILE or standard output; with -o and --json a summary. */
int courier_print(const struct options *options,
    const struct courier_bundle *bundle, struct err *err);

/* The commands; each returns the exit status, ERR set where it failed as a
 * whole. */
int courier_fetch(const struct options *options, struct err *err);
int courier_import(const struct options *options, struct err *err);

#endif
