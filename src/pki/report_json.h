/* SPDX-License-Identifier: ISC */
/* pki/report_json.h -- facts as JSON, in the shapes that users' scripts rely on:
 * times are RFC 3339, what is not known is null.  For whoever makes a document,
 * the commands and the daemon. */
#ifndef OCLASP_PKI_REPORT_JSON_H
#define OCLASP_PKI_REPORT_JSON_H

#include <jansson.h>
#include <stdint.h>

struct cert;
struct verdict;

/* A new document: {"oclasp": VERSION, "command": COMMAND}. */
json_t *report_json_document(const char *command);

/* Single facts; null where there is none. */
json_t *report_json_text(const char *text);
json_t *report_json_time(int64_t wall); /* 0 is null */
json_t *report_json_cert(const struct cert *cert);
json_t *report_json_verdict(const struct verdict *facts);

#endif
