/* SPDX-License-Identifier: ISC */
/* pki/pem.h -- the certificates in a PEM file, block by block (RFC 7468).
 *
 * A file is cut at its BEGIN lines, and only blocks that say CERTIFICATE are
 * given: a private key beside them is never even turned from base64 into a key
 * (I4). */
#ifndef OCLASP_PKI_PEM_H
#define OCLASP_PKI_PEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* A walk through a text. */
struct pem {
	const char *next, *end;
};

/* Over LEN octets of TEXT, which must outlive it. */
struct pem pem_over(const void *text, size_t len);

/* True if there is any block at all, whatever it is. */
bool pem_has_block(const void *text, size_t len);

/* The next block that holds a certificate, from its BEGIN line to where the
 * next block begins; false: there is none. */
bool pem_next(struct pem *pem, struct span *block);

/* The octets of a plain BLOCK, which begins and ends as a certificate does, into
 * fresh memory.  False for any other: it has headers, or is damaged. */
bool pem_decode(struct span block, uint8_t **der, size_t *len);

#endif
