/* SPDX-License-Identifier: ISC */
/* ocsp_answer.h -- HTTP answers of responders, good ones and bad ones. */
#ifndef OCLASP_TESTS_OCSP_ANSWER_H
#define OCLASP_TESTS_OCSP_ANSWER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "http_script.h"
#include "pki_fixture.h"

/* What a whole HTTP answer is made of; zero is the good one, for LEAF. */
struct ocsp_answer {
	const struct cert *leaf;
	const struct pki_party *signer; /* NULL: the issuer */
	int http;                       /* status; 0: 200 */
	const char *headers;            /* more of them, each with its CRLF */
	const char *content_type;       /* NULL: the right one */
	const char *body;               /* text instead of a response */
	int status;                     /* of the OCSPResponse */
	enum cert_status says;
	int64_t this_update, next_update; /* 0: ordinary */
	enum pki_forgery forgery;
	bool stays; /* the connection, for another request */
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
	    .signer = spec->signer != NULL ? spec->signer : &pki->issuer,
	    .singles = &single,
	    .single_count = 1,
	    .forgery = spec->forgery,
	    .produced_at = spec->this_update};
	struct buf der = pki_response(&response), out;
	size_t len = spec->body != NULL ? strlen(spec->body) : der.len;

	buf_init(&out, 1 << 18);
	buf_printf(&out,
	    "HTTP/1.1 %d Said\r\nContent-Type: %s\r\n%s"
	    "Content-Length: %zu\r\nConnection: %s\r\n\r\n",
	    spec->http == 0 ? 200 : spec->http,
	    spec->content_type == NULL ? "application/ocsp-response"
				       : spec->content_type,
	    spec->headers == NULL ? "" : spec->headers, len,
	    spec->stays ? "keep-alive" : "close");
	buf_add(&out, spec->body != NULL ? spec->body : der.text, len);
	buf_done(&der);
	return out;
}

/* What of ANSWER is behind the head. */
static inline struct span
ocsp_answer_body(const struct buf *answer)
{
	const char *end = strstr(answer->text, "\r\n\r\n") + 4;

	return (struct span){
	    (const uint8_t *)end, answer->len - (size_t)(end - answer->text)};
}

/* A leaf of PKI's issuer with this AIA, in which PORT stands for a number. */
static inline struct pki_party
ocsp_leaf(const struct pki *pki, const char *aia, int port)
{
	struct pki_party leaf;
	struct buf text;
	const char *at;

	buf_init(&text, 4096);
	for (; (at = strstr(aia, "PORT")) != NULL; aia = at + 4)
		buf_printf(&text, "%.*s%d", (int)(at - aia), aia, port);
	buf_puts(&text, aia);
	leaf = pki_party(&(struct pki_spec){.cn = "leaf",
	    .issuer = &pki->issuer,
	    .ext = {{"authorityInfoAccess", buf_text(&text)}}});
	buf_done(&text);
	return leaf;
}

#endif
