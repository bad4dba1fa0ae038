/* SPDX-License-Identifier: ISC */
/* pki/seal.h -- a note to ourselves: these signatures were verified here.
 *
 * To verify a stored response again costs its signature, and mostly that of a
 * delegate: a hundred thousand of them are ten seconds of a start.  So who
 * verifies one makes a seal of it, an HMAC-SHA256 (RFC 2104) by a key that
 * nobody else can read, over all that the signatures said: whose they are and
 * on what.  Where a seal fits, pki/signer.c takes it for the public-key
 * operations, and for nothing else: times, CertID, algorithms, the operator's
 * rules, what the signer may and until when, are looked at each time.
 *
 * A seal that does not fit costs the verification that it would have spared. */
#ifndef OCLASP_PKI_SEAL_H
#define OCLASP_PKI_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct cert;
struct sealer;

enum { SEAL_KEY = 32, SEAL_LEN = 32 }; /* octets */

/* For one thread at a time.  NULL: this OpenSSL has no HMAC. */
struct sealer *sealer_new(const uint8_t key[SEAL_KEY]);
void sealer_free(struct sealer *sealer);

/* What is sealed: SIGNER's key made RESPONSE's signature, on an answer for LEAF
 * and ISSUER. */
struct seal_facts {
	const struct cert *leaf, *issuer;
	const struct cert *signer; /* may be ISSUER itself; if not, ISSUER's
				      key has signed it, */
	bool vouched;              /* or the operator's word stood for that */
	struct span response;
};

/* False: it cannot be made. */
bool seal_make(struct sealer *sealer, const struct seal_facts *facts,
    uint8_t seal[SEAL_LEN]);

/* True if both are the same seal; takes as long whatever they are. */
bool seal_same(struct span claimed, const uint8_t seal[SEAL_LEN]);

#endif
