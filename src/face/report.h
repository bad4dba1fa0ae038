/* SPDX-License-Identifier: ISC */
/* face/report.h -- facts as JSON (the shapes of CONTRACT) and as text. */
#ifndef OCLASP_FACE_REPORT_H
#define OCLASP_FACE_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "acquire/acquire.h"
#include "base/err.h"
#include "face/options.h"
#include "pki/cert.h"
#include "pki/report_json.h"
#include "pki/verify.h"

/* A new document: {"oclasp": VERSION, "command": COMMAND}. */
json_t *report_document(const char *command);

/* Print it on stdout, whole, and free it. */
void report_print(json_t *document);

/* Say on a terminal that TEXT is under way, in the place of what was said before;
 * NULL: nothing is any more.  Not with -q or --json. */
void report_progress(const struct options *options, const char *text);

/* TEXT to stdout, filled up with blanks to COLUMNS of a terminal. */
void report_cell(const char *text, size_t columns);

/* JSON of one try; the other single facts are in pki/report_json.h. */
json_t *report_json_try(const struct acquire_try *try);

/* What to do about REASON, if its sentence does not say so itself, as those
 * about files and certificates do; else NULL. */
const char *report_remedy(enum reason reason);

/* "accept"/"reject", "status", "reason", "detail", "response" into OBJECT;
 * FACTS is NULL for a reject, and where nothing was judged: then ERR is none. */
void report_add_verdict(
    json_t *object, const struct verdict *facts, const struct err *err);

/* Lines for a reader on stdout; NOW is what "in 3 d" counts from. */
void report_text_verdict(const struct verdict *facts, int64_t now);
void report_text_cert(const struct cert *cert, int64_t now);

/* "2026-11-26T10:00:00Z (in 3 d 4 h)", valid until the next call but three. */
const char *report_when(int64_t wall, int64_t now);

#endif
