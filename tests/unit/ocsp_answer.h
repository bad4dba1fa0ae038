/* SPDX-License-Identifier: ISC */
/* ocsp_answer.h -- HTTP answers of responders, good ones and bad ones. */
#ifndef OCLASP_TESTS_OCSP_ANSWER_H
#define OCLASP_TESTS_OCSP_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "http_script.h"
#include "pki_fixture.h"

/* What a whole HTTP answer is made of; zero is the good one, for LEAF. */
struct ocsp_answer {
	const struct cert *leaf;
	int http;                 /* status; 0: 200 */
	const char *headers;      /* more of them, each with its CRLF */
	const char *content_type; /* NULL: the right one */
	const char *body;         /* text instead of a response */
	int status;               /* of the OCSPResponse */
	enum cert_status says;
	int64_t this_update, next_update; /* 0: ordinary */
	enum pki_forgery forgery;
};

/* Owned by the caller. */
static inline struct buf
ocsp_answer(const struct pki *pki, const struct ocsp_answer *spec)
{
	struct pki_single single = {.leaf = spec->leaf,
	    .issuer = pki->issuer.cert,
	    .status = spec->says,
	    .this_update = spec->this_update,
	    .next_update = spec->next_update};
	struct pki_response response = {.status = spec->status,
	    .signer = &pki->issuer,
	    .singles = &single,
	    .single_count = 1,
	    .forgery = spec->forgery,
	    .produced_at = spec->this_update};
	struct buf der = pki_response(&response), out;
	size_t len = spec->body != NULL ? strlen(spec->body) : der.len;

	buf_init(&out, 1 << 18);
	buf_printf(&out,
	    "HTTP/1.1 %d Said\r\nContent-Type: %s\r\n%s"
	    "Content-Length: %zu\r\nConnection: close\r\n\r\n",
	    spec->http == 0 ? 200 : spec->http,
	    spec->content_type == NULL ? "application/ocsp-response"
				       : spec->content_type,
	    spec->headers == NULL ? "" : spec->headers, len);
	buf_add(&out, spec->body != NULL ? spec->body : der.text, len);
	buf_done(&der);
	return out;
}

#endif
