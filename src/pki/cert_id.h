/* SPDX-License-Identifier: ISC */
/* pki/cert_id.h -- CertIDs: by what hashes OCSP names a certificate.
 *
 * RFC 6960, section 4.1.1; the two hashes of RFC 9919, section 3.1.1. */
#ifndef OCLASP_PKI_CERT_ID_H
#define OCLASP_PKI_CERT_ID_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct cert;

enum cert_id_hash { CERT_ID_SHA1, CERT_ID_SHA256, CERT_ID_HASHES };

enum { CERT_ID_HASH_MAX = 32 }; /* octets */

/* One CertID.  Spans are borrowed. */
struct cert_id {
	enum cert_id_hash hash; /* CERT_ID_HASHES: another one */
	struct span name_hash, key_hash;
	struct span serial; /* content octets of the INTEGER */
};

/* Octets that a hash of this kind has. */
size_t cert_id_hash_len(enum cert_id_hash hash);

/* The issuer's part of the CertID of LEAF, which may be compact. */
void cert_id_issuer(const struct cert *leaf, const struct cert *issuer,
    enum cert_id_hash hash, uint8_t name_hash[CERT_ID_HASH_MAX],
    uint8_t key_hash[CERT_ID_HASH_MAX]);

/* A stand-in for the certificate with SERIAL (1 to 127 octets) of which we have
 * no more than its CertID: compact, issued by ISSUER as SIBLING is, with its
 * responder's URLs.  It ends when its issuer does, since nobody knows better.
 * Enough to ask for it and to judge the answer by.  Owned by the caller. */
struct cert *cert_id_stand_in(
    const struct cert *sibling, const struct cert *issuer, struct span serial);

#endif
