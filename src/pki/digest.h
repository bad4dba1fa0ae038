/* SPDX-License-Identifier: ISC */
/* pki/digest.h -- the SHA-256 by which one response is told from another. */
#ifndef OCLASP_PKI_DIGEST_H
#define OCLASP_PKI_DIGEST_H

#include <stdint.h>

#include "base/text.h"

enum { DIGEST_LEN = 32 };

/* The SHA-256 (FIPS 180-4) of OCTETS. */
void digest_of(struct span octets, uint8_t digest[DIGEST_LEN]);

#endif
