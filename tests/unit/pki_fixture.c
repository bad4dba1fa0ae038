/* SPDX-License-Identifier: ISC */
/* tests/unit/pki_fixture.c -- certificates and OCSP responses for tests. */
#include "pki_fixture.h"

#include <assert.h>
#include <openssl/bn.h>
#include <openssl/ocsp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "pki/der.h"

/* --- certificates --- */

/* Ed25519 keys and signatures are the same in every run, which a fuzzer
 * wants: the seed is the name. */
static EVP_PKEY *
named_ed25519(const char *name)
{
	unsigned char seed[EVP_MAX_MD_SIZE];

	assert(EVP_Digest(name, strlen(name), seed, NULL, EVP_sha256(), NULL) ==
	       1);
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
}

static EVP_PKEY *
rsa_pss_key(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA_PSS, NULL);
	EVP_PKEY *key = NULL;

	assert(EVP_PKEY_keygen_init(ctx) == 1);
	assert(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) == 1);
	assert(EVP_PKEY_keygen(ctx, &key) == 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *
new_key(enum pki_key kind, const char *name)
{
	EVP_PKEY *key = NULL;

	switch (kind) {
	case PKI_EC:
		key = EVP_EC_gen("P-256");
		break;
	case PKI_RSA:
		key = EVP_RSA_gen(2048);
		break;
	case PKI_RSA_PSS:
		key = rsa_pss_key();
		break;
	case PKI_RSA_SMALL:
		key = EVP_RSA_gen(768);
		break;
	case PKI_EC_SMALL:
		key = EVP_EC_gen("secp112r1");
		break;
	case PKI_ED25519:
		key = named_ed25519(name);
		break;
	}
	assert(key != NULL);
	return key;
}

static void
set_serial(X509 *x509, const struct pki_spec *spec)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	BIGNUM *bn = NULL;

	if (spec->serial != NULL) {
		assert(BN_hex2bn(&bn, spec->serial) > 0);
	} else {
		assert(EVP_Digest(spec->cn, strlen(spec->cn), digest, NULL,
			   EVP_sha256(), NULL) == 1);
		digest[0] = 0x5a; /* positive, and of a known length */
		bn = BN_bin2bn(digest, 16, NULL);
	}
	assert(BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x509)) != NULL);
	BN_free(bn);
}

static void
add_extensions(X509 *x509, X509 *issuer, const struct pki_ext *ext)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
	for (size_t i = 0; i < PKI_EXTS && ext[i].name != NULL; i++) {
		X509_EXTENSION *made =
		    X509V3_EXT_nconf(NULL, &ctx, ext[i].name, ext[i].value);

		assert(made != NULL);
		assert(X509_add_ext(x509, made, -1) == 1);
		X509_EXTENSION_free(made);
	}
}

struct pki_party
pki_party(const struct pki_spec *spec)
{
	EVP_PKEY *key = spec->key;
	X509 *x509 = X509_new();
	X509 *issuer = x509;
	EVP_PKEY *signing_key;
	struct pki_party party;
	const EVP_MD *md = spec->md == NULL ? EVP_sha256() : spec->md;
	int64_t from = spec->from;
	int64_t until = spec->until;

	if (from == 0)
		from = PKI_NOW - 30 * CLOCK_DAY;
	if (until == 0)
		until = PKI_NOW + 30 * CLOCK_DAY;
	if (key != NULL)
		assert(EVP_PKEY_up_ref(key) == 1);
	else
		key = new_key(spec->kind, spec->cn);
	signing_key = key;
	if (spec->issuer != NULL) {
		issuer = spec->issuer->cert->x509;
		signing_key = spec->issuer->key;
	}
	assert(X509_set_version(x509, X509_VERSION_3) == 1);
	set_serial(x509, spec);
	assert(ASN1_TIME_set(X509_getm_notBefore(x509), from) != NULL);
	assert(ASN1_TIME_set(X509_getm_notAfter(x509), until) != NULL);
	assert(X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN",
		   MBSTRING_UTF8, (const unsigned char *)spec->cn, -1, -1,
		   0) == 1);
	assert(X509_set_pubkey(x509, key) == 1);
	assert(X509_set_issuer_name(x509, X509_get_subject_name(issuer)) == 1);
	add_extensions(x509, issuer, spec->ext);
	if (EVP_PKEY_get_base_id(signing_key) == EVP_PKEY_ED25519)
		md = NULL;
	assert(X509_sign(x509, signing_key, md) > 0);
	party.key = key;
	party.cert = cert_take_x509(x509, NULL);
	assert(party.cert != NULL);
	return party;
}

