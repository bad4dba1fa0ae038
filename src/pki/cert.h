/* SPDX-License-Identifier: ISC */
/* pki/cert.h -- certificates as facts: read from files, never with their keys.
 *
 * A file may be PEM (one or many certificates, in any order, with other blocks
 * between them) or DER.  Private keys in it are stepped over unread (I4). */
#ifndef OCLASP_PKI_CERT_H
#define OCLASP_PKI_CERT_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct err;

enum {
	CERT_FILE_MAX =
	    4 << 20,           /* bytes: a bundle of all public roots is 0.3 */
	CERT_LIST_MAX = 4096,  /* certificates in one file */
	CERT_URLS_MAX = 10,    /* AIA URLs taken of one certificate (Apple) */
	CERT_NAMES_MAX = 1000, /* DNS names and addresses shown of one */
	CERT_SHORT_LIVED = 7 * 86400, /* seconds; CA/B BR 1.6.1 */
	CERT_SHA1 = 20,               /* octets of a digest */
};

/* One certificate.  All fields are facts read once; owned by the struct. */
struct cert {
	X509 *x509;    /* NULL in a compact one */
	char *subject; /* one line, RFC 2253, for people */
	char *issuer;  /* the same of its issuer */
	char **names;  /* DNS names and addresses of subjectAltName */
	size_t name_count;
	char *serial;         /* lower-case hex, whole octets */
	char fingerprint[65]; /* hex SHA-256 of the DER */
	/* what it is called by as an issuer or signer: the SHA-1 of its name's
	 * DER, and of its key's bits */
	uint8_t subject_sha1[CERT_SHA1], key_sha1[CERT_SHA1];
	int64_t not_before, not_after; /* wall seconds */
	char **ocsp_urls; /* AIA id-ad-ocsp URIs, any scheme, file order */
	size_t ocsp_url_count;
	char *ca_issuers;       /* the first AIA id-ad-caIssuers URI, or NULL */
	struct span issuer_der; /* the issuer's Name, as this one writes it */
	struct span serial_der; /* content octets; empty if longer than 127 */
	bool must_staple;       /* RFC 7633: TLS feature status_request (5) */
	bool is_ca;
};

/* Certificates in file order, all owned by the list. */
struct cert_list {
	struct cert **items;
	size_t count;
};

/* Make a cert from an X509, which is taken.  NULL, with the X509 freed, if a
 * field cannot be read. */
struct cert *cert_take_x509(X509 *x509, struct err *err);
struct cert *cert_from_der(const uint8_t *der, size_t len, struct err *err);
void cert_free(struct cert *cert);

/* A copy of the facts in one piece of memory, without the X509: enough to make
 * a request, to verify a response and to speak of it, at a tenth of the size.
 * Not what signatures are checked with, neither its own nor those it made; and
 * it does not know its ca_issuers. */
struct cert *cert_compact(const struct cert *cert);

/* The DER of the name of CERT, which is not compact; borrowed. */
struct span cert_subject_der(const struct cert *cert);

/* The DER of CERT into fresh memory. */
void cert_der(const struct cert *cert, uint8_t **out, size_t *len);

/* The first URL of CERT's CRL distribution points (RFC 5280, section 4.2.1.13),
 * owned by the caller; NULL if there is none, or if CERT is compact. */
char *cert_crl_url(const struct cert *cert);

/* The PEM of CERT, owned by the caller. */
char *cert_pem(const struct cert *cert);

/* Add every certificate of the bytes to LIST.  NAME is for the error text.
 * Errors: REASON_CERTIFICATE_UNREADABLE, with a sentence for each kind of
 * wrong file (empty, a key only, PKCS#12, a request, binary). */
int cert_list_parse(struct cert_list *list, const char *name,
    const uint8_t *bytes, size_t len, struct err *err);

/* The same from a file; "-" is standard input. */
int cert_list_load(struct cert_list *list, const char *path, struct err *err);

void cert_list_add(struct cert_list *list, struct cert *take_cert);
void cert_list_done(struct cert_list *list);

/* The certificate that a server would present of LIST: the first that did not
 * sign another one of it; so a chain in the wrong order still gives the leaf.
 * NULL for an empty list.  Borrowed. */
const struct cert *cert_list_leaf(const struct cert_list *list);

/* True if SIGNER's key made the signature on CERT, and SIGNER's subject is
 * CERT's issuer.  RFC 5280, section 6.1.3 (a)(1) and (a)(4). */
bool cert_signed_by(const struct cert *cert, const struct cert *signer);

/* Find the issuer of LEAF by its signature among LISTS (NULL-terminated array
 * of borrowed lists; the first that fits).  When none fits: NULL, and ERR says
 * which certificate is missing and where to get it (AIA caIssuers), or that
 * those given are not the issuer.
 * Errors: REASON_ISSUER_MISSING, REASON_ISSUER_MISMATCH. */
const struct cert *cert_find_issuer(const struct cert *leaf,
    const struct cert_list *const lists[], struct err *err);

/* The name a person would call it by: the first DNS name, else the subject. */
const char *cert_name(const struct cert *cert);

/* True if NAME (a host, or *.suffix in the certificate) is one of its names,
 * RFC 6125 section 6.4.3. */
bool cert_names_host(const struct cert *cert, const char *host);

#endif
