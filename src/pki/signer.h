/* SPDX-License-Identifier: ISC */
/* pki/signer.h -- who signed a response, and was he allowed to?
 *
 * RFC 6960, section 4.2.2.2: the issuing CA itself, or a delegate whose
 * certificate that CA's key signed directly, with id-kp-OCSPSigning.  There is
 * no chain building and there are no trusted "others" (C6, C7).
 *
 * The third way of that section, "a local configuration of OCSP signing
 * authority", needs the operator's own word: the very certificate is in a file
 * that he has named for this issuer (`trusted` of the input).  It needs
 * id-kp-OCSPSigning all the same, and a CA in that file is no signing
 * authority for those it has certified. */
#ifndef OCLASP_PKI_SIGNER_H
#define OCLASP_PKI_SIGNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "pki/seal.h"

struct err;
struct response;
struct verify_input;
struct verify_policy;

enum { SIGNER_OID_TEXT = 128 };

struct signer {
	bool delegate;     /* not the issuing CA itself */
	bool trusted;      /* by the operator's word, not by the CA's */
	int64_t not_after; /* of the delegate's certificate */
	bool nocheck;      /* the delegate has id-pkix-ocsp-nocheck (C8) */
	bool sealed;       /* SEAL says all this; only with a sealer */
	uint8_t seal[SEAL_LEN];
};

/* Find the signer of RESPONSE by its responderID, check that he is allowed to
 * sign for the issuer, and check the signature, unless the input's seal says
 * that this was done: of this signer, for this leaf and issuer.
 * Errors: REASON_UNTRUSTED_SIGNER, _SIGNER_NOT_AUTHORIZED, _SIGNER_EXPIRED,
 * _WEAK_ALGORITHM, _CRITICAL_EXTENSION, _BAD_SIGNATURE, _MALFORMED. */
int signer_check(const struct response *response,
    const struct verify_input *input, const struct verify_policy *policy,
    struct signer *out, struct err *err);

/* The dotted form of an object identifier's content octets, "?" if it is too
 * long to be one. */
void signer_oid_text(struct span oid, char text[SIGNER_OID_TEXT]);

#endif