void
pki_party_done(struct pki_party *party)
{
	EVP_PKEY_free(party->key);
	cert_free(party->cert);
	*party = (struct pki_party){0};
}

struct pki
pki_make(enum pki_key kind)
{
	struct pki pki;

	pki.root = pki_party(&(struct pki_spec){
	    .cn = "root",
	    .kind = kind,
	    .ext = {{"basicConstraints", "critical,CA:TRUE"}},
	});
	pki.issuer = pki_party(&(struct pki_spec){
	    .cn = "issuer",
	    .kind = kind,
	    .issuer = &pki.root,
	    .ext = {{"basicConstraints", "critical,CA:TRUE"}},
	});
	pki.leaf = pki_party(&(struct pki_spec){
	    .cn = "leaf",
	    .kind = kind,
	    .issuer = &pki.issuer,
	    .ext = {{"subjectAltName",
			"DNS:leaf.test,DNS:*.wild.test,IP:192.0.2.1,"
			"IP:2001:db8::1"},
		{"authorityInfoAccess",
		    "OCSP;URI:http://ocsp.test/a,"
		    "caIssuers;URI:http://ca.test/issuer.der,"
		    "OCSP;URI:ldap://ocsp.test/b"}},
	});
	pki.delegate = pki_party(&(struct pki_spec){
	    .cn = "delegate",
	    .kind = kind,
	    .issuer = &pki.issuer,
	    .ext = {{"extendedKeyUsage", "OCSPSigning"}, {"noCheck", "yes"}},
	});
	return pki;
}

void
pki_done(struct pki *pki)
{
	pki_party_done(&pki->root);
	pki_party_done(&pki->issuer);
	pki_party_done(&pki->leaf);
	pki_party_done(&pki->delegate);
}

/* --- DER --- */

struct span
pki_span(const struct buf *buf)
{
	return (struct span){(const uint8_t *)buf->text, buf->len};
}

void
pki_tlv(struct buf *out, unsigned tag, struct span content)
{
	uint8_t head[4] = {(uint8_t)tag, 0, 0, 0};
	size_t len = content.len;
	size_t head_len = 2;

	assert(len < 65536 * 4u);
	if (len < 0x80) {
		head[1] = (uint8_t)len;
	} else if (len < 0x100) {
		head[1] = 0x81;
		head[2] = (uint8_t)len;
		head_len = 3;
	} else if (len < 0x10000) {
		head[1] = 0x82;
		head[2] = (uint8_t)(len >> 8);
		head[3] = (uint8_t)len;
		head_len = 4;
	} else {
		const uint8_t long_head[5] = {(uint8_t)tag, 0x83,
		    (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};

		buf_add(out, long_head, sizeof(long_head));
		head_len = 0;
	}
	buf_add(out, head, head_len);
	buf_add(out, content.at, content.len);
	assert(!out->full);
}

void
pki_wrap(struct buf *out, unsigned tag, struct buf *inner)
{
	pki_tlv(out, tag, pki_span(inner));
	buf_done(inner);
}

static struct buf
fresh(void)
{
	struct buf buf;

	buf_init(&buf, PKI_TLV_MAX);
	return buf;
}

void
pki_oid(struct buf *out, const char *dotted)
{
	ASN1_OBJECT *object = OBJ_txt2obj(dotted, 1);

	assert(object != NULL);
	pki_tlv(out, DER_OID,
	    (struct span){OBJ_get0_data(object), OBJ_length(object)});
	ASN1_OBJECT_free(object);
}

void
pki_extension(
    struct buf *out, const char *dotted, bool critical, struct span value)
{
	struct buf in = fresh();

	pki_oid(&in, dotted);
	if (critical)
		pki_tlv(&in, DER_BOOLEAN, PKI_LITERAL("\xff"));
	pki_tlv(&in, DER_OCTET_STRING, value);
	pki_wrap(out, DER_SEQUENCE, &in);
}
