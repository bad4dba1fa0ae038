/* SPDX-License-Identifier: ISC */
/* pki/keyring.h -- public keys made ready to check signatures with.
 *
 * To make one ready costs OpenSSL as much as a third of an RSA signature's
 * check, and one key checks a hundred thousand.  Nothing is remembered of what
 * was checked.  Memory only, for one thread at a time; the least lately used
 * gives way. */
#ifndef OCLASP_PKI_KEYRING_H
#define OCLASP_PKI_KEYRING_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "base/text.h"

struct keyring;

enum { KEYRING_MAX = 64 }; /* keys that are ready */

struct keyring *keyring_new(void);
void keyring_free(struct keyring *keyring);

/* As signature_good(); what KEYRING, which may be NULL, is not for (all but
 * RSASSA-PKCS1-v1_5 and ECDSA) is left to that. */
bool keyring_good(struct keyring *keyring, struct span tbs,
    const X509_ALGOR *algorithm, struct span signature, EVP_PKEY *key);

#endif
