/* SPDX-License-Identifier: ISC */
/* base/err.h -- one failure: a code for programs, a sentence for people. */
#ifndef OCLASP_BASE_ERR_H
#define OCLASP_BASE_ERR_H

#include "base/reason.h"

enum { ERR_TEXT = 512 };

struct err {
	enum reason reason;
	char text[ERR_TEXT]; /* one sentence, no newline, no final stop */
};

/* Record the failure in ERR and return -1, so that a caller can write
 * `return err_set(...)`.  The first failure wins: a second call on the same
 * ERR keeps the earlier code and text.  ERR may be NULL. */
__attribute__((format(printf, 3, 4))) int err_set(
    struct err *err, enum reason reason, const char *fmt, ...);

/* Make ERR empty again, for the next try. */
void err_clear(struct err *err);

#endif
