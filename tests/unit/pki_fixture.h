/* SPDX-License-Identifier: ISC */
/* tests/unit/pki_fixture.h -- certificates and OCSP responses made in process,
 * with every field at will, also wrong ones.
 *
 * A spec is a struct of which zero means the ordinary; a row of a test sets
 * what is odd about it.  Our own mistakes end the program (assert). */
#ifndef OCLASP_TESTS_PKI_FIXTURE_H
#define OCLASP_TESTS_PKI_FIXTURE_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "pki/cert.h"
#include "pki/verify.h"

enum {
	PKI_NOW = 1800000000, /* 2027-01-15T08:00:00Z; no real clock anywhere */
	PKI_EXTS = 8,
	PKI_CERTS = 4,
	PKI_TLV_MAX = 1 << 20,
};

/* --- certificates --- */

enum pki_key {
	PKI_EC,
	PKI_RSA,
	PKI_RSA_PSS,
	PKI_RSA_SMALL,
	PKI_EC_SMALL,
	PKI_ED25519
};

struct pki_party {
	EVP_PKEY *key;
	struct cert *cert;
};

/* As openssl.cnf(5) writes them: "keyUsage" = "critical,keyCertSign". */
struct pki_ext {
	const char *name, *value;
};

struct pki_spec {
	const char *cn;
	const struct pki_party *issuer; /* NULL: signs itself */
	enum pki_key kind;
	EVP_PKEY *key;       /* borrowed; NULL: a new one of KIND */
	const EVP_MD *md;    /* NULL: SHA-256 */
	int64_t from, until; /* 0: PKI_NOW less and plus 30 days */
	const char *serial;  /* hex; NULL: by the name */
	struct pki_ext ext[PKI_EXTS];
};

struct pki_party pki_party(const struct pki_spec *spec);
void pki_party_done(struct pki_party *party);

/* root -> issuer -> leaf and delegate; the leaf has two OCSP URLs and a
 * caIssuers one, the delegate OCSPSigning and nocheck. */
struct pki {
	struct pki_party root, issuer, leaf, delegate;
};

struct pki pki_make(enum pki_key kind);
void pki_done(struct pki *pki);

/* --- DER --- */

/* Append TAG, minimal length and CONTENT. */
void pki_tlv(struct buf *out, unsigned tag, struct span content);
/* The same around what INNER has collected, which is emptied. */
void pki_wrap(struct buf *out, unsigned tag, struct buf *inner);
void pki_oid(struct buf *out, const char *dotted);
/* Extension with VALUE as the content of extnValue. */
void pki_extension(
    struct buf *out, const char *dotted, bool critical, struct span value);
struct span pki_span(const struct buf *buf);

/* Octets of a string literal: as an initializer, and as a value. */
/* clang-format off */
#define PKI_BYTES(text) {(const uint8_t *)(text), sizeof(text) - 1}
#define PKI_LITERAL(text) ((struct span)PKI_BYTES(text))
/* clang-format on */

/* --- responses --- */

struct pki_single {
	const struct cert *leaf, *issuer;
	int md_nid; /* hash of the CertID; 0: SHA-1 */
	bool wrong_name, wrong_key, wrong_serial;
	enum cert_status status;
	int reason;                       /* of revocation; 0: not given */
	int64_t this_update, next_update; /* 0: PKI_NOW -1 h, +1 d */
	bool no_next_update;
	const char *this_text, *next_text; /* GeneralizedTime as written */
	struct span id, certstatus;        /* whole values, raw */
	struct span extensions;            /* Extension values, raw */
	struct span tail;                  /* raw, behind everything */
};

enum pki_forgery { PKI_GENUINE, PKI_FLIP_SIGNATURE, PKI_FLIP_DATA };

struct pki_response {
	int status; /* of the OCSPResponse; without responseBytes unless 0 */
	const struct pki_party *signer;
	const struct cert *named; /* by the responderID; NULL: the signer */
	bool by_key;
	int64_t produced_at; /* 0: PKI_NOW -1 h */
	const char *produced_text;
	struct span version, responder; /* whole values, raw */
	const struct pki_single *singles;
	size_t single_count;
	struct span nonce;      /* octets within the OCTET STRING */
	struct span extensions; /* Extension values, raw */
	bool empty_extensions;
	const struct cert *certs[PKI_CERTS];
	struct span raw_certs; /* whole values, raw, behind CERTS */
	const EVP_MD *md;      /* NULL: SHA-256, none for Ed25519 */
	bool pss;
	struct span algorithm; /* whole AlgorithmIdentifier, raw */
	const char *type;      /* responseType; NULL: basic */
	enum pki_forgery forgery;
	struct span tail; /* raw, behind the whole response */
};

/* Owned by the caller. */
struct buf pki_response(const struct pki_response *spec);

/* ResponseData in, a response signed as SPEC says out. */
struct buf pki_response_over(struct span tbs, const struct pki_response *spec);

#endif
