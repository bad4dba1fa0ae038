/* SPDX-License-Identifier: ISC */
/* pki/cert_text.h -- what stands in a certificate, as text for people: of
 * whichever way it was read. */
#ifndef OCLASP_PKI_CERT_TEXT_H
#define OCLASP_PKI_CERT_TEXT_H

#include <openssl/x509.h>

#include "base/text.h"

/* What BIO has collected as a string, owned; BIO is freed. */
char *cert_text_bio(BIO *bio);

/* NAME in one line, RFC 2253; owned. */
char *cert_text_name(const X509_NAME *name);

/* A string, if it is plain printable ASCII of at most 2048 octets; else NULL.
 * Owned. */
char *cert_text_plain(struct span octets);

enum { CERT_TEXT_URL_MAX = 8192 }; /* octets */

/* A URL; octets that no URL has are written as %XX (RFC 3987, section 3.1).  One
 * that reaches the limit is cut off there: good for telling, not for asking.
 * NULL if it is empty.  Owned. */
char *cert_text_url(struct span octets);

/* An IPv4 or IPv6 address; NULL if it is none.  Owned. */
char *cert_text_address(struct span octets);

#endif
