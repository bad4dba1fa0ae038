/* SPDX-License-Identifier: ISC */
/* pki/delegates.h -- delegate signers that have been checked before.
 *
 * A responder sends its delegate's certificate with each response.  To decode
 * it and to check the issuer's signature on it costs several times what all
 * else of a response does, and a hundred thousand responses come with the same
 * one.  What is remembered is what never changes: this certificate, octet by
 * octet, was signed by that issuer.  Whether it may sign, and still may, is
 * looked at each time.
 *
 * Only what an issuer has signed, and what has signed a response, gets in: a
 * stranger can neither get in nor push anybody out.  Memory only, for one thread
 * at a time; the least lately used gives way. */
#ifndef OCLASP_PKI_DELEGATES_H
#define OCLASP_PKI_DELEGATES_H

#include "base/text.h"

struct cert;
struct delegates;
struct keyring;

enum {
	DELEGATES_MAX = 256,      /* more than there are public CAs */
	DELEGATES_DER_MAX = 8192, /* octets of one; larger ones get not in */
};

struct delegates *delegates_new(void);
void delegates_free(struct delegates *delegates);

/* The certificate of the octets DER that ISSUER has signed; NULL: none is
 * remembered.  Borrowed until the next delegates_add(). */
const struct cert *delegates_find(
    struct delegates *delegates, struct span der, const struct cert *issuer);

/* The keys that signed lately, made ready; borrowed.  NULL of NULL. */
struct keyring *delegates_keys(struct delegates *delegates);

/* CERT, which is of the octets DER and is taken, is signed by ISSUER. */
void delegates_add(struct delegates *delegates, struct span der,
    const struct cert *issuer, struct cert *take_cert);

#endif
