/* SPDX-License-Identifier: ISC */
/* pki/cert_quick.h -- a server's certificate, read without an X509 of OpenSSL.
 *
 * OpenSSL decodes the public key with each certificate, which takes ten times
 * as long as all else, and nobody looks at a leaf's key.  So of certificates as
 * they mostly are (version 3, no CA, strict DER) the fields are read here; what
 * is unusual in any way is left to pki/cert.c.  Facts are the same by both.
 *
 * Pure.  RFC 5280, section 4.1. */
#ifndef OCLASP_PKI_CERT_QUICK_H
#define OCLASP_PKI_CERT_QUICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct cert;

enum { CERT_QUICK_NAMES_MAX = 128, CERT_QUICK_URLS_MAX = 8 };

/* Spans point into the DER, which must outlive it. */
struct cert_quick {
	struct span der, tbs;
	struct span algorithm, signature; /* AlgorithmIdentifier; its octets */
	struct span serial;               /* content octets */
	struct span issuer, subject;      /* whole Names */
	int64_t not_before, not_after;    /* wall seconds */
	struct span names[CERT_QUICK_NAMES_MAX]; /* of subjectAltName, */
	bool is_address[CERT_QUICK_NAMES_MAX];   /* or a DNS name */
	size_t name_count;
	struct span urls[CERT_QUICK_URLS_MAX]; /* AIA id-ad-ocsp */
	size_t url_count;
	bool must_staple;
	char fingerprint[65];
};

/* False, OUT of no use: leave it to cert_from_der(). */
bool cert_quick_parse(struct span der, struct cert_quick *out);

/* A compact certificate of QUICK, see cert_compact(), whose issuer is of the
 * name of ISSUER: that one's name is written the same, octet by octet.  NULL:
 * leave it to cert_from_der(). */
struct cert *cert_quick_make(
    const struct cert_quick *quick, const struct cert *issuer);

/* True if ISSUER's subject is QUICK's issuer, octet by octet. */
bool cert_quick_named(
    const struct cert_quick *quick, const struct cert *issuer);

/* True if ISSUER's key made the signature on QUICK. */
bool cert_quick_signed_by(
    const struct cert_quick *quick, const struct cert *issuer);

#endif
