/* SPDX-License-Identifier: ISC */
/* face/kept_status.h -- how the kept certificates stand, whether a keeper runs
 * or not. */
#ifndef OCLASP_FACE_KEPT_STATUS_H
#define OCLASP_FACE_KEPT_STATUS_H

#include <jansson.h>
#include <stddef.h>

#include "face/options.h"

struct err;

/* The document of `oclasp status --json`, from the keeper if one runs, else
 * from the state folder.  NAME: a name, a file from the root on, or the beginning
 * of a fingerprint; NULL: all.  LIMIT rows at most; 0: all.  Owned; NULL with
 * ERR: REASON_USAGE, REASON_FILE, REASON_STORE. */
json_t *kept_status(const struct options *options, const char *name,
    size_t limit, struct err *err);

#endif
