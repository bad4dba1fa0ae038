/* SPDX-License-Identifier: ISC */
/* face/survey.h -- the parts of `oclasp survey`, for its three files. */
#ifndef OCLASP_FACE_SURVEY_H
#define OCLASP_FACE_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "doctor/responders.h"
#include "doctor/survey.h"
#include "face/options.h"
#include "pki/identity.h"

enum { SURVEY_LINE_MAX = 2048 }; /* octets of a URL or a path in a list */

/* --- survey_list.c: what is surveyed --- */

/* A line of a list: a URL, or the path of certificates. */
struct survey_line {
	char *text; /* owned */
	size_t number;
	bool is_url;
};

struct survey_lines {
	struct survey_line *items; /* owned; at most SURVEY_RESPONDERS_MAX */
	size_t count;
};

/* Read a list: one item a line, blanks around it dropped, empty lines and those
 * that begin with # passed over.  NAME is for the error text.  Pure.  On failure
 * *OUT is untouched.  Errors: REASON_USAGE, with NAME and the line's number. */
int survey_lines_parse(const char *name, const uint8_t *bytes, size_t len,
    struct survey_lines *out, struct err *err);
void survey_lines_done(struct survey_lines *lines);

/* One responder, or what has none. */
struct survey_entry {
	char *ca;                          /* owned; NULL: not known */
	const struct responder_fact *fact; /* of the table, or NULL */
	char *url;         /* owned; NULL: the certificate names none */
	char *certificate; /* owned: the file of the first that names it; NULL:
			      it was given as a URL, or by the table */
	bool is_given;     /* by the operator, not by the table alone */
	const struct cert *leaf, *issuer; /* of an identity of the list; NULL:
					     it is asked about a fictitious one */
	const struct cert_list *extra;
	const struct survey_responder
	    *responder; /* the facts; NULL: not asked */
};

struct survey_list {
	struct survey_entry *entries; /* owned */
	size_t count;
	struct identity **identities; /* owned */
	size_t identity_count;
};

/* Add the table of known responders. */
int survey_list_add_table(struct survey_list *list, struct err *err);

/* Add a URL, a file of certificates, or a file with a list of both.  "-" is
 * standard input.  Errors: REASON_USAGE, REASON_FILE, REASON_CERTIFICATE_*. */
int survey_list_add(struct survey_list *list, const struct options *options,
    const char *argument, struct err *err);

void survey_list_done(struct survey_list *list);

/* --- survey_report.c: what is said --- */

/* Once the entries have their facts: sorts them, the most useful first. */
void survey_report_sort(struct survey_list *list);
void survey_report_text(const struct options *options,
    const struct survey_list *list, const struct survey_result *result);
void survey_report_json(
    const struct survey_list *list, const struct survey_result *result);

/* Exit status: CONTRACT, and oclasp-survey(1). */
int survey_report_exit(const struct survey_result *result);

#endif
