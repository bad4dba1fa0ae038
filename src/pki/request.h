/* SPDX-License-Identifier: ISC */
/* pki/request.h -- the OCSP request, RFC 6960 section 4.1 as profiled by
 * RFC 9919: one certificate, no extensions, unsigned. */
#ifndef OCLASP_PKI_REQUEST_H
#define OCLASP_PKI_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct cert;
struct err;

enum {
	REQUEST_GET_URL_MAX = 255, /* bytes of a whole GET URL, RFC 9919 */
	REQUEST_FILE_MAX = 65536,
	REQUEST_NONCE = 32, /* octets, RFC 9654 section 2.1 */
};

/* DER of a request for LEAF with a SHA-1 CertID (B9), owned by the caller. */
int request_make(const struct cert *leaf, const struct cert *issuer,
    uint8_t **out, size_t *len, struct err *err);

/* In what a request differs from the plain one. */
struct request_kind {
	bool sha256;       /* the CertID's hash, instead of SHA-1 (B9) */
	struct span nonce; /* empty: none (B3) */
};

int request_make_as(const struct cert *leaf, const struct cert *issuer,
    const struct request_kind *kind, uint8_t **out, size_t *len,
    struct err *err);

/* DER of a request for a certificate that nobody has issued, owned by the
 * caller: it tells whether somebody answers OCSP at all, and names nobody's
 * certificate.  Always the same octets, so that caches may answer it again; a
 * responder says unauthorized, or unknown, or what it likes (RFC 6960,
 * section 2.3). */
void request_make_fictitious(uint8_t **out, size_t *len);

/* The URL of a GET: BASE, a slash if it has none at its end, and the request
 * as URL-encoded base64 (RFC 6960, appendix A.1).  Owned by the caller. */
char *request_get_url(const char *base, const uint8_t *der, size_t len);

/* One CertID of a request, as hex; owned. */
struct request_id {
	char *hash; /* "sha1", "sha256", or a dotted identifier */
	char *name_hash, *key_hash, *serial;
};

enum { REQUEST_IDS_MAX = 256 };

/* A request as facts, for a reader. */
struct request_facts {
	struct request_id *ids; /* owned */
	size_t id_count;
	bool is_signed;
};

/* Read an OCSP request (DER).  Errors: REASON_USAGE. */
int request_parse(
    const uint8_t *der, size_t len, struct request_facts *out, struct err *err);
void request_facts_done(struct request_facts *facts);

/* The nonce of an OCSP request (DER), copied to fresh memory; *LEN 0 and *OUT
 * NULL if it has none.  Errors: REASON_USAGE if the bytes are no request. */
int request_nonce(const uint8_t *der, size_t der_len, uint8_t **out,
    size_t *len, struct err *err);

#endif
