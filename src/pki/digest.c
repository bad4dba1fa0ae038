/* SPDX-License-Identifier: ISC */
/* pki/digest.c -- the SHA-256 by which one response is told from another. */
#include "pki/digest.h"

#include <openssl/sha.h>

_Static_assert((int)DIGEST_LEN == SHA256_DIGEST_LENGTH, "SHA-256's length");

void
digest_of(struct span octets, uint8_t digest[DIGEST_LEN])
{
	(void)SHA256(octets.at, octets.len, digest);
}
