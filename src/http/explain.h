/* SPDX-License-Identifier: ISC */
/* http/explain.h -- why an exchange failed, as a reason and a sentence.
 *
 * For fetch.c.  Pure: facts in, words out. */
#ifndef OCLASP_HTTP_EXPLAIN_H
#define OCLASP_HTTP_EXPLAIN_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Why we ended an answer ourselves. */
enum explain_cut { EXPLAIN_CUT_NOT, EXPLAIN_CUT_STATUS, EXPLAIN_CUT_OVERSIZE };

/* An exchange that gave no whole 200 answer. */
struct explain_facts {
	CURLcode code;
	long os_errno;  /* of the connection; 0: none */
	bool connected; /* the connection was up */
	enum explain_cut cut;
	long status;                   /* of HTTP; 0: none */
	const char *host;              /* of the URL */
	const char *address;           /* connected to */
	const char *location, *detail; /* "" where there is none */
	const char *subject;           /* what was asked for: "OCSP response" */
	size_t body_len;               /* bytes that came */
	int64_t elapsed_ms;
};

void explain_failure(const struct explain_facts *failure, struct err *err);

#endif
