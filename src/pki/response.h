/* SPDX-License-Identifier: ISC */
/* pki/response.h -- an OCSP response as facts: strict DER in, spans out.
 *
 * Pure.  Every octet is accounted for: non-minimal lengths, integers and
 * object identifiers, indefinite lengths and trailing octets are errors here,
 * where OpenSSL lets many of them pass, also in what no signature covers.
 * RFC 6960 section 4.2, X.690. */
#ifndef OCLASP_PKI_RESPONSE_H
#define OCLASP_PKI_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "pki/verify.h"

struct err;

enum {
	RESPONSE_SINGLES_MAX = 1024, /* a single has over 64 octets; 64 KiB */
	RESPONSE_CERTS_MAX = 64,
};

enum responder_id { RESPONDER_BY_NAME, RESPONDER_BY_KEY };

/* One SingleResponse. */
struct response_single {
	struct span hash_oid; /* content octets of the object identifier */
	struct span name_hash, key_hash;
	struct span serial; /* content octets of the INTEGER */
	enum cert_status status;
	int64_t revoked_at;
	int revocation_reason; /* -1: not given */
	int64_t this_update;
	bool has_next_update;
	int64_t next_update;          /* 0 if absent */
	struct span unknown_critical; /* OID of an extension, or empty */
};

/* Spans point into the bytes that were parsed, which must outlive it. */
struct response {
	struct span tbs; /* ResponseData, the octets that are signed */
	enum responder_id responder_kind;
	struct span responder; /* the whole Name, or the key hash */
	int64_t produced_at;
	struct response_single *singles; /* owned */
	size_t single_count;
	bool has_nonce;
	struct span nonce; /* the octets themselves */
	struct span unknown_critical;
	struct span signature_algorithm; /* whole AlgorithmIdentifier */
	struct span signature;           /* content octets, all bits used */
	struct span certs[RESPONSE_CERTS_MAX];
	size_t cert_count;
	bool fractional_times; /* which RFC 5280 forbids; see pki/der.h */
};

/* Read LEN octets.  On failure OUT is untouched.
 * Errors: REASON_NOT_OCSP (no ASN.1 at all: HTML, text), REASON_MALFORMED,
 * REASON_TRAILING_DATA, and REASON_STATUS_* for an error status. */
int response_parse(
    const uint8_t *der, size_t len, struct response *out, struct err *err);

void response_done(struct response *response);

/* Strip what wraps a response in a file: PEM ("OCSP RESPONSE"), or base64 as
 * base64(1) writes it, in lines, the last one ended too (a body of base64
 * without a newline is what a broken responder sends, and is not taken).
 * Anything else is copied as it is.  Owned by the caller.  Errors: REASON_MALFORMED. */
int response_unwrap(const uint8_t *bytes, size_t len, uint8_t **der,
    size_t *der_len, struct err *err);

#endif
