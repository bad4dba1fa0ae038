/* SPDX-License-Identifier: ISC */
/* pki/signature.h -- a signature over octets as they came. */
#ifndef OCLASP_PKI_SIGNATURE_H
#define OCLASP_PKI_SIGNATURE_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "base/text.h"

/* True if KEY signed TBS, a whole SEQUENCE, by ALGORITHM.  SIGNATURE: the octets
 * of the BIT STRING, all bits used. */
bool signature_good(struct span tbs, const X509_ALGOR *algorithm,
    struct span signature, EVP_PKEY *key);

#endif
